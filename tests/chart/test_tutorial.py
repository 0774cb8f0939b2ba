"""`helm template hybrid-llm charts/hybrid-llm`, without a value, is the tutorial's deployment."""

from pathlib import Path

import pytest

from .conftest import ROOT, cluster, llm_configs, manifest, render, serve_config, text

OBJECTS = render()
(MODEL,) = llm_configs(OBJECTS)
(APPLICATION,) = serve_config(OBJECTS)["applications"]
(GROUP,) = cluster(OBJECTS)["workerGroupSpecs"]
WORKER = GROUP["template"]["spec"]["containers"][0]
HEAD = cluster(OBJECTS)["headGroupSpec"]["template"]["spec"]["containers"][0]
SCALING = MODEL["deployment_config"]["autoscaling_config"]
FROM_SECRET = {
    "name": "HF_TOKEN",
    "valueFrom": {"secretKeyRef": {"name": "hf-token", "key": "HF_TOKEN", "optional": True}},
}

FIELDS = {
    "model_id": (MODEL["model_loading_config"]["model_id"], "my-qwen-3-32b"),
    "model_source": (MODEL["model_loading_config"]["model_source"], "Qwen/Qwen3-32B"),
    "accelerator_type": (MODEL["accelerator_type"], "L40S"),
    "min_replicas": (SCALING["min_replicas"], 1),
    "max_replicas": (SCALING["max_replicas"], 2),
    "tensor_parallel_size": (MODEL["engine_kwargs"]["tensor_parallel_size"], 4),
    "max_model_len": (MODEL["engine_kwargs"]["max_model_len"], 32768),
    "reasoning_parser": (MODEL["engine_kwargs"]["reasoning_parser"], "qwen3"),
    "route": (APPLICATION["route_prefix"], "/"),
    "application": (APPLICATION["import_path"], "app.serve:build_app"),
    "GPUs of a worker": (WORKER["resources"]["limits"]["nvidia.com/gpu"], "4"),
    "workers at least": (GROUP["minReplicas"], 1),
    "workers at most": (GROUP["maxReplicas"], 2),
    "port": ({p["name"]: p["containerPort"] for p in WORKER["ports"]}["serve"], 8000),
    "Ray": (cluster(OBJECTS)["rayVersion"], "2.60.0"),
}


@pytest.mark.parametrize("field", FIELDS)
def test_a_field_is_the_tutorials(field):
    rendered, tutorial = FIELDS[field]
    assert rendered == tutorial


@pytest.mark.parametrize("container", [HEAD, WORKER], ids=["head", "worker"])
def test_the_hubs_token_comes_from_a_secret_that_need_not_exist(container):
    assert FROM_SECRET in container["env"]


def test_no_token_is_in_the_serve_config():
    assert "TOKEN" not in manifest(OBJECTS, "RayService")["spec"]["serveConfigV2"]


def test_the_python_application_is_built_from_the_same_config():
    from app import serve

    assert serve.TUTORIAL == ROOT / "serve-configs" / "qwen3-32b-l40s.yaml"
    rendered = manifest(OBJECTS, "RayService")["spec"]["serveConfigV2"]
    assert Path(serve.TUTORIAL).read_text().endswith(rendered)


def test_the_plain_manifest_has_the_same_rayservice():
    import yaml

    plain = [d for d in yaml.safe_load_all((ROOT / "k8s/rayservice.yaml").read_text()) if d]
    ours = manifest(render({"auth": {"existingSecret": "hybrid-llm-api-keys"}}), "RayService")
    assert manifest(plain, "RayService")["spec"] == ours["spec"]


def test_nothing_random_renders_when_the_keys_secret_is_named():
    named = {"auth": {"existingSecret": "keys"}}
    assert "kind: Secret" not in text(named)
    assert text(named) == text(named, "--include-crds")  # another argument, so rendered twice
