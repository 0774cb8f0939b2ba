"""Tables are read as bench/ and vLLM write them."""

import json
from pathlib import Path

import pytest

from plan import Stop
from plan.table import Row, every, read


def test_the_tables_of_bench_are_found_by_what_they_measured() -> None:
    found = every()
    assert {("qwen3-32b", "H200", 1), ("qwen3-32b-fp8", "H200", 1), ("nano", "", 1)} <= set(found)
    rows = [row for row in found["qwen3-32b", "H200", 1].rows if row.streams == 64]
    assert len(rows) == 2  # rounds
    for row in rows:
        assert (row.prompt, row.output) == (pytest.approx(64, rel=0.01), 128)
        assert row.step == pytest.approx(0.022, rel=0.02)


RUN = {"mean_tpot_ms": 50, "mean_ttft_ms": 100, "completed": 2, "total_input_tokens": 20,
       "total_output_tokens": 40}  # fmt: skip


def test_what_vllm_s_bench_saves_is_read(tmp_path: Path) -> None:
    path = tmp_path / "mine.jsonl"
    lines = [{"hardware": "x"}, {**RUN, "max_concurrency": 1}, {**RUN, "max_concurrency": 4}]
    lines += [{**RUN, "concurrency": 8, "system": "vllm"}]
    path.write_text("\n".join(map(json.dumps, lines)))
    assert read(path).rows == (Row(1, 0.05, 0.1, 10, 20), Row(4, 0.05, 0.1, 10, 20))
    assert [row.streams for row in read(path, "vllm").rows] == [1, 4, 8]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "line 1 is no run"),
        ('{"mean_tpot_ms": 5}', "line 1 is no run"),
        (json.dumps({**RUN, "concurrency": 1, "mean_tpot_ms": 0}), "line 1: .* more than 0"),
        (json.dumps({**RUN, "concurrency": 1}), "at one concurrency, and two are needed"),
    ],
)
def test_a_table_that_is_none_is_said_to_be(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "mine.jsonl"
    path.write_text(text)
    with pytest.raises(Stop, match=says):
        read(path)


def test_a_table_that_is_not_there_is_said_to_be(tmp_path: Path) -> None:
    with pytest.raises(Stop, match="No such file"):
        read(tmp_path / "none.jsonl")
