"""Models on every accelerator: what the chart makes of them, in one file an accelerator.

After a change that is meant, write them anew: REGOLD=1 make test ARGS=tests/chart/test_golden.py
A new model or accelerator need not be there: test_every_preset.py renders all of them.
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


# Accelerators that a way out may name: a new one is in none of the files.
LARGER = re.compile(r"(?<=accelerator\.preset=)[\w.-]+( or [\w.-]+)*")
NAMED = {p.stem for p in GOLDEN.glob("*.yaml")} | (
    set(ACCELERATORS) if "REGOLD" in os.environ else set()
)


def recorded(names: re.Match[str]) -> str:
    """Return the accelerators of a way out that the files may have."""
    return " or ".join(name for name in names[0].split(" or ") if name in NAMED)


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
        (way_out,) = re.findall(r"\* model\.preset .*Way out: (.*)\.", str(refused))
        return {"refused; way out": LARGER.sub(recorded, way_out)}
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
    path = GOLDEN / f"{accelerator}.yaml"
    before = yaml.safe_load(path.read_text()) if path.exists() else {}
    found = {model: record(model, accelerator) for model in before or MODELS if model in MODELS}
    if os.environ.get("REGOLD"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(yaml.safe_dump(found, sort_keys=False, width=100))
    elif before:
        assert before == found
    assert any("engine" in one for one in found.values())


def test_no_golden_is_left_over():
    files = {p.stem: yaml.safe_load(p.read_text()) for p in GOLDEN.glob("*.yaml")}
    assert len(files) > 8 and set(files) <= set(ACCELERATORS)
    for models in files.values():
        assert len(models) > 8 and set(models) <= set(MODELS)
