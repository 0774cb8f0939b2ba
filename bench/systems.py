"""The systems that `bench/serving.py` compares, each started from the same Serve config."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import httpx
import psutil
import yaml

ROOT = Path(__file__).parent.parent
START_S = 900
VLLM = [sys.executable, str(ROOT / "bench" / "vllm_cli.py")]


@dataclass(frozen=True)
class System:
    """One way to serve a model."""

    ours: str = ""  # the serving mode of `make run`; "" is plain `vllm serve`
    flags: tuple[str, ...] = ()  # of `vllm serve`
    env: Mapping[str, str] = field(default_factory=dict)
    edge: Mapping[str, Any] = field(default_factory=dict)  # in place of the config's values
    plain: bool = False  # Ray's own application, without what this repository adds
    gateway: bool = False  # behind LiteLLM's proxy, which has keys and budgets of its own
    engine: Mapping[str, Any] = field(default_factory=dict)  # arguments besides the config's
    batching_ms: int | None = None  # for which Ray's ingress keeps chunks; None is its default
    replicas: int = 1  # which share the accelerators that one would have
    without: frozenset[str] = frozenset()  # engine arguments that it does not take


NGRAM = {"method": "ngram", "num_speculative_tokens": 4, "prompt_lookup_max": 4}

SYSTEMS = {
    "vllm": System(),
    "vllm-2": System(flags=("--api-server-count", "2")),
    "vllm-4": System(flags=("--api-server-count", "4")),
    "vllm-rust": System(
        env={"VLLM_USE_RUST_FRONTEND": "1"}, without=frozenset({"override_generation_config"})
    ),
    "litellm": System(gateway=True),
    "direct": System("direct"),
    "direct-1": System("direct", edge={"maxStreamInterval": 1}),
    "direct-8": System("direct", edge={"maxStreamInterval": 8}),
    **{f"direct-x{n}": System("direct", replicas=n) for n in (2, 4)},
    "direct-sync": System("direct", engine={"async_scheduling": False}),
    "direct-ngram": System("direct", engine={"speculative_config": NGRAM}),
    "ray-direct": System("direct", plain=True),
    "ingress": System("ingress"),
    "ingress-unbatched": System("ingress", batching_ms=0),
    "ray-ingress": System("ingress", plain=True),
}


@dataclass(frozen=True)
class Model:
    """What is served: the config of one model, with what the bench changes in it."""

    config: dict[str, Any]  # a Serve config with one model
    engine: dict[str, Any]  # engine arguments in place of the config's
    source: str = ""  # a folder in place of the config's model_source

    @property
    def given(self) -> dict[str, Any]:
        """The LLMConfig."""
        (model,) = self.config["applications"][0]["args"]["llm_configs"]
        assert isinstance(model, dict)
        return model

    @property
    def name(self) -> str:
        """The name that clients ask for."""
        return str(self.given["model_loading_config"]["model_id"])

    @property
    def folder(self) -> str:
        """Where the weights, or at least the tokenizer, are."""
        source = self.source or self.given["model_loading_config"]["model_source"]
        return str(ROOT / source) if (ROOT / source).is_dir() else source

    @property
    def arguments(self) -> dict[str, Any]:
        """The engine's arguments; those that are null are left out."""
        given = {**self.given["engine_kwargs"], **self.engine}
        return {name: value for name, value in given.items() if value is not None}

    def flags(self, without: frozenset[str] = frozenset()) -> list[str]:
        """Return the engine's arguments as `vllm serve` takes them, but for some."""
        flags: list[str] = []
        for name, value in self.arguments.items():
            if name in without:
                continue
            flag = name.replace("_", "-")
            if isinstance(value, bool):
                flags.append(f"--{flag}" if value else f"--no-{flag}")
            else:
                text = json.dumps(value) if isinstance(value, (dict, list)) else str(value)
                flags += [f"--{flag}", text]
        return flags

    def serve_config(self, system: System, ongoing: int) -> dict[str, Any]:
        """Return the Serve config for a system, which takes so many requests at a time."""
        config: dict[str, Any] = json.loads(json.dumps(self.config))
        (application,) = config["applications"]
        arguments = application["args"]
        (model,) = arguments["llm_configs"]
        model["engine_kwargs"] = {**self.arguments, **system.engine}
        if system.batching_ms is not None:
            batching = {"stream_batching_interval_ms": system.batching_ms}
            model["experimental_configs"] = batching
        model["model_loading_config"]["model_source"] = self.folder
        model["deployment_config"].pop("autoscaling_config", None)
        model["deployment_config"]["num_replicas"] = system.replicas
        for deployment in application["deployments"]:
            deployment.pop("autoscaling_config", None)
            deployment |= {"num_replicas": system.replicas, "max_ongoing_requests": ongoing}
            deployment.pop("max_queued_requests", None)
        if system.replicas > 1:
            _share(model, system.replicas)
        if system.plain:
            application["import_path"] = "ray.serve.llm:build_openai_app"
            del arguments["reasoning"], arguments["edge"]
        else:
            arguments["edge"] |= system.edge
        return config


def _share(model: dict[str, Any], replicas: int) -> None:
    """Let replicas share what one would have: an accelerator, its KV cache, cores."""
    bundle = model.get("placement_group_config", {}).get("bundle_per_worker", {})
    if "GPU" in bundle:
        bundle["GPU"] /= replicas
        # vLLM asks Ray for a whole one otherwise.
        model["runtime_env"]["env_vars"]["VLLM_RAY_PER_WORKER_GPUS"] = str(bundle["GPU"])
    if memory := model["engine_kwargs"].get("kv_cache_memory_bytes"):
        model["engine_kwargs"]["kv_cache_memory_bytes"] = memory // replicas
    if actor := model["deployment_config"].get("ray_actor_options"):
        actor["num_cpus"] = 1  # a number for Ray's scheduler


@dataclass(frozen=True, eq=False)
class Running:
    """A system that answers."""

    name: str
    url: str
    key: str  # its own: another server that listens where it should has another
    processes: tuple[psutil.Process, ...]
    ready_s: float  # from its start to its first answer

    def tree(self) -> list[psutil.Process]:
        """Return all of its processes."""
        return [each for p in self.processes for each in (p, *p.children(recursive=True))]


@contextlib.contextmanager
def started(name: str, model: Model, port: int, log: Path, ongoing: int) -> Iterator[Running]:
    """Start a system, wait until it answers, and end it.

    Args:
        name: of `SYSTEMS`.
        model: what it serves.
        port: where, on this machine alone.
        log: the file for what it prints.
        ongoing: the requests that it must take at a time.
    """
    system = SYSTEMS[name]
    with contextlib.ExitStack() as stack:
        output = stack.enter_context(log.open("w"))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        begin = time.monotonic()
        key = f"sk-bench-{port}"
        processes = []
        for command, environment in _commands(system, model, port, key, folder, ongoing):
            processes.append(_popen(command, {**os.environ, **environment}, output))
            stack.callback(_end, processes[-1])
        _wait(f"http://127.0.0.1:{port}", key, model.name, processes, log, bool(system.ours))
        ready = time.monotonic() - begin
        known = tuple(psutil.Process(process.pid) for process in processes)
        yield Running(name, f"http://127.0.0.1:{port}", key, known, ready)


def _commands(
    system: System, model: Model, port: int, key: str, folder: Path, ongoing: int
) -> Iterator[tuple[list[str], Mapping[str, str]]]:
    """Give the commands of a system's processes, each with variables of its own."""
    if system.ours:
        (folder / "keys").write_text(f"bench: {key}\n")
        config = yaml.safe_dump(model.serve_config(system, ongoing), sort_keys=False)
        (folder / "config.yaml").write_text(config)
        run = [sys.executable, str(ROOT / "tools" / "run.py"), str(folder / "config.yaml")]
        keys = {"HYBRID_LLM_API_KEYS_FILE": str(folder / "keys")}
        yield [*run, "--port", str(port), "--mode", system.ours], {**system.env, **keys}
        return
    own = port
    if system.gateway:
        own = free_port()
        python = subprocess.run(
            [ROOT / "tools" / "clients-env", "litellm"],
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        ).stdout.strip()
        # A key of its own would want a database; it checks this one, and counts.
        behind = {
            "model": f"hosted_vllm/{model.name}",
            "api_base": f"http://127.0.0.1:{own}/v1",
            "api_key": key,
        }
        gateway = {
            "model_list": [{"model_name": model.name, "litellm_params": behind}],
            "general_settings": {"master_key": key},
        }
        (folder / "litellm.yaml").write_text(yaml.safe_dump(gateway))
        command = [f"{python}/bin/python", f"{python}/bin/litellm", "--config"]
        command += [str(folder / "litellm.yaml"), "--host", "127.0.0.1", "--port", str(port)]
        yield command, {"LITELLM_MODE": "PRODUCTION", "LITELLM_LOG": "ERROR"}
    where = ["--served-model-name", model.name, "--host", "127.0.0.1", "--port", str(own)]
    quiet = ["--disable-uvicorn-access-log", "--no-enable-log-requests"]
    if system.env.get("VLLM_USE_RUST_FRONTEND"):
        quiet = []
    flags = [*model.flags(system.without), *where, *quiet, *system.flags]
    variables = model.given.get("runtime_env", {}).get("env_vars", {})
    yield [*VLLM, "serve", model.folder, *flags], {**system.env, **variables}


def free_port() -> int:
    """Return a port of 127.0.0.1 that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _popen(command: list[str], env: dict[str, str], output: IO[str]) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        command,
        cwd=ROOT,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def _wait(
    url: str, key: str, model: str, processes: "list[subprocess.Popen[str]]", log: Path, ours: bool
) -> None:
    end = time.monotonic() + START_S
    body = {"model": model, "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 4}
    while time.monotonic() < end:
        if any(process.poll() is not None for process in processes):
            break
        if ours and " is ready " not in log.read_text():  # some of the replicas may answer before
            time.sleep(0.5)
            continue
        with contextlib.suppress(httpx.HTTPError):
            headers = {"authorization": f"Bearer {key}"}
            answer = httpx.post(
                f"{url}/v1/chat/completions", json=body, headers=headers, timeout=60
            )
            if answer.is_success:
                return
        time.sleep(0.5)
    raise SystemExit(f"{log}: it did not start\n{log.read_text()[-3000:]}")


def _end(process: "subprocess.Popen[str]") -> None:
    processes = psutil.Process(process.pid).children(recursive=True) if _alive(process) else []
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(timeout=60)
    for each in (*processes, *([psutil.Process(process.pid)] if _alive(process) else [])):
        with contextlib.suppress(psutil.Error):
            each.kill()
    psutil.wait_procs(processes, timeout=10)


def _alive(process: "subprocess.Popen[str]") -> bool:
    return process.poll() is None
