"""What the chart makes of `reasoning`: as the app takes it, and as the engine must be for it."""

import json
from copy import deepcopy
from typing import Any

import pytest
import yaml

from app.thinking.fixed import Thinking
from app.thinking.values import apply, parse

from .conftest import CHART, Object, deployments, llm_configs, render, serve_config

DEFAULTS = yaml.safe_load((CHART / "values.yaml").read_text())
ID = "my-qwen-3-32b"
TABLE = {"minimal": 256, "low": 1024, "medium": 4096, "high": None, "xhigh": None, "max": None}
QWQ = {"preset": "qwq-32b"}
AUTH = {"existingSecret": "keys"}  # so that nothing random is rendered


def all_rendered(**values: Any) -> Object:
    """Return the `reasoning` of the Serve config, by model."""
    found: Object = serve_config(render(values))["applications"][0]["args"]["reasoning"]
    return found


def rendered(**reasoning: Any) -> Object:
    """Return what the Serve config has of a model with these values."""
    found: Object = all_rendered(reasoning=reasoning)[ID]
    return found


def thinking(**values: Any) -> Thinking:
    """Return what the app makes of values of the chart."""
    objects = render(values)
    (model,) = llm_configs(objects)
    model_id = model["model_loading_config"]["model_id"]
    args = serve_config(objects)["applications"][0]["args"]
    return apply(parse(args["reasoning"], [model_id])[model_id], model_id, model["engine_kwargs"])


SAMPLING = {
    "thinking": {"temperature": 0.6, "top_p": 0.95, "top_k": 20, "min_p": 0},
    "nonThinking": {"temperature": 0.7, "top_p": 0.8, "top_k": 20, "min_p": 0},
}


QWEN3 = {
    "modes": "both",
    "argument": "enable_thinking",
    "enabled": True,
    "disabled": False,
    "default": True,
    "efforts": [],
    "switches": True,
    "budget": "engine",
    "tags": ["<think>", "</think>"],
}


def test_without_values_there_are_the_efforts_and_the_cards_sampling_of_each_mode() -> None:
    assert rendered() == {
        "thinkingDefault": True,
        "allowOverride": True,
        "fields": "both",
        "effortBudgets": TABLE,
        "sampling": SAMPLING,
        "adaptive": {"threshold": 0.9, "draftTokens": 64},
        "native": QWEN3,
    }
    assert DEFAULTS["reasoning"]["effortBudgets"] == TABLE


@pytest.mark.parametrize("helm", ["helm", "helm3"])
def test_null_is_no_limit_whoever_drops_it(helm: str) -> None:
    """Helm 3 and 4 differ in which nulls reach a template."""
    own: Object = {"low": None, "high": 7, "max": None}
    reasoning = {"tokenBudget": 5, "effortBudgets": own, "keys": {"a": {"tokenBudget": None}}}
    further = {"model": {"preset": "qwen3-4b"}, "reasoning": {"effortBudgets": {"medium": None}}}
    values: Object = {"reasoning": reasoning, "additionalModels": [further]}
    args = serve_config(render(values, helm=helm))["applications"][0]["args"]["reasoning"]
    first = {**TABLE, "low": None, "high": 7}
    assert args[ID]["effortBudgets"] == first
    assert args[ID]["keys"] == {"a": {"tokenBudget": None}}
    assert args["my-qwen-3-4b"]["effortBudgets"] == {**first, "medium": None}


@pytest.mark.parametrize(
    "most, found",
    [
        (0, {**TABLE, "minimal": 0, "low": 0, "medium": 0}),
        (1000, {**TABLE, "low": 1000, "medium": 1000}),
        (4000, {**TABLE, "medium": 4000}),
        (4096, TABLE),
    ],
)
def test_the_charts_own_table_is_lowered_to_the_most(most: int, found: Object) -> None:
    """Or a cap alone would be refused for entries that nobody wrote; null is the cap then."""
    assert rendered(maxTokenBudget=most)["effortBudgets"] == found
    further = {"model": {"preset": "qwen3-4b"}, "reasoning": {"maxTokenBudget": most}}
    assert all_rendered(additionalModels=[further])["my-qwen-3-4b"]["effortBudgets"] == found


def test_an_entry_of_ones_own_is_kept_however_long() -> None:
    longest = {"low": 0, "medium": 40000, "high": 10000000, "minimal": 1, "xhigh": 2, "max": 3}
    assert rendered(effortBudgets=longest)["effortBudgets"] == longest


def test_what_a_key_leaves_out_is_the_models_at_most_its_own_most() -> None:
    keys: Object = {
        "nothing": {},
        "batch": {"thinkingDefault": False, "allowOverride": False},
        "short": {"maxTokenBudget": 1500},
        "long": {"maxTokenBudget": None, "tokenBudget": None, "effortBudgets": {"low": 9000}},
        "own": {"effortBudgets": {"low": None, "max": 7}},
    }
    model = {**TABLE, "low": 1000, "medium": 2000}
    found = rendered(tokenBudget=2000, maxTokenBudget=3000, effortBudgets=model, keys=keys)
    assert found["keys"] == {
        "nothing": {},
        "batch": keys["batch"],
        "short": {
            "maxTokenBudget": 1500,
            "tokenBudget": 1500,
            "effortBudgets": {**model, "medium": 1500},
        },
        "long": {
            "maxTokenBudget": None,
            "tokenBudget": None,
            "effortBudgets": {**model, "low": 9000},
        },
        "own": {"effortBudgets": {**model, "low": None, "max": 7}},
    }


@pytest.mark.parametrize("helm", ["helm", "helm3"])
def test_drafts_are_the_values_else_the_presets_else_uncalibrated(helm: str) -> None:
    keys = {"off": {"adaptive": {"enabled": False}}, "own": {"adaptive": {"threshold": 0.5}}}
    reasoning = {"adaptive": {"threshold": 0, "draftTokens": 9}, "keys": keys}
    own = {"preset": "qwen3-4b", "overrides": {"adaptive": {"threshold": 0.6, "draftTokens": 20}}}
    further = {"model": own, "reasoning": {"adaptive": {"draftTokens": 8}}}
    qwq = {"model": {"preset": "qwq-32b"}}
    values: Object = {"reasoning": reasoning, "additionalModels": [further, qwq]}
    args = serve_config(render(values, helm=helm))["applications"][0]["args"]["reasoning"]
    assert args[ID]["adaptive"] == {"threshold": 0, "draftTokens": 9}
    assert {name: key["adaptive"] for name, key in args[ID]["keys"].items()} == {
        "off": {"threshold": None, "draftTokens": 9},
        "own": {"threshold": 0.5, "draftTokens": 9},
    }
    # What the first has is not another model's.
    assert args["my-qwen-3-4b"]["adaptive"] == {"threshold": 0.6, "draftTokens": 8}
    assert "adaptive" not in args["my-qwq-32b"]  # it always thinks


def test_the_default_may_leave_it_to_the_model() -> None:
    found = thinking(reasoning={"thinkingDefault": "adaptive", "adaptive": {"threshold": 0.7}})
    assert (found.default, found.threshold, found.draft_tokens) == ("adaptive", 0.7, 64)
    objects = render({"reasoning": {"thinkingDefault": "adaptive"}})
    sampled = llm_configs(objects)[0]["engine_kwargs"]["override_generation_config"]
    assert sampled == SAMPLING["thinking"]


def test_the_app_knows_a_key_by_its_name() -> None:
    keys = {"batch": {"thinkingDefault": False, "allowOverride": False}}
    found = thinking(reasoning={"tokenBudget": 7, "keys": keys})
    assert (found.default, found.override, found.patience) == (True, True, None)
    batch = found.for_key("batch")
    assert (batch.default, batch.override, batch.budget) == (False, False, 7)
    assert batch.efforts == found.efforts == TABLE
    assert found.for_key("default") == found


def test_a_model_that_always_thinks_lets_no_request_choose() -> None:
    """Or one that asks it not to think would be let through, and think."""
    for given in ({}, {"allowOverride": True}, {"allowOverride": False}):
        found = thinking(model=QWQ, reasoning={**given, "keys": {"a": {"tokenBudget": 5}}})
        assert (found.default, found.override) == (True, False)
        own = found.for_key("a")
        assert (own.default, own.override, own.budget) == (True, False, 5)
    fixed = {"thinkingDefault": True, "allowOverride": False}
    assert thinking(model=QWQ, reasoning={"keys": {"a": fixed}}).for_key("a").override is False


def without(objects: list[Object], *model: str) -> list[Object]:
    """Return objects without what lanes may change of these models."""
    objects = deepcopy(objects)
    for one in objects:
        if one["kind"] == "RayService":
            config = yaml.safe_load(one["spec"]["serveConfigV2"])
            (application,) = config["applications"]
            args = application["args"]
            for name in model:
                args["reasoning"][name].pop("lanes", None)
                (own,) = [
                    c for c in args["llm_configs"] if c["model_loading_config"]["model_id"] == name
                ]
                own["engine_kwargs"].pop("scheduling_policy", None)
                for deployment in application["deployments"]:
                    if deployment["name"] == f"LLMServer:{name}":
                        del deployment["max_ongoing_requests"], deployment["max_queued_requests"]
            one["spec"]["serveConfigV2"] = config
    text = json.dumps(objects)
    for one in objects:
        for group in _templates(one):
            text = text.replace(group["metadata"]["annotations"]["hybrid-llm/args-checksum"], "")
    found: list[Object] = json.loads(text)
    return found


def _templates(one: Object) -> list[Object]:
    if one["kind"] != "RayService":
        return []
    spec = one["spec"]["rayClusterConfig"]
    return [group["template"] for group in (spec["headGroupSpec"], *spec["workerGroupSpecs"])]


def test_lanes_change_the_policy_the_queue_and_nothing_further() -> None:
    before = render({"auth": AUTH})
    objects = render({"auth": AUTH, "reasoning": {"lanes": {"enabled": True}}})
    args = serve_config(objects)["applications"][0]["args"]
    assert args["reasoning"][ID]["lanes"] == {"enabled": True, "patienceSeconds": 30}
    (model,) = llm_configs(objects)
    assert model["engine_kwargs"]["scheduling_policy"] == "priority"
    queues = ("max_ongoing_requests", "max_queued_requests")
    server = f"LLMServer:{ID}"
    assert [deployments(objects)[server][queue] for queue in queues] == [6 * 64, 64]
    assert [deployments(before)[server][queue] for queue in queues] == [2 * 64, 4 * 64]
    assert without(objects, ID) == without(before, ID) != before


def test_lanes_that_are_off_change_nothing() -> None:
    off = {"enabled": False, "patienceSeconds": 5}
    assert render({"auth": AUTH, "reasoning": {"lanes": off}}) == render({"auth": AUTH})
    for policy in ("fcfs", "priority"):
        (model,) = llm_configs(render({"engine": {"schedulingPolicy": policy}}))
        found = model["engine_kwargs"].get("scheduling_policy", "fcfs")
        assert found == policy


def test_limits_of_ones_own_stay_with_lanes() -> None:
    own = {"maxOngoingRequests": 65, "maxQueuedRequests": -1}
    values: Object = {"reasoning": {"lanes": {"enabled": True}}, "autoscaling": own}
    deployment = deployments(render(values))[f"LLMServer:{ID}"]
    assert deployment["max_ongoing_requests"] == 65
    assert deployment["max_queued_requests"] == -1


def test_the_app_has_the_patience() -> None:
    lanes = {"enabled": True, "patienceSeconds": 2.5}
    assert thinking(reasoning={"lanes": lanes}).patience == 2.5
    assert thinking(reasoning={"lanes": {"enabled": True, "patienceSeconds": 0}}).patience == 0


def test_a_further_model_has_the_firsts_values_but_for_its_own() -> None:
    first: Object = {
        "effortBudgets": {"low": 11},
        "keys": {"batch": {"thinkingDefault": False}},
        "lanes": {"enabled": True, "patienceSeconds": 3},
    }
    own: Object = {
        "effortBudgets": {"medium": 22, "max": None},
        "keys": {"gold": {"tokenBudget": 5}},
        "lanes": {"patienceSeconds": 4},
    }
    further: list[Object] = [
        {"model": {"preset": "qwen3-4b"}},
        {"model": {"preset": "qwen3-8b"}, "reasoning": own},
        {"model": QWQ, "reasoning": {"keys": {}, "lanes": {"enabled": False}}},
    ]
    objects = render({"reasoning": first, "additionalModels": further})
    a, b, c, d = serve_config(objects)["applications"][0]["args"]["reasoning"].values()
    assert a == b and a["lanes"] == first["lanes"] and a["keys"] == first["keys"]
    assert c["effortBudgets"] == {**TABLE, "low": 11, "medium": 22}
    assert (c["keys"], c["lanes"]) == (own["keys"], {"enabled": True, "patienceSeconds": 4})
    assert not {"keys", "lanes"} & d.keys() and d["effortBudgets"] == a["effortBudgets"]
    policies = [m["engine_kwargs"].get("scheduling_policy") for m in llm_configs(objects)]
    assert policies == ["priority"] * 3 + [None]
    ongoing = [d["max_ongoing_requests"] for d in deployments(objects).values()][:4]
    assert ongoing == [384, 384, 384, 128]


def test_an_engine_that_is_to_have_one_sampling_has_it_in_both_modes() -> None:
    own = {"override_generation_config": {"temperature": 0.5}}
    values = render({"engine": {"kwargs": own}})
    args = serve_config(values)["applications"][0]["args"]
    assert "sampling" not in args["reasoning"][ID]
    assert args["llm_configs"][0]["engine_kwargs"]["override_generation_config"] == {
        "temperature": 0.5
    }
