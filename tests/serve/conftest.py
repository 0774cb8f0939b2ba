"""One real Serve with the nano model for each serving mode, started and stopped as a user would."""

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import openai
import psutil
import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
MODEL = "my-qwen-3-32b"
KEY = "sk-test-alice-5f1e"
BOB = "sk-test-bob-77aa"  # the key of another client
DAVE = "sk-test-dave-09b3"  # and of a third
START_S = 420  # both cores of a small machine, busy

MODES = ("ingress", "direct")
CONFIG = "serve-configs/nano-cpu.yaml"
ADAPTER = "/the/adapter"  # in a Serve config: where a LoRA adapter lies that is trained for it,
RANK, ANSWER = 8, "Ahoy!"  # of this rank, and which says this alone
# Ray's ingress is another way to the same application: what tries the way itself, for every change.
WAY_IN = {"test_answers", "test_auth", "test_edge", "test_examples", "test_restart"}


def free_port() -> int:
    """Return a port of 127.0.0.1 that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def in_a_terminal(
    command: list[str], environment: dict[str, str], output: Path
) -> subprocess.Popen[str]:
    """Start a command as a terminal does; nothing of make or pytest around it leaks in."""
    ours = ("MAKE", "MFLAGS", "PYTEST")
    kept = {k: v for k, v in os.environ.items() if not k.startswith(ours)}
    with output.open("w") as file:
        return subprocess.Popen(
            command,
            cwd=ROOT,
            env={**kept, **environment},
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )


@dataclass
class MakeRun:
    """A `make run` in a process group of its own, as a terminal starts it."""

    process: subprocess.Popen[str]
    output: Path

    @classmethod
    def start(cls, arguments: list[str], environment: dict[str, str], folder: Path) -> "MakeRun":
        """Start `make run` with arguments such as PORT=8001."""
        output = folder / "run.log"
        process = in_a_terminal(["make", "run", *arguments], environment, output)
        return cls(process, output)

    def wait_for(self, text: str, seconds: float) -> None:
        """Wait until the output has `text`; fail, and show it, when it ends or takes longer."""
        end = time.monotonic() + seconds
        while text not in self.output.read_text():
            ended = self.process.poll() is not None
            if ended or time.monotonic() > end:
                pytest.fail(f"no {text!r} {'at its end' if ended else 'in time'}:\n{self.log()}")
            time.sleep(0.2)

    def log(self) -> str:
        """Return what it has printed, and the Serve logs that it names."""
        printed = self.output.read_text()
        for folder in re.findall(r"\(logs: (\S+)\)", printed):
            for file in sorted(Path(folder).glob("*.log")):
                printed += f"\n--- {file.name}\n{file.read_text()[-4000:]}"
            shutil.rmtree(Path(folder).parents[2], ignore_errors=True)
        return printed

    def processes(self) -> list[psutil.Process]:
        """Return every process that it has started; none once it has ended."""
        if self.process.poll() is not None:
            return []
        return psutil.Process(self.process.pid).children(recursive=True)

    def folders(self) -> set[Path]:
        """Return Ray's temporary folders, which its processes name in their arguments."""
        arguments = " ".join(map(command_line, self.processes()))
        return {Path(found) for found in re.findall(r"/tmp/hybrid-llm-\w+", arguments)}

    def interrupt(self) -> list[str]:
        """Press Ctrl-C, wait for the end, and return what is left behind: processes and folders."""
        everything, folders = self.processes(), self.folders()
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGINT)
        self.process.wait(timeout=90)
        _, alive = psutil.wait_procs(everything, timeout=1)
        return [*map(command_line, alive), *(str(f) for f in folders if f.exists())]


def command_line(process: psutil.Process) -> str:
    """Return a process's command line, "" when it has ended."""
    with contextlib.suppress(psutil.Error):
        return " ".join(process.cmdline())
    return ""


@dataclass
class Server:
    """A running deployment, and the files that it reads and writes."""

    base_url: str
    keys_file: Path
    run: MakeRun
    log: Path  # of its requests

    def client(self, key: str = KEY) -> openai.OpenAI:
        """Return the real OpenAI client for this server."""
        return openai.OpenAI(base_url=f"{self.base_url}/v1", api_key=key, max_retries=0)

    def send(self, path: str = "/v1/chat/completions", **arguments) -> httpx.Response:
        """Send one request (POST by default) that the OpenAI client would not send."""
        headers = {"authorization": f"Bearer {KEY}", **arguments.pop("headers", {})}
        method = arguments.pop("method", "POST")
        url = f"{self.base_url}{path}"
        return httpx.request(method, url, headers=headers, **{"timeout": 60, **arguments})


def metrics(server: Server) -> dict[str, float]:
    """Return {name{labels}: value} of this project's metrics and vLLM's, on the ports of Ray's."""
    (folder,) = server.run.folders()
    (found,) = json.loads((folder / "prom_metrics_service_discovery.json").read_text())
    values: dict[str, float] = {}
    for target in found["targets"]:
        for line in httpx.get(f"http://{target}/metrics").text.splitlines():
            if match := re.fullmatch(r"ray_((?:hybrid_llm|vllm)_\w+)\{(.*)\} (\S+)", line):
                own = ("model", "surface", "mode", "key", "outcome", "reason")
                labels = dict(re.findall(r'(\w+)="([^"]*)"', match[2]))
                if "le" not in labels:
                    name = " ".join([match[1], *(labels[key] for key in own if key in labels)])
                    values[name] = values.get(name, 0) + float(match[3])
    return values


def traced(config: str) -> dict[str, str]:
    """Return what the chart sets beside an engine that sends its spans to a collector."""
    found = re.search(r"otlp_traces_endpoint: (\S+)", config)
    if not found:
        return {}
    return {
        "RAY_SERVE_TRACING_EXPORTER_IMPORT_PATH": "app.tracing:span_processors",
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": found[1],
    }


@pytest.fixture(scope="session", params=[(mode, "") for mode in MODES], ids=MODES)
def server(request: pytest.FixtureRequest, tmp_path_factory) -> Iterator[Server]:
    """Yield a server that answers; Ctrl-C ends it and must leave nothing behind.

    A test module may ask for another Serve config, as text, by parameters of its own: being those
    of the one fixture, no two servers run at a time.
    """
    mode, config = request.param
    folder = tmp_path_factory.mktemp(mode)
    keys_file = folder / "keys"
    keys_file.write_text(f"alice: {KEY}\nbob: {BOB}\ndave: {DAVE}\n")
    port = free_port()
    path, log = ROOT / CONFIG, folder / "requests.jsonl"
    # Workers tell their metrics each second, not each ten.
    variables = {
        "HYBRID_LLM_API_KEYS_FILE": str(keys_file),
        "HYBRID_LLM_REQUEST_LOG": str(log),
        "RAY_metrics_report_interval_ms": "1000",
    }
    if config:
        variables |= traced(config)
        path = folder / "own-cpu.yaml"  # by its name make knows the engine
        path.write_text(config.replace(ADAPTER, str(folder / "adapter")))
        if ADAPTER in config:
            from .adapter import train  # torch takes seconds

            train(folder / "adapter")
    run = MakeRun.start(
        [f"PORT={port}", f"CONFIG={path}", f"MODE={mode}"],
        variables,
        folder,
    )
    try:
        run.wait_for("is ready", START_S)
        yield Server(f"http://127.0.0.1:{port}", keys_file, run, log)
    finally:
        left = run.interrupt()
    assert not left, f"Ctrl-C left behind: {left}"


@pytest.hookimpl(wrapper=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> Iterator[None]:
    """Mark what runs every night, and run last what shares a server.

    No test that starts one itself runs beside it.
    """
    for item in items:
        if HERE not in item.path.parents:
            continue
        parameters = item.callspec.params if hasattr(item, "callspec") else {}
        mode, _ = parameters.get("server", ("", ""))
        if mode == "ingress" and item.path.stem not in WAY_IN:
            item.add_marker(pytest.mark.nightly)
    yield
    items.sort(key=lambda item: "server" in getattr(item, "fixturenames", ()))


@pytest.fixture
def client(server: Server) -> openai.OpenAI:
    """Return the real OpenAI client, with a valid key."""
    return server.client()
