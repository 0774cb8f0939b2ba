"""Pods of the suite itself, as the `restricted` profile wants them."""

from .kube import IMAGE, Object

RESTRICTED = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}


def pod(
    name: str, command: list[str], volumes: dict[str, tuple[str, Object]] | None = None
) -> Object:
    """Return a pod that runs a command of the suite's image.

    Args:
        name: its name, and the value of its label `app`.
        command: with its arguments.
        volumes: by mount path, a name and what the volume is.
    """
    volumes = volumes or {}
    container = {
        "name": "main",
        "image": IMAGE,
        "imagePullPolicy": "IfNotPresent",
        "command": command,
        "securityContext": RESTRICTED,
        "resources": {"requests": {"cpu": "10m", "memory": "64Mi"}, "limits": {"memory": "512Mi"}},
        "volumeMounts": [
            {"name": title, "mountPath": path, "readOnly": True}
            for path, (title, _) in volumes.items()
        ],
    }
    spec = {
        "restartPolicy": "Never",
        "terminationGracePeriodSeconds": 1,
        "automountServiceAccountToken": False,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 1000,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [container],
        "volumes": [{"name": title, **what} for title, what in volumes.values()],
    }
    metadata = {"name": name, "labels": {"app": name}}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}
