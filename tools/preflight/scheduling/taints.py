"""Taints and tolerations."""

from collections.abc import Sequence

from .. import Object

# What the API server lets every pod tolerate for a while.
DEFAULTS = [
    {"key": f"node.kubernetes.io/{state}", "operator": "Exists", "effect": "NoExecute"}
    for state in ("not-ready", "unreachable")
]
CORDONED = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}


def tolerates(tolerations: Sequence[Object], taint: Object) -> bool:
    """Return whether one of the tolerations tolerates a taint."""
    for toleration in tolerations:
        key, operator = toleration.get("key") or "", toleration.get("operator") or "Equal"
        if toleration.get("effect") and toleration["effect"] != taint.get("effect"):
            continue
        if key and key != taint["key"] or not key and operator != "Exists":
            continue
        has, bound = taint.get("value") or "", toleration.get("value") or ""
        if operator == "Exists" or operator == "Equal" and has == bound:
            return True
    return False


def repels(node: Object, pod: Object) -> Object | None:
    """Return the first taint of a node that keeps a pod away."""
    tolerations = [*(pod["spec"].get("tolerations") or []), *DEFAULTS]
    spec = node.get("spec") or {}
    if spec.get("unschedulable") and not tolerates(tolerations, CORDONED):
        return CORDONED
    for taint in spec.get("taints") or []:
        hard = taint.get("effect") in ("NoSchedule", "NoExecute")
        if hard and not tolerates(tolerations, taint):
            found: Object = taint
            return found
    return None
