"""Every model's preset on every accelerator renders, or is refused with the sum and a way out.

All models of one accelerator are one release, as `additionalModels`: two renderings, not dozens.
"""

import re

import pytest

from .conftest import CHART, Object, Refused, llm_configs, render

# nano is in the repository, and not on the hub as the others.
MODELS = sorted(p.stem for p in (CHART / "presets/models").glob("*.yaml") if p.stem != "nano")
ACCELERATORS = sorted(p.stem for p in (CHART / "presets/accelerators").glob("*.yaml"))

LINE = re.compile(r"^  \* additionalModels\[(\d+)\]\.(.+?) \(.*?\): (.+)\. Way out: (.+)\.$", re.M)
SUM = re.compile(
    r"each would need ([\d.]+) GB of weights \+ ([\d.]+) GB of KV cache .* \+ ([\d.]+) GB of .*"
    r" = ([\d.]+) GB, and vLLM may take ([\d.]+) GB"
)


def release(models: list[str], accelerator: str) -> Object:
    """Return values of a release of these models, beside a small one that fits everywhere."""
    first = {"preset": "qwen3-0.6b", "id": "first"}
    further = [{"model": {"preset": model, "id": model}} for model in models]
    values: Object = {"accelerator": {"preset": accelerator}, "additionalModels": further}
    if accelerator in ("cpu", "mi300x"):
        values["image"] = {"repository": "own", "tag": "2.60.0"}
    if accelerator == "cpu":
        # Of the preset's 6 GiB nano alone has enough.
        values["accelerator"]["overrides"] = {"memoryGiBPerAccelerator": 64}
        for one in (first, *(item["model"] for item in further)):
            one["maxModelLen"] = 4096
    return {**values, "model": first}


@pytest.mark.parametrize("accelerator", ACCELERATORS)
def test_it_renders_or_is_refused_with_the_sum(accelerator: str) -> None:
    refused = set()
    try:
        render(release(MODELS, accelerator))
        answer = ""
    except Refused as said:
        answer = str(said)
    for index, field, reason, way in LINE.findall(answer):
        refused.add(int(index))
        assert field in ("model.preset", "model.maxModelLen") and way
        if accelerator == "cpu":
            assert re.search(r"[\d.]+ GiB of (weights|KV cache)", reason)
            continue
        found = SUM.search(reason)
        assert found, reason
        weights, cache, rest, needed, budget = map(float, found.groups())
        assert needed == pytest.approx(weights + cache + rest, abs=0.2)
        assert needed >= budget
    fitting = [model for index, model in enumerate(MODELS) if index not in refused]
    served = llm_configs(render(release(fitting, accelerator)))
    ids = {config["model_loading_config"]["model_id"] for config in served}
    assert ids == {"first", *fitting}
