"""vLLM's own account of what a stream has sent, while the load says anew what a chunk carries."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from vllm.sampling_params import RequestOutputKind
from vllm.v1.engine import FinishReason
from vllm.v1.engine.output_processor import RequestState

from app.answers import following


class Load:
    """Says what a chunk carries now."""

    def __init__(self) -> None:
        self.now = 1

    def tokens(self) -> int:
        return self.now


class Detokenizer:
    def __init__(self) -> None:
        self.output_token_ids: list[int] = []

    def num_output_tokens(self) -> int:
        return len(self.output_token_ids)


class Stream(RequestState):  # type: ignore[misc]
    """A request, without all that has nothing to do with when its tokens go out."""

    def __init__(self, interval: int = 1) -> None:
        self.output_kind = RequestOutputKind.DELTA
        self.stream_interval, self.sent_tokens_offset = interval, 0
        self.detokenizer = Detokenizer()
        self.external_req_id, self.parent_req = "r", None

    def _new_completion_output(self, token_ids: list[int], *_: Any, **__: Any) -> list[int]:
        return list(token_ids)

    def _new_request_output(self, _: str, outputs: list[list[int]], *__: Any, **___: Any) -> Any:
        return outputs[0]

    def step(self, tokens: list[int], last: bool = False) -> list[int] | None:
        """Return the tokens of the chunk that goes out after a step, None for none."""
        self.detokenizer.output_token_ids += tokens
        found = self.make_request_output(tokens, None, FinishReason.STOP if last else None, None)
        assert found is None or isinstance(found, list)
        return found


@pytest.fixture(autouse=True)
def load(monkeypatch: pytest.MonkeyPatch) -> Iterator[Load]:
    monkeypatch.setattr(RequestState, "make_request_output", RequestState.make_request_output)
    monkeypatch.setattr(following, "on", False)
    load = Load()
    monkeypatch.setattr(following, "joining", load)
    following.follow()
    yield load


def test_a_stream_that_is_open_follows_the_load(load: Load) -> None:
    stream = Stream()
    found = []
    for token, now in enumerate([1, 1, 4, 4, 4, 4, 4, 4, 4, 1, 1]):
        load.now = now
        found.append(stream.step([token]))
    # What was kept back goes out with the next token, once each goes by itself again.
    assert found == [[0], [1], None, None, None, [2, 3, 4, 5], None, None, None, [6, 7, 8, 9], [10]]
    load.now = 8
    assert [stream.step([11]), stream.step([12], last=True)] == [None, [11, 12]]


def test_what_a_client_asks_for_holds_where_it_is_more(load: Load) -> None:
    stream = Stream(interval=3)
    assert [stream.step([n]) for n in range(4)] == [[0], None, None, [1, 2, 3]]
    load.now = 2
    assert [stream.step([n]) for n in range(4, 7)] == [None, None, [4, 5, 6]]
    assert stream.stream_interval == 3


STEPS = st.lists(st.tuples(st.integers(1, 8), st.integers(1, 3)), min_size=1, max_size=30)


@given(STEPS, st.integers(1, 4))
@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_each_token_goes_out_once_and_the_first_at_once(
    load: Load, steps: list[tuple[int, int]], interval: int
) -> None:
    stream, sent, made = Stream(interval), list[int](), 0
    for number, (now, tokens) in enumerate(steps):
        load.now = now
        chunk = stream.step(list(range(made, made + tokens)), last=number == len(steps) - 1)
        made += tokens
        sent += chunk or []
        assert sent == list(range(len(sent)))
        assert made - len(sent) < max(now, interval)
    assert len(sent) == made


def test_an_answer_that_is_no_stream_is_left_alone(load: Load) -> None:
    stream = Stream()
    stream.output_kind = RequestOutputKind.FINAL_ONLY
    load.now = 8
    assert [stream.step([0]), stream.step([1], last=True)] == [None, [1]]


def test_without_the_middleware_in_this_process_vllm_does_as_it_was_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(following, "joining", None)
    stream = Stream(interval=2)
    assert [stream.step([n]) for n in range(4)] == [[0], None, [1, 2], None]
