"""What GitHub runs for a change is what .ci/run does, in parts; and no test is in none of them."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
WORKFLOWS = {path.stem: path for path in (ROOT / ".github/workflows").glob("*.yaml")}
PYTEST = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["pytest"]["ini_options"]


def jobs(workflow: str) -> dict[str, dict[str, Any]]:
    return yaml.safe_load(WORKFLOWS[workflow].read_text())["jobs"]


def commands(job: dict[str, Any]) -> set[str]:
    """Return what a job's steps run, with each value of its matrix in place of $PART."""
    lines = {step["run"] for step in job["steps"] if "run" in step}
    parts = job.get("strategy", {}).get("matrix", {}).get("part", [""])
    return {line.replace("$PART", part).replace('"', "'") for line in lines for part in parts}


CI = {command for job in jobs("ci").values() for command in commands(job)}
LOCAL = re.findall(r"^make .*$", (ROOT / ".ci/run").read_text().replace('"', "'"), re.MULTILINE)


def folders() -> set[str]:
    """Return the folders of tests/ that have tests."""
    tests = [path.relative_to(ROOT / "tests") for path in (ROOT / "tests").rglob("test_*.py")]
    assert not [path for path in tests if len(path.parts) == 1], "put tests into a folder"
    return {path.parts[0] for path in tests}


@pytest.mark.parametrize("command", [line for line in LOCAL if line != "make test"])
def test_github_runs_what_is_run_here(command):
    assert command in CI, f".github/workflows/ci.yaml has no step `{command}`"


def test_every_folder_of_tests_is_run():
    found = folders() - set(PYTEST["norecursedirs"])
    run = {name for name in folders() if f"make test ARGS='tests/{name}'" in CI}
    assert found == run, "the matrix of .github/workflows/ci.yaml has the folders of tests/"
    assert "make test" in LOCAL


def test_what_make_test_leaves_out_make_e2e_runs():
    assert folders() & set(PYTEST["norecursedirs"]) == {"e2e"}
    assert "-m pytest tests/e2e" in (ROOT / "tests/e2e/run").read_text()
    assert any(command.startswith("make e2e") for command in LOCAL)


def test_what_is_left_out_every_time_runs_every_night():
    assert "-m 'not nightly'" in PYTEST["addopts"]
    nightly = yaml.safe_load(WORKFLOWS["nightly"].read_text())
    assert nightly[True]["schedule"]  # YAML 1.1 takes `on` for true
    run = {command for job in nightly["jobs"].values() for command in commands(job)}
    assert {"make test ARGS='-m nightly'", "make e2e"} <= run


def test_helm_is_built_before_the_suite_needs_a_cluster():
    # On slow cores its build takes longer than the suite gives to one of its commands.
    before, _, after = (ROOT / "tests/e2e/run").read_text().partition("\nif [ -n ")
    assert re.search(r"^tools/go-tool --path helm ", before, re.MULTILINE) and "pytest" in after


@pytest.mark.parametrize("workflow", WORKFLOWS)
def test_every_job_ends_by_itself(workflow):
    assert not [name for name, job in jobs(workflow).items() if "timeout-minutes" not in job]


def test_no_release_reads_a_cache():
    text = WORKFLOWS["release"].read_text()
    assert "actions/cache" not in text and "actions/prepare" not in text
    assert text.count("actions/setup-go@") == text.count("cache: false")
