"""Whether a node could ever hold a pod: what does not change when other pods go."""

from collections.abc import Sequence

from .. import Object
from ..quantity import shown
from ..requests import requests
from .nodes import Node
from .selectors import holds, on_node, wanted_of_nodes
from .taints import CORDONED, repels


def reason(node: Node, pod: Object, volumes: Sequence[Sequence[Object]] = ()) -> str:
    """Return why a node can't hold a pod even when nothing else runs there; empty where it can.

    Args:
        node: the node.
        pod: as the API server would admit it.
        volumes: of each of its volumes that is tied to nodes, the terms of a NodeSelector.
    """
    selector = pod["spec"].get("nodeSelector") or {}
    for label, value in selector.items():
        if (has := node.labels.get(label)) != value:
            return f"no label {label}={value}" + (f" (it is {has})" if has else "")
    terms = wanted_of_nodes(pod)
    if terms is not None and not on_node(terms, node.labels, node.name):
        return "not as the required node affinity has it" + _label_missing(terms, node)
    if any(not on_node(terms, node.labels, node.name) for terms in volumes):
        return "its volume can't be had there"
    if taint := repels(node.raw, pod):
        if taint is CORDONED:
            return "cordoned"
        value = f"={taint['value']}" if taint.get("value") else ""
        return f"taint {taint['key']}{value}:{taint['effect']} is not tolerated"
    for name, value in requests(pod).items():
        if (has_now := node.allocatable(name)) < value:
            return f"{shown(name, has_now)} {name} in all, {shown(name, value)} needed"
    if node.allocatable("pods") < 1:
        return "no pods allowed"
    return ""


def _label_missing(terms: Sequence[Object], node: Node) -> str:
    for term in terms[:1]:
        for expression in term.get("matchExpressions") or []:
            if not holds(expression, node.labels):
                values = ",".join(expression.get("values") or [])
                return f": {expression['key']} {expression['operator']} {values}".rstrip()
    return ""
