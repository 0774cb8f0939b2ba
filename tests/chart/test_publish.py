"""tools/publish, as a release runs it, with a real registry: what is pulled is signed, and is ours.

The keyless signature needs GitHub's identity, so a key that is made here signs, and no log has it.
"""

import base64
import http.client
import json
import os
import shutil
import socket
import subprocess
import time
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import pytest

from .conftest import CHART, ROOT, SHAPES, go_tool, text
from .test_release import VERSION

# Helm's, cosign's and syft's modules are built for this the first time.
pytestmark = pytest.mark.timeout(3600)

NO_LOG = "--tlog-upload=false"
# Neither is anybody asked whom to trust, but for the key.
NOBODY = json.dumps({"mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1"})
ARTIFACT_HUB = "11111111-2222-3333-4444-555555555555"


@dataclass(frozen=True)
class Registry:
    """A registry of this machine, and the folder in which it keeps what is pushed."""

    address: str
    folder: Path

    def blob(self, digest: str) -> Path:
        """Return the file that has what a digest stands for."""
        algorithm, _, name = digest.partition(":")
        blobs = self.folder / "docker/registry/v2/blobs"
        return blobs / algorithm / name[:2] / name / "data"


@dataclass(frozen=True)
class Release:
    """A chart that was published: where, what is in the folder, and who signed."""

    chart: str
    digest: str
    folder: Path
    key: Path

    @property
    def signed(self) -> str:
        """Return the name that can mean nothing else."""
        return f"{self.chart}@{self.digest}"


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """Let no tool see the user's credentials, nor ask for the password of a key."""
    folder = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DOCKER_CONFIG", str(folder))
        patch.setenv("HELM_REGISTRY_CONFIG", str(folder / "helm.json"))
        patch.setenv("COSIGN_PASSWORD", "")
        patch.setenv("GITHUB_SERVER_URL", "https://github.com")
        patch.setenv("GITHUB_REPOSITORY", "somebody/hybrid-llm")
        yield folder


@pytest.fixture(scope="module")
def registry(home, tmp_path_factory):
    """Run a registry."""
    folder = tmp_path_factory.mktemp("registry")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    config = {
        "version": 0.1,
        "log": {"level": "error"},
        "storage": {"filesystem": {"rootdirectory": str(folder)}},
        "http": {"addr": address},
    }
    (folder / "config.json").write_text(json.dumps(config))  # which YAML is, too
    assert go_tool("registry", "--version").returncode == 0
    log = folder / "log"
    with log.open("w") as said:
        command = [ROOT / "tools/go-tool", "registry", "serve", folder / "config.json"]
        process = subprocess.Popen(command, stdout=said, stderr=said)
    try:
        _wait(process, address, log)
        yield Registry(address, folder)
    finally:
        process.terminate()
        process.wait(30)


def _wait(process: subprocess.Popen, address: str, log: Path) -> None:
    for _ in range(600):
        assert process.poll() is None, log.read_text()
        connection = http.client.HTTPConnection(address, timeout=5)
        try:
            connection.request("GET", "/v2/")
            if connection.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.1)
        finally:
            connection.close()
    raise AssertionError(f"no registry within a minute: {log.read_text()}")


def keys(folder: Path) -> Path:
    """Make a pair of keys; return the private one's path. The public one ends in .pub."""
    folder.mkdir(exist_ok=True)
    made = go_tool("cosign", "generate-key-pair", cwd=folder)
    assert made.returncode == 0, made.stderr
    return folder / "cosign.key"


def publish(registry: Registry, owner: str, folder: Path, key: Path) -> Release:
    """Publish the chart of the repository."""
    command = [ROOT / "tools/publish", f"{registry.address}/{owner}", folder, "--key", key, NO_LOG]
    environment = {**os.environ, "ARTIFACTHUB_REPOSITORY_ID": ARTIFACT_HUB}
    run = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert run.returncode == 0, run.stderr
    name, _, digest = run.stdout.strip().partition("=")
    assert name == "digest"
    return Release(f"{registry.address}/{owner}/charts/hybrid-llm", digest, folder, key)


@pytest.fixture(scope="module")
def released(registry, home, tmp_path_factory):
    """Publish the chart, once."""
    return publish(registry, "owner", tmp_path_factory.mktemp("dist"), keys(home / "keys"))


def verify(name: str, key: Path, verb: str = "verify", *args: str) -> subprocess.CompletedProcess:
    """Ask cosign whether what has that name was signed with that key."""
    nobody = key.with_name("trusted-root.json")
    nobody.write_text(NOBODY)
    trusted = ("--key", str(key.with_suffix(".pub")), "--trusted-root", str(nobody))
    return go_tool("cosign", verb, *trusted, "--insecure-ignore-tlog=true", *args, name)


def pull(helm: str, chart: str, folder: Path) -> subprocess.CompletedProcess:
    """Pull a chart with one of the Helms."""
    where = ("--version", VERSION, "--plain-http", "--destination", str(folder))
    return go_tool(helm, "pull", f"oci://{chart}", *where)


@pytest.fixture(scope="module", params=["helm", "helm3"])
def pulled(request, released, tmp_path_factory):
    """Return a Helm, and the package that it pulls."""
    folder = tmp_path_factory.mktemp(request.param)
    run = pull(request.param, released.chart, folder)
    assert run.returncode == 0, run.stderr
    assert released.digest in run.stdout + run.stderr
    return request.param, folder / f"hybrid-llm-{VERSION}.tgz"


def test_what_is_pulled_is_what_was_packaged(released, pulled):
    _, package = pulled
    assert package.read_bytes() == (released.folder / package.name).read_bytes()


@pytest.mark.parametrize("shape", SHAPES, ids=lambda path: path.stem)
def test_what_is_pulled_renders_byte_for_byte_as_the_repository_does(pulled, shape):
    helm, package = pulled
    # The key that the chart makes up is another one each time.
    args = ("--values", str(shape), "--set", "auth.existingSecret=keys")
    assert text(None, *args, helm=helm, chart=package) == text(None, *args, helm=helm)


def test_packaged_once_more_it_renders_the_same(released, tmp_path):
    stage, name = tmp_path / "hybrid-llm", f"hybrid-llm-{VERSION}.tgz"
    subprocess.run([ROOT / "tools/release.py", "stage", stage], check=True)
    again = go_tool("helm3", "package", str(stage), "--destination", str(tmp_path))
    assert again.returncode == 0, again.stderr
    args = ("--set", "auth.existingSecret=keys")
    ours, theirs = (
        text(None, *args, chart=folder / name) for folder in (released.folder, tmp_path)
    )
    assert ours == theirs == text(None, *args)


def test_the_registry_says_whose_repository_it_is_from(released):
    run = go_tool("oras", "manifest", "fetch", "--plain-http", released.signed)
    annotations = json.loads(run.stdout)["annotations"]
    assert (
        annotations["org.opencontainers.image.source"] == "https://github.com/somebody/hybrid-llm"
    )
    assert annotations["org.opencontainers.image.version"] == VERSION


@pytest.mark.parametrize("by", ["digest", "version"])
def test_it_verifies(released, by):
    name = released.signed if by == "digest" else f"{released.chart}:{VERSION}"
    run = verify(name, released.key)
    assert run.returncode == 0, run.stderr
    (payload,) = json.loads(run.stdout)
    assert payload["critical"]["image"]["docker-manifest-digest"] == released.digest


def test_it_does_not_verify_with_another_key(released, tmp_path):
    run = verify(released.signed, keys(tmp_path / "others"))
    assert run.returncode != 0 and "no matching signatures" in run.stderr


@pytest.fixture(scope="module")
def tampered(registry, home, released, tmp_path_factory):
    """Push a chart with one more line in the app over the same version elsewhere, unsigned."""
    folder = tmp_path_factory.mktemp("tampered")
    shutil.unpack_archive(released.folder / f"hybrid-llm-{VERSION}.tgz", folder)
    with (folder / "hybrid-llm/app/middleware.py").open("a") as file:
        file.write("# not ours\n")
    packed = go_tool("helm", "package", str(folder / "hybrid-llm"), "--destination", str(folder))
    assert packed.returncode == 0, packed.stderr
    owner = f"{registry.address}/tampered/charts"
    package = str(folder / f"hybrid-llm-{VERSION}.tgz")
    run = go_tool("helm", "push", "--plain-http", package, f"oci://{owner}")
    assert run.returncode == 0, run.stderr
    said = run.stdout + run.stderr
    (digest,) = (line.split()[1] for line in said.splitlines() if line.startswith("Digest:"))
    return Release(f"{owner}/hybrid-llm", digest, folder, released.key)


def test_what_nobody_signed_does_not_verify(tampered):
    run = verify(f"{tampered.chart}:{VERSION}", tampered.key)
    assert run.returncode != 0 and "no signatures found" in run.stderr


def test_a_signature_of_another_chart_does_not_make_it_verify(released, tampered):
    ours, theirs = (r.digest.replace(":", "-") + ".sig" for r in (released, tampered))
    source, target = f"{released.chart}:{ours}", f"{tampered.chart}:{theirs}"
    copied = go_tool("oras", "copy", "--from-plain-http", "--to-plain-http", source, target)
    assert copied.returncode == 0, copied.stderr
    run = verify(tampered.signed, tampered.key)
    assert run.returncode != 0 and "no matching signatures" in run.stderr


def test_a_package_that_the_registry_changed_is_not_pulled(registry, tampered, tmp_path):
    run = go_tool("oras", "manifest", "fetch", "--plain-http", tampered.signed)
    (layer,) = json.loads(run.stdout)["layers"]
    data = registry.blob(layer["digest"])
    data.write_bytes(data.read_bytes()[:-1] + b"x")
    assert pull("helm", tampered.chart, tmp_path).returncode != 0
    assert not list(tmp_path.iterdir())


def test_the_sbom_is_signed_and_has_each_file_of_the_programs_with_its_hash(released):
    run = verify(released.signed, released.key, "verify-attestation", "--type", "spdxjson")
    assert run.returncode == 0, run.stderr
    statement = json.loads(base64.b64decode(json.loads(run.stdout)["payload"]))
    (subject,) = statement["subject"]
    assert f"sha256:{subject['digest']['sha256']}" == released.digest
    hashes = {
        file["fileName"]: {c["algorithm"]: c["checksumValue"] for c in file["checksums"]}
        for file in statement["predicate"]["files"]
    }
    places = {ROOT / "app": ROOT, ROOT / "tools/preflight": ROOT / "tools"}
    sources = [(path, above) for place, above in places.items() for path in place.rglob("*.py")]
    assert sources
    for source, above in sources:
        name = str(source.relative_to(above))
        assert hashes[name]["SHA256"] == sha256(source.read_bytes()).hexdigest()


def test_a_tag_is_not_signed(released):
    command = [ROOT / "tools/sign", f"{released.chart}:{VERSION}", "sbom.json"]
    run = subprocess.run(command, capture_output=True, text=True)
    assert run.returncode != 0 and "a tag may be another thing by now" in run.stderr


def test_artifact_hub_finds_whose_it_is(released, tmp_path):
    name = f"{released.chart}:artifacthub.io"
    manifest = json.loads(go_tool("oras", "manifest", "fetch", "--plain-http", name).stdout)
    (layer,) = manifest["layers"]
    assert manifest["config"]["mediaType"] == "application/vnd.cncf.artifacthub.config.v1+yaml"
    kind = "application/vnd.cncf.artifacthub.repository-metadata.layer.v1.yaml"
    assert layer["mediaType"] == kind
    run = go_tool("oras", "pull", "--plain-http", "--output", str(tmp_path), name)
    assert run.returncode == 0, run.stderr
    told = (tmp_path / "artifacthub-repo.yml").read_text()
    assert f"\nrepositoryID: {ARTIFACT_HUB}\n" in told
    assert (CHART.parent / "artifacthub-repo.yaml").read_text().splitlines()[0] in told
