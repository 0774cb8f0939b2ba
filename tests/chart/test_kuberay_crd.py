"""Where KubeRay's CRD is missing, Helm says so before it makes anything; where no cluster is asked,
it says nothing.

The API server is a double, which has just what Helm asks for until the chart is rendered: a cluster
without KubeRay can't be had beside one that has it. tests/e2e installs the chart where it is there.
"""

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from .conftest import CHART, KUBERNETES, go_tool, text

SAYS = "this cluster has no KubeRay that the chart can use"
FOUND = "/api/v1/namespaces/default/configmaps/kube-root-ca.crt"


def resources(version: str, kinds: dict[str, str]) -> dict[str, Any]:
    """Return kinds and their names in paths as the API's discovery has them."""
    listed = [
        {"name": kinds[kind], "kind": kind, "namespaced": True, "verbs": ["get"]} for kind in kinds
    ]
    return {"kind": "APIResourceList", "groupVersion": version, "resources": listed}


def answers(*versions: str) -> dict[str, Any]:
    """Return what a cluster with these versions of RayService answers, by path."""
    paths = {
        "/version": {"major": "1", "minor": "35", "gitVersion": f"v{KUBERNETES}"},
        "/api": {"kind": "APIVersions", "versions": ["v1"]},
        "/api/v1": resources("v1", {"ConfigMap": "configmaps", "Secret": "secrets"}),
        "/api/v1/namespaces/default/secrets": {"kind": "SecretList", "apiVersion": "v1"},
        FOUND: {"kind": "ConfigMap", "apiVersion": "v1", "metadata": {"name": "kube-root-ca.crt"}},
    }
    named = [{"groupVersion": f"ray.io/{v}", "version": v} for v in versions]
    group = {"name": "ray.io", "versions": named, "preferredVersion": named[0] if named else None}
    paths["/apis"] = {"kind": "APIGroupList", "groups": [group] if named else []}
    for version in versions:
        paths[f"/apis/ray.io/{version}"] = resources(
            f"ray.io/{version}", {"RayService": "rayservices"}
        )
    return paths


@pytest.fixture
def install(tmp_path: Path) -> Iterator[Callable[..., str]]:
    """Return a function that says what `helm install --dry-run=server` says of such a cluster."""
    served: dict[str, Any] = {}

    class Server(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = served.get(self.path.partition("?")[0])
            body = json.dumps(found or {"kind": "Status", "code": 404, "reason": "NotFound"})
            self.send_response(200 if found else 404)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "it",
        "clusters": [{"name": "it", "cluster": {"server": address}}],
        "contexts": [{"name": "it", "context": {"cluster": "it", "user": "it"}}],
        "users": [{"name": "it", "user": {}}],
    }
    (tmp_path / "kubeconfig").write_text(yaml.safe_dump(config))

    def said(helm: str, verb: str, paths: dict[str, Any]) -> str:
        served.clear()
        served.update(paths)
        command = [helm, verb, "hybrid-llm", str(CHART), "--dry-run=server", "--namespace=default"]
        if verb == "template":
            command.append(f"--kube-version={KUBERNETES}")
        run = go_tool(*command, f"--kubeconfig={tmp_path / 'kubeconfig'}")
        return run.stdout + run.stderr

    yield said
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("helm", ["helm", "helm3"])
def test_a_cluster_without_kuberay_is_told_apart(helm: str, install: Callable[..., str]) -> None:
    missing = install(helm, "install", answers())
    assert SAYS in missing and "it has no kind RayService" in missing
    assert ">=1.6.2 <1.8.0" in missing and "templates/values/check.yaml" in missing
    old = install(helm, "install", answers("v1alpha1"))
    assert SAYS in old and "of a KubeRay before 1.0" in old
    assert SAYS not in install(helm, "install", answers("v1", "v1alpha1"))


@pytest.mark.parametrize("helm", ["helm", "helm3"])
def test_nothing_is_said_where_it_can_not_be_known(helm: str, install: Callable[..., str]) -> None:
    new = {path: body for path, body in answers().items() if path != FOUND}
    assert SAYS not in install(helm, "install", new)  # a namespace that Helm has yet to make
    if helm == "helm3":  # it looks up, and that alone
        assert "kind: RayService" in install(helm, "template", answers())
    # As Argo CD renders, also before KubeRay is there.
    args = ("--api-versions", "v1", "--api-versions", "v1/ConfigMap", "--api-versions", "apps/v1")
    assert "kind: RayService" in text(None, *args, helm=helm)
