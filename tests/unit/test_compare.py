"""`bench/serving.py` and `bench/compare.py`: what a ratio is, and what counts as worse."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "bench"))  # where its scripts find each other

import serving  # noqa: E402

RESULTS = sorted((ROOT / "bench" / "results").glob("*.json"))
KEY = {"hardware": "cpu", "system": "direct", "baseline": "vllm", "concurrency": 8}
OLD = [
    {**KEY, "metric": "output_throughput", "ratio": 1.0, "low": 0.9, "high": 1.1},
    {**KEY, "metric": "ttft_p50", "ratio": 1.0, "low": 0.9, "high": 1.1},
]


def compare(
    old: object, new: object, tmp_path: Path, *options: str
) -> "subprocess.CompletedProcess[str]":
    paths = []
    for name, rows in (("old", old), ("new", new)):
        paths.append(tmp_path / name)
        paths[-1].write_text(json.dumps(rows))
    command = [sys.executable, str(ROOT / "bench" / "compare.py"), *map(str, paths), *options]
    return subprocess.run(command, capture_output=True, text=True)


def changed(metric: str, low: float, high: float) -> list[dict[str, object]]:
    new = {"ratio": (low + high) / 2, "low": low, "high": high}
    return [{**row, **(new if row["metric"] == metric else {})} for row in OLD]


@pytest.mark.parametrize(
    ("new", "line"),
    [
        (OLD, ""),
        (changed("output_throughput", 0.8, 0.95), ""),
        (changed("output_throughput", 0.7, 0.85), "cpu direct vllm 8 output_throughput: "),
        (changed("output_throughput", 1.2, 1.3), ""),
        (changed("ttft_p50", 1.05, 1.4), ""),
        (changed("ttft_p50", 1.2, 1.4), "cpu direct vllm 8 ttft_p50: "),
        (changed("ttft_p50", 0.1, 0.2), ""),
        (OLD[:1], "cpu direct vllm 8 ttft_p50: missing"),
        ([*OLD, {**OLD[0], "system": "another"}], ""),
        ([{**OLD[0], "hardware": "H100"}], ""),
        ([], "nothing was measured"),
    ],
)
def test_worse_is_what_lies_outside_the_spread(new, line, tmp_path: Path):
    run = compare(OLD, new, tmp_path)
    assert (run.returncode, line in run.stdout + run.stderr) == (1 if line else 0, True)


@pytest.mark.parametrize("path", RESULTS, ids=lambda path: path.stem)
def test_what_is_committed_holds_against_itself(path: Path, tmp_path: Path):
    rows = json.loads(path.read_text())
    assert rows and compare(rows, rows, tmp_path).returncode == 0


def test_one_metric_alone_can_be_compared(tmp_path: Path):
    run = compare(OLD, changed("ttft_p50", 1.2, 1.4), tmp_path, "--metric", "output_throughput")
    assert run.returncode == 0, run.stdout
    run = compare(OLD, OLD[:1], tmp_path, "--metric", "ttft_p50")
    assert (run.returncode, "nothing was measured" in run.stderr) == (1, True)


def test_the_summary_is_that_of_the_runs_beside_it() -> None:
    folder = ROOT / "bench" / "results"
    assert serving.summarized(folder) == json.loads((folder / "summary.json").read_text())


def test_each_system_is_compared_with_the_baseline_of_its_own_rounds() -> None:
    def run(system: str, rate: float, number: int, machine: str = "a") -> dict[str, object]:
        measured = {key: rate for key in serving.METRICS.values()}
        level = {"concurrency": 8, "stream_interval": None, "round": number, "machine": machine}
        return {"system": system, "beside": "direct four vllm", **level, **measured}

    first = [run("vllm", 10, 0), run("direct", 9, 0), run("four", 20, 0)]
    second = [run("vllm", 20, 1), run("direct", 20, 1)]  # and then it broke off
    other = [run("vllm", 100, 0, "b"), run("direct", 70, 0, "b")]
    found = serving.rows([*first, *other, *second], "cpu")
    spread = {
        row["system"]: (row["ratio"], row["low"], row["high"])
        for row in found
        if row["metric"] == "output_throughput"
    }
    assert spread == {"direct": (0.9, 0.7, 1.0), "four": (2.0, 2.0, 2.0)}
