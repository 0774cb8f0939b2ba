"""`app.serve.build_app` takes what `build_openai_app` takes, and puts the middleware in front."""

import copy
import os
from pathlib import Path
from types import SimpleNamespace

import pydantic
import pytest
import yaml
from fastapi import FastAPI
from fastapi.testclient import TestClient
from ray import cloudpickle
from ray.llm._internal.common.utils.import_utils import load_class
from ray.llm._internal.serve.core.ingress import builder
from ray.llm._internal.serve.core.ingress.builder import IngressClsConfig
from ray.serve.config import RequestRouterConfig
from ray.serve.llm.ingress import OpenAiIngress

import run
from app import serve
from app.edge.aliases import ModelAliases
from app.edge.fixed import VALUES as EDGE_VALUES
from app.edge.fixed import Edge
from app.edge.fixed import loaded as edge_loaded
from app.middleware import IMPORT_PATHS, STACK, WITH_EDGE
from app.replica import Start
from app.requests import Requests
from app.thinking.fixed import VALUES, Thinking, loaded
from schemas import ROOT, go_tool

NANO = {
    "model_loading_config": {"model_id": "nano", "model_source": "models/nano"},
    "accelerator_config": {"kind": "cpu"},
    "engine_kwargs": {"max_model_len": 4096},
}

PREFIX_AWARE = {
    "request_router_class": "ray.serve.llm.request_router:PrefixCacheAffinityRouter",
}


@pytest.fixture
def built(monkeypatch) -> list[dict]:
    """Collect the arguments that reach Ray's own builder, which needs a running Ray."""
    calls: list[dict] = []

    def build(arguments: dict) -> SimpleNamespace:
        calls.append(arguments)
        return SimpleNamespace()

    monkeypatch.setattr(serve, "build_openai_app", build)
    return calls


def test_bad_arguments_are_refused_as_ray_refuses_them():
    with pytest.raises(pydantic.ValidationError, match="llm_configs"):
        serve.build_app({})
    with pytest.raises(pydantic.ValidationError):
        serve.build_app({"llm_configs": [{**NANO, "no_such_key": 1}]})


def test_a_model_of_this_repository_is_found_from_any_folder(built, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    serve.build_app({"llm_configs": [NANO]})
    source = built[0]["llm_configs"][0].model_loading_config.model_source
    assert source == str(serve.ROOT / "models" / "nano")


@pytest.mark.parametrize("source", ["Qwen/Qwen3-32B", "s3://bucket/model", "/mnt/model"])
def test_any_other_source_stays(built, source):
    model = {**NANO, "model_loading_config": {"model_id": "m", "model_source": source}}
    if source.startswith("s3:"):
        model["model_loading_config"]["model_source"] = {"bucket_uri": source}
    serve.build_app({"llm_configs": [model]})
    given = built[0]["llm_configs"][0].model_loading_config.model_source
    assert source in (given, getattr(given, "bucket_uri", None))


class OwnIngress(OpenAiIngress):
    """An ingress class of a user."""


@pytest.mark.parametrize(
    ("given", "base"),
    [
        ({}, IngressClsConfig().ingress_cls),
        (
            {"ingress_cls_config": {"ingress_extra_kwargs": {"lora_paths": {}}}},
            IngressClsConfig().ingress_cls,
        ),
        ({"ingress_cls_config": {"ingress_cls": OwnIngress}}, OwnIngress),
        ({"ingress_cls_config": IngressClsConfig(ingress_cls=OwnIngress)}, OwnIngress),
    ],
    ids=["default", "arguments", "own class", "an object"],
)
def test_every_ingress_stands_behind_the_middleware(built, monkeypatch, given, base):
    monkeypatch.setattr(serve, "_on_loopback_only", lambda: False)
    serve.build_app({"llm_configs": [NANO], **given})
    config = built[0]["ingress_cls_config"]
    ingress = config["ingress_cls"]
    assert issubclass(ingress, base)
    assert ingress.__name__ == base.__name__
    assert ("lora_paths" in config["ingress_extra_kwargs"]) == ("lora_paths" in str(given))
    assert "middleware" not in built[0]["llm_configs"][0].engine_kwargs

    replica = ingress.__new__(ingress)
    replica.app = FastAPI()
    api = replica.__serve_build_asgi_app__()
    assert [layer.cls for layer in api.user_middleware] == list(reversed(STACK))
    assert TestClient(api).get("/anything").status_code == 401
    for kind in (Requests, ModelAliases):
        [layer] = [layer for layer in api.user_middleware if layer.cls is kind]
        assert layer.kwargs["models"] == {"nano": Thinking(counted=False)}


def test_direct_streaming_has_the_middleware_in_the_engine_outside_the_users(built, monkeypatch):
    monkeypatch.setattr(serve, "RAY_SERVE_LLM_ENABLE_DIRECT_STREAMING", True)
    engine = {**NANO["engine_kwargs"], "middleware": ["mine.Layer"]}
    arguments = {"llm_configs": [{**NANO, "engine_kwargs": engine}]}
    serve.build_app(arguments)
    assert built[0]["llm_configs"][0].engine_kwargs["middleware"] == ["mine.Layer", *IMPORT_PATHS]
    assert "ingress_cls_config" not in built[0]
    assert engine["middleware"] == ["mine.Layer"]  # what the caller holds is not changed


@pytest.mark.parametrize(
    ("given", "router"),
    [
        ({}, False),
        ({"deployment_config": {"num_replicas": 2}}, False),
        ({"deployment_config": {"request_router_config": PREFIX_AWARE}}, True),
        ({"lora_config": {"dynamic_lora_loading_path": "s3://bucket/adapters"}}, True),
    ],
    ids=["one model", "replicas", "a router of the user's", "adapters"],
)
def test_direct_streaming_has_a_router_where_it_matters_which_replica_answers(
    monkeypatch, given, router
):
    """Else it is one more hop, in Python, for each request."""
    for module in (serve, builder):
        monkeypatch.setattr(module, "RAY_SERVE_LLM_ENABLE_DIRECT_STREAMING", True)
    monkeypatch.setattr(builder, "RAY_SERVE_INGRESS_REQUEST_ROUTER_FORWARD_BODY", True)
    application = serve.build_app({"llm_configs": [{**NANO, **given}]})
    assert (application._ingress_request_router is not None) == router
    config = application._bound_deployment._deployment_config.request_router_config
    chosen = config.request_router_class
    if given.get("deployment_config", {}).get("request_router_config"):
        assert chosen == PREFIX_AWARE["request_router_class"]
    elif not router:  # any class but Serve's own is refused beside HAProxy
        assert chosen == RequestRouterConfig().request_router_class


ASLEEP = {
    **NANO,
    "model_loading_config": {"model_id": "asleep", "model_source": "models/nano"},
    "deployment_config": {"autoscaling_config": {"min_replicas": 0, "max_replicas": 1}},
}

# How each model thinks

SECOND = {**NANO, "model_loading_config": {"model_id": "second", "model_source": "models/nano"}}
PARSED = {**NANO, "engine_kwargs": {"max_model_len": 4096, "reasoning_parser": "qwen3"}}
ALL = {
    "fields": "reasoning",
    "thinkingDefault": False,
    "allowOverride": False,
    "tokenBudget": 5,
    "maxTokenBudget": 9,
    "effortBudgets": {"low": 2, "high": None},
    "lanes": {"enabled": True, "patienceSeconds": 3},
    "sampling": {"thinking": {"temperature": 0.6, "top_k": 20}},
    "adaptive": {"threshold": 0.7, "draftTokens": 20},
    "keys": {
        "alice": {
            "allowOverride": True,
            "tokenBudget": None,
            "effortBudgets": {"low": 4},
            "adaptive": {"threshold": 0.8},
        }
    },
}
ALICE = {
    "default": False,
    "override": True,
    "budget": None,
    "max_budget": 9,
    "efforts": {"low": 4},
    "threshold": 0.8,
    "draft_tokens": 20,
}
APPLIED = Thinking(
    "reasoning",
    False,
    False,
    5,
    9,
    {"low": 2, "high": None},
    3,
    {"thinking": {"temperature": 0.6, "top_k": 20}},
    True,
    {"alice": ALICE},
    threshold=0.7,
    draft_tokens=20,
)


def test_the_values_reach_the_ingress_for_every_model(built, monkeypatch):
    """Pickled, as Ray sends the class to a replica."""
    monkeypatch.setattr(serve, "_on_loopback_only", lambda: True)
    arguments = {"llm_configs": [PARSED, SECOND], "reasoning": {"nano": ALL}}
    serve.build_app(arguments)
    assert "reasoning" not in built[0]
    assert "reasoning" in arguments  # what the caller holds is not changed
    ingress = cloudpickle.loads(cloudpickle.dumps(built[0]["ingress_cls_config"]["ingress_cls"]))
    replica = ingress.__new__(ingress)
    replica.app = FastAPI()
    [policy] = [
        layer
        for layer in replica.__serve_build_asgi_app__().user_middleware
        if layer.cls is Requests
    ]
    assert policy.kwargs["models"] == {
        "nano": APPLIED,
        "second": Thinking(counted=False),
    }


@pytest.mark.parametrize(
    ("runtime_env", "options", "kept"),
    [
        (None, {}, {}),
        ({}, {}, {}),
        ({"pip": ["x"]}, {}, {}),
        ({"env_vars": {"A": "1"}}, {}, {"A": "1"}),
        (None, {"runtime_env": {"env_vars": {"B": "2"}}}, {"B": "2"}),
        ({"env_vars": {"A": "1"}}, {"runtime_env": {"env_vars": {"B": "2"}}}, {"A": "1"}),
    ],
)
def test_direct_streaming_hands_the_values_over_by_a_variable(
    built, monkeypatch, runtime_env, options, kept
):
    """And the model keeps those variables that Ray would give it without."""
    monkeypatch.setattr(serve, "RAY_SERVE_LLM_ENABLE_DIRECT_STREAMING", True)
    model = {
        **PARSED,
        "runtime_env": runtime_env,
        "deployment_config": {"ray_actor_options": options},
    }
    serve.build_app({"llm_configs": [model], "reasoning": {"nano": ALL}})
    assert "reasoning" not in built[0]
    [config] = built[0]["llm_configs"]
    variables = dict(config.runtime_env["env_vars"])
    assert loaded(variables.pop(VALUES)) == {"nano": APPLIED}
    assert edge_loaded(variables.pop(EDGE_VALUES)) == Edge()
    assert variables == kept
    assert config.runtime_env.get("pip") == (runtime_env or {}).get("pip")


@pytest.mark.parametrize("reasoning", [None, {}])
def test_without_values_the_model_is_still_named(built, monkeypatch, reasoning):
    """Its aliases and its metrics need it."""
    monkeypatch.setattr(serve, "RAY_SERVE_LLM_ENABLE_DIRECT_STREAMING", True)
    serve.build_app({"llm_configs": [NANO], "reasoning": reasoning})
    variables = built[0]["llm_configs"][0].runtime_env["env_vars"]
    assert loaded(variables[VALUES]) == {"nano": Thinking(counted=False)}


@pytest.mark.parametrize(
    ("values", "given", "engine", "default"),
    [
        ({}, None, None, True),
        ({"thinkingDefault": True}, None, None, True),
        ({"thinkingDefault": False}, None, {"enable_thinking": False}, False),
        ({"thinkingDefault": False}, {"x": 1}, {"x": 1, "enable_thinking": False}, False),
        ({"thinkingDefault": False}, {"enable_thinking": False}, {"enable_thinking": False}, False),
        ({"thinkingDefault": True}, {"x": 1}, {"x": 1}, True),
        ({}, {"enable_thinking": False}, {"enable_thinking": False}, False),
        ({"allowOverride": False}, {"enable_thinking": False}, {"enable_thinking": False}, False),
    ],
)
def test_vllm_itself_has_the_default(built, values, given, engine, default):
    """One that stands in engine_kwargs is what `allowOverride: false` fixes."""
    model = {**NANO, "engine_kwargs": {"max_model_len": 4096}}
    if given is not None:
        model["engine_kwargs"]["default_chat_template_kwargs"] = given
    serve.build_app({"llm_configs": [model], "reasoning": {"nano": values}})
    [config] = built[0]["llm_configs"]
    assert config.engine_kwargs.get("default_chat_template_kwargs") == engine
    thinking = built[0]["ingress_cls_config"]["ingress_cls"].thinking_values["nano"]
    assert (thinking.default, thinking.override) == (default, values.get("allowOverride", True))
    assert model["engine_kwargs"].get("default_chat_template_kwargs") == given


@pytest.mark.parametrize(
    ("reasoning", "message"),
    [
        ("x", "^reasoning: Input should be a valid dictionary"),
        ([], "^reasoning: Input should be a valid dictionary"),
        (["nano"], "^reasoning: Input should be a valid dictionary"),
        ({"nano": None}, "^reasoning.nano: Input should be"),
        ({"other": {}}, "^reasoning.other: no such model in llm_configs; it has nano$"),
        ({"*": {}}, r"^reasoning.\*: no such model"),
        (
            {"nano": {"budget": 5}},
            "^reasoning.nano.budget: there is no such value; there are thinkingDefault, "
            "allowOverride, tokenBudget, maxTokenBudget, effortBudgets, adaptive, fields, native, "
            "lanes, ",
        ),
        ({"nano": {"token_budget": 5}}, "^reasoning.nano.token_budget: there is no such value"),
        ({"nano": {"names": "both"}}, "^reasoning.nano.names: there is no such value"),
        ({"nano": {"fields": "all"}}, "^reasoning.nano.fields: Input should be 'both', 'reas"),
        ({"nano": {"fields": None}}, "^reasoning.nano.fields: "),
        (
            {"nano": {"thinkingDefault": "no"}},
            "^reasoning.nano.thinkingDefault: must be true, false or adaptive$",
        ),
        (
            {"nano": {"thinkingDefault": 0}},
            "^reasoning.nano.thinkingDefault: must be true, false or adaptive$",
        ),
        ({"nano": {"allowOverride": None}}, "^reasoning.nano.allowOverride: .*boolean"),
        ({"nano": {"tokenBudget": -1}}, "^reasoning.nano.tokenBudget: .*greater than or equal"),
        ({"nano": {"maxTokenBudget": -1}}, "^reasoning.nano.maxTokenBudget: .*greater than or"),
        ({"nano": {"tokenBudget": "5"}}, "^reasoning.nano.tokenBudget: .*integer"),
        ({"nano": {"tokenBudget": True}}, "^reasoning.nano.tokenBudget: .*integer"),
        ({"nano": {"tokenBudget": 5.5}}, "^reasoning.nano.tokenBudget: .*integer"),
        (
            {"nano": {"tokenBudget": 9, "maxTokenBudget": 8}},
            r"^reasoning.nano: tokenBudget \(9\) is more than maxTokenBudget \(8\)$",
        ),
        ({"nano": {"fields": "x", "tokenBudget": -1}}, "tokenBudget: .*; reasoning.nano.fields: "),
        ({"nano": {"effortBudgets": {"huge": 1}}}, "^reasoning.nano.effortBudgets.huge"),
        ({"nano": {"effortBudgets": {"low": -1}}}, "^reasoning.nano.effortBudgets.low: .*greater"),
        (
            {"nano": {"effortBudgets": {"low": 9}, "maxTokenBudget": 8}},
            r"^reasoning.nano: effortBudgets.low \(9\) is more than maxTokenBudget \(8\)$",
        ),
        ({"nano": {"adaptive": {"threshold": 2}}}, "^reasoning.nano.adaptive.threshold: .*less"),
        (
            {"nano": {"adaptive": {"draftTokens": 0}}},
            "^reasoning.nano.adaptive.draftTokens: .*great",
        ),
        (
            {"nano": {"keys": {"alice": {"adaptive": {"treshold": 1}}}}},
            "^reasoning.nano.keys.alice.adaptive.treshold: there is no such value; there are "
            "threshold, draftTokens$",
        ),
        ({"nano": {"lanes": {"enabled": "yes"}}}, "^reasoning.nano.lanes.enabled: .*boolean"),
        ({"nano": {"lanes": {"patienceSeconds": -1}}}, "^reasoning.nano.lanes.patienceSeconds: "),
        (
            {"nano": {"lanes": {"patience": 1}}},
            "^reasoning.nano.lanes.patience: there is no such value; there are enabled, patienceS",
        ),
        ({"nano": {"sampling": {"thinking": {"n": 2}}}}, "^reasoning.nano.sampling.thinking.n"),
        ({"nano": {"sampling": {"on": {}}}}, "^reasoning.nano.sampling.on"),
        (
            {"nano": {"keys": {"alice": {"fields": "both"}}}},
            "^reasoning.nano.keys.alice.fields: there is no such value; there are thinkingDefault, "
            "allowOverride, tokenBudget, maxTokenBudget, effortBudgets, adaptive$",
        ),
        (
            {"nano": {"maxTokenBudget": 8, "keys": {"alice": {"tokenBudget": 9}}}},
            r"^reasoning.nano.keys.alice: tokenBudget \(9\) is more than maxTokenBudget \(8\)$",
        ),
    ],
)
def test_a_mistake_in_the_values_stops_the_start_with_a_line(built, reasoning, message):
    with pytest.raises(ValueError, match=message) as failure:
        serve.build_app({"llm_configs": [PARSED], "reasoning": reasoning})
    assert "\n" not in str(failure.value)
    assert not built


@pytest.mark.parametrize(
    ("values", "engine", "message"),
    [
        ({"tokenBudget": 5}, {}, "a budget needs engine_kwargs.reasoning_parser"),
        ({"maxTokenBudget": 0}, {}, "a budget needs engine_kwargs.reasoning_parser"),
        ({"effortBudgets": {"low": 5}}, {}, "a budget needs engine_kwargs.reasoning_parser"),
        ({"keys": {"a": {"tokenBudget": 5}}}, {}, "a budget needs engine_kwargs.reasoning_parser"),
        (
            {"lanes": {"enabled": True}},
            {"scheduling_policy": "fcfs"},
            "lanes: they need engine_kwargs.scheduling_policy priority",
        ),
        (
            {"thinkingDefault": True},
            {"default_chat_template_kwargs": {"enable_thinking": False}},
            "thinkingDefault is True and .*enable_thinking is False: leave one out",
        ),
        (
            {"thinkingDefault": False},
            {"default_chat_template_kwargs": {"enable_thinking": True}},
            "thinkingDefault is False and .*enable_thinking is True: leave one out",
        ),
        ({}, {"default_chat_template_kwargs": '{"enable_thinking": false}'}, "is no map"),
    ],
)
def test_values_that_the_engine_cannot_keep_stop_the_start(built, values, engine, message):
    """Or every request would be refused, or none held to them."""
    with pytest.raises(ValueError, match=message):
        serve.build_app(
            {"llm_configs": [{**NANO, "engine_kwargs": engine}], "reasoning": {"nano": values}}
        )
    assert not built


def test_values_of_null_are_those_left_out(built):
    nulls = {"thinkingDefault": None, "tokenBudget": None, "maxTokenBudget": None}
    serve.build_app({"llm_configs": [NANO], "reasoning": {"nano": nulls}})
    ingress = built[0]["ingress_cls_config"]["ingress_cls"]
    assert ingress.thinking_values == {"nano": Thinking(counted=False)}


@pytest.mark.parametrize("enabled", [True, False])
def test_lanes_need_the_engine_to_schedule_by_priority(built, enabled):
    lanes = {"nano": {"lanes": {"enabled": enabled}}}
    serve.build_app({"llm_configs": [NANO], "reasoning": lanes})
    policy = built[0]["llm_configs"][0].engine_kwargs.get("scheduling_policy")
    assert policy == ("priority" if enabled else None)


# What holds for requests to any model

EDGE = {"cors": {"allowedOrigins": ["https://a.example"]}, "requestSeconds": 5}


@pytest.mark.parametrize(
    ("edge", "expected"),
    [(None, Edge()), ({}, Edge()), (EDGE, Edge(("https://a.example",), 5))],
)
@pytest.mark.parametrize("direct", [False, True], ids=["ingress", "direct"])
def test_the_values_of_the_edge_reach_the_layers(built, monkeypatch, direct, edge, expected):
    monkeypatch.setattr(serve, "_on_loopback_only", lambda: True)
    monkeypatch.setattr(serve, "RAY_SERVE_LLM_ENABLE_DIRECT_STREAMING", direct)
    serve.build_app({"llm_configs": [NANO], "edge": edge})
    assert "edge" not in built[0]
    if direct:
        variables = built[0]["llm_configs"][0].runtime_env["env_vars"]
        assert edge_loaded(variables[EDGE_VALUES]) == expected
        return
    ingress = cloudpickle.loads(cloudpickle.dumps(built[0]["ingress_cls_config"]["ingress_cls"]))
    replica = ingress.__new__(ingress)
    replica.app = FastAPI()
    layers = replica.__serve_build_asgi_app__().user_middleware
    assert [each.kwargs["edge"] for each in layers if each.cls in WITH_EDGE] == [expected] * 2


@pytest.mark.parametrize(
    ("edge", "message"),
    [
        ("x", "^edge: Input should be"),
        (
            {"requestSecond": 1},
            "^edge.requestSecond: there is no such value; there are cors, limits",
        ),
        ({"request_seconds": 1}, "^edge.request_seconds: there is no such value"),
        ({"requestSeconds": 0}, "^edge.requestSeconds: .*greater than 0"),
        ({"requestSeconds": "5"}, "^edge.requestSeconds: .*number"),
        ({"requestSeconds": 3601}, "^edge.requestSeconds: .*less than or equal to 3600"),
        ({"cors": {"origins": []}}, "^edge.cors.origins: there is no such value; there are allow"),
        ({"cors": {"allowedOrigins": "*"}}, "^edge.cors.allowedOrigins: .*list"),
        (
            {"cors": {"allowedOrigins": ["https://a.example/"]}},
            "^edge.cors.allowedOrigins.0: an origin is written as https://app.example.com, in low",
        ),
        ({"cors": {"allowedOrigins": ["https://A.example"]}}, "^edge.cors.allowedOrigins.0: an"),
        ({"cors": {"allowedOrigins": ["a.example"]}}, "^edge.cors.allowedOrigins.0: an"),
        ({"cors": {"allowedOrigins": ["https://*.example"]}}, "^edge.cors.allowedOrigins.0: an"),
        ({"cors": {"allowedOrigins": ["null"]}}, "^edge.cors.allowedOrigins.0: an"),
    ],
)
def test_a_mistake_in_the_edge_stops_the_start_with_a_line(built, edge, message):
    with pytest.raises(ValueError, match=message) as failure:
        serve.build_app({"llm_configs": [NANO], "edge": edge})
    assert "\n" not in str(failure.value)
    assert not built
    with pytest.raises(run.CannotRun, match=message):
        run.haproxy({"applications": [{"args": {"edge": edge}}]}, "/tmp")


SLEEPER = {"deployment_config": {"autoscaling_config": {"min_replicas": 0}}}


@pytest.mark.parametrize(
    ("models", "asked"), [([NANO], ["nano"]), ([ASLEEP], []), ([NANO, ASLEEP], ["nano"])]
)
def test_the_ingress_is_well_when_each_model_that_never_sleeps_is(
    built, monkeypatch, models, asked
):
    """To ask one that may sleep would wake it, or keep it from sleeping."""
    monkeypatch.setattr(serve, "_on_loopback_only", lambda: False)
    serve.build_app({"llm_configs": models})
    ingress = built[0]["ingress_cls_config"]["ingress_cls"]
    replica = ingress.__new__(ingress)
    replica.app = FastAPI()
    handles = {"nano": "the handle of nano", "asleep": "the handle of asleep"}
    replica._default_serve_handles = {
        model: handles[model] for model in (m["model_loading_config"]["model_id"] for m in models)
    }
    seen: list[list[str]] = []

    async def all_answer(found) -> bool:
        seen.append(list(found))
        return well

    monkeypatch.setattr(serve, "all_answer", all_answer)
    client = TestClient(replica.__serve_build_asgi_app__())
    well = False
    assert client.get("/readyz").status_code == 503
    well = True
    assert client.get("/livez").status_code == 200
    assert seen == [[handles[model] for model in asked]]


# Where `make run` listens


@pytest.mark.parametrize(
    ("options", "port", "expected"),
    [
        ({}, None, ("127.0.0.1", 8000)),
        ({}, 9000, ("127.0.0.1", 9000)),
        ({"http_options": None}, None, ("127.0.0.1", 8000)),
        ({"http_options": {}}, None, ("127.0.0.1", 8000)),
        ({"http_options": {"port": 8001}}, None, ("127.0.0.1", 8001)),
        ({"http_options": {"host": "0.0.0.0"}}, None, ("0.0.0.0", 8000)),
        ({"http_options": {"host": "0.0.0.0", "port": 8001}}, 9000, ("0.0.0.0", 9000)),
    ],
)
def test_make_run_serves_on_loopback_unless_the_config_says_otherwise(
    tmp_path: Path, options, port, expected
):
    application = {"name": "llm", "import_path": "app.serve:build_app", "args": {"reasoning": {}}}
    path = tmp_path / "serve.yaml"
    path.write_text(yaml.safe_dump({"applications": [application], **options}))
    config = run.read(path)
    run.check(config, path, port)
    assert run.listens_on(config) == expected
    assert (config["http_options"]["host"], config["http_options"]["port"]) == expected


@pytest.mark.parametrize(
    ("models", "more", "given", "mode"),
    [
        ([{}], {}, None, "direct"),
        ([{}], {}, "direct", "direct"),
        ([{}], {}, "ingress", "ingress"),
        ([{}, {}], {}, None, "ingress"),
        ([{}, {}], {}, "direct", "several models"),
        ([SLEEPER], {}, None, "ingress"),
        ([SLEEPER], {}, "direct", "may sleep"),
        ([{}], {"ingress_cls_config": {}}, None, "ingress"),
        ([{}], {"ingress_cls_config": {}}, "direct", "configures an ingress"),
    ],
)
def test_make_run_is_direct_unless_the_config_needs_the_ingress(
    monkeypatch, models, more, given, mode
):
    for name in run.DIRECT:  # what another run has left in a shell chooses nothing
        monkeypatch.setenv(name, "left over")
    deployments = [{"name": "LLMServer:m"}, {"name": "OpenAiIngress"}]
    application = {"args": {"llm_configs": models, **more}, "deployments": deployments}
    config = {"applications": [application]}
    if mode not in ("direct", "ingress"):
        with pytest.raises(run.CannotRun, match=mode):
            run.set_mode(config, given)
        return
    assert run.set_mode(config, given) == mode
    set_ = {name: os.environ[name] for name in run.DIRECT if name in os.environ}
    assert set_ == (run.DIRECT if mode == "direct" else {})
    assert application["deployments"] == (deployments[:1] if mode == "direct" else deployments)


@pytest.mark.parametrize("hosts", [1, 2])
def test_make_run_has_one_host_and_says_so(hosts):
    shape = f"parallelism.tensor=2,parallelism.pipeline=2,parallelism.hosts={hosts}"
    chosen = ["--set", shape, "--show-only", "templates/rayservice.yaml"]
    done = go_tool("helm", "template", "it", "charts/hybrid-llm", *chosen, cwd=ROOT, check=True)
    config = yaml.safe_load(yaml.safe_load(done.stdout)["spec"]["serveConfigV2"])
    if hosts == 1:
        run.check_hosts(config)
        return
    name = "my-qwen-3-32b"
    says = rf"^{name} is spread over several hosts.* {name}, {name}-hosts,.*parallelism.hosts=1$"
    with pytest.raises(run.CannotRun, match=says):
        run.check_hosts(config)


def test_make_run_finds_a_key_in_the_folder(tmp_path: Path, monkeypatch):
    monkeypatch.delenv("HYBRID_LLM_API_KEYS", raising=False)
    monkeypatch.delenv("HYBRID_LLM_API_KEYS_FILE", raising=False)
    monkeypatch.setenv("HYBRID_LLM_API_KEYS_DIR", str(tmp_path / "missing"))
    assert run.own_key() is None
    monkeypatch.setenv("HYBRID_LLM_API_KEYS_DIR", str(tmp_path))
    (tmp_path / "me").write_text("sk-me\n")
    assert run.own_key() == "sk-me"


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.0.0.2", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("10.0.0.7", False),
        ("localhost.example.com", False),
        (None, False),
    ],
)
def test_only_loopback_is_open_without_keys(monkeypatch, host, loopback):
    client = SimpleNamespace(http_config=SimpleNamespace(host=host))
    monkeypatch.setattr(serve, "_get_global_client", lambda: client)
    assert serve._on_loopback_only() is loopback


def test_the_module_has_no_other_attribute():
    with pytest.raises(AttributeError, match="no attribute 'nope'"):
        serve.nope  # noqa: B018


# What the engine's replicas do


@pytest.mark.parametrize("direct", [True, False])
def test_a_replica_is_prepared(built, monkeypatch, direct):
    monkeypatch.setattr(serve, "RAY_SERVE_LLM_ENABLE_DIRECT_STREAMING", direct)
    serve.build_app({"llm_configs": [NANO]})
    callback = built[0]["llm_configs"][0].callback_config
    assert load_class(callback.callback_class) is Start


def test_a_users_own_callback_stays(built):
    own = {"callback_class": "mine.Callback", "callback_kwargs": {"a": 1}}
    serve.build_app({"llm_configs": [{**NANO, "callback_config": own}]})
    callback = built[0]["llm_configs"][0].callback_config
    assert (callback.callback_class, callback.callback_kwargs) == ("mine.Callback", {"a": 1})


def test_drafts_need_the_models_own_probabilities(built):
    engine = {**PARSED["engine_kwargs"], "logprobs_mode": "raw_logits"}
    model = {**PARSED, "engine_kwargs": engine}
    with pytest.raises(ValueError, match=r"^reasoning.nano.adaptive: engine_kwargs.logprobs_mode"):
        serve.build_app({"llm_configs": [model]})
    without = {"nano": {"adaptive": {"threshold": None}}}
    serve.build_app({"llm_configs": [model], "reasoning": without})
    assert built


def test_adapters_have_their_models_name_before_their_own(built):
    model = copy.deepcopy(NANO)
    here = {"name": "a", "path": "/weights/a"}
    model["engine_kwargs"] = {"lora_modules": [here, {"name": "b", "path": "owner/b"}]}
    serve.build_app({"llm_configs": [model]})
    [config] = built[0]["llm_configs"]
    modules = config.engine_kwargs["lora_modules"]
    assert [(each.name, each.path, each.base_model_name) for each in modules] == [
        ("nano:a", "/weights/a", "nano"),
        ("nano:b", "owner/b", "nano"),
    ]
    thinking = built[0]["ingress_cls_config"]["ingress_cls"].thinking_values["nano"]
    assert thinking.adapters == ("a", "b") and not thinking.loads_adapters


@pytest.mark.parametrize("module", ["a", {"name": "a"}, {"name": "think", "path": "/a"}])
def test_an_adapter_that_cant_be_asked_for_stops_the_start(built, module):
    model = {**NANO, "engine_kwargs": {"lora_modules": [module]}}
    with pytest.raises(ValueError, match="nano: engine_kwargs.lora_modules: "):
        serve.build_app({"llm_configs": [model]})
