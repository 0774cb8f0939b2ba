"""Flux, what it reads from, and the release that it makes of the first commit."""

import base64
import secrets
import time
from collections.abc import Iterator
from pathlib import Path

import dulwich
import pytest
import yaml

from .. import envoy
from ..kube import ROOT, Failed, Namespace, kubectl, provided, run, wait
from ..report import Report
from .fleet import ENTRY, FLUX, GATEWAY, HOST, Fleet, Registry, Repository
from .server import served

OPERATOR = Namespace("kuberay-system")
REGISTRY = """
version: 0.1
storage: {filesystem: {rootdirectory: /data/storage}}
http: {addr: ":5000"}
"""


@pytest.fixture(scope="session")
def fleet(report: Report, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """A release that Flux has made of the fleet's repository; whole."""
    if "namespace/hybrid-llm" in kubectl("get", "namespaces", "-o", "name").split():
        raise Failed("the cluster has a namespace hybrid-llm: the suite would change what is there")
    provided("E2E_FLUX", "brings Flux into this cluster")
    envoy.bring()
    folder = tmp_path_factory.mktemp("fleet")
    servers = Namespace("fleet")
    servers.create()
    (folder / "registry.yaml").write_text(REGISTRY)
    git = {
        "dulwich": Path(dulwich.__file__).parent,
        "server.py": Path(__file__).with_name("git_server.py"),
    }
    charts = {"registry": Path(go_tool("--path", "registry").strip())}
    charts["registry.yaml"] = folder / "registry.yaml"
    with (
        served(servers, "git", git, "python server.py", 8000) as repository_url,
        served(servers, "registry", charts, "./registry serve registry.yaml", 5000) as registry_url,
    ):
        repository = Repository(folder / "clone", repository_url)
        registry = Registry(registry_url.removeprefix("http://"), folder)
        release = Fleet(repository, registry)
        bring_operator(release)
        bring_keys(release, folder)
        start = time.monotonic()
        commit = release.install()
        FLUX.apply(ENTRY)
        # Whose signature charts must have is no secret, and for the cluster's owner to say.
        wait("the namespace is there", lambda: kubectl("get", "namespace", "hybrid-llm"))
        release.namespace.secret("cosign", **{"cosign.pub": (folder / "cosign.pub").read_text()})
        bring_certificate(folder)
        wait("the release is there", lambda: release.namespace.names("rayservices"))
        release.wait_whole()
        took = time.monotonic() - start
        report.time("first commit until the first answer is possible", release.mode, took)
        release.wait_applied(commit)
        yield release
        remove()
    servers.delete()
    provided("E2E_OPERATOR", "brings the operator back that Flux has taken over")


def go_tool(*arguments: str) -> str:
    """Run a tool of requirements/go.txt, which may be built first; return what it prints."""
    return run(str(ROOT / "tools" / "go-tool"), *arguments, timeout=1800)


def bring_operator(release: Fleet) -> None:
    """Let Flux install the operator, with the image that this cluster has of it."""
    deployment = OPERATOR.get("deployment", "kuberay-operator")
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    repository, _, tag = container["image"].rpartition(":")
    image = {"repository": repository, "tag": tag, "pullPolicy": container["imagePullPolicy"]}
    patch = {
        "apiVersion": "helm.toolkit.fluxcd.io/v2",
        "kind": "HelmRelease",
        "metadata": {"name": "kuberay-operator", "namespace": OPERATOR.name},
        "spec": {"values": {"image": image}},
    }
    release.repository.write("operator-test/values.yaml", yaml.safe_dump(patch))
    charts = Path(go_tool("--module", "kuberay-charts").strip()) / "helm-chart"
    wanted = yaml.safe_load((ROOT / "k8s/gitops/operator/release.yaml").read_text())
    version = wanted["spec"]["chart"]["spec"]["version"]
    release.registry.push(str(charts / "kuberay-operator"), version, signed=False)
    if deployment["metadata"]["labels"].get("app.kubernetes.io/managed-by") != "Helm":
        # Its selector is another one than the chart's, and can't be changed.
        OPERATOR.kubectl("delete", "deployment", "kuberay-operator")


def bring_keys(release: Fleet, folder: Path) -> None:
    """Commit the Secrets encrypted, as k8s/gitops/README.md says, and give Flux the key."""
    key = folder / "age.agekey"
    go_tool("age-keygen", "-o", str(key))
    public = key.read_text().split("# public key: ")[1].split()[0]
    FLUX.secret("sops-age", **{"age.agekey": key.read_text()})
    for path in sorted((ROOT / "k8s" / "gitops" / "secrets" / "sops").glob("*.yaml")):
        secret = yaml.safe_load(path.read_text())
        if secret["kind"] != "Secret":
            continue
        secret.pop("sops")
        # Of the suite's traffic the key's owner is `default`.
        entry = "HF_TOKEN" if "HF_TOKEN" in secret["stringData"] else "default"
        plain = folder / path.name
        plain.write_text(yaml.safe_dump(secret | {"stringData": {entry: secrets.token_hex(24)}}))
        encrypt = ["sops", "encrypt", "--age", public, "--encrypted-regex", "^(data|stringData)$"]
        release.repository.write(f"secrets/sops/{path.name}", go_tool(*encrypt, str(plain)))


def bring_certificate(folder: Path) -> None:
    """Make the Gateway's certificate, as cert-manager would; it is its own authority."""
    names = ("-subj", f"/CN={HOST}", "-addext", f"subjectAltName=DNS:{HOST}")
    files = ("-keyout", str(folder / "tls.key"), "-out", str(folder / "tls.crt"))
    run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *names, *files)
    wait("the Gateway's namespace is there", lambda: kubectl("get", "namespace", GATEWAY.name))
    pair = ("--cert", str(folder / "tls.crt"), "--key", str(folder / "tls.key"))
    GATEWAY.kubectl("create", "secret", "tls", "public-tls", *pair)


@pytest.fixture(scope="session")
def authority(fleet: Fleet) -> str:
    """Return the certificate that clients of the Gateway trust, in PEM."""
    secret = GATEWAY.get("secret", "public-tls")
    return base64.b64decode(secret["data"]["tls.crt"]).decode()


def remove() -> None:
    """Take everything out of the cluster again, the release before its operator."""
    suspended = '{"spec": {"suspend": true}}'
    FLUX.kubectl("patch", "kustomization", "flux-system", "--type=merge", "--patch", suspended)
    for name in ("hybrid-llm", "gateway", "secrets", "operator"):
        FLUX.kubectl("delete", "kustomization", name, "--timeout=300s", timeout=310)
    FLUX.kubectl("delete", "kustomization,gitrepository", "flux-system", "--timeout=300s")
    wait("the namespace is gone", lambda: "hybrid-llm" not in kubectl("get", "namespaces"))
