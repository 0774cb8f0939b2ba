"""The draft: a preset's file, with where each number is from, and what is left to do.

A field that nothing says is no field, but a line that begins with `# TODO`: the chart refuses a
preset that lacks one, and names it.
"""

from dataclasses import dataclass

import yaml

from . import parsers, shape, thinking
from .attention import groups
from .files import Files
from .weights import Weights

WIDTH = 100  # of a line
_SAMPLING = ("temperature", "top_p", "top_k", "min_p", "repetition_penalty")
_MODES = {"both": ("thinking", "nonThinking"), "always": ("thinking",), "never": ("nonThinking",)}

_SENSES = ("vision_config", "audio_config")


@dataclass(frozen=True)
class Draft:
    """A draft.

    Args:
        name: of the preset, and of its file.
        text: of the file.
        open: fields that are left to do, of which it does not render without.
    """

    name: str
    text: str
    open: tuple[str, ...]


class _Lines:
    """The file's lines, with the fields that are missing."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.open: list[str] = []

    def comment(self, text: str) -> None:
        self.lines += _wrapped(text)

    def field(self, name: str, value: object, comment: str = "", todo: str = "") -> None:
        """Write a field, or what is to be done where its value is None."""
        if value is None:
            self.open.append(name)
            self.comment(f"TODO {name}: {todo}")
            return
        line = f"{name}: {_inline(value)}"
        if comment and len(f"{line} # {comment}") > WIDTH:
            self.comment(comment)
            comment = ""
        self.lines.append(f"{line} # {comment}" if comment else line)


def draft(name: str, files: Files, weights: Weights) -> Draft:
    """Write the draft.

    Args:
        name: of the preset.
        files: what the model publishes.
        weights: counted of its config.
    """
    lines = _Lines()
    found = thinking.look(files.template) if files.template else None
    _head(lines, files.source.rpartition("/")[2] or name, files, found)
    _thinking(lines, found)
    _numbers(lines, files, weights)
    _parsers(lines, files, found)
    _sampling(lines, files, found)
    sees = any(name in files.config for name in _SENSES)
    how = "what sees or hears is not loaded, and not counted" if sees else ""
    lines.field("engineKwargs", {"language_model_only": True} if sees else {}, how)
    return Draft(name, "\n".join(lines.lines) + "\n", tuple(lines.open))


def _head(lines: _Lines, name: str, files: Files, found: thinking.Found | None) -> None:
    modes = found.modes if found else None
    said = {"both": "Thinks or not, by request", "always": "Always thinks", "never": "Never thinks"}
    where = f"https://huggingface.co/{files.source}" if files.source else files.where
    first = f"{said.get(modes or '', 'Thinks or not: TODO')}. {where}"
    title = f"{name}: {first[0].lower()}{first[1:]}"
    lines.comment(title if len(title) < WIDTH - 2 else first)
    lines.comment(
        "Drafted by `make preset` from its config.json"
        + (", chat template" if files.template else "")
        + (", generation_config.json" if files.sampling else "")
        + ". Check each line against its card."
    )
    if files.licence and files.licence not in ("apache-2.0", "mit"):
        lines.comment(f"Its licence: {files.licence}.")
    lines.field("source", files.source or None, todo="owner/name on the hub, or the folder")
    todo = "the commit of its repository that is served, or it is another one some day"
    lines.field("revision", files.revision or None, todo=todo)


def _thinking(lines: _Lines, found: thinking.Found | None) -> None:
    if found is None or found.modes is None:
        todo = (
            "no chat template was read (TEMPLATE=...)"
            if found is None
            else "the template has tags of thinking, and nothing that turns it on or off"
        )
        lines.field("thinking", None, todo=f"{todo}; the map of another preset shows its fields")
        _seen(lines, found)
        return
    _seen(lines, found)
    lines.lines.append("thinking:")
    rows: list[tuple[str, object, str]] = [
        ("modes", found.modes, ""),
        ("argument", found.argument, ""),
    ]
    if found.argument:
        rows += [("enabled", found.enabled, ""), ("disabled", found.disabled, "")]
    unsure = "" if found.default is not None else "TODO: the prompts don't tell"
    default = found.modes != "never" if found.default is None else found.default
    rows += [
        ("default", default, unsure),
        (
            "efforts",
            list(found.efforts),
            "check: those that its card names" if found.efforts else "",
        ),
        ("switches", False, "check: true where its card says that /think and /no_think count"),
        ("opens", found.opens, ""),
        ("budget", _budget(found), ""),
        ("tags", list(found.tags), ""),
    ]
    for name, value, comment in rows:
        lines.lines.append(f"  {name}: {_inline(value)}" + (f" # {comment}" if comment else ""))


def _budget(found: thinking.Found) -> str:
    return found.budget or ("engine" if found.tags else "none")


def _seen(lines: _Lines, found: thinking.Found | None) -> None:
    if found is None:
        return
    lines.comment("Its chat template, rendered:")
    for one in found.seen:
        lines.comment(f"  {one}")
    if found.others or found.switches:
        others = ", ".join((*found.others, *found.switches))
        lines.comment(f"  it also has: {others}")


def _numbers(lines: _Lines, files: Files, weights: Weights) -> None:
    config = shape.text(files.config)
    numbers = shape.shape(config)
    todo = f"{weights.how}; what the card says, as a whole number"
    lines.field("parameters", weights.parameters, todo=todo)
    size, how = weights.bytes, weights.how
    if size is None and files.file_bytes:
        size, how = files.file_bytes, f"of all its files; {weights.how}, so check what vLLM loads"
    elif files.file_bytes:
        how += f"; the files: {files.file_bytes}"
    lines.field("weightBytes", size, how, todo=f"{weights.how}; as vLLM loads them")
    if through := active(numbers, weights):
        lines.field("activeParameters", through, "what a token goes through")
    for field in ("layers", "hiddenSize", "intermediateSize", "vocabSize", "attentionHeads"):
        lines.field(
            field, numbers[field], _width(numbers, field), todo="config.json does not say it"
        )
    _attention(lines, config, numbers)
    lines.field("maxPositions", numbers["maxPositions"], todo="config.json does not say it")
    if "experts" in numbers:
        lines.field("experts", numbers["experts"])
        lines.field("activeExperts", numbers["activeExperts"])
    kind = shape.dtype(config) or shape.dtype(files.config)
    todo = "config.json does not say it: bfloat16 or float16"
    lines.field("dtype", kind, "of the activations" if weights.how != "bf16" else "", todo=todo)


def active(numbers: dict[str, int | None], weights: Weights) -> int | None:
    """Return the parameters that a token goes through; None where it is all, or not known."""
    experts, chosen = numbers.get("experts"), numbers.get("activeExperts")
    if not experts or not chosen or not weights.parameters:
        return None
    return weights.parameters - weights.experts * (experts - chosen) // experts


def _width(numbers: dict[str, int | None], field: str) -> str:
    active, wide = numbers.get("activeExperts"), numbers["intermediateSize"]
    if field != "intermediateSize" or not active or not wide:
        return ""
    return f"{wide // active} of an expert x {active} experts a token"


def _attention(lines: _Lines, config: shape.Config, numbers: dict[str, int | None]) -> None:
    try:
        kinds = groups(config)
    except KeyError:
        kinds = None
    lines.field("headSize", numbers["headSize"], todo="config.json does not say it")
    if kinds is None:  # without kvHeads the chart refuses it, or it would take all layers for full
        todo = f"{numbers['kvHeads']}, once `attention` says what each kind of layer keeps"
        lines.field("kvHeads", None, todo=todo)
        return
    lines.field("kvHeads", numbers["kvHeads"], todo="config.json does not say it")
    if kinds:
        lines.lines.append("attention:")
    for kind in kinds:
        line = f"  - {_inline(kind)}"
        if len(line) <= WIDTH:
            lines.lines.append(line)
        else:
            start, *others = (f"{key}: {_inline(value)}" for key, value in kind.items())
            lines.lines += [f"  - {start}", *(f"    {other}" for other in others)]


def _parsers(lines: _Lines, files: Files, found: thinking.Found | None) -> None:
    mark = parsers.propose(files.template)
    thinks = found is None or found.modes != "never"
    todo = "one of vllm/reasoning, that reads its tags"
    reasoning = (mark.reasoning if mark else None) if thinks else ""
    proposed = f"proposed, as its template has {mark.text}: check" if mark else ""
    lines.field("reasoningParser", reasoning, proposed if thinks else "", todo=todo)
    todo = 'one of vllm/tool_parsers, or "" where it was trained on no calls'
    lines.field("toolCallParser", mark.tools if mark else None, proposed, todo=todo)


def _sampling(lines: _Lines, files: Files, found: thinking.Found | None) -> None:
    modes = _MODES.get((found.modes if found else None) or "both", ())
    own = {name: files.sampling[name] for name in _SAMPLING if name in files.sampling}
    if not {"temperature", "top_p"} <= set(own):
        todo = f"of {' and '.join(modes)}, as the card advises: {{temperature: 0.6, top_p: 0.95}}"
        lines.field("sampling", None, todo=todo)
        return
    lines.lines.append(
        "sampling: # its generation_config.json's; check what the card says of each mode"
    )
    lines.lines += [f"  {mode}: {_inline(own)}" for mode in modes]


def _inline(value: object) -> str:
    if value == "":
        return '""'
    return (
        str(yaml.safe_dump(value, default_flow_style=True, width=1000, sort_keys=False))
        .removesuffix("...\n")
        .strip()
    )


def _wrapped(text: str) -> list[str]:
    """Return comment lines; an address is not broken."""
    lines, line = [], "#"
    indent = " " * (len(text) - len(text.lstrip()))
    for word in text.split():
        if len(f"{line} {word}") > WIDTH and line.strip("# "):
            lines.append(line)
            line = f"#{indent}"
        line += (indent if line == "#" else "") + f" {word}"
    return [*lines, line]


def name_of(files: Files, folder: str) -> str:
    """Return a preset's name: the last part of its source, or of its folder, in lower case."""
    return (files.source.rpartition("/")[2] or folder).lower()
