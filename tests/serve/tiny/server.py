"""One tiny model behind vLLM's own server and our middleware, as in a replica of the direct mode.

Ray's processes and HAProxy, which other tests run, are left out: with them a model takes two
processes that both import vLLM, and half a minute.
"""

import argparse
import os
from types import SimpleNamespace
from typing import Any

import uvicorn
from ray.llm._internal.serve.engines.vllm.vllm_engine import _normalize_vllm_engine_kwargs
from vllm.engine.arg_utils import AsyncEngineArgs
from vllm.entrypoints.launchers.cli_args import FrontendArgs
from vllm.entrypoints.openai.api_server import build_app, init_app_state
from vllm.model_executor.models import registry
from vllm.usage.usage_lib import UsageContext
from vllm.v1.engine.async_llm import AsyncLLM

from app import serve
from app.replica import Start


async def run(arguments: dict[str, Any], port: int) -> None:
    """Serve one model until this process is told to end.

    Args:
        arguments: the `args` of a Serve config.
        port: of 127.0.0.1.
    """
    # vLLM looks at a model's class in a process of its own, lest that touch a GPU: ten seconds.
    registry._run_in_subprocess = lambda look: look()
    model = _configured(arguments)
    os.environ.update((model.runtime_env or {}).get("env_vars", {}))
    start = Start(llm_config=model)
    await start.on_before_node_init()
    engine = model.get_engine_config()
    alone = {"distributed_executor_backend": "uni"}  # the engine's process has no worker of its own
    said = _normalize_vllm_engine_kwargs(engine.get_initialization_kwargs() | alone)
    given = AsyncEngineArgs(**said)
    config = given.create_engine_config(UsageContext.OPENAI_API_SERVER)
    os.environ["VLLM_WORKER_MULTIPROC_METHOD"] = "fork"  # vLLM has just chosen `spawn` for CPUs
    client = AsyncLLM.from_vllm_config(config)
    try:
        flat = argparse.Namespace(**vars(FrontendArgs(**engine.frontend_kwargs)) | vars(given))
        tasks = await client.get_supported_tasks()
        app = build_app(flat, supported_tasks=tasks, model_config=client.model_config)
        await init_app_state(client, app.state, flat, supported_tasks=tasks)
        app.state.server = SimpleNamespace()
        settings = uvicorn.Config(app, host="127.0.0.1", port=port, log_level="warning")
        await uvicorn.Server(settings).serve()
    finally:
        client.shutdown()


def _configured(arguments: dict[str, Any]) -> Any:
    """Return the one model's config as `app.serve` hands it to Ray Serve LLM."""
    built: list[Any] = []

    def kept(arguments: dict[str, Any]) -> SimpleNamespace:
        built.extend(arguments["llm_configs"])
        return SimpleNamespace()

    serve.build_openai_app = kept
    serve.build_app(arguments)
    (model,) = built
    return model
