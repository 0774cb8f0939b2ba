"""No version is pinned that nobody would be told a newer one of: renovate.json5 reads them all."""

import re

import json5
import pytest
from pins import BUILT_IN, ROOT, files, matches, pins, python, read_by

CONFIG = json5.loads((ROOT / "renovate.json5").read_text())


def unread(path: str, text: str) -> list[str]:
    """Return the pins of a file that no manager reads."""
    return [str(pin) for pin in pins(path, text) if not read_by(CONFIG, pin, text)]


@pytest.mark.parametrize(
    "path",
    ["charts/hybrid-llm/Chart.yaml", "charts/hybrid-llm/values.yaml", "k8s/kind.yaml", "tools/uv"]
    + ["pyproject.toml", "requirements/go.txt", "tests/cluster/image/Dockerfile"],
)
def test_pins_are_found_where_some_are_known_to_be(path):
    assert list(pins(path, (ROOT / path).read_text()))


def test_every_pin_is_read_by_a_manager():
    missed = dict.fromkeys(pin for path, text in files() for pin in unread(path, text))
    assert not missed, (
        "no manager of renovate.json5 reads these: add a custom manager for their kind, or say in "
        "tests/unit/pins.py why they are no pins\n" + "\n".join(missed)
    )


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("requirements/go.txt", "jq  github.com/itchyny/gojq/cmd/gojq@v0.12.17\n"),
        ("requirements/new.in", "requests>=2\n"),
        ("pyproject.toml", 'dev = ["requests>=2"]\n'),
        ("tests/new/go.mod", "require example.com/module v1.2.3\n"),
        ("tests/new/package.json", '{\n  "dependencies": {\n    "ai": "^7.0.173"\n  }\n}\n'),
        ("tests/new/Dockerfile", "FROM debian:12.11\n"),
        (".github/workflows/new.yaml", f"      - uses: actions/new@{'0123abcdef' * 4} # v1.0.0\n"),
        (
            ".github/actions/new/action.yaml",
            f"    - uses: actions/new@{'0123abcdef' * 4} # v1.0.0\n",
        ),
        ("charts/new/values.yaml", "image:\n  repository: some/image\n  tag: 1.2.3\n"),
        (
            "charts/hybrid-llm/presets/models/new.yaml",
            f"source: Some/Model\nrevision: {'a1' * 20}\n",
        ),
        ("k8s/gitops/new/release.yaml", "spec:\n  chart:\n    spec:\n      version: 1.2.3\n"),
    ],
)
def test_one_more_of_a_kind_needs_no_new_manager(path, text):
    assert list(pins(path, text)) and not unread(path, text)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("requirements/go.txt", "jq = github.com/itchyny/gojq@v0.12.17\n"),
        ("tools/new", "#!/bin/sh\nversion=1.2.3\n"),
        ("tools/uv", "#!/bin/sh\nversion=0.13.9\npip_version=26.1.2\n"),
        ("Makefile", "JQ := jq@v1.2.3\n"),
        ("charts/hybrid-llm/Chart.yaml", "annotations:\n  hybrid-llm/redis: 8.2.1\n"),
        ("charts/hybrid-llm/templates/new.yaml", "image: redis:8\n"),
        ("tests/new/Dockerfile", "ARG UV_VERSION=0.13.9\n"),
        ("charts/hybrid-llm/presets/models/new.yaml", f"tokenizerRevision: {'a1' * 20}\n"),
        (".pre-commit-config.yaml", "repos:\n  - rev: v1.2.3\n"),
    ],
)
def test_a_pin_of_a_new_kind_is_found(path, text):
    assert unread(path, text)


def test_without_the_tests_much_would_not_be_read():
    config = {**CONFIG, "ignorePresets": []}
    path, text = "tests/cluster/go/go.mod", (ROOT / "tests/cluster/go/go.mod").read_text()
    assert not [pin for pin in pins(path, text) if read_by(config, pin, text)]


@pytest.mark.parametrize("manager", CONFIG["customManagers"], ids=lambda one: one["description"])
def test_every_custom_manager_has_something_to_read(manager):
    texts = [t for p, t in files() if any(matches(m, p) for m in manager["managerFilePatterns"])]
    assert any(re.search(python(e), text) for e in manager["matchStrings"] for text in texts)


def test_a_go_tools_version_is_asked_of_its_module():
    (manager,) = [m for m in CONFIG["customManagers"] if m["datasourceTemplate"] == "go"][:1]
    text = (ROOT / "requirements/go.txt").read_text()
    found = [m["depName"] for m in re.finditer(python(manager["matchStrings"][0]), text)]
    assert "helm.sh/helm/v4" in found and not [name for name in found if "/cmd" in name]


def test_settings_of_a_manager_are_of_one_that_is_known():
    named = {key for key, value in CONFIG.items() if isinstance(value, dict)}
    assert named - {"poetry", "pixi"} <= set(BUILT_IN)
