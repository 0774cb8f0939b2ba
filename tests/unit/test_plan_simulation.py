"""The simulation is what arithmetic says where arithmetic has an answer."""

import math
import statistics

import pytest

from plan.curve import Curve
from plan.load import Load
from plan.simulation import Engine, Request, drawn, percentile, simulate


def engine(base: float = 0.01, each: float = 0.0, **own: float) -> Engine:
    """Return an engine of 10 ms a step and nothing else, but for what is given."""
    step = Curve(((0, base), (1, base + each)))
    given = {"start": 0.0, "token": 0.0, "overhead": 0.0, "sequences": 64}
    return Engine(step, **{**given, **own})  # type: ignore[arg-type]


def test_a_request_alone_takes_its_start_and_a_step_a_token() -> None:
    (seen,) = simulate(
        engine(each=0.001, start=0.4, token=0.01, overhead=0.2), [Request(3, 10, 20, 5)]
    )
    assert seen.thinks
    assert seen.first == pytest.approx(0.2 + 0.5 + 0.011)
    assert seen.answer == pytest.approx(0.2 + 0.5 + 21 * 0.011)
    assert seen.end == pytest.approx(0.2 + 0.5 + 25 * 0.011)


def test_a_request_that_does_not_think_begins_with_its_answer() -> None:
    (seen,) = simulate(engine(), [Request(0, 10, 0, 5)])
    assert not seen.thinks
    assert seen.first == seen.answer == pytest.approx(0.01)


def test_two_share_each_step_and_a_start_holds_up_the_other() -> None:
    together = [Request(0, 1, 0, 10), Request(0, 1, 0, 10)]
    first, second = simulate(engine(each=0.01, start=1.0), together)
    # Both start before the first step, in which both run: 10 + 2 x 10 ms.
    assert first.end == second.end == pytest.approx(2 + 10 * 0.03)


def test_a_prompt_longer_than_a_step_has_room_for_takes_several_in_which_others_go_on() -> None:
    slow = engine(token=0.01, batched=101)
    first, second = simulate(slow, [Request(0, 1, 0, 5), Request(0.01, 250, 0, 1)])
    # A step with a prompt of one token; three of 100, 100 and 50; one alone.
    assert second.end == pytest.approx(0.01 + 0.01 + 3 * 0.01 + 2.5 - 0.01)
    assert first.end == pytest.approx(0.02 + 3 * 0.01 + 2.5 + 0.01)


def test_what_comes_within_a_step_joins_after_it() -> None:
    first, second = simulate(engine(base=1.0), [Request(0, 1, 0, 3), Request(0.25, 1, 0, 1)])
    assert first.end == pytest.approx(3)
    assert second.end == pytest.approx(0.75 + 1)


def test_with_one_place_the_second_waits_for_the_end_of_the_first() -> None:
    first, second = simulate(engine(sequences=1), [Request(0, 1, 0, 100), Request(0, 1, 0, 100)])
    assert (first.end, second.end) == (pytest.approx(1), pytest.approx(2))


def test_what_does_not_fit_the_cache_waits() -> None:
    requests = [Request(0, 50, 0, 100), Request(0, 50, 0, 100), Request(0, 1, 0, 10)]
    *_, second, third = simulate(engine(cache=200), requests)
    assert second.first == pytest.approx(1 + 0.01)
    assert third.first == pytest.approx(1 + 0.01)  # first come, first served


def test_one_longer_than_the_cache_runs_alone() -> None:
    assert simulate(engine(cache=10), [Request(0, 50, 0, 100)])[0].end == pytest.approx(1)


@pytest.mark.parametrize("busy", [0.3, 0.6, 0.8])
def test_with_one_place_and_one_length_it_is_an_m_d_1_queue(busy: float) -> None:
    load = Load(1, 1, 1, 1000, 0, variation=0)
    one = 10.0  # s of service
    seen = simulate(engine(sequences=1), drawn(load, 60_000), busy / one)
    waited = statistics.mean(times.end for times in seen) - one
    assert waited == pytest.approx(busy * one / (2 * (1 - busy)), rel=0.1)  # Pollaczek-Khinchine


@pytest.mark.parametrize("busy", [0.3, 0.7])
def test_where_a_step_takes_as_long_as_its_sequences_it_is_processor_sharing(busy: float) -> None:
    load = Load(1, 1, 1, 200, 0, variation=0.7)
    shared = engine(base=1e-9, each=0.01, sequences=10_000)
    seen = simulate(shared, drawn(load, 40_000), busy / 2.0)  # 200 tokens x 10 ms alone
    # M/G/1-PS: the mean is 1 / (1 - busy) times as long, whatever the lengths.
    assert statistics.mean(times.end for times in seen) == pytest.approx(2 / (1 - busy), rel=0.1)


def test_where_steps_don_t_grow_nobody_waits_for_anybody() -> None:
    load = Load(1, 1, 100, 100, 0.5, variation=0)
    seen = simulate(engine(sequences=10**6), drawn(load, 5000), 50)
    ends = {thinks: [t.end for t in seen if t.thinks == thinks] for thinks in (False, True)}
    # All but the rest of the step in which it comes, half of one in the mean.
    assert statistics.mean(ends[False]) == pytest.approx(1.005, rel=0.002)
    assert statistics.mean(ends[True]) == pytest.approx(2.005, rel=0.002)


def test_requests_are_as_many_and_as_long_as_the_load_says() -> None:
    requests = drawn(Load(1, 5, 400, 100, 0.25, variation=0.5), 20_000)
    thinking = [r.thinking for r in requests if r.thinking]
    assert requests[-1].at == pytest.approx(20_000, rel=0.03)
    assert len(thinking) / 20_000 == pytest.approx(0.25, abs=0.01)
    assert statistics.mean(thinking) == pytest.approx(400, rel=0.03)
    assert statistics.stdev(thinking) / statistics.mean(thinking) == pytest.approx(0.5, rel=0.05)
    assert statistics.mean(r.answer for r in requests) == pytest.approx(100, rel=0.03)
    assert requests == drawn(Load(1, 5, 400, 100, 0.25, variation=0.5), 20_000)


def test_a_percentile_is_one_of_the_values() -> None:
    assert percentile([4, 1, 3, 2], 0.5) == 2
    assert percentile([4, 1, 3, 2], 0.95) == 4
    assert math.isnan(percentile([], 0.5))
