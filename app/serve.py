"""The Serve application: Ray's own `build_openai_app`, with our middleware in front of it."""

import ipaddress
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml
from fastapi import FastAPI
from ray.llm._internal.common.callbacks.base import CallbackConfig
from ray.llm._internal.serve.constants import RAY_SERVE_LLM_ENABLE_DIRECT_STREAMING
from ray.serve import Application
from ray.serve.config import RequestRouterConfig
from ray.serve.context import _get_global_client
from ray.serve.llm import LLMConfig, LLMServingArgs, build_openai_app
from starlette.requests import Request
from starlette.responses import Response
from vllm.entrypoints.openai.models.protocol import LoRAModulePath

from app.edge import fixed as edge_fixed
from app.edge.aliases import ENDINGS
from app.edge.asleep import Asleep
from app.edge.auth import BearerAuth
from app.edge.engines import all_answer
from app.edge.values import parse as parse_edge
from app.handles import Ending
from app.middleware import IMPORT_PATHS, STACK, WITH_EDGE, WITH_VALUES
from app.replica import IMPORT_PATH as START
from app.requests import Requests
from app.thinking.fixed import VALUES, Thinking, dumped
from app.thinking.values import apply, parse

ROOT = Path(__file__).parent.parent
TUTORIAL = ROOT / "serve-configs" / "qwen3-32b-l40s.yaml"


class _Guarded:
    """What an ingress class is mixed with to stand behind our middleware."""

    app: FastAPI
    thinking_values: Mapping[str, Thinking]
    edge_values: edge_fixed.Edge
    never_asleep: frozenset[str]  # the models that always have a replica

    def __serve_build_asgi_app__(self) -> FastAPI:
        """Add the middleware; Serve calls this in the replica, before the first request."""
        for layer in STACK:
            if layer is BearerAuth:
                self.app.add_middleware(layer, required=not _on_loopback_only())
            elif layer is Requests:
                # Ray's ingress has a /tokenize that its engine refuses (2.60)
                self.app.add_middleware(
                    layer, models=self.thinking_values, tokenizes=False, edge=self.edge_values
                )
            elif layer is Asleep:
                waits = self.edge_values.wake_wait_seconds
                self.app.add_middleware(layer, handles=self._handles, waits=waits)
            elif layer in WITH_VALUES:
                self.app.add_middleware(layer, models=self.thinking_values)
            elif layer in WITH_EDGE:
                self.app.add_middleware(layer, edge=self.edge_values)
            else:
                self.app.add_middleware(layer)
        self.app.add_route("/health", self._health, include_in_schema=False)
        return self.app

    def _handles(self) -> Mapping[str, Any]:
        """Return the models' handles, as OpenAiIngress has them."""
        return getattr(self, "_default_serve_handles", {})

    def _get_configured_serve_handle(self, model_id: str) -> Ending:
        """Return OpenAiIngress's handle of a model, whose calls end with those who wait.

        Every replica has the adapters of `lora_modules`, so any may have the request.
        """
        model, _, adapter = model_id.partition(":")
        if model in self.thinking_values and adapter in self.thinking_values[model].adapters:
            model_id = model
        return Ending(super()._get_configured_serve_handle(model_id))  # type: ignore[misc]

    async def _health(self, request: Request) -> Response:
        """Answer as vLLM's server does; a model that may sleep isn't asked, or it never would."""
        needed = [h for model, h in self._handles().items() if model in self.never_asleep]
        return Response(status_code=200 if await all_answer(needed) else 503)


def _on_loopback_only() -> bool:
    """Tell whether Serve listens where this machine alone can reach it."""
    host = _get_global_client().http_config.host
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return bool(host == "localhost")  # any other name may lead anywhere


def build_app(args: dict[str, Any]) -> Application:
    """Return the application; a drop-in for `ray.serve.llm:build_openai_app`.

    In the ingress mode the middleware stands in the ingress, in direct streaming
    ($RAY_SERVE_LLM_ENABLE_DIRECT_STREAMING=1, which has no ingress) in the engine's own server.

    Args:
        args: the `args` of a Serve config, as `ray.serve.llm.LLMServingArgs` describes them, and
            beside them `reasoning`: {model id: `app.thinking.values.Reasoning`} and `edge`:
            `app.edge.values.Edge`. A `model_source` that is a folder of this repository may be
            given relative to it.

    Raises:
        pydantic.ValidationError: `args` are not those of `build_openai_app`.
        ValueError: `reasoning` or `edge` has a mistake, or a model's name a colon.
    """
    args = dict(args)
    reasoning = args.pop("reasoning", None)
    edge = parse_edge(args.pop("edge", None))
    serving = LLMServingArgs.model_validate(args)
    configs = [_configured(config) for config in serving.llm_configs]
    for config in configs:
        if ":" in config.model_id:
            message = "a colon is for modes and adapters (NAME:think, NAME:ADAPTER)"
            raise ValueError(f"model_id {config.model_id!r}: {message}; choose a name without one")
    values = parse(reasoning, [config.model_id for config in configs])
    thinking = {
        config.model_id: replace(
            apply(values[config.model_id], config.model_id, config.engine_kwargs),
            adapters=tuple(
                module.name.partition(":")[2]
                for module in config.engine_kwargs.get("lora_modules") or ()
            ),
            loads_adapters=config.lora_config is not None,
        )
        for config in configs
    }
    if RAY_SERVE_LLM_ENABLE_DIRECT_STREAMING:
        for config in configs:
            _set_variable(config, VALUES, dumped(thinking))
            _set_variable(config, edge_fixed.VALUES, edge_fixed.dumped(edge))
        routed = any(map(_needs_router, configs))  # there is one; Ray refuses more
        if not routed:  # nor Ray LLM's policy, which Serve refuses where HAProxy chooses
            configs[0].deployment_config["request_router_config"] = RequestRouterConfig()
        application = build_openai_app({**args, "llm_configs": configs})
        if not routed:
            application._ingress_request_router = None
        return application
    given = serving.ingress_cls_config
    # Also a class of the user's own, which would otherwise be open to everybody. It keeps its name,
    # which dashboards know.
    guarded = type(
        given.ingress_cls.__name__,
        (_Guarded, given.ingress_cls),
        {
            "__module__": __name__,
            "thinking_values": thinking,
            "edge_values": edge,
            "never_asleep": frozenset(c.model_id for c in configs if not _may_sleep(c)),
        },
    )
    ingress = {"ingress_cls": guarded, "ingress_extra_kwargs": given.ingress_extra_kwargs}
    return build_openai_app({**args, "llm_configs": configs, "ingress_cls_config": ingress})


def _configured(config: LLMConfig) -> LLMConfig:
    """Return the model's config with a local source made absolute and the engine's middleware."""
    changed = config.model_copy(deep=True)
    source = changed.model_loading_config.model_source
    if isinstance(source, str):
        changed.model_loading_config.model_source = _local(source)
    if modules := changed.engine_kwargs.get("lora_modules"):
        changed.engine_kwargs["lora_modules"] = [
            _adapter(module, changed.model_id) for module in modules
        ]
    if changed.callback_config == CallbackConfig():  # a user's own has the one place there is
        changed.callback_config = CallbackConfig(callback_class=START)
    if RAY_SERVE_LLM_ENABLE_DIRECT_STREAMING:
        given = changed.engine_kwargs.get("middleware", [])
        changed.engine_kwargs["middleware"] = [*given, *IMPORT_PATHS]
    return changed


def _local(source: str) -> str:
    """Return where a model or an adapter is: a folder of this repository made absolute."""
    has = any((ROOT / source / name).is_file() for name in ("config.json", "adapter_config.json"))
    return str(ROOT / source) if has else source


def _adapter(module: Any, model_id: str) -> LoRAModulePath:
    """Return an adapter as vLLM's server has it, under the name MODEL:ADAPTER.

    Raises:
        ValueError: it is no {name, path}, or its name means something else.
    """
    place = f"{model_id}: engine_kwargs.lora_modules"
    if not isinstance(module, Mapping) or not {"name", "path"} <= module.keys():
        raise ValueError(f"{place}: {module!r} is no map with name and path")
    name = str(module["name"])
    if ":" in name or name in ENDINGS:
        raise ValueError(f"{place}: {name!r} is for modes (NAME:think); choose another name")
    return LoRAModulePath(f"{model_id}:{name}", _local(str(module["path"])), model_id)


def _needs_router(config: LLMConfig) -> bool:
    """Tell whether it matters which replica has a request: by adapter, or a router of the user's.

    Then Ray's LLMRouter chooses it, a Python process that HAProxy asks for each request. Otherwise
    HAProxy does by itself: the one with the fewest connections.
    """
    return config.lora_config is not None or "request_router_config" in config.deployment_config


def _may_sleep(config: LLMConfig) -> bool:
    """Tell whether a model may have no replica while nobody asks it."""
    autoscaling = config.deployment_config.get("autoscaling_config") or {}
    return isinstance(autoscaling, Mapping) and autoscaling.get("min_replicas") == 0


def _set_variable(config: LLMConfig, name: str, value: str) -> None:
    """Set an environment variable of the model's replicas; vLLM gives middleware no arguments."""
    runtime_env = config.runtime_env or {}
    # Ray takes the variables of one of the two places, so those of the other would be lost.
    options = config.deployment_config.get("ray_actor_options") or {}
    inherited = (options.get("runtime_env") or {}).get("env_vars")
    variables = runtime_env.get("env_vars") or inherited or {}
    config.runtime_env = {**runtime_env, "env_vars": {**variables, name: value}}


def __getattr__(name: str) -> Application:
    """Build `app`, the tutorial's application, when asked for: `serve run app.serve:app`."""
    if name != "app":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    config = yaml.safe_load(TUTORIAL.read_text())
    return build_app(config["applications"][0]["args"])
