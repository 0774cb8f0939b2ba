"""How many releases one Kubernetes takes: time and memory of its API server, etcd and operator.

On the cluster of KUBECONFIG, whose nodes are cordoned meanwhile: every pod stays pending, so what
is measured is the control plane alone. For each number of releases: how long until all their
objects are there, how long until KubeRay has made the pods of each, and then, with nothing left to
do, the memory of each process and the CPU that it takes. The processes must be visible here, as
those of `tests/cluster` and kind are.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import kubernetes.client
import kubernetes.config
import psutil
import yaml

ROOT = Path(__file__).parent.parent
NAME = "release-name"
PARTS = {"kube-apiserver": "API server", "etcd": "etcd", "manager": "KubeRay operator"}
QUIET_S = 30


def rendered(values: str) -> str:
    """Return the manifest of one release, called NAME, without the pods of `helm test`."""
    helm = [str(ROOT / "tools" / "go-tool"), "helm", "template", NAME, "charts/hybrid-llm"]
    text = subprocess.run(
        [*helm, "--values", values], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    kept = [each for each in yaml.safe_load_all(text) if each and each["kind"] != "Pod"]
    for each in kept:
        each["metadata"].pop("namespace", None)
    return yaml.safe_dump_all(kept)


def kubectl(*arguments: str) -> None:
    """Run kubectl, quietly."""
    subprocess.run(["kubectl", *arguments], check=True, stdout=subprocess.DEVNULL)


def parts() -> dict[str, psutil.Process]:
    """Return the processes of the control plane, {what: the process}."""
    found = {}
    for process in psutil.process_iter(["cmdline"]):
        program = Path((process.info["cmdline"] or [""])[0]).name
        if program in PARTS:
            found[PARTS[program]] = process
    if len(found) < len(PARTS):
        raise SystemExit(f"of the control plane only {sorted(found)} can be seen here")
    return found


def cpu_seconds(process: psutil.Process) -> float:
    """Return the CPU time that a process has taken."""
    times = process.cpu_times()
    return float(times.user + times.system)


def made(namespace: str) -> tuple[int, int]:
    """Return how many RayServices and pods there are."""
    services: Any = kubernetes.client.CustomObjectsApi().list_namespaced_custom_object(
        "ray.io", "v1", namespace, "rayservices", _request_timeout=60
    )
    pods = kubernetes.client.CoreV1Api().list_namespaced_pod(namespace, _request_timeout=60)
    return len(services["items"]), len(pods.items)


def measured(count: int, manifest: str, pods: int) -> dict[str, Any]:
    """Make so many releases, measure, and remove them.

    Args:
        count: of releases.
        manifest: one of them.
        pods: that a release has.
    """
    namespace = f"scale-{count}"
    kubectl("create", "namespace", namespace)
    before = {part: cpu_seconds(process) for part, process in parts().items()}
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        for number in range(count):
            file.write(f"---\n{manifest.replace(NAME, f'r{number}')}")
        file.flush()
        begin = time.monotonic()
        kubectl("create", "--namespace", namespace, "--filename", file.name)
        there = time.monotonic() - begin
    while made(namespace) != (count, count * pods):
        if time.monotonic() - begin > 1200:
            raise SystemExit(f"{count}: after 20 minutes there are {made(namespace)}")
        time.sleep(0.5)
    whole = time.monotonic() - begin
    work = {part: cpu_seconds(process) - before[part] for part, process in parts().items()}
    time.sleep(QUIET_S)
    resting = {part: cpu_seconds(process) for part, process in parts().items()}
    took = []
    for _ in range(10):
        start = time.monotonic()
        made(namespace)
        took.append(time.monotonic() - start)
        time.sleep(QUIET_S / 10)
    seconds = QUIET_S + sum(took)
    result = {
        "releases": count,
        "objects_s": round(there, 1),
        "pods_s": round(whole, 1),
        "list_ms": round(1e3 * statistics.median(took)),
        "cpu_s": {part: round(value, 1) for part, value in work.items()},
        "resting_cores": {
            part: round((cpu_seconds(process) - resting[part]) / seconds, 3)
            for part, process in parts().items()
        },
        "memory_mib": {
            part: round(process.memory_info().rss / 2**20) for part, process in parts().items()
        },
    }
    kubectl("delete", "namespace", namespace, "--wait", "--timeout=20m")
    return result


def main() -> None:
    """Measure each number of releases and write one JSON line for each."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--values", default="charts/hybrid-llm/ci/nano-cpu.yaml")
    parser.add_argument("--releases", default="1+10+50+100")
    parser.add_argument("--pods", type=int, default=2, help="of a release: its head and workers")
    parser.add_argument("--out", default="bench/scale/results.jsonl")
    arguments = parser.parse_args()
    kubernetes.config.load_kube_config()  # type: ignore[no-untyped-call]
    found: Any = kubernetes.client.CoreV1Api().list_node()
    nodes = [str(node.metadata.name) for node in found.items]
    manifest = rendered(arguments.values)
    kubectl("cordon", *nodes)
    try:
        with open(ROOT / arguments.out, "w") as file:
            command = f"python bench/scale.py {' '.join(sys.argv[1:])}".strip()
            first = {"command": command, "date": time.strftime("%Y-%m-%d")}
            file.write(json.dumps({**first, "manifest_bytes": len(manifest)}) + "\n")
            for count in map(int, arguments.releases.split("+")):
                result = measured(count, manifest, arguments.pods)
                print(result, flush=True)
                file.write(json.dumps(result) + "\n")
                file.flush()
    finally:
        kubectl("uncordon", *nodes)


if __name__ == "__main__":
    main()
