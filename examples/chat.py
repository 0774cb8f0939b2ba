"""A terminal client of the endpoint: `make chat`, or `python examples/chat.py`.

Standard output gets the answers and nothing else, so they can be piped on; the thinking, the usage
line and errors go to standard error.
"""

import argparse
import os
import readline  # noqa: F401 - gives input() line editing and history
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlsplit

import openai
from openai.types import CompletionUsage
from openai.types.chat import ChatCompletionChunk
from rich.console import Console

HELP = """\
/think, /no_think   think before answering, or don't, from now on
/clear              forget the conversation
/help               show this
/exit               leave, as Ctrl-D does; Ctrl-C stops an answer"""

# An answer is text, not commands to the terminal: escape sequences in it must not reach one.
_CONTROLS = dict.fromkeys(set(range(32)) - {ord("\n"), ord("\t")} | set(range(127, 160)))

Kind = Literal["thinking", "answer"]


class ChatError(Exception):
    """Why there is no whole answer, in one line for people."""


@dataclass(frozen=True)
class Piece:
    """A part of the thinking or of the answer, as it came."""

    kind: Kind
    text: str


@dataclass(frozen=True)
class End:
    """What a whole answer took: tokens, and seconds to the first piece of each kind and in all."""

    finish_reason: str
    usage: CompletionUsage | None
    first: dict[Kind, float]
    total: float


def fold(
    chunks: Iterable[ChatCompletionChunk], clock: Callable[[], float]
) -> Iterator[Piece | End]:
    """Yield a streamed answer's text piece by piece, without the newlines around it, then its end.

    Args:
        chunks: the stream.
        clock: tells the seconds since the request.

    Raises:
        ChatError: the stream was over before the answer was.
    """
    first: dict[Kind, float] = {}
    held: dict[Kind, str] = {"thinking": "", "answer": ""}  # newlines that may be the last
    finish_reason: str | None = None
    usage: CompletionUsage | None = None
    for chunk in chunks:
        usage = chunk.usage or usage
        for choice in chunk.choices:
            finish_reason = choice.finish_reason or finish_reason
            extra = choice.delta.model_extra or {}  # one text, under one name or both
            thinking = extra.get("reasoning") or extra.get("reasoning_content") or ""
            texts: dict[Kind, str] = {"thinking": thinking, "answer": choice.delta.content or ""}
            for kind, new in texts.items():
                text = (held[kind] + new).rstrip("\n")
                held[kind] = (held[kind] + new)[len(text) :]
                if text and kind not in first:
                    text, first[kind] = text.lstrip("\n"), clock()
                if text:
                    yield Piece(kind, text)
    if finish_reason is None:
        raise ChatError("the answer broke off: the server ended the stream early")
    yield End(finish_reason, usage, first, clock())


def usage_line(end: End) -> str:
    """Return what an answer took, for people."""
    tokens: dict[Kind, int | str] = {"thinking": "?", "answer": "?"}
    if end.usage:
        details = end.usage.completion_tokens_details
        reasoning = details.reasoning_tokens if details else None
        if reasoning is not None or "thinking" not in end.first:
            tokens["thinking"] = reasoning or 0
            tokens["answer"] = end.usage.completion_tokens - (reasoning or 0)
    parts = [f"{kind} {n} token{'' if n == 1 else 's'}" for kind, n in tokens.items()]
    for i, kind in enumerate(tokens):
        if kind in end.first:
            parts[i] += f" (first after {end.first[kind]:.2f} s)"
    cut = ["stopped at the token limit"] if end.finish_reason == "length" else []
    return ", ".join([*parts, f"{end.total:.2f} s in all", *cut])


def explain(error: openai.OpenAIError, url: str) -> str:
    """Return one line on why a request to `url` failed, and what to do about it."""
    if isinstance(error, openai.APIConnectionError):
        return f"nothing answers at {url}; is `make run` up? ({error.__cause__ or error})"
    body = error.body if isinstance(error, openai.APIError) else None
    message = body.get("message") if isinstance(body, dict) else None
    line = " ".join(str(message or error).split())[:500]
    if isinstance(error, openai.AuthenticationError):
        return f"401: {line} (the key is read from the environment variable API_KEY)"
    return f"{error.status_code}: {line}" if isinstance(error, openai.APIStatusError) else line


class Chat:
    """A conversation: its messages so far, and how the next answer is asked for.

    Attributes:
        thinking: whether to think; None leaves it to the question and to the server.
        history: the messages so far, without the thinking.
    """

    def __init__(self, client: openai.OpenAI, options: argparse.Namespace) -> None:
        self.thinking: bool | None = False if options.no_think else None
        self.history: list[dict[str, str]] = []
        self._client, self._options, self._model = client, options, options.model

    def ask(self, question: str, show: Callable[[Piece], None]) -> End:
        """Ask, hand each piece to `show` as it comes, and return what it took.

        Raises:
            ChatError: there was no whole answer; the question is forgotten.
        """
        answer, started, start = "", False, time.perf_counter()
        try:
            with self._open(question) as stream:
                started = True
                for event in fold(stream, lambda: time.perf_counter() - start):
                    if isinstance(event, End):
                        self._remember(question, answer)
                        return event
                    answer += event.text if event.kind == "answer" else ""
                    show(event)
        except KeyboardInterrupt:
            self._remember(question, answer)  # so that "go on" makes sense
            raise
        except openai.OpenAIError as error:
            line = f"the answer broke off: {error}" if started else explain(error, self._url)
            raise ChatError(line) from error
        raise AssertionError("fold ends with an End or raises")

    @property
    def _url(self) -> str:
        return str(self._options.base_url)

    def _open(self, question: str) -> openai.Stream[ChatCompletionChunk]:
        if not self._model:
            listed = next(iter(self._client.models.list()), None)
            if listed is None:
                raise ChatError(f"{self._url}/models lists no model")
            self._model = listed.id
        stream: openai.Stream[ChatCompletionChunk]
        stream = self._client.chat.completions.create(**self._request(question))
        return stream

    def _request(self, question: str) -> dict[str, Any]:
        options = self._options
        system = [{"role": "system", "content": options.system}] if options.system else []
        template = None if self.thinking is None else {"enable_thinking": self.thinking}
        extra = {"chat_template_kwargs": template, "thinking_token_budget": options.budget}
        sampling = {"temperature": options.temperature, "max_tokens": options.max_tokens}
        return {
            "model": self._model,
            "messages": [*system, *self.history, {"role": "user", "content": question}],
            "stream": True,
            "stream_options": {"include_usage": True},
            "extra_body": {name: value for name, value in extra.items() if value is not None},
            **{name: value for name, value in sampling.items() if value is not None},
        }

    def _remember(self, question: str, answer: str) -> None:
        if answer:
            self.history.append({"role": "user", "content": question})
            self.history.append({"role": "assistant", "content": answer})


class Screen:
    """Prints; rich leaves the styles out where standard error is no terminal."""

    def __init__(self) -> None:
        self._stderr = Console(stderr=True, highlight=False)
        self._last: Kind | None = None

    def piece(self, piece: Piece) -> None:
        """Print a piece of the thinking (dimmed) or of the answer, at once."""
        if self._last not in (None, piece.kind):
            self._stderr.out("\n\n", end="")
        self._last = piece.kind
        text = piece.text.translate(_CONTROLS)
        if piece.kind == "thinking":
            self._stderr.out(text, style="dim", end="")
        else:
            print(text, end="", flush=True)

    def note(self, text: str, style: str = "dim") -> None:
        """Print lines about the conversation, below what was printed of an answer."""
        if self._last:
            print(file=sys.stdout if self._last == "answer" else sys.stderr, flush=True)
            self._last = None
        self._stderr.out(text.translate(_CONTROLS), style=style)


def turn(chat: Chat, question: str, screen: Screen) -> int:
    """Ask one question, print all that comes of it, and return an exit status."""
    try:
        end = chat.ask(question, screen.piece)
    except ChatError as error:
        screen.note(f"error: {error}", style="red")
        return 1
    except KeyboardInterrupt:
        screen.note("stopped")
        return 130
    screen.note(usage_line(end))
    return 0


def converse(chat: Chat, lines: Iterable[str], screen: Screen) -> None:
    """Take each line as a command or a question, until /exit or the last line."""
    for line in lines:
        match line.strip():
            case "":
                pass
            case "/exit":
                return
            case "/help":
                screen.note(HELP)
            case "/clear":
                chat.history.clear()
                screen.note("the conversation is forgotten")
            case "/think" | "/no_think" as command:
                chat.thinking = command == "/think"
                screen.note(f"thinking is {'on' if chat.thinking else 'off'}")
            case word if word.startswith("/") and len(word.split()) == 1:
                screen.note(f"no such command: {word}; /help lists them")
            case question:
                turn(chat, question, screen)


def typed_lines() -> Iterator[str]:
    """Yield what is typed, or piped in, line by line until its end; Ctrl-C drops a line."""
    prompt = "> " if sys.stdin.isatty() and sys.stdout.isatty() else ""
    while True:
        try:
            yield input(prompt)
        except EOFError:
            return
        except KeyboardInterrupt:
            print(file=sys.stderr)


def _base_url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0:
        raise ValueError
    return text.rstrip("/") + ("" if parts.path.strip("/") else "/v1")


def _count(text: str) -> int:
    if (number := int(text)) < 0:
        raise ValueError
    return number


def _options(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description="Talk to the model. Without a question, here or in $Q, it asks for questions.",
        epilog="The API key is read from the environment variable API_KEY.",
    )
    add, env = parser.add_argument, os.environ.get
    add("question", nargs="*", help="answer this and leave")
    add("--no-think", action="store_true", help="answer without thinking")
    add("--budget", type=_count, metavar="N", help="think for at most N tokens")
    url = env("BASE_URL") or "http://127.0.0.1:8000/v1"
    add("--base-url", type=_base_url, default=url, help="default: $BASE_URL or %(default)s")
    add("--model", default=env("MODEL"), help="default: $MODEL or the first the server lists")
    add("--system", metavar="TEXT", help="the system prompt")
    add("--temperature", type=float, metavar="T", help="default: the server's")
    add("--max-tokens", type=_count, metavar="N", help="of thinking and answer together")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Answer one question, or converse; return the exit status."""
    options = _options(argv)
    key = os.environ.get("API_KEY") or "FAKE_KEY"
    # No retries: a person sees the error sooner, and can ask again.
    client = openai.OpenAI(base_url=options.base_url, api_key=key, max_retries=0)
    chat, screen = Chat(client, options), Screen()
    question = " ".join(options.question) or os.environ.get("Q", "")
    try:
        if question.strip():
            return turn(chat, question, screen)
        converse(chat, typed_lines(), screen)
        return 0
    except BrokenPipeError:  # as in `... | head -1`; Python's own flush at exit must not fail too
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


if __name__ == "__main__":
    sys.exit(main())
