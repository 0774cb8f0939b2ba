"""`make plan`, with the chart's own arithmetic."""

import json
from pathlib import Path
from typing import Any

import pytest

from plan.__main__ import main
from plan.arithmetic import Key, by_arithmetic
from plan.load import Load
from plan.release import CHART, laid_out
from plan.table import by_prompt, every

H200 = ["--accelerator", "h200", "--requests", "2", "--prompt", "800", "--share", "0.4"]
L40S = ["--accelerator", "l40s", "--requests", "2"]


def planned(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    """Return the plan as JSON."""
    assert main([*arguments, "--json"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_it_plans_as_the_chart_lays_it_out(capsys: pytest.CaptureFixture[str]) -> None:
    found = planned(capsys, *L40S, "--price", "2", "--quiet", "0.1")
    assert (found["tensor"], found["accelerator"], found["measured"]) == (4, "L40S", False)
    assert found["accelerators"] == 4 * found["replicas"]
    assert found["month"][1] == found["accelerators"] * 2 * 730
    least = found["values"]["autoscaling.minReplicas"]
    assert found["month"][0] == least * 4 * 2 * 730
    assert least == 1 and found["values"]["autoscaling.maxReplicas"] == found["replicas"]
    fewer = planned(capsys, *L40S, "--set", "parallelism.tensor=8")
    assert fewer["tensor"] == 8


def test_a_replica_over_two_hosts_counts_the_accelerators_of_both(
    capsys: pytest.CaptureFixture[str],
) -> None:
    two = ["--set", "parallelism.tensor=4,parallelism.pipeline=2,parallelism.hosts=2"]
    found = planned(capsys, *L40S, "--price", "2", *two)
    assert (found["tensor"], found["pipeline"], found["hosts"]) == (4, 2, 2)
    assert found["accelerators"] == 8 * found["replicas"]
    assert found["month"][1] == found["replicas"] * 8 * 2 * 730
    assert main([*L40S, *two]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "each on 8 x L40S of 2 hosts" in shown
    assert "nor is the network between 2 hosts" in shown
    assert "a pipeline's bubbles" in shown
    assert main(L40S) == 0
    shown = capsys.readouterr().out
    assert "hosts" not in shown and "bubbles" not in shown


def test_what_was_measured_without_a_pipeline_is_not_taken_for_one_with_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    both = ["--set", "parallelism.tensor=1,parallelism.pipeline=2"]
    assert planned(capsys, *H200)["measured"]
    assert not planned(capsys, *H200, *both)["measured"]
    two = laid_out(["--set=accelerator.preset=h200", *both])
    one = laid_out(["--set=accelerator.preset=h200"])
    assert two.token_bytes == pytest.approx(one.token_bytes)  # on both together, as on the one


def test_a_million_tokens_cost_what_the_dashboard_says(capsys: pytest.CaptureFixture[str]) -> None:
    found = planned(capsys, *H200, "--thinking", "1000", "--answer", "300", "--price", "3")
    an_hour = 3 * found["accelerators"]
    every, answers = found["million_tokens"].values()
    assert every == pytest.approx(an_hour * 1e6 / (3600 * 2 * (0.4 * 1000 + 300)))
    assert answers == pytest.approx(an_hour * 1e6 / (3600 * 2 * 300))


def test_what_was_measured_is_planned_from_that(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*H200, "--quick", "2"]) == 0
    shown = capsys.readouterr().out
    assert "bench/results/h200-32b.jsonl" in shown
    assert "nothing of this was measured" not in shown
    assert "WARNING: prompts of 800 tokens were not measured: 64 at most." in shown
    assert main(L40S) == 0
    assert "WARNING: nothing of this was measured" in capsys.readouterr().out


def test_the_values_that_it_shows_can_be_given_to_helm(capsys: pytest.CaptureFixture[str]) -> None:
    # 20,000 tokens a request fill the cache before 64 of them run.
    long = [*H200, "--prompt", "19000", "--thinking", "1500", "--set", "model.maxModelLen=32768"]
    assert main(long) == 0
    line = capsys.readouterr().out.partition("\nValues\n")[2].split()
    assert line[0] == "--set" and "autoscaling.targetOngoingRequests=" in line[1]
    fits = laid_out(["--set=accelerator.preset=h200", *line]).sequences
    assert 1 <= fits < 64


def test_a_table_of_ones_own_counts_more_than_any_other(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    table = tmp_path / "mine.jsonl"
    row = {"mean_tpot_ms": 10, "mean_ttft_ms": 15, "completed": 1, "total_input_tokens": 800,
           "total_output_tokens": 300}  # fmt: skip
    table.write_text("\n".join(json.dumps({**row, "concurrency": n}) for n in (1, 64)))
    found = planned(capsys, *H200, "--table", str(table), "--thinking", "100", "--answer", "100",
                    "--variation", "0")  # fmt: skip
    assert found["measured"]
    assert found["saturation"] == pytest.approx(64 / (140 * 0.01))
    assert found["utilisation"] == pytest.approx(2 / found["saturation"])
    quick = found["expected"]["seconds"]["quick"]
    # 5 ms outside the engine, half of a step until the next, and its own.
    assert quick["answer"]["mean"] == pytest.approx(0.020, abs=0.001)
    assert quick["end"]["mean"] == pytest.approx(1.010, abs=0.002)


CARDS = {path.stem for path in (CHART / "presets/accelerators").glob("*.yaml")} - {"cpu"}
GPUS = {key: table for key, table in every().items() if key[1]}


@pytest.mark.parametrize("key", GPUS, ids=str)
def test_arithmetic_is_near_to_what_was_measured_and_not_looked_at(key: Key) -> None:
    preset, label, tensor = key
    replica = laid_out([f"--set=model.preset={preset},accelerator.preset={label.lower()}"])
    assert replica.tensor == tensor
    rows, _ = by_prompt([row for row in GPUS[key].rows if row.streams <= 64])
    assert rows
    for row in rows:
        load = Load(1, row.prompt, 1, row.output, 0)
        engine = by_arithmetic(replica, load, without=key).engine
        reckoned = row.streams * engine.prefill(row.prompt) + row.output * engine.step(row.streams)
        assert 0.7 <= (row.first + (row.output - 1) * row.step) / reckoned <= 1.4


@pytest.mark.parametrize("preset", ["qwen3-30b-a3b", "qwen3-4b-fp8"])
@pytest.mark.parametrize("card", sorted(CARDS))
def test_each_accelerator_can_be_planned_for(
    capsys: pytest.CaptureFixture[str], preset: str, card: str
) -> None:
    arguments = ["--preset", preset, "--accelerator", card, "--requests", "3"]
    fits = main([*arguments, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    if fits:
        assert found["replicas"] >= 1
    else:
        assert found["error"].startswith("these values cannot work")  # the chart says why


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([*H200[:2], "--requests", "-1"], "--requests -1"),
        ([*H200, "--preset", "qwen9"], "there is no file presets/models/qwen9.yaml"),
        ([*H200, "--thinking", "40000"], "model.maxModelLen"),
        ([*H200, "--preset", "qwq-32b"], "always thinks; give --share 1"),
        ([*H200, "--quiet", "5"], "--quiet 5"),
        ([*H200, "--price", "-1"], "--price -1"),
        ([*H200, "--first-answer", "1"], "reasoning.tokenBudget"),
        ([*H200, "--table", "none.jsonl"], "--table none.jsonl: No such file"),
        ([*H200, "--set", "nothing.here=1"], "nothing"),
        ([*L40S, "--set-json", "accelerator.overrides.peak={}"], "measure a replica"),
    ],
)
def test_what_can_t_be_is_said_in_a_line(
    capsys: pytest.CaptureFixture[str], arguments: list[str], says: str
) -> None:
    assert main([*arguments, "--json"]) == 1
    printed = capsys.readouterr()
    assert says in printed.err and "Traceback" not in printed.err
    assert json.loads(printed.out)["error"] in printed.err
