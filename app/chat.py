"""A terminal client of the endpoint: `make chat`, or `python -m app.chat`.

Standard output gets the answers and nothing else, so they can be piped on; the thinking, the usage
line and errors go to standard error.
"""

import argparse
import contextlib
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import urlsplit

import openai
from openai.types import CompletionUsage
from openai.types.chat import ChatCompletionChunk
from rich.console import Console

HELP = """\
/think     think before answering, from now on
/no_think  answer at once, from now on
/clear     forget the conversation
/help      show this
/exit      leave, as Ctrl-D does; Ctrl-C stops an answer"""

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
    """How a whole answer ended, and what it took."""

    finish_reason: str
    usage: CompletionUsage | None


@dataclass
class Timing:
    """Seconds from the request to the first piece of each kind, and to the end."""

    first: dict[Kind, float] = field(default_factory=dict)
    total: float = 0.0


class _Trim:
    """Drops the newlines around a text that comes in pieces (those around <think> tags)."""

    def __init__(self) -> None:
        self._started, self._held = False, ""

    def __call__(self, piece: str) -> str:
        text = self._held + piece
        if not self._started:
            text = text.lstrip("\n")
        body = text.rstrip("\n")
        self._started = self._started or bool(body)
        self._held = text[len(body) :]
        return body


def fold(chunks: Iterable[ChatCompletionChunk]) -> Iterator[Piece | End]:
    """Yield a streamed answer's pieces of text, then its end.

    Raises:
        ChatError: the stream was over before the answer was.
    """
    trims: dict[Kind, _Trim] = {"thinking": _Trim(), "answer": _Trim()}
    finish_reason: str | None = None
    usage: CompletionUsage | None = None
    for chunk in chunks:
        usage = chunk.usage or usage
        for choice in chunk.choices:
            extra = choice.delta.model_extra or {}
            thinking = extra.get("reasoning") or extra.get("reasoning_content")
            texts: dict[Kind, str | None] = {"thinking": thinking, "answer": choice.delta.content}
            for kind, text in texts.items():
                if shown := trims[kind](text or ""):
                    yield Piece(kind, shown)
            finish_reason = choice.finish_reason or finish_reason
    if finish_reason is None:
        raise ChatError("the answer broke off: the server ended the stream early")
    yield End(finish_reason, usage)


def usage_line(end: End, timing: Timing) -> str:
    """Return what an answer took: tokens and seconds, of the thinking and of the answer."""

    def part(kind: Kind, tokens: int | None) -> str:
        text = f"{kind} {'?' if tokens is None else tokens} tokens"
        return text + (f" (first after {timing.first[kind]:.2f} s)" if kind in timing.first else "")

    thinking = answer = None
    if end.usage:
        details = end.usage.completion_tokens_details
        reported = details.reasoning_tokens if details else None
        thinking = 0 if reported is None and "thinking" not in timing.first else reported
        answer = None if thinking is None else end.usage.completion_tokens - thinking
    parts = [part("thinking", thinking), part("answer", answer), f"{timing.total:.2f} s in all"]
    if end.finish_reason == "length":
        parts.append("stopped at the token limit")
    return ", ".join(parts)


def explain(error: openai.OpenAIError, url: str) -> str:
    """Return one line on why a request to `url` failed, and what to do about it."""
    if isinstance(error, openai.APITimeoutError):
        return f"{url} did not answer in time"
    if isinstance(error, openai.APIConnectionError):
        return f"nothing answers at {url}; is `make run` up? ({error.__cause__ or error})"
    body = error.body if isinstance(error, openai.APIError) else None
    given = body.get("message") if isinstance(body, dict) else None
    message = " ".join(str(given or error).split())[:500]
    if isinstance(error, openai.AuthenticationError):
        return f"401: {message} (the key is read from the environment variable API_KEY)"
    if isinstance(error, openai.APIStatusError):
        return f"{error.status_code}: {message}"
    return message


class Chat:
    """A conversation: its messages so far, and how the next answer is asked for.

    Attributes:
        thinking: whether to think; None leaves it to the server and to the question.
    """

    def __init__(self, client: openai.OpenAI, options: argparse.Namespace) -> None:
        self.thinking: bool | None = False if options.no_think else None
        self._client, self._options = client, options
        self._model: str | None = options.model
        self._history: list[dict[str, str]] = []

    def clear(self) -> None:
        """Forget all questions and answers."""
        self._history.clear()

    def ask(self, question: str, show: Callable[[Piece], None]) -> tuple[End, Timing]:
        """Ask, hand each piece to `show` as it comes, and return how it went.

        Raises:
            ChatError: there was no whole answer; the conversation is as it was before.
        """
        start, timing, answer = time.perf_counter(), Timing(), ""
        stream = self._open(question)
        try:
            with stream:
                for event in fold(stream):
                    timing.total = time.perf_counter() - start
                    if isinstance(event, End):
                        self._remember(question, answer)
                        return event, timing
                    timing.first.setdefault(event.kind, timing.total)
                    answer += event.text if event.kind == "answer" else ""
                    show(event)
        except KeyboardInterrupt:
            self._remember(question, answer)  # so that "go on" makes sense
            raise
        except openai.APIConnectionError as error:
            raise ChatError("the answer broke off: the connection was lost") from error
        except (openai.OpenAIError, ValueError) as error:
            raise ChatError(f"the answer broke off: {error}") from error
        raise AssertionError("fold ends with an End or raises")

    def _open(self, question: str) -> openai.Stream[ChatCompletionChunk]:
        try:
            if self._model is None:
                listed = next(iter(self._client.models.list()), None)
                if listed is None:
                    raise ChatError(f"{self._options.base_url}/models lists no model")
                self._model = listed.id
            stream: openai.Stream[ChatCompletionChunk]
            stream = self._client.chat.completions.create(**self._request(question))
        except openai.OpenAIError as error:
            raise ChatError(explain(error, self._options.base_url)) from error
        return stream

    def _request(self, question: str) -> dict[str, Any]:
        options, extra = self._options, {}
        if self.thinking is not None:
            extra["chat_template_kwargs"] = {"enable_thinking": self.thinking}
        if options.budget is not None:
            extra["thinking_token_budget"] = options.budget
        system = [{"role": "system", "content": options.system}] if options.system else []
        sampling = {"temperature": options.temperature, "max_tokens": options.max_tokens}
        return {
            "model": self._model,
            "messages": [*system, *self._history, {"role": "user", "content": question}],
            "stream": True,
            "stream_options": {"include_usage": True},
            "extra_body": extra,
            **{name: value for name, value in sampling.items() if value is not None},
        }

    def _remember(self, question: str, answer: str) -> None:
        if answer:
            self._history.append({"role": "user", "content": question})
            self._history.append({"role": "assistant", "content": answer})


class Screen:
    """Prints; rich leaves its styles out where standard error is no terminal."""

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
        end, timing = chat.ask(question, screen.piece)
    except ChatError as error:
        screen.note(f"error: {error}", style="red")
        return 1
    except KeyboardInterrupt:
        screen.note("stopped")
        return 130
    screen.note(usage_line(end, timing))
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
                chat.clear()
                screen.note("the conversation is forgotten")
            case "/think" | "/no_think" as command:
                chat.thinking = command == "/think"
                screen.note(f"thinking is {'on' if chat.thinking else 'off'}")
            case unknown if unknown.startswith("/") and len(unknown.split()) == 1:
                screen.note(f"no such command: {unknown}; /help lists them")
            case question:
                turn(chat, question, screen)


def typed_lines() -> Iterator[str]:
    """Yield what is typed, or piped in, line by line until its end; Ctrl-C drops a line."""
    typing = sys.stdin.isatty() and sys.stdout.isatty()
    if typing:
        with contextlib.suppress(ImportError):
            import readline  # noqa: F401 - gives input() editing and history
    while True:
        try:
            line = input("> " if typing else "")
        except EOFError:
            return
        except KeyboardInterrupt:
            if not typing:
                raise
            print(file=sys.stderr)
            continue
        yield line


def _base_url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no URL such as http://127.0.0.1:8000/v1")
    return text.rstrip("/") + ("" if parts.path.strip("/") else "/v1")


def _count(text: str) -> int:
    if (number := int(text)) < 0:
        raise ValueError
    return number


def _options(argv: list[str] | None) -> argparse.Namespace:
    env = os.environ.get
    parser = argparse.ArgumentParser(
        prog="python -m app.chat",
        description="Talk to the model. Without a question, here or in $Q, it asks for questions.",
        epilog="The API key is read from the environment variable API_KEY.",
    )
    add = parser.add_argument
    add("question", nargs="*", help="answer this and leave")
    add("--no-think", action="store_true", help="answer without thinking")
    add("--budget", type=_count, metavar="N", help="think for at most N tokens")
    url = env("BASE_URL") or "http://127.0.0.1:8000/v1"
    add("--base-url", type=_base_url, default=url, help="default: $BASE_URL or %(default)s")
    model = env("MODEL") or None
    add("--model", default=model, help="default: $MODEL or the first that the server lists")
    add("--system", metavar="TEXT", help="the system prompt")
    add("--temperature", type=float, metavar="T", help="default: the model's own")
    add("--max-tokens", type=_count, metavar="N", help="of thinking and answer together")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Answer one question, or converse; return the exit status."""
    options = _options(argv)
    key = os.environ.get("API_KEY") or "FAKE_KEY"
    # A person sees the error and can ask again: sooner than retries would show it.
    client = openai.OpenAI(base_url=options.base_url, api_key=key, max_retries=0)
    chat, screen = Chat(client, options), Screen()
    question = " ".join(options.question) or os.environ.get("Q", "")
    try:
        if question.strip():
            return turn(chat, question, screen)
        if sys.stdin.isatty():
            screen.note("Ask something; /help lists the commands.")
        converse(chat, typed_lines(), screen)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # as in `... | head -1`; Python's own flush at exit must not fail too
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
