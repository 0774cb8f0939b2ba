"""The paths that take a POST, and what each asks of the engine. All others are closed.

vLLM's own server has more of them, some of which would make a model write with no policy asked.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from app.answers.translated import Answer
from app.surfaces import messages, responses, tokens
from app.surfaces.parsing import chat_completion, completion, unread

Fields = dict[str, Any]


@dataclass(frozen=True)
class API:
    """One path, with or without something before it."""

    name: str  # as metrics have it
    path: str
    # What the application behind is asked, and what turns its answer back, if anything must
    read: Callable[[Fields], tuple[Fields, Answer | None]]
    behind: str  # the path that is asked
    answers: bool = True  # whether a model writes here: decided on, bounded, counted
    thinks: bool = True  # whether what is asked is a chat completion, which has modes
    # What is asked once the request is decided on
    finish: Callable[[Fields], Fields] = lambda fields: fields


def _chat(request: Fields) -> tuple[Fields, Answer | None]:
    return chat_completion(request), None


def _plain(request: Fields) -> tuple[Fields, Answer | None]:
    return completion(request), None


def _message(request: Fields) -> tuple[Fields, Answer | None]:
    chat, answer = messages.translate(request)
    return chat_completion(chat), answer


def _response(request: Fields) -> tuple[Fields, Answer | None]:
    chat, answer = responses.translate(request)
    return chat_completion(chat), answer


def _count(request: Fields) -> tuple[Fields, Answer | None]:
    return chat_completion(messages.translate_count(request)), tokens.Count()


def _passed(request: Fields) -> tuple[Fields, Answer | None]:
    return unread(request), None


_CHAT = "/v1/chat/completions"
_TAKEN = (
    API("chat_completions", _CHAT, _chat, _CHAT),
    API("responses", "/v1/responses", _response, _CHAT),
    API("messages", "/v1/messages", _message, _CHAT),
    API("completions", "/v1/completions", _plain, "/v1/completions", thinks=False),
)
# Nothing here makes a model write.
_HARMLESS = tuple(
    API(path, path, _passed, path, answers=False, thinks=False)
    for path in ("/tokenize", "/detokenize", "/v1/embeddings", "/v1/score")
)
_COUNT = "/v1/messages/count_tokens"
_COUNTED = {
    True: API("count_tokens", _COUNT, _count, "/tokenize", answers=False, finish=tokens.tokenized),
    False: API("count_tokens", _COUNT, _count, _CHAT, answers=False, finish=tokens.shortest),
}


def apis(tokenizes: bool) -> Mapping[str, API]:
    """Return {path: the API}.

    Args:
        tokenizes: whether the application behind has a /tokenize that works. Ray's ingress has
            not (2.60): there a completion of one token says how long its prompt is.
    """
    return {api.path: api for api in (*_TAKEN, *_HARMLESS, _COUNTED[tokenizes])}
