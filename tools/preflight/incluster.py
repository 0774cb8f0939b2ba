"""The way to the cluster from a pod in it, by the standard library: the chart's Job has no more."""

import http.client
import json
import os
import ssl
import time
import urllib.error
import urllib.request
from pathlib import Path

from . import Object, Stop
from .cluster import Ask

ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
TIMEOUT_S = 60
# A new pod's network may come some seconds after it, and packets be lost until then.
TRIES, TRY_S, PAUSE_S = 15, 5, 2.0


def connect(account: Path = ACCOUNT) -> tuple[Ask, str, str]:
    """Return how to ask the cluster, its address, and the pod's namespace.

    Args:
        account: folder with a service account's `token` and the cluster's `ca.crt`.

    Raises:
        Stop: that is no pod, or the cluster does not answer.
    """
    host, port = (os.environ.get(f"KUBERNETES_SERVICE_{name}", "") for name in ("HOST", "PORT"))
    if not host:
        raise Stop("this is no pod of a cluster: KUBERNETES_SERVICE_HOST is not set")
    server = f"https://{f'[{host}]' if ':' in host else host}:{port or 443}"
    try:
        token = (account / "token").read_text(encoding="ascii").strip()
        trusted = ssl.create_default_context(cafile=str(account / "ca.crt"))
        # Python 3.13 is stricter by default than the certificates that some clusters make.
        trusted.verify_flags &= ~ssl.VERIFY_X509_STRICT
        space = account / "namespace"
        namespace = space.read_text(encoding="ascii").strip() if space.exists() else "default"
    except OSError as problem:
        raise Stop(f"no service account in {account}: {problem.strerror or problem}") from None
    # No proxy: the API server is a neighbour.
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=trusted)
    )

    def asked(method: str, path: str, body: Object | None, timeout_s: float) -> tuple[int, bytes]:
        headers = {"Accept": "application/json", "Authorization": f"Bearer {token}"}
        data = None
        if body is not None:
            headers["Content-Type"] = "application/json"
            data = json.dumps(body).encode()
        request = urllib.request.Request(server + path, data, headers, method=method)
        try:
            with opener.open(request, timeout=timeout_s) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as refused:
            return refused.code, refused.read()
        except (http.client.HTTPException, OSError) as problem:
            cause = getattr(problem, "reason", None) or problem
            raise Stop(f"no answer from the cluster at {server}: {cause}") from None

    def ask(method: str, path: str, body: Object | None) -> tuple[int, bytes]:
        return asked(method, path, body, TIMEOUT_S)

    for left in reversed(range(TRIES)):
        try:
            asked("GET", "/version", None, TRY_S)
            break
        except Stop:
            if not left:
                raise
            time.sleep(PAUSE_S)
    return ask, server, namespace
