"""A value that is null, or that the release's older version did not have, is the default."""

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from .conftest import CHART, Object, render
from .test_properties import DEFAULTS, maps, put
from .test_subchart import PARENT

TEMPLATES = [p for p in (CHART / "templates").rglob("*") if p.suffix in (".yaml", ".txt")]


def same(values: Object, **options: Any) -> bool:
    """Return whether values render to what the defaults do, but for the generated API key."""
    found, expected = render(values, **options), render()
    for item in (*found, *expected):
        if item["kind"] == "Secret":
            item["data"] = item.get("data", {}).keys()
    return found == expected


def nulls(values: Object) -> Object:
    """Return the chart's values with null for each."""
    free = ("resources", "podSecurityContext", "containerSecurityContext", "effortBudgets")
    return {
        key: nulls(value) if isinstance(value, dict) and value and key not in free else None
        for key, value in values.items()
    }


@pytest.mark.parametrize("section", [place for place in maps(DEFAULTS) if place])
def test_a_section_that_is_null_is_the_default_one(section: str) -> None:
    assert same(put({}, section, None))


@pytest.mark.parametrize("helm", ["helm", "helm3"])
def test_with_null_for_each_value_all_are_the_defaults(helm: str) -> None:
    assert same(nulls(DEFAULTS), helm=helm)


@pytest.mark.parametrize("helm", ["helm", "helm3"])
def test_in_a_chart_of_charts_too(tmp_path: Path, helm: str) -> None:
    (tmp_path / "Chart.yaml").write_text(yaml.safe_dump(PARENT))
    (tmp_path / "charts").mkdir()
    (tmp_path / "charts" / "hybrid-llm").symlink_to(CHART)
    assert same({"hybrid-llm": nulls(DEFAULTS)}, chart=tmp_path, helm=helm)


def test_a_release_of_which_no_value_was_there_has_the_defaults(tmp_path: Path) -> None:
    """As `helm upgrade --reuse-values` has it, which drops the new version's values.yaml."""
    chart = tmp_path / "hybrid-llm"
    shutil.copytree(CHART, chart)
    (chart / "values.yaml").write_text("")
    assert same({}, chart=chart)


def test_an_entry_of_a_map_of_the_users_own_stays_away() -> None:
    pod = {"podSecurityContext": {"fsGroup": None}}
    (claim,) = [o for o in render(pod) if o["kind"] == "RayService"]
    head = claim["spec"]["rayClusterConfig"]["headGroupSpec"]["template"]["spec"]
    assert head["securityContext"]
    assert "fsGroup" not in head["securityContext"]


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_every_template_puts_in_what_is_missing(path: Path) -> None:
    """Helm renders them in an order of its own; each alone must find its values."""
    assert path.read_text().startswith('{{- include "hybrid-llm.defaults" . -}}\n')
