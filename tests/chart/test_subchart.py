"""As a part of another chart, which may switch it off."""

from pathlib import Path

import pytest
import yaml

from .conftest import CHART, render

PARENT = {
    "apiVersion": "v2",
    "name": "parent",
    "version": "1.0.0",
    "dependencies": [
        {"name": "hybrid-llm", "version": "*", "repository": "", "condition": "hybrid-llm.enabled"}
    ],
}


@pytest.mark.parametrize("helm", ["helm", "helm3"])
@pytest.mark.parametrize("enabled", [True, False])
def test_a_condition_switches_it(tmp_path: Path, helm: str, enabled: bool) -> None:
    (tmp_path / "Chart.yaml").write_text(yaml.safe_dump(PARENT))
    (tmp_path / "charts").mkdir()
    (tmp_path / "charts" / "hybrid-llm").symlink_to(CHART)
    values = {"hybrid-llm": {"enabled": enabled}, "global": {"region": "eu"}}
    objects = render(values, chart=tmp_path, helm=helm)
    assert bool(objects) is enabled
