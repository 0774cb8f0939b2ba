"""The chart's preflight Job as it renders, for the tests of it."""

import functools
from typing import Any

import yaml
from cluster_double import ROOT

from schemas import go_tool

Object = dict[str, Any]
RBAC = {
    "rbac.authorization.k8s.io/v1": {
        "Role": "roles",
        "RoleBinding": "rolebindings",
        "ClusterRole": "clusterroles",
        "ClusterRoleBinding": "clusterrolebindings",
    }
}


@functools.cache
def _rendered(*sets: str) -> str:
    sets = ("preflight.enabled=true", "auth.existingSecret=keys", *sets)
    chosen = [argument for one in sets for argument in ("--set", one)]
    done = go_tool("helm", "template", "it", "charts/hybrid-llm", "-n", "prod", *chosen, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    return done.stdout


def rendered(*sets: str) -> list[Object]:
    """Return the chart's objects with preflight on, as in the namespace prod."""
    return [one for one in yaml.safe_load_all(_rendered(*sets)) if one]


def of_kind(objects: list[Object], kind: str, suffix: str = "") -> Object:
    """Return the one object of a kind whose name ends so."""
    (found,) = [
        one for one in objects if one["kind"] == kind and one["metadata"]["name"].endswith(suffix)
    ]
    return found
