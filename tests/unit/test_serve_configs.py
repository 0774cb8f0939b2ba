"""Every Serve config is what the installed Ray and vLLM take."""

import dataclasses
from pathlib import Path

import pytest
import yaml
from ray.serve.llm import LLMConfig, LLMServingArgs
from ray.serve.schema import ServeDeploySchema
from vllm.engine.arg_utils import AsyncEngineArgs
from vllm.entrypoints.launchers.cli_args import FrontendArgs
from vllm.reasoning import ReasoningParserManager
from vllm.tool_parsers import ToolParserManager

ROOT = Path(__file__).parents[2]
CONFIGS = sorted((ROOT / "serve-configs").glob("*.yaml"))
ENGINE_KEYS = {f.name for f in dataclasses.fields(AsyncEngineArgs)}
FRONTEND_KEYS = {f.name for f in dataclasses.fields(FrontendArgs)}

pytestmark = pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)


def applications(path: Path) -> list[dict]:
    return yaml.safe_load(path.read_text())["applications"]


def llm_configs(path: Path) -> list[dict]:
    return [c for app in applications(path) for c in app["args"]["llm_configs"]]


def test_serve_takes_the_file(path):
    schema = ServeDeploySchema.model_validate(yaml.safe_load(path.read_text()))
    assert [app.import_path for app in schema.applications] == ["app.serve:build_app"]


def test_ray_serve_llm_takes_the_arguments(path):
    for application in applications(path):
        assert LLMServingArgs.model_validate(application["args"]).llm_configs


def test_vllm_knows_every_engine_argument(path):
    for config in llm_configs(path):
        unknown = set(config["engine_kwargs"]) - ENGINE_KEYS - FRONTEND_KEYS
        assert not unknown


def test_vllm_has_the_parsers(path):
    for config in llm_configs(path):
        engine = config["engine_kwargs"]
        assert ReasoningParserManager.get_reasoning_parser(engine["reasoning_parser"])
        assert ToolParserManager.get_tool_parser(engine["tool_call_parser"])


def test_replicas_can_scale(path):
    """Ray LLM's defaults of 1e9 requests a replica never add a second one."""
    for config in llm_configs(path):
        deployment = LLMConfig.model_validate(config).deployment_config
        sequences = config["engine_kwargs"]["max_num_seqs"]
        assert sequences < deployment["max_ongoing_requests"] <= 4 * sequences
        if scaling := deployment.get("autoscaling_config"):
            assert 0.5 * sequences <= scaling["target_ongoing_requests"] <= sequences


def test_a_model_in_this_repository_exists(path):
    for config in llm_configs(path):
        source = config["model_loading_config"]["model_source"]
        if source.startswith("models/"):
            assert (ROOT / source / "config.json").is_file()


def test_no_secret_is_in_it(path):
    text = path.read_text()
    assert "HF_TOKEN:" not in text
    assert "API_KEY" not in text
