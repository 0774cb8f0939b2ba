"""JSON schemas for kubeconform: Kubernetes' own, and those of the CRDs that we write objects of.

They come out of packages and Go modules that are pinned here, so nothing is fetched from a site.
"""

import json
import subprocess
from pathlib import Path
from typing import Any

import kubernetes_validate
import yaml

ROOT = Path(__file__).parents[1]
KUBERNETES = "1.35.0"  # what we render for and validate against
# Module of requirements/go.txt: where its CRDs lie; patterns with a space between them.
CRDS = {
    "kuberay": "config/crd/bases/*.yaml",
    "gateway-api": "config/crd/standard/*.yaml",
    "prometheus-operator": "example/prometheus-operator-crd/*_podmonitors.yaml "
    "example/prometheus-operator-crd/*_prometheusrules.yaml",
    "flux-source": "config/crd/bases/*.yaml",
    "flux-kustomize": "config/crd/bases/*.yaml",
    "flux-helm": "config/crd/bases/*.yaml",
    "external-secrets": "config/crds/bases/external-secrets.io_externalsecrets.yaml",
    "kueue": "config/components/crd/bases/*.yaml",
    "karpenter": "pkg/apis/crds/*.yaml",
    "argo-cd": "manifests/crds/applicationset-crd.yaml",
}


def go_tool(*command: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run a tool of requirements/go.txt."""
    tool = str(ROOT / "tools" / "go-tool")
    return subprocess.run([tool, *command], capture_output=True, text=True, **options)


def write(folder: Path) -> None:
    """Write all schemas into a folder, by the names that `problems` looks for."""
    package = Path(kubernetes_validate.__file__).parent / "kubernetes-json-schema"
    for path in (package / f"v{KUBERNETES}-local-strict").glob("*.json"):
        schema = json.loads(path.read_text())
        # Where the package resolves references; kubeconform goes by the file's own place.
        schema.pop("$id", None)
        text = json.dumps(schema).replace('"/api/_definitions.json', '"_definitions.json')
        (folder / path.name).write_text(text)
    for module in CRDS:
        for path in crd_files(module):
            for crd in yaml.load_all(path.read_text(), yaml.CSafeLoader):
                if crd and crd["kind"] == "CustomResourceDefinition":
                    _write(folder, crd)


def crd_files(module: str) -> list[Path]:
    """Return the files of a module that have CRDs."""
    root = go_tool("--module", module, check=True).stdout.strip()
    files = [path for one in CRDS[module].split() for path in sorted(Path(root).glob(one))]
    if not files:
        raise FileNotFoundError(f"the module {module} has no {CRDS[module]}")
    return files


def problems(folder: Path, objects: list[dict[str, Any]]) -> list[str]:
    """Return what is wrong with objects, by the schemas in a folder; unknown fields too."""
    location = f"{folder}/{{{{.ResourceKind}}}}{{{{.KindSuffix}}}}.json"
    run = go_tool(
        *("kubeconform", "-strict", "-output", "json", "-schema-location", location),
        input=yaml.safe_dump_all(objects),
    )
    if not run.stdout:
        raise RuntimeError(run.stderr)
    found = json.loads(run.stdout).get("resources") or []
    if run.returncode and not found:
        raise RuntimeError(run.stderr)
    return [f"{item['kind']} {item['name']}: {item['msg']}" for item in found]


def _write(folder: Path, crd: dict[str, Any]) -> None:
    group = crd["spec"]["group"].partition(".")[0]
    kind = crd["spec"]["names"]["kind"].lower()
    for version in crd["spec"]["versions"]:
        schema = _closed(version["schema"]["openAPIV3Schema"])
        (folder / f"{kind}-{group}-{version['name']}.json").write_text(json.dumps(schema))


def _closed(schema: Any) -> Any:
    """Return a CRD's schema as a JSON schema that takes no field but those it names."""
    if isinstance(schema, list):
        return [_closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    copy = {key: _closed(value) for key, value in schema.items()}
    if copy.get("x-kubernetes-int-or-string") is True:
        copy["type"] = ["integer", "string"]
    elif copy.get("nullable") is True and isinstance(copy.get("type"), str):
        copy["type"] = [copy["type"], "null"]
    if isinstance(copy.get("properties"), dict) and copy.get("type") == "object":
        # A field called `properties` or `type` is a schema, and no string or dict of schemas.
        open_ = copy.get("x-kubernetes-preserve-unknown-fields") is True
        copy.setdefault("additionalProperties", open_)
    return copy
