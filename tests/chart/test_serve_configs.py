"""Every Serve config that the chart renders is what the installed Ray and vLLM take."""

import dataclasses
import re
from collections import Counter

import pytest
import yaml
from ray.serve.llm import LLMServingArgs
from ray.serve.llm.ingress import OpenAiIngress
from ray.serve.schema import ServeDeploySchema
from vllm.engine.arg_utils import AsyncEngineArgs
from vllm.entrypoints.launchers.cli_args import FrontendArgs
from vllm.reasoning import ReasoningParserManager
from vllm.tool_parsers import ToolParserManager

from app.edge.values import parse as parse_edge
from app.thinking.values import apply, parse

from .conftest import ROOT, render, serve_config

FURTHER = {
    "several models": {
        "additionalModels": [
            {
                "model": {"preset": "qwen3-4b"},
                "accelerator": {"preset": "l4"},
                "autoscaling": {"minReplicas": 0, "maxReplicas": 1},
                "reasoning": {"thinkingDefault": False, "tokenBudget": 0},
            },
            {"model": {"preset": "deepseek-r1-distill-qwen-7b"}},
        ]
    },
    "reasoning": {
        "reasoning": {
            "thinkingDefault": False,
            "allowOverride": False,
            "tokenBudget": 100,
            "maxTokenBudget": 200,
            "fields": "reasoning",
        }
    },
    "keys and lanes": {
        "reasoning": {
            "tokenBudget": 2000,
            "effortBudgets": {"minimal": 0, "low": None, "max": None},
            "keys": {
                "batch": {"thinkingDefault": False, "allowOverride": False},
                "short": {"maxTokenBudget": 1500},
                "long": {"tokenBudget": None, "effortBudgets": {"medium": 9000}},
            },
            "lanes": {"enabled": True, "patienceSeconds": 0.5},
        }
    },
    "edge": {"serving": {"cors": {"allowedOrigins": ["https://a.example"]}, "requestSeconds": 5}},
    "engine": {
        "engine": {
            "schedulingPolicy": "priority",
            "kvCacheDtype": "fp8",
            "maxNumBatchedTokens": 4096,
            "toolCalls": False,
            "kwargs": {"enable_prefix_caching": False, "stream_interval": 2},
        }
    },
    "pipeline": {
        "model": {"preset": "qwen3-235b-a22b"},
        "accelerator": {"preset": "h100"},
        "parallelism": {"tensor": 4, "pipeline": 2},
    },
    "bucket": {"weights": {"from": "bucket"}, "model": {"source": "s3://bucket/model"}},
    "streamer": {
        "weights": {"from": "bucket", "loadFormat": "runai_streamer"},
        "model": {"source": "s3://bucket/model"},
    },
    "revision": {"model": {"revision": "main"}},
    "asleep": {
        "autoscaling": {"minReplicas": 0, "wakeWaitSeconds": 20},
        "serving": {"ingress": {"minReplicas": 1, "maxReplicas": 1}},
    },
    "one replica": {"autoscaling": {"minReplicas": 1, "maxReplicas": 1}},
    "MI300X": {
        "accelerator": {"preset": "mi300x"},
        "image": {"repository": "ray-rocm", "tag": "2.60.0"},
    },
}
COMMITTED = {
    path.stem: yaml.safe_load(path.read_text())
    for path in sorted((ROOT / "serve-configs").glob("*.yaml"))
}
CONFIGS = COMMITTED | {name: serve_config(render(values)) for name, values in FURTHER.items()}
ENGINE_KEYS = {f.name for f in dataclasses.fields(AsyncEngineArgs)}
FRONTEND_KEYS = {f.name for f in dataclasses.fields(FrontendArgs)}

pytestmark = pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)


def models(config: dict) -> list[dict]:
    return [c for app in config["applications"] for c in app["args"]["llm_configs"]]


def test_serve_takes_it(config):
    schema = ServeDeploySchema.model_validate(config)
    assert [app.import_path for app in schema.applications] == ["app.serve:build_app"]


def test_ray_serve_llm_and_the_app_take_the_arguments(config):
    for application in config["applications"]:
        args = dict(application["args"])
        parsed = parse(
            args.pop("reasoning"), [m["model_loading_config"]["model_id"] for m in models(config)]
        )
        parse_edge(args.pop("edge"))
        serving = LLMServingArgs.model_validate(args)
        assert serving.llm_configs
        for model in serving.llm_configs:
            apply(parsed[model.model_id], model.model_id, model.engine_kwargs)


def test_vllm_takes_every_engine_argument(config):
    for model in models(config):
        kwargs = model["engine_kwargs"]
        assert not set(kwargs) - ENGINE_KEYS - FRONTEND_KEYS
        engine = AsyncEngineArgs(**{k: v for k, v in kwargs.items() if k in ENGINE_KEYS})
        assert engine.max_model_len == kwargs["max_model_len"]


def test_vllm_has_the_parsers(config):
    for model in models(config):
        engine = model["engine_kwargs"]
        assert ReasoningParserManager.get_reasoning_parser(engine["reasoning_parser"])
        if tools := engine.get("tool_call_parser"):
            assert ToolParserManager.get_tool_parser(tools)


def test_the_ingress_has_the_replicas_that_the_values_say(config):
    """Serve keeps Ray LLM's own scaling beside a `num_replicas`, to none where all may sleep."""
    for deployment in config["applications"][0]["deployments"]:
        if deployment["name"] == "OpenAiIngress":
            assert "autoscaling_config" in OpenAiIngress.get_deployment_options([])
            assert "num_replicas" not in deployment
            assert deployment["autoscaling_config"]["min_replicas"] >= 1


def test_replicas_can_scale(config):
    """Ray LLM's defaults of 1e9 requests a replica never add a second one."""
    in_place = config["applications"][0]["deployments"]
    for model in models(config):
        name = model["model_loading_config"]["model_id"].replace("/", "--").replace(".", "_")
        (deployment,) = [d for d in in_place if d["name"] == f"LLMServer:{name}"]
        sequences = model["engine_kwargs"]["max_num_seqs"]
        assert sequences < deployment["max_ongoing_requests"] <= 6 * sequences
        if scaling := deployment.get("autoscaling_config"):
            assert 0.5 * sequences <= scaling["target_ongoing_requests"] <= sequences


def test_what_shares_a_layer_stays_on_one_node(config):
    """Of several hosts each has its own kind of bundle, as many as its accelerators."""
    for model in models(config):
        if "accelerator_type" in model:
            placement, engine = model["placement_group_config"], model["engine_kwargs"]
            if placement["strategy"] == "STRICT_PACK":
                continue
            kinds = Counter(frozenset(bundle) for bundle in placement["bundles"])
            assert len(kinds) == 2
            assert not any(n % engine["tensor_parallel_size"] for n in kinds.values())


def test_a_model_in_this_repository_exists(config):
    for model in models(config):
        source = model["model_loading_config"]["model_source"]
        if isinstance(source, str) and source.startswith("models/"):
            assert (ROOT / source / "config.json").is_file()


def test_no_secret_is_in_it(config):
    assert not re.search("token:|hf_token|api_?key|password", yaml.safe_dump(config), re.IGNORECASE)
