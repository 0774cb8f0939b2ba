"""What one layer tells the next of a request, in its ASGI scope."""

from dataclasses import dataclass

from app.asgi import Scope
from app.thinking.decision import Decision
from app.thinking.draft import Draft
from app.thinking.modes import ADAPTIVE, in_words

_KEY = "hybrid_llm.key"
_CALL = "hybrid_llm.call"


@dataclass(frozen=True)
class Call:
    """A request to a model, with what has been decided on it."""

    decision: Decision
    model: str  # as metrics name it: "unknown" for one that isn't served
    surface: str  # chat_completions | responses | messages | completions
    key: str  # the name of its API key, "" without one
    fields: str  # the names that its thinking goes by
    started: float  # time.perf_counter() at its arrival
    streamed: bool = False
    choices: int = 1  # answers that it asks for
    hides_usage: bool = False  # whether the client didn't ask for the usage that the engine sends
    tools: bool = True  # whether it may call any; where that isn't known, it may
    draft: Draft | None = None  # of one that leaves it to the model's doubt whether it thinks
    request_id: str = ""  # by which its answer and the logs know it
    lanes: bool = False  # whether its model has lanes

    @property
    def lane(self) -> str:
        """The lane in which it is, or has ended: quick | thinking, "" without lanes."""
        if not self.lanes:
            return ""
        return "thinking" if self.thinks and self.mode != ADAPTIVE else "quick"

    @property
    def streams(self) -> bool:
        """Whether the engine is asked for a stream now, as it is for every draft."""
        drafting = self.draft and self.draft.fields is not None and not self.draft.outcome
        return self.streamed or bool(drafting)

    @property
    def thinks(self) -> bool:
        """Whether it thinks; where that isn't decided yet, whether it may."""
        return self.decision.thinks and not (self.draft and self.draft.outcome == "answered")

    @property
    def mode(self) -> str:
        """Its mode, as metrics name it; an adaptive one's with what has come of it."""
        if self.draft is None:
            return in_words(self.decision.thinks)
        return f"{ADAPTIVE}_{self.draft.outcome}" if self.draft.outcome else ADAPTIVE


def with_key(scope: Scope, name: str) -> Scope:
    """Return a scope that says whose key the request bears."""
    return {**scope, _KEY: name}


def key_of(scope: Scope) -> str | None:
    """Return the name of the request's API key, None without one."""
    name = scope.get(_KEY)
    return name if isinstance(name, str) else None


def with_call(scope: Scope, call: Call) -> Scope:
    """Return a scope that says what has been decided."""
    return {**scope, _CALL: call}


def call_of(scope: Scope) -> Call | None:
    """Return what has been decided on the request; None where nothing had to be."""
    call = scope.get(_CALL)
    return call if isinstance(call, Call) else None
