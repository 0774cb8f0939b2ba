"""What is generated is what is committed, or: run `make render`."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft7Validator

from .conftest import CHART, ROOT, go_tool


@pytest.fixture(scope="module")
def rendered(tmp_path_factory):
    out = tmp_path_factory.mktemp("rendered")
    subprocess.run([sys.executable, ROOT / "tools/render.py", "--out", out], check=True)
    schema = out / "charts/hybrid-llm/values.schema.json"
    subprocess.run([sys.executable, ROOT / "tools/schema.py", "--out", schema], check=True)
    return out


def test_every_generated_file_is_as_committed(rendered):
    stale = []
    for new in rendered.rglob("*.*"):
        committed = ROOT / new.relative_to(rendered)
        if not committed.exists() or committed.read_text() != new.read_text():
            stale.append(str(new.relative_to(rendered)))
    assert not stale, "run `make render`"


def test_no_serve_config_is_left_that_nothing_generates(rendered):
    names = {p.name for p in (ROOT / "serve-configs").iterdir()}
    assert names == {p.name for p in (rendered / "serve-configs").iterdir()}


def test_the_charts_readme_is_as_committed(tmp_path):
    made = go_tool("helm-docs", "--chart-search-root", str(CHART), "--dry-run")
    assert "level=warning" not in made.stderr
    assert made.stdout.strip() == (CHART / "README.md").read_text().strip(), "run `make render`"


@pytest.mark.parametrize("path", ["k8s/rayservice.yaml", "serve-configs/nano-cpu.yaml"])
def test_a_generated_file_says_so_in_its_first_line(path):
    assert "make render" in Path(ROOT / path).read_text().splitlines()[0]


def test_no_document_of_the_manifest_is_empty():
    documents = yaml.safe_load_all((ROOT / "k8s/rayservice.yaml").read_text())
    assert all(document and document["kind"] for document in documents)


def test_the_schema_is_one_and_has_no_misspelt_keyword():
    schema = json.loads((CHART / "values.schema.json").read_text())
    Draft7Validator.check_schema(schema)
    known = set(Draft7Validator.META_SCHEMA["properties"])

    def check(part):
        if isinstance(part, dict):
            assert set(part) <= known, set(part) - known
            for inner in (part.get("properties") or {}).values():
                check(inner)
            for key in ("items", "additionalProperties"):
                check(part.get(key))

    check(schema)


def test_a_bad_annotation_is_found(tmp_path):
    values = tmp_path / "values.yaml"
    values.write_text("# @schema [1]\na: 1\n")
    run = subprocess.run(
        [sys.executable, ROOT / "tools/schema.py", values, "--out", tmp_path / "x"],
        capture_output=True,
        text=True,
    )
    assert run.returncode and "line 1" in run.stderr
