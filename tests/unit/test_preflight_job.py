"""The chart's preflight Job: the program of its ConfigMaps, by the standard library alone.

An HTTPS server stands for the API server, with what cluster_double has; the real one is in
tests/e2e/preflight/test_before_install.py.
"""

import http.server
import ipaddress
import os
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cluster_double import API, SPACE, World, node
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from preflight_hook import RBAC, of_kind, rendered

from preflight import Stop, incluster
from preflight.checking import check
from preflight.cluster import Cluster
from preflight.release import Release
from preflight.report import shown

TOKEN = "a-token-for-a-test"  # noqa: S105


# The server


@dataclass
class Api:
    """An API server on this machine, and the account that may ask it."""

    world: World
    port: int
    account: Path

    def environment(self) -> dict[str, str]:
        """Return what a pod is told of it."""
        return {
            "KUBERNETES_SERVICE_HOST": "127.0.0.1",
            "KUBERNETES_SERVICE_PORT": str(self.port),
            "PATH": os.environ["PATH"],
        }


def certificate(folder: Path) -> Path:
    """Write a certificate for this machine with its key, and return the file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "api")])
    here = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([here]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    whole, plain = folder / "server.pem", serialization.NoEncryption()
    pem, pkcs8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    whole.write_bytes(key.private_bytes(pem, pkcs8, plain) + made.public_bytes(pem))
    (folder / "ca.crt").write_bytes(made.public_bytes(pem))
    return whole


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    world = World()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = 401, b"{}"
            if self.headers["Authorization"] == f"Bearer {TOKEN}":
                status, body = world.ask("GET", self.path, None)
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    account = tmp_path / "account"
    account.mkdir()
    (account / "token").write_text(TOKEN + "\n")
    (account / "namespace").write_text("prod")
    trust = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trust.load_cert_chain(certificate(account))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.socket = trust.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield Api(world, server.server_address[1], account)
        server.shutdown()


# The program as the Job has it


def run(api: Api, folder: Path, *sets: str) -> subprocess.CompletedProcess[str]:
    """Run the Job's command, with its files and no package."""
    objects = rendered(*sets)
    spec = of_kind(objects, "Job", "-preflight")["spec"]["template"]["spec"]
    for source in spec["volumes"][0]["projected"]["sources"]:
        data = of_kind(objects, "ConfigMap", source["configMap"]["name"])["data"]
        for item in source["configMap"]["items"]:
            path = folder / "preflight" / item["path"]
            path.parent.mkdir(exist_ok=True, parents=True)
            path.write_text(data[item["key"]])
    given = folder / "objects.json"
    given.write_text(of_kind(objects, "ConfigMap", "-preflight-release")["data"]["objects.json"])
    (container,) = spec["containers"]
    places = {
        "--in-cluster": f"--in-cluster={api.account}",
        "--manifests=/etc/hybrid-llm/objects.json": f"--manifests={given}",
    }
    first, *rest = (places.pop(part, part) for part in container["command"])
    assert first == "python3" and not places
    return subprocess.run(
        [sys.executable, "-S", *rest],
        env={**api.environment(), "PYTHONPATH": str(folder), "PYTHONUTF8": "1"},
        capture_output=True,
        text=True,
        cwd=folder,
        check=False,
    )


def expected(api: Api, *sets: str) -> str:
    """Return what the repository's program says of the very same."""
    release = Release(rendered(*sets), "prod", ">=1.6.2 <1.8.0")
    found = check(release, Cluster(api.world.ask, read_only=True))
    return shown(found, f"https://127.0.0.1:{api.port}, namespace prod")


def words(text: str) -> list[str]:
    """Return the lines, but for how many kinds the release has."""
    return [line for line in text.strip().splitlines() if "other kinds of the release" not in line]


@pytest.mark.parametrize(
    "sets", [(), ("weights.cache.enabled=true", "weights.cache.download=true")]
)
def test_it_says_what_the_repository_says(api: Api, tmp_path: Path, sets: tuple[str, ...]) -> None:
    api.world.kinds |= RBAC
    api.world.lists[f"{API}/nodes"] = [node("gpu-0", room={"nvidia.com/gpu": "2"})]
    done = run(api, tmp_path, *sets)
    assert not done.stderr
    assert words(done.stdout) == words(expected(api, *sets))
    assert done.returncode == 1
    assert "finds no node: 1 node: 2 nvidia.com/gpu in all, 4 needed" in done.stdout
    assert TOKEN not in done.stdout


def test_where_nothing_is_in_the_way_it_succeeds(api: Api, tmp_path: Path) -> None:
    done = run(api, tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.strip().splitlines()[-1].startswith("Nothing that could be checked is in")


def test_what_it_may_not_read_fails_nothing(api: Api, tmp_path: Path) -> None:
    api.world.denied |= {f"{API}/nodes", f"{SPACE}/secrets/keys"}
    done = run(api, tmp_path)
    assert done.returncode == 0
    assert "not checked: this account may not read /api/v1/nodes" in done.stdout


def test_a_token_that_is_not_known_is_one_line(api: Api, tmp_path: Path) -> None:
    (api.account / "token").write_text("another")
    done = run(api, tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith("error: the API server does not know who asks (401)")
    assert len(done.stderr.strip().splitlines()) == 1


# The way to the API server


@pytest.fixture
def pod(api: Api, monkeypatch: pytest.MonkeyPatch) -> Api:
    """This process as a pod of the cluster."""
    for name, value in api.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(incluster, "PAUSE_S", 0)
    return api


def test_a_status_that_is_no_success_is_an_answer(pod: Api) -> None:
    ask, server, namespace = incluster.connect(pod.account)
    assert (server, namespace) == (f"https://127.0.0.1:{pod.port}", "prod")
    assert ask("GET", f"{API}/nothing", None)[0] == 404
    pod.world.denied.add(f"{API}/nodes")
    assert ask("GET", f"{API}/nodes", None)[0] == 403


def test_who_is_not_the_cluster_is_not_asked(pod: Api, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    certificate(other)
    (pod.account / "ca.crt").write_bytes((other / "ca.crt").read_bytes())
    with pytest.raises(Stop, match="certificate"):
        incluster.connect(pod.account)
    assert not pod.world.sent


def test_a_network_that_comes_a_moment_later_is_waited_for(
    pod: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = incluster.urllib.request.OpenerDirector.open
    refusals = iter([OSError("no route"), OSError("no route")])

    def later(*arguments: Any, **options: Any) -> Any:
        for refusal in refusals:
            raise refusal
        return real(*arguments, **options)

    monkeypatch.setattr(incluster.urllib.request.OpenerDirector, "open", later)
    ask, _, _ = incluster.connect(pod.account)
    assert ask("GET", SPACE, None)[0] == 200


def test_no_pod_and_no_account_are_one_line(
    pod: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(Stop, match=f"no service account in {tmp_path}: No such file"):
        incluster.connect(tmp_path)
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST")
    with pytest.raises(Stop, match="no pod of a cluster"):
        incluster.connect(pod.account)
