"""Rates come out of tables as they went in, and out of data sheets where there is no table."""

import pytest

from plan import Stop
from plan.arithmetic import by_arithmetic
from plan.hardware import active, peak
from plan.load import Load
from plan.rates import by_table
from plan.release import Replica
from plan.table import Row, Table

LOAD = Load(2, 64, 100, 100, 0.5)
CARD = {"peak": {"bandwidthGBs": 1000, "tflops": 100}}
# 10 GB to read at 1000 GB/s: 10 ms. A token: 2 x 5 G operations, at half of 100 TFLOPS 0.2 ms.
MODEL = {"weightBytes": 10_000_000_000, "parameters": 5_000_000_000}


def replica(**own: object) -> Replica:
    """Return a replica of a made-up model on one made-up card."""
    given: dict[str, object] = dict(
        id="m", preset="m", label="C", tensor=1, accelerators=1, sequences=64, length=4096,
        cache=100_000, batched=8192, token_bytes=100_000, model=MODEL, accelerator=CARD,
        lanes=False,
    )  # fmt: skip
    return Replica(**{**given, **own})  # type: ignore[arg-type]


def row(streams: int, prompt: float = 64, context: float = 0.0) -> Row:
    """Return what streams that begin together show on an engine.

    A step of n takes 20 ms + n x 0.5 ms + n x `context` for each token of the prompt beyond 64; a
    start 4 ms, a token of a prompt 0.1 ms; 50 ms are outside the engine.
    """
    step = 0.02 + 0.0005 * streams
    start = 0.004 + 0.0001 * prompt
    return Row(streams, step + streams * context * (prompt - 64), 0.05 + step + streams * start,
               prompt, 101)  # fmt: skip


TABLE = Table("t", (row(1), row(8), row(32), row(1, 1064), row(1, 2064)))


def test_an_engine_comes_out_as_it_went_in() -> None:
    engine = by_table(replica(accelerator={}), LOAD, TABLE).engine
    assert [engine.step(n) for n in (1, 8, 20, 32)] == pytest.approx([0.0205, 0.024, 0.03, 0.036])
    assert engine.token == pytest.approx(0.0001)
    assert engine.start == pytest.approx(0.0045, abs=0.0001)  # with what a step takes more for it
    assert engine.overhead == pytest.approx(0.05, abs=0.0006)


def test_a_step_is_what_was_measured_where_it_is_no_line() -> None:
    rows = [
        Row(n, step, 0.1 + 0.001 * n, 64, 101) for n, step in ((1, 0.01), (8, 0.02), (32, 0.02))
    ]
    engine = by_table(replica(accelerator={}), LOAD, Table("t", tuple(rows))).engine
    assert [engine.step(n) for n in (1, 8, 20, 32)] == pytest.approx([0.01, 0.02, 0.02, 0.02])


def test_longer_contexts_cost_what_was_measured() -> None:
    deep = Table("t", (*TABLE.rows, row(32, 1064, context=1e-7)))
    found = by_table(replica(), Load(2, 1064, 100, 100, 0.5), deep)
    # 166.7 tokens in the mean over time are half there: 1064 + 83.3, less the table's 64 + 50.5.
    assert found.engine.step(8) == pytest.approx(0.024 + 8 * 1e-7 * (1147.33 - 114.5), rel=1e-3)
    assert "by half of" not in "\n".join(found.lines)


def test_longer_prompts_and_contexts_than_any_measured_are_reckoned_and_said_to_be() -> None:
    table = Table("t", (row(1), row(8), row(32)))
    assert by_table(replica(), LOAD, table).engine.token == pytest.approx(0.0109 / 64)  # at most
    quick = replica(accelerator={"peak": {"bandwidthGBs": 1000, "tflops": 200}})
    found = by_table(quick, Load(2, 1064, 100, 100, 0.5), table)
    assert found.engine.token == pytest.approx(0.0001)
    assert found.engine.step(8) == pytest.approx(0.024 + 8 * 1032.83 * 1e5 / 1e12, rel=1e-3)
    assert "\n".join(found.lines).count("not measured") == 2
    prompts, streams = found.warnings
    assert prompts == "prompts of 1064 tokens were not measured: 64 at most"
    assert streams.startswith("more than 32 streams were not measured")


def test_more_streams_than_the_engine_runs_at_once_don_t_count() -> None:
    table = Table("t", (*TABLE.rows, Row(512, 10, 500, 64, 101)))
    assert by_table(replica(), LOAD, table).most == 32


def test_without_a_table_it_is_the_data_sheet_s_arithmetic() -> None:
    found = by_arithmetic(replica(), LOAD)
    assert not found.measured and found.lines[0].startswith("Not measured")
    assert found.engine.step(1) > 0.010  # no faster than the memory
    assert found.engine.step(2) - found.engine.step(1) >= 0.0002
    assert found.engine.prefill(64) >= 64 * 0.0002
    two = by_arithmetic(replica(accelerators=2, tensor=2), LOAD)
    assert two.engine.step(1) < found.engine.step(1)
    assert "say to each other" in two.warnings[1]


def test_a_pipeline_serves_more_at_once_and_no_single_one_sooner() -> None:
    one = by_arithmetic(replica(), LOAD).engine
    staged = by_arithmetic(replica(accelerators=2, pipeline=2), LOAD)
    # Each token goes through both stages, one after the other; two sequences are in them at a time.
    assert staged.engine.step(1) > 0.9 * one.step(1)
    each, half = (engine.step(9) - engine.step(1) for engine in (one, staged.engine))
    assert half == pytest.approx(each / 2)
    assert "bubbles" in staged.warnings[2] and "hosts" not in " ".join(staged.warnings)
    apart = by_arithmetic(replica(accelerators=2, pipeline=2, hosts=2), LOAD)
    assert apart.engine.step(8) == staged.engine.step(8)
    assert "the network between 2 hosts" in apart.warnings[1]


def test_without_a_data_sheet_either_it_says_what_to_do() -> None:
    with pytest.raises(Stop, match="--table"):
        by_arithmetic(replica(accelerator={}), LOAD)


def test_experts_that_a_token_does_not_go_through_don_t_count() -> None:
    sizes = dict(layers=48, hiddenSize=2048, intermediateSize=6144, experts=128, activeExperts=8)
    assert active({"parameters": 30532122624, **sizes}) / 1e9 == pytest.approx(3.35, abs=0.01)


def test_the_parameters_of_a_token_are_the_presets_where_it_says_them() -> None:
    experts = {"layers": 2, "hiddenSize": 10, "intermediateSize": 20, "experts": 8}
    mixed = {"parameters": 10_000, **experts, "activeExperts": 2}
    assert active(mixed) == 10_000 - 2 * 3 * 10 * 10 * 6
    assert active({**mixed, "activeParameters": 4000}) == 4000


@pytest.mark.parametrize(("bits", "tflops"), [(16, 100), (8, 200), (4, 100)])
def test_weights_of_8_bits_are_reckoned_with_in_8_and_of_4_in_16(bits: int, tflops: int) -> None:
    sheet = {"peak": {"bandwidthGBs": 1000, "tflops": 100, "fp8Tflops": 200}}
    found = peak(sheet, {"weightBytes": 1000 * bits // 8, "parameters": 1000}, 1)
    assert found and found.compute == tflops * 1e12


def test_what_a_sequence_keeps_whatever_its_length_is_taken_of_the_cache() -> None:
    engine = by_arithmetic(replica(kept=0.25, cache=20_000), LOAD).engine
    assert engine.room(4096) == 4096
    assert engine.room(0) == 1024
    assert engine.at_once(LOAD) == pytest.approx(20_000 / (1024 + 0.75 * LOAD.over_time(1)))
