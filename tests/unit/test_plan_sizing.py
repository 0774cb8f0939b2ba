"""As many replicas as are needed, and what keeps one from more."""

import contextlib
import math
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import plan.sizing
from plan import Stop
from plan.curve import Curve
from plan.load import Load
from plan.simulation import Engine
from plan.sizing import FREE, Objective, Size, size

# A step of n sequences: 20 ms + n x 0.1 ms; a start: 50 ms.
STEP = Curve(((1, 0.0201), (64, 0.0264)))
ENGINE = Engine(STEP, 0.05, 0.0, 0.0, 64)
LENGTHS = (100, 400, 100, 0.5)


def sized(requests: float, objective: Objective | None = None, engine: Engine = ENGINE) -> Size:
    """Return the size for requests of LENGTHS."""
    return size(engine, Load(requests, *LENGTHS), objective or Objective())


@contextlib.contextmanager
def fewer_requests() -> Iterator[None]:
    """Simulate a tenth as many, where it is not the figures that count."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plan.sizing, "COUNT", 400)
        yield


def test_without_an_objective_a_replica_is_used_but_for_what_is_kept_free() -> None:
    # 300 tokens a request x 26.4 ms / 64 at once + 50 ms: 173.75 ms of a replica.
    found = sized(40)
    assert found.saturation == pytest.approx(1 / 0.17375)
    assert found.most.rate == pytest.approx((1 - FREE) / 0.17375)
    assert found.replicas == math.ceil(40 * 0.17375 / (1 - FREE)) == 9


def test_in_flight_is_arrivals_times_their_stay() -> None:
    found = sized(3).now
    stay = sum(found.seconds[kind]["end"].mean for kind in ("quick", "thinking")) / 2
    assert found.running == pytest.approx(3 * stay, rel=0.05)


def test_a_light_load_is_as_if_each_were_alone() -> None:
    seconds = sized(0.01).now.seconds
    alone = 0.05 + 0.0201
    assert seconds["quick"]["answer"].mean == pytest.approx(alone, rel=0.25)
    assert seconds["thinking"]["answer"].mean == pytest.approx(alone + 400 * 0.0201, rel=0.05)
    assert seconds["thinking"]["first"].mean == pytest.approx(alone, rel=0.25)


def test_an_objective_is_kept_and_not_by_more_than_is_needed() -> None:
    objective = Objective(quick=0.15)
    found = sized(40, objective)
    assert found.now.seconds["quick"]["answer"].p95 <= 0.15
    assert found.most.seconds["quick"]["answer"].p95 <= 0.15
    assert found.replicas > sized(40).replicas
    assert found.limit == "the objective of quick answers"


@settings(max_examples=15, deadline=None)
@given(st.floats(0.1, 200), st.floats(0.1, 200), st.sampled_from([0.2, 0.3, 0.6, math.inf]))
def test_more_load_never_needs_fewer_replicas(one: float, other: float, quick: float) -> None:
    less, more = sorted((one, other))
    objective = Objective(quick)
    with fewer_requests():
        assert sized(less, objective).replicas <= sized(more, objective).replicas


@settings(max_examples=15, deadline=None)
@given(st.floats(0.15, 5), st.floats(0.15, 5), st.floats(1, 100))
def test_a_stricter_objective_never_needs_fewer(one: float, other: float, rate: float) -> None:
    strict, loose = sorted((one, other))
    with fewer_requests():
        assert sized(rate, Objective(loose)).replicas <= sized(rate, Objective(strict)).replicas


def test_an_objective_that_nothing_keeps_is_said_with_the_way_out() -> None:
    with pytest.raises(Stop, match=r"no number of replicas .*reasoning\.tokenBudget"):
        sized(1, Objective(thinking=2))
    with pytest.raises(Stop, match=r"--quick 0\.01: .* shorter prompts"):
        sized(1, Objective(quick=0.01))


@pytest.mark.parametrize(
    ("engine", "limit"),
    [
        (
            Engine(STEP, 0.05, 0, 0, 16),
            "engine.maxNumSeqs: twice 16 at once would bring 70 %",
        ),
        (Engine(STEP, 0.05, 0, 0, 64, 5000), "the KV cache: 9 sequences"),
        (Engine(STEP, 0.5, 0.005, 0, 64), "prefill"),
        (Engine(Curve(((1, 0.03), (64, 0.66))), 0.05, 0, 0, 64), "decode"),
    ],
)
def test_what_keeps_a_replica_from_more_is_named(engine: Engine, limit: str) -> None:
    assert sized(1, engine=engine).limit.startswith(limit)


@pytest.mark.parametrize(
    ("numbers", "says"),
    [
        ((0, 1, 1, 1, 0.5), "--requests 0: .* more than 0"),
        ((math.nan, 1, 1, 1, 0.5), "--requests nan"),
        ((1, 0, 1, 1, 0.5), "--prompt 0"),
        ((1, 1, 0, 1, 0.5), "--thinking 0"),
        ((1, 1, 1, -5, 0.5), "--answer -5"),
        ((1, 1, 1, 1, 40), "--share 40: .* 0 to 1"),
        ((1, 1, 1, 1, 0.5, 9), "--variation 9"),
    ],
)
def test_a_load_that_can_t_be_is_refused(numbers: tuple[float, ...], says: str) -> None:
    with pytest.raises(Stop, match=says):
        Load(*numbers)


def test_without_thinking_its_length_is_no_matter() -> None:
    assert Load(1, 1, 0, 100, 0).generated == 100


def test_an_objective_is_a_time() -> None:
    with pytest.raises(Stop, match="--quick -1"):
        Objective(quick=-1)
