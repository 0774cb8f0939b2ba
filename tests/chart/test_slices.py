"""Parts of GPUs, MIG slices and shares of one: what the chart makes of their names and labels."""

import re
from typing import Any

import pytest
import yaml
from ray.autoscaler._private.kuberay.autoscaling_config import _get_ray_resources_from_group_spec

from .conftest import CHART, Object, cluster, llm_configs, manifest, render
from .test_fit import fit  # noqa: F401 the fixture

H100 = "NVIDIA-H100-80GB-HBM3"
PRESETS = {p.stem: yaml.safe_load(p.read_text()) for p in CHART.glob("presets/accelerators/*.yaml")}
MIG: dict[str, Object] = {
    "mixed": {"overrides": {"resourceName": "nvidia.com/mig-3g.40gb"}},
    "mixed, with media extensions": {"overrides": {"resourceName": "nvidia.com/mig-3g.40gb.me"}},
    "all alike": {"nodeSelector": {"nvidia.com/gpu.product": f"{H100}-MIG-3g.40gb"}},
    "gke": {
        "platform": "gke",
        "nodeSelector": {
            "cloud.google.com/gke-accelerator": "nvidia-h100-80gb",
            "cloud.google.com/gke-gpu-partition-size": "3g.40gb",
        },
    },
}
SHARED: dict[str, tuple[Object, Object]] = {
    "the name stays": ({}, {"nvidia.com/gpu.product": f"{H100}-SHARED"}),
    "another name": (
        {"overrides": {"resourceName": "nvidia.com/gpu.shared"}},
        {"nvidia.com/gpu.product": H100},
    ),
    "gke": (
        {"platform": "gke"},
        {
            "cloud.google.com/gke-accelerator": "nvidia-h100-80gb",
            "cloud.google.com/gke-gpu-sharing-strategy": "time-sharing",
            "cloud.google.com/gke-max-shared-clients-per-gpu": "4",
        },
    ),
}


def values(accelerator: Object, model: str = "qwen3-4b") -> Object:
    """Return values for a part of an H100."""
    return {"model": {"preset": model}, "accelerator": {"preset": "h100", **accelerator}}


def made(accelerator: Object) -> tuple[Object, Object, Object]:
    """Return of a part of an H100 the engine's arguments, the worker group, and its pod's spec."""
    objects = render(values(accelerator))
    (model,), (group,) = llm_configs(objects), cluster(objects)["workerGroupSpecs"]
    return model, group, group["template"]["spec"]


def limits(pod: Object) -> dict[str, str]:
    """Return what a worker's container asks for beside memory."""
    found = pod["containers"][0]["resources"]["limits"]
    return {name: count for name, count in found.items() if "/" in name}


def gpus(group: Object) -> Any:
    """Return how many GPUs Ray's autoscaler takes a pod of a group to have.

    KubeRay starts Ray with what `resources` of the group says, and without that by the name too.
    """
    counted = _get_ray_resources_from_group_spec(group, is_head=False)
    by_name = [name for name in limits(group["template"]["spec"]) if name.endswith("gpu")]
    assert by_name or group["resources"]["GPU"] == str(counted["GPU"])
    return counted["GPU"]


@pytest.mark.parametrize("kind", MIG)
def test_a_mig_slice_is_one_gpu_with_the_slices_memory(kind: str, fit: Any) -> None:  # noqa: F811
    model, group, pod = made(MIG[kind])
    overrides = MIG[kind].get("overrides", {})
    assert limits(pod) == {overrides.get("resourceName", "nvidia.com/gpu"): "1"}
    assert gpus(group) == 1
    assert model["accelerator_type"] == "H100" and group["resources"]["accelerator_type:H100"]
    found = fit(values(MIG[kind]))
    assert found["budget"] == pytest.approx((39.5 - 0.9) * 0.9)
    # Half of what an H100 has of its host.
    assert pod["containers"][0]["resources"]["limits"]["memory"] == "64Gi"
    engine = model["engine_kwargs"]
    assert engine["gpu_memory_utilization"] == 0.9 and engine["tensor_parallel_size"] == 1
    assert engine["max_num_batched_tokens"] == found["batched"] == 2048  # not the whole GPU's 8192


def test_nodes_with_several_kinds_of_slices_are_labelled_as_without() -> None:
    assert made(MIG["mixed"])[2]["nodeSelector"] == {"nvidia.com/gpu.product": H100}


def test_memory_that_the_preset_does_not_know_can_be_said(fit: Any) -> None:  # noqa: F811
    overrides = {"resourceName": "nvidia.com/mig-3g.90gb", "memoryMiB": 91000}
    found = fit(values({"preset": "b200", "overrides": overrides}))
    assert found["budget"] == pytest.approx((91000 / 1024 - 0.9) * 0.9)


@pytest.mark.parametrize("kind", SHARED)
def test_a_shared_gpu_is_one_with_its_share_of_the_memory(kind: str, fit: Any) -> None:  # noqa: F811
    accelerator, labels = SHARED[kind]
    model, group, pod = made({"sharedBy": 4, **accelerator})
    assert pod["nodeSelector"] == labels
    assert gpus(group) == 1
    shown = fit(values({"sharedBy": 4, **accelerator}))
    assert shown["budget"] == pytest.approx((81559 / 4 / 1024 - 0.9) * 0.9, abs=0.001)
    # vLLM reckons with all the memory that it sees, so all four together take what one else would.
    assert model["engine_kwargs"]["gpu_memory_utilization"] == 0.9 / 4


def test_a_slice_may_be_shared_too(fit: Any) -> None:  # noqa: F811
    resource = {"overrides": {"resourceName": "nvidia.com/mig-3g.40gb.shared"}}
    found = fit(values({"sharedBy": 2, **resource}))
    assert found["budget"] == pytest.approx((39.5 / 2 - 0.9) * 0.9)


def test_gke_says_by_how_many_a_gpu_is_shared() -> None:
    model, _, _ = made({"nodeSelector": SHARED["gke"][1]})
    assert model["engine_kwargs"]["gpu_memory_utilization"] == 0.9 / 4


def test_a_further_model_has_a_slice_of_its_own() -> None:
    further = {
        "model": {"preset": "qwen3-4b"},
        "accelerator": {"preset": "h100", **MIG["mixed"], "sharedBy": None},
    }
    first, second = cluster(render({"additionalModels": [further]}))["workerGroupSpecs"]
    assert limits(first["template"]["spec"]) == {"nvidia.com/gpu": "4"}
    assert limits(second["template"]["spec"]) == {"nvidia.com/mig-3g.40gb": "1"}
    assert "GPU" not in first["resources"]


def test_devices_are_claimed_instead_of_a_resource() -> None:
    objects = render({"accelerator": {"dra": {"enabled": True}}})
    template = manifest(objects, "ResourceClaimTemplate")
    (request,) = template["spec"]["spec"]["devices"]["requests"]
    (group,) = cluster(objects)["workerGroupSpecs"]
    pod = group["template"]["spec"]
    assert request["exactly"]["deviceClassName"] == "gpu.nvidia.com"
    assert request["exactly"]["count"] == gpus(group) == 4
    name = template["metadata"]["name"]
    assert pod["resourceClaims"] == [{"name": "accelerators", "resourceClaimTemplateName": name}]
    assert pod["containers"][0]["resources"]["claims"] == [{"name": "accelerators"}]
    assert not limits(pod)


def test_each_model_claims_its_own_and_a_cpu_claims_none() -> None:
    further = {"model": {"preset": "qwen3-4b"}, "accelerator": {"platform": "eks"}}
    both = {"accelerator": {"dra": {"enabled": True}}, "additionalModels": [further]}
    names = [o["metadata"]["name"] for o in render(both) if o["kind"] == "ResourceClaimTemplate"]
    assert len(set(names)) == 2
    cpu = yaml.safe_load((CHART / "ci/nano-cpu.yaml").read_text())
    cpu["accelerator"] |= {"dra": {"enabled": True}}
    assert not [o for o in render(cpu) if o["kind"] == "ResourceClaimTemplate"]


def test_a_claimed_slice_has_its_profiles_memory(fit: Any) -> None:  # noqa: F811
    profile = "device.attributes['gpu.nvidia.com'].profile == '3g.40gb'"
    dra = {"enabled": True, "deviceClass": "mig.nvidia.com", "selectors": [profile]}
    assert fit(values({"dra": dra}))["budget"] == pytest.approx((39.5 - 0.9) * 0.9)
    template = manifest(render(values({"dra": dra})), "ResourceClaimTemplate")
    (request,) = template["spec"]["spec"]["devices"]["requests"]
    assert request["exactly"]["count"] == 1
    assert request["exactly"]["selectors"] == [{"cel": {"expression": profile}}]


@pytest.mark.parametrize("name", PRESETS)
def test_slices_have_the_memory_that_their_names_say(name: str) -> None:
    preset = PRESETS[name]
    for profile, memory in preset.get("migMiB", {}).items():
        gigabytes = re.fullmatch(r"\dg\.(\d+)gb", profile)
        assert gigabytes and 0.88 < memory / 1024 / int(gigabytes[1]) < 1
        assert memory <= preset["memoryMiB"]


def test_the_fit_says_which_part_it_is() -> None:
    from tools.plan.release import laid_out

    replica = laid_out(["--set", "model.preset=qwen3-4b", "--set", "accelerator.sharedBy=2"])
    assert replica.where == "1 x L40S shared by 2"
    assert "peak" not in replica.accelerator  # of a share nobody knows it
