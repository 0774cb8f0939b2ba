"""`app.serve.build_app` takes what `build_openai_app` takes, and puts the middleware in front."""

from types import SimpleNamespace

import pydantic
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from ray.llm._internal.serve.core.ingress.builder import IngressClsConfig
from ray.serve.llm.ingress import OpenAiIngress

from app import serve
from app.middleware import IMPORT_PATHS, STACK

NANO = {
    "model_loading_config": {"model_id": "nano", "model_source": "models/nano"},
    "accelerator_config": {"kind": "cpu"},
    "engine_kwargs": {"max_model_len": 4096},
}


@pytest.fixture
def built(monkeypatch) -> list[dict]:
    """Collect the arguments that reach Ray's own builder, which needs a running Ray."""
    calls: list[dict] = []
    monkeypatch.setattr(serve, "build_openai_app", calls.append)
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


def test_direct_streaming_has_the_middleware_in_the_engine_outside_the_users(built, monkeypatch):
    monkeypatch.setattr(serve, "RAY_SERVE_LLM_ENABLE_DIRECT_STREAMING", True)
    engine = {**NANO["engine_kwargs"], "middleware": ["mine.Layer"]}
    arguments = {"llm_configs": [{**NANO, "engine_kwargs": engine}]}
    serve.build_app(arguments)
    assert built[0]["llm_configs"][0].engine_kwargs["middleware"] == ["mine.Layer", *IMPORT_PATHS]
    assert "ingress_cls_config" not in built[0]
    assert engine["middleware"] == ["mine.Layer"]  # what the caller holds is not changed


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
