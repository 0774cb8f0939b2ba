"""Tiny models served for a test: each made, started in a process of its own, and ended."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from ..conftest import BOB, DAVE, KEY, ROOT, START_S, free_port
from .family import Family
from .made import make

# Of the processes in which vLLM runs
ENVIRONMENT = {
    "HF_HUB_OFFLINE": "1",
    "OMP_NUM_THREADS": "1",  # more would not survive a fork
    "PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}",
    "TORCHDYNAMO_DISABLE": "1",
    "VLLM_CPU_OMP_THREADS_BIND": "nobind",
    "VLLM_NO_USAGE_STATS": "1",
}
ALONE = {  # beside those, where Ray is left out
    "RAY_SERVE_LLM_ENABLE_DIRECT_STREAMING": "1",
    "VLLM_ENABLE_V1_MULTIPROCESSING": "0",
}
ENGINE = {
    "dtype": "bfloat16",
    "enable_auto_tool_choice": True,
    "enforce_eager": True,
    "kv_cache_memory_bytes": 64 * 2**20,
    "load_format": "dummy",
    "logits_processors": ["serve.tiny.script:Script"],
    "max_model_len": 2048,
    "max_num_batched_tokens": 2048,
    "max_num_seqs": 8,
    "seed": 0,
}


@contextlib.contextmanager
def nursery() -> Iterator[subprocess.Popen[str]]:
    """Yield the process that is forked for each model."""
    command = [sys.executable, "-m", "serve.tiny.nursery"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    environment = {**os.environ, **ENVIRONMENT, **ALONE}
    with subprocess.Popen(command, cwd=ROOT, env=environment, **pipes) as process:
        yield process


def arguments(family: Family, name: str, folder: Path, reasoning: dict[str, Any]) -> dict[str, Any]:
    """Return the `args` of a Serve config that serves a family's model.

    Args:
        family: whose.
        name: of the model.
        folder: where it lies.
        reasoning: its values besides how its family thinks.
    """
    engine = {**ENGINE, **family.engine}
    if family.reasoning_parser:
        engine["reasoning_parser"] = family.reasoning_parser
    if family.tool_parser:
        engine["tool_call_parser"] = family.tool_parser
    model = {
        "model_loading_config": {"model_id": name, "model_source": str(folder)},
        "accelerator_config": {"kind": "cpu"},
        "engine_kwargs": engine,
    }
    return {"llm_configs": [model], "reasoning": {name: {"native": family.native, **reasoning}}}


def application(family: Family, name: str, folder: Path) -> dict[str, Any]:
    """Return the application of a Serve config that serves a family's model by Ray."""
    args = arguments(family, name, folder, {})
    (model,) = args["llm_configs"]
    model["runtime_env"] = {"env_vars": {**ENVIRONMENT, **family.variables()}}
    model["deployment_config"] = {"num_replicas": 1, "ray_actor_options": {"num_cpus": 1}}
    return {
        "name": "llm",
        "route_prefix": "/",
        "import_path": "app.serve:build_app",
        "args": args,
    }


@contextlib.contextmanager
def served(
    nursery: subprocess.Popen[str],
    family: Family,
    name: str,
    folder: Path,
    reasoning: dict[str, Any] | None = None,
) -> Iterator[str]:
    """Make a family's model in an empty folder, serve it, and yield its URL."""
    make(family, folder)
    port, log, keys = free_port(), folder / "log", folder / "keys"
    keys.write_text(f"alice: {KEY}\nbob: {BOB}\ndave: {DAVE}\n")
    wanted = {
        "arguments": arguments(family, name, folder, reasoning or {}),
        "port": port,
        "log": str(log),
        "variables": {**family.variables(), "HYBRID_LLM_API_KEYS_FILE": str(keys)},
    }
    assert nursery.stdin and nursery.stdout
    print(json.dumps(wanted), file=nursery.stdin, flush=True)
    process = int(nursery.stdout.readline())
    url = f"http://127.0.0.1:{port}"
    try:
        _wait(url, process, log)
        yield url
    finally:
        _end(process)


def _wait(url: str, process: int, log: Path) -> None:
    """Wait until a server answers; fail, and show its log, when it ends or takes too long."""
    end = time.monotonic() + START_S
    while _alive(process) and time.monotonic() < end:
        with contextlib.suppress(httpx.HTTPError):
            if httpx.get(f"{url}/health").status_code == 200:
                return
        time.sleep(0.1)
    pytest.fail(f"no answer:\n{log.read_text()[-6000:] if log.exists() else ''}")


def _alive(process: int) -> bool:
    """Tell whether a process runs; one that has ended is still there until its parent ends."""
    state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    return state != "Z"


def _end(process: int) -> None:
    os.kill(process, signal.SIGTERM)
    end = time.monotonic() + 10
    while _alive(process) and time.monotonic() < end:
        time.sleep(0.05)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process, signal.SIGKILL)
