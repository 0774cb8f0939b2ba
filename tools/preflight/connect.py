"""The way to a cluster: by a kubeconfig, with the `kubernetes` client."""

import os

import kubernetes.client
import kubernetes.config
import urllib3

from . import Object, Stop, incluster
from .cluster import Ask

TIMEOUT = (5, 60)  # seconds to connect, and to answer


def connect(kubeconfig: str | None, context: str | None) -> tuple[Ask, str, str]:
    """Return how to ask the cluster, its address, and the namespace that is meant without one.

    Args:
        kubeconfig: a file; None: KUBECONFIG's, or the usual one.
        context: of it; None: the current one.

    Raises:
        Stop: there is no such cluster.
    """
    try:
        contexts, current = kubernetes.config.list_kube_config_contexts(kubeconfig)  # type: ignore[no-untyped-call]
        named = next((c for c in contexts if c["name"] == context), None) if context else current
        api = kubernetes.config.new_client_from_config(kubeconfig, context)  # type: ignore[no-untyped-call]
    except kubernetes.config.ConfigException as problem:
        if "KUBERNETES_SERVICE_HOST" in os.environ:  # in a pod
            return incluster.connect()
        raise Stop(
            f"no cluster: {str(problem).rstrip('.')}. KUBECONFIG or --kubeconfig names one"
        ) from None
    api.configuration.retries = False
    server = str(api.configuration.host)

    def ask(method: str, path: str, body: Object | None) -> tuple[int, bytes]:
        headers = {"Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        parameters = api.param_serialize(
            method, path, header_params=headers, body=body, auth_settings=["BearerToken"]
        )
        try:
            answer = api.call_api(*parameters, _request_timeout=TIMEOUT)
            answer.read()
        except kubernetes.client.ApiException as problem:
            raise Stop(f"no answer from the cluster at {server}: {problem.reason}") from None
        except (urllib3.exceptions.HTTPError, OSError) as problem:
            cause = getattr(problem, "reason", None) or problem
            raise Stop(f"no answer from the cluster at {server}: {cause}") from None
        return answer.status, answer.data

    ask("GET", "/version", None)
    namespace = ((named or {}).get("context") or {}).get("namespace") or "default"
    return ask, server, namespace
