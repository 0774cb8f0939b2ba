"""A release may have as long a name as KubeRay takes; then no object of ours has too long a one."""

import re
from pathlib import Path

import schemas

from .conftest import refusal, render
from .test_properties import EVERYTHING

# Of a Service, and of what becomes a label of pods. Other names may have 253 characters.
SHORT = {"Service", "Job", "Deployment", "Pod"}


def kuberays() -> int:
    """Return how many characters the operator takes for the name of a RayService."""
    root = Path(schemas.go_tool("--module", "kuberay", check=True).stdout.strip())
    source = (root / "controllers/ray/utils/constant.go").read_text()
    cluster = re.search(r"MaxRayClusterNameLength = (\d+)", source)
    less = re.search(r"MaxRayServiceNameLength = MaxRayClusterNameLength - (\d+)", source)
    assert cluster and less
    return int(cluster[1]) - int(less[1])


def test_a_name_may_be_as_long_as_kuberay_takes_it() -> None:
    most = kuberays()
    long = "a" * (most + 1)
    assert f"at most {most} characters" in refusal({"fullnameOverride": long})
    everything = {
        **EVERYTHING,
        "fullnameOverride": long[1:],
        "playground": {"enabled": True},
        "preflight": {"enabled": True},
    }
    names = {one["metadata"]["name"] for one in render(everything) if one["kind"] in SHORT}
    assert len(names) > 3
    assert [name for name in names if len(name) > 63] == []
