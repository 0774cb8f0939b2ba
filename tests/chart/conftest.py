"""Rendering the chart with the real Helm, and reading what comes out."""

import functools
import json
import re
from pathlib import Path
from typing import Any

import yaml

from schemas import KUBERNETES, go_tool

ROOT = Path(__file__).parents[2]
CHART = ROOT / "charts" / "hybrid-llm"
SHAPES = sorted((CHART / "ci").glob("*.yaml"))
# A bare = or << is a string to Kubernetes; to PyYAML a YAML 1.1 tag that it has no constructor for.
for loader in (yaml.SafeLoader, yaml.CSafeLoader):
    for tag in ("value", "merge"):
        loader.add_constructor(f"tag:yaml.org,2002:{tag}", lambda made, node: node.value)

Object = dict[str, Any]


class Refused(Exception):
    """What Helm said instead of rendering."""


@functools.cache
def _template(values: str, args: tuple[str, ...], helm: str, chart: str) -> str:
    # Helm 3 built from source says 1.20 of itself; a cluster says what it is.
    command = [helm, "template", "hybrid-llm", chart, "--values", "-"]
    run = go_tool(*command, "--kube-version", KUBERNETES, *args, input=values)
    if run.returncode:
        raise Refused(run.stderr)
    return run.stdout


def _as_yaml(values: Object) -> str:
    """Return JSON that is YAML too, where \\u is not half a character."""
    pair = re.compile(r"\\u(d[89ab]..)\\u(d[c-f]..)")
    return pair.sub(lambda two: json.loads(f'"{two[0]}"'), json.dumps(values))


def text(values: Object | None = None, *args: str, helm: str = "helm", chart: Path = CHART) -> str:
    """Return what `helm template hybrid-llm` prints.

    Args:
        values: instead of the chart's own, as a values file would have them.
        args: further arguments of `helm template`, as `--set`.
        helm: `helm` (4) or `helm3`.
        chart: another folder than the repository's.

    Raises:
        Refused: it does not render.
    """
    return _template(_as_yaml(values or {}), args, helm, str(chart))


def render(values: Object | None = None, *args: str, **options: Any) -> list[Object]:
    """Return the objects that `text` has."""
    documents = yaml.load_all(text(values, *args, **options), yaml.CSafeLoader)
    return [document for document in documents if document]


def refusal(values: Object | None = None, *args: str, **options: Any) -> str:
    """Return the message with which Helm refuses to render."""
    try:
        text(values, *args, **options)
    except Refused as refused:
        return str(refused)
    raise AssertionError(f"it rendered: {values} {args}")


def manifest(objects: list[Object], kind: str, name: str | None = None) -> Object:
    """Return the one object of that kind, and name if given."""
    (found,) = [o for o in objects if o["kind"] == kind and name in (None, o["metadata"]["name"])]
    return found


def cluster(objects: list[Object]) -> Object:
    """Return the RayCluster that the RayService describes."""
    spec: Object = manifest(objects, "RayService")["spec"]["rayClusterConfig"]
    return spec


def serve_config(objects: list[Object]) -> Object:
    """Return the Serve config that the RayService carries."""
    config: Object = yaml.safe_load(manifest(objects, "RayService")["spec"]["serveConfigV2"])
    return config


def llm_configs(objects: list[Object]) -> list[Object]:
    """Return the models of the Serve config."""
    configs: list[Object] = serve_config(objects)["applications"][0]["args"]["llm_configs"]
    return configs


def deployments(objects: list[Object]) -> dict[str, Object]:
    """Return what Serve takes up in place, by deployment: of each model, and of the ingress."""
    found: list[Object] = serve_config(objects)["applications"][0]["deployments"]
    return {deployment["name"]: deployment for deployment in found}


def pods(objects: list[Object]) -> dict[str, Object]:
    """Return every Pod that will be, by a name for it, also of templates nested in a RayService.

    Linters do not look into a RayService. The autoscaler's container, which KubeRay puts beside the
    head's, is among the head's.
    """
    found = {}
    for item in objects:
        name = item["metadata"]["name"]
        if item["kind"] == "Pod":
            found[name] = item
        elif item["kind"] in ("Job", "Deployment"):
            found[name] = _pod(name, item["spec"]["template"])
        elif item["kind"] == "RayService":
            spec = item["spec"]["rayClusterConfig"]
            head = _pod(f"{name}-head", spec["headGroupSpec"]["template"])
            if options := spec.get("autoscalerOptions"):
                fields = ("resources", "securityContext", "env", "volumeMounts", "imagePullPolicy")
                beside = {k: options[k] for k in fields if k in options}
                image = head["spec"]["containers"][0]["image"]
                head["spec"]["containers"].append({"name": "autoscaler", "image": image, **beside})
            found[f"{name}-head"] = head
            for group in spec["workerGroupSpecs"]:
                worker = f"{name}-{group['groupName']}"
                found[worker] = _pod(worker, group["template"])
    return found


def _pod(name: str, template: Object) -> Object:
    copy: Object = json.loads(json.dumps(template))
    metadata = {**copy.get("metadata", {}), "name": name, "namespace": "default"}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": copy["spec"]}
