"""What to look at after a failure: pods, events, the operator's and Serve's logs; no Secrets."""

import re
import shutil
from pathlib import Path

from .kube import Failed, Namespace, kubectl

FOLDER = Path(__file__).with_name("diagnostics")


def collect(test: str, namespace: Namespace | None) -> Path:
    """Write a folder about the cluster as it is now; return it."""
    folder = FOLDER / re.sub(r"[^\w-]+", "-", test)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)

    def save(name: str, *command: str) -> None:
        (folder / name).write_text(kubectl(*command, check=False))

    where = ["--namespace", namespace.name] if namespace else ["--all-namespaces"]
    save("nodes.txt", "describe", "nodes")
    save("pods.txt", "get", "pods", "--all-namespaces", "-o", "wide")
    save("events.txt", "get", "events", *where, "--sort-by=.lastTimestamp")
    save("ray.yaml", "get", "rayservices,rayclusters", *where, "-o", "yaml")
    flux = "kustomizations,helmreleases,ocirepositories,gitrepositories"
    save("flux.yaml", "get", flux, "--all-namespaces", "-o", "yaml")
    label = "app.kubernetes.io/component=kuberay-operator"
    save("operator.log", "logs", "--namespace=kuberay-system", "-l", label, "--tail=3000")
    for pod in namespace.pods() if namespace else []:
        name = pod["metadata"]["name"]
        save(f"{name}.txt", "describe", "pod", name, *where)
        save(f"{name}.log", "logs", name, *where, "--all-containers", "--tail=3000")
        save(f"{name}-before.log", "logs", name, *where, "--previous", "--tail=3000")
        if "ray.io/node-type" in pod["metadata"].get("labels", {}) and namespace:
            serve = "tail -n 400 /tmp/ray/session_latest/logs/serve/*.log"
            try:
                written = namespace.shell(name, serve, pod["spec"]["containers"][0]["name"])
            except (Failed, OSError) as problem:
                written = str(problem)
            (folder / f"{name}-serve.log").write_text(written)
    return folder
