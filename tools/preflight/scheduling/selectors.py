"""Label selectors, of pods and of nodes."""

from collections.abc import Mapping, Sequence

from .. import Object

Labels = Mapping[str, str]


def selects(selector: Object | None, labels: Labels) -> bool:
    """Return whether a LabelSelector selects labels; null selects nothing, an empty one all."""
    if selector is None:
        return False
    exact = selector.get("matchLabels") or {}
    expressions = selector.get("matchExpressions") or []
    return all(labels.get(key) == value for key, value in exact.items()) and all(
        holds(expression, labels) for expression in expressions
    )


def holds(expression: Object, labels: Labels) -> bool:
    """Return whether one requirement holds; Gt and Lt compare whole numbers."""
    key, operator = expression["key"], expression["operator"]
    values = expression.get("values") or []
    there = key in labels
    if operator == "In":
        return there and labels[key] in values
    if operator == "NotIn":
        return not there or labels[key] not in values
    if operator == "Exists":
        return there
    if operator == "DoesNotExist":
        return not there
    try:
        has, bound = int(labels[key]), int(values[0])
    except (KeyError, IndexError, ValueError):
        return False
    return has > bound if operator == "Gt" else has < bound


def on_node(terms: Sequence[Object], labels: Labels, name: str) -> bool:
    """Return whether one of a NodeSelector's terms fits a node; an empty term fits none."""
    fields = {"metadata.name": name}
    for term in terms:
        expressions, match = term.get("matchExpressions") or [], term.get("matchFields") or []
        if (expressions or match) and (
            all(holds(e, labels) for e in expressions) and all(holds(e, fields) for e in match)
        ):
            return True
    return False


def wanted_of_nodes(pod: Object) -> list[Object] | None:
    """Return the terms of a pod's required node affinity; None if it has none."""
    affinity = (pod["spec"].get("affinity") or {}).get("nodeAffinity") or {}
    required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution")
    return None if required is None else list(required.get("nodeSelectorTerms") or [])
