"""A Serve config with the values of an operator, `reasoning` and `edge`: one for all who need any.

Each config is a server of its own, which takes a minute to start.
"""

import copy

import pytest
import yaml

from .conftest import ADAPTER, CONFIG, MODEL, MODES, RANK, ROOT, free_port

FIXED = "fixed"  # in the ingress mode a second model; direct streaming has one
SAILOR = "sailor"  # a LoRA adapter of the first model
PAGE = "https://app.example.com"  # whose scripts may ask
COLLECTOR = f"http://127.0.0.1:{free_port()}"  # of spans; it need not be there
SECONDS = 3  # that a request may take to arrive
REASONING = {
    "fields": "reasoning",
    "thinkingDefault": False,
    "allowOverride": True,
    "tokenBudget": 5,
    "maxTokenBudget": 20,
    "effortBudgets": {"low": 0, "medium": 10, "high": None},
    "lanes": {"enabled": True, "patienceSeconds": 5},
    "adaptive": {"threshold": 1},  # no draft is trusted
    "keys": {
        "bob": {"allowOverride": False},  # never thinks
        "dave": {"adaptive": {"threshold": 0, "draftTokens": 4000}},  # each is, when it has ended
    },
}


def with_values(mode: str) -> str:
    """Return the Serve config of the embedded model with values."""
    config = yaml.safe_load((ROOT / CONFIG).read_text())
    config.pop("http_options", None)  # then make run sees to it that this machine alone is served
    arguments = config["applications"][0]["args"]
    (model,) = arguments["llm_configs"]
    model["engine_kwargs"]["otlp_traces_endpoint"] = COLLECTOR
    arguments["reasoning"] = {MODEL: REASONING}
    arguments["edge"] = {"cors": {"allowedOrigins": [PAGE]}, "requestSeconds": SECONDS}
    if mode == "ingress":
        second = copy.deepcopy(model)
        second["model_loading_config"]["model_id"] = FIXED
        second["engine_kwargs"]["scheduling_policy"] = "priority"
        arguments["llm_configs"].append(second)
        arguments["reasoning"][FIXED] = {
            "fields": "reasoning_content",
            "allowOverride": False,
            "maxTokenBudget": 5,
        }
    model["engine_kwargs"] |= {
        "enable_lora": True,
        "max_lora_rank": RANK,
        "lora_modules": [{"name": SAILOR, "path": ADAPTER}],
    }
    return yaml.safe_dump(config)


SERVERS = [(mode, with_values(mode)) for mode in MODES]
both_modes = pytest.mark.parametrize("server", SERVERS, ids=list(MODES), indirect=True)
in_the_ingress = pytest.mark.parametrize("server", SERVERS[:1], ids=["ingress"], indirect=True)
