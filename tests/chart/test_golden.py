"""Every model on every accelerator: what the chart makes of it, in one file an accelerator.

After a change that is meant, write them anew: REGOLD=1 make test ARGS=tests/chart/test_golden.py
"""

import os
import re
from pathlib import Path

import pytest
import yaml

from .conftest import CHART, Refused, cluster, llm_configs, render

GOLDEN = Path(__file__).parent / "golden"
MODELS = sorted(p.stem for p in (CHART / "presets/models").glob("*.yaml"))
ACCELERATORS = sorted(p.stem for p in (CHART / "presets/accelerators").glob("*.yaml"))


def record(model: str, accelerator: str) -> dict:
    """Return what matters of the render, or the way out of the refusal."""
    values: dict = {"model": {"preset": model}, "accelerator": {"preset": accelerator}}
    if accelerator == "cpu":
        values["model"]["maxModelLen"] = 4096
    if accelerator in ("cpu", "mi300x"):
        values["image"] = {"repository": "own", "tag": "2.60.0"}
    if model == "nano":
        values["weights"] = {"from": "path"}
    # Some clouds do not have some accelerators; this platform's labels are there for all.
    try:
        objects = render(values)
    except Refused as refused:
        (way_out,) = re.findall(r"\*.*Way out: (.*)\.", str(refused))
        return {"refused; way out": way_out}
    (config,) = llm_configs(objects)
    (group,) = cluster(objects)["workerGroupSpecs"]
    pod = group["template"]["spec"]
    return {
        "accelerator_type": config.get("accelerator_type"),
        "engine": config["engine_kwargs"],
        "worker": pod["containers"][0]["resources"],
        "nodeSelector": pod.get("nodeSelector"),
    }


@pytest.mark.parametrize("accelerator", ACCELERATORS)
def test_every_model_on_it_is_as_it_was(accelerator):
    found = {model: record(model, accelerator) for model in MODELS}
    path = GOLDEN / f"{accelerator}.yaml"
    if os.environ.get("REGOLD"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(yaml.safe_dump(found, sort_keys=False, width=100))
    assert found == yaml.safe_load(path.read_text())
    assert any("engine" in one for one in found.values())


def test_no_golden_file_is_left_over():
    assert {p.stem for p in GOLDEN.glob("*.yaml")} == set(ACCELERATORS)
