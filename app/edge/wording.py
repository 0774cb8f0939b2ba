"""The words of an error that are for a client, without what Ray, vLLM and pydantic wrap around."""

import re

_MESSAGE_LIMIT = 2000  # characters; a validation error can repeat a whole request

# Ray: "Message: M (Request ID: R), Internal exception: ..., original exception: ..."
_RAY_WRAPPED = re.compile(r"^Message: (.*?)(?:, Internal exception: .*)?$", re.DOTALL)
_REQUEST_ID = re.compile(r" ?\(Request ID: [^)]*\)")
# Ray's wording of a validation error: "Invalid request format: M at ('body', 'messages', 0)"
_AT_FIELD = re.compile(r"^Invalid request format: (.*) at \(?'?\w+'?,?\s*(.*?),?\)?$", re.DOTALL)
# pydantic's own: "1 validation error for ChatCompletionRequest\nmax_tokens\n  M [type=..."
_OF_MODEL = re.compile(r"^\d+ validation errors? for \w+\n(\S*)\n  ([^\n]*)")
# vLLM's: "1 validation error:\n  {'type': T, 'loc': ('body', 'messages'), 'msg': M, 'input': ...}"
_VALIDATION = re.compile(
    r"^\d+ validation errors?:.*?'loc': \(?'\w+',?\s*(.*?),?\), 'msg': (['\"])(.*?)\2, 'input'",
    re.DOTALL,
)
# and "M (parameter=max_tokens, value=-1)"
_PARAMETER = re.compile(r" ?\(parameter=(\w+)(?:, value=.*)?\)$", re.DOTALL)
# What pydantic adds: the input itself, and a link to its own documentation.
_PYDANTIC = re.compile(r" ?\[type=\w+, input_value=.*?(?:, input_type=\w+\]|$)", re.DOTALL)
_PYDANTIC_LINK = re.compile(r"\n? *For further information visit https://errors\.pydantic\.dev\S*")
# What pydantic puts between the names of fields: a union's members by class or type, and validators
_MEMBER = re.compile(
    r"[A-Z]\w*|.*\[.*|constrained-\w+|bool|bytes|dict|float|int|list|none|str|tuple", re.DOTALL
)
_VALIDATOR = re.compile(r"(?:function-|lax-or-strict|json-or-python|__)\S*", re.DOTALL)
_OF_MEMBER = re.compile(r"^Input should be (?:'|a valid |an instance )")
_NO_FORM = "Input has none of the forms that are allowed here."
# What a client may send to Python, but not by HTTP
_INSTANCE = re.compile(r" or (?:instance of \w+|object to extract fields from)$")
_SURROGATE = re.compile(r"^'utf-8' codec can't encode character.*", re.DOTALL)
_NO_UNICODE = "The request has half of a surrogate pair in a text, which is no character."
# What is for no client: Python's and Ray's words on a crash, a validation error in a new wording
_NOT_FOR_CLIENTS = re.compile(
    r'Traceback \(most|^\s*File "|\bray::|\(pid=\d|\bactor_id\b|\bActorID\(|\b[Tt]he actor '
    r"|^\d+ validation errors?:\s+\{",
    re.MULTILINE,
)
_PART = re.compile(r"'([^']*)'|(\d+)")
_EXCEPTION = re.compile(r"^(?:\w+\.)*\w+(?:Error|Exception): ")
# Modules of Ray and vLLM, files (not the API's own paths, as /v1/models), addresses in memory
_INTERNALS = re.compile(
    r"(?<![\w./-])(?:(?:ray|vllm)(?:\.\w+)+|[\w./-]+\.py\b|(?!/v\d/)(?:/[\w.@+-]+){2,})"
    r"|\b0x[0-9a-f]+"
)


def plain(message: str) -> tuple[str, str | None]:
    """Return what of an upstream message a client may read, and the request field at fault.

    The field is "" for the body as a whole, None where the message doesn't tell. The message is ""
    when it is not for clients at all.
    """
    field = None
    if wrapped := _RAY_WRAPPED.match(message):
        message = wrapped[1]
    if len(message) > 2 * _MESSAGE_LIMIT:  # the patterns below take long over a long text
        message = f"{message[:_MESSAGE_LIMIT]} ... {message[-_MESSAGE_LIMIT:]}"
    message = _REQUEST_ID.sub("", message)
    message = _EXCEPTION.sub("", message)
    if at := _AT_FIELD.match(message):
        message, field = _at(at[2], at[1])
    elif at := _VALIDATION.match(message):
        message, field = _at(at[1], at[3])
    elif at := _OF_MODEL.match(message):
        parts = ", ".join(repr(part) for part in at[1].split("."))
        message, field = _at(parts, _PYDANTIC.sub("", at[2]))
    if parameter := _PARAMETER.search(message):
        message, field = message[: parameter.start()], parameter[1]
    message = _PYDANTIC_LINK.sub("", _PYDANTIC.sub("", message))
    message = _SURROGATE.sub(_NO_UNICODE, _INSTANCE.sub("", message))
    message = "" if _NOT_FOR_CLIENTS.search(message) else _INTERNALS.sub("...", message).strip()
    if len(message) > _MESSAGE_LIMIT:
        message = message[:_MESSAGE_LIMIT] + " ..."
    return message, field


def _at(place: str, message: str) -> tuple[str, str]:
    """Return the message with the field that pydantic's `loc` gives, and that field."""
    if place.isdigit():  # where the JSON breaks off, in characters
        return f"{message} at character {place}", ""
    parts = [quoted or number for quoted, number in _PART.findall(place)]
    parts = [part for part in parts if not _VALIDATOR.fullmatch(part)]
    named = [part for part in parts if not _MEMBER.fullmatch(part)]
    # Every member of a union complains, and this is no more than the first to do so.
    if len(named) < len(parts) and _OF_MEMBER.match(message):
        message = _NO_FORM
    field = ".".join(named)
    return f"{field}: {message}" if field else message, field
