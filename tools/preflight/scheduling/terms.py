"""Required affinity and anti-affinity between pods, and topology spread constraints."""

from collections.abc import Mapping
from dataclasses import dataclass

from .. import Object
from .selectors import selects

Namespaces = Mapping[str, Mapping[str, str]]  # labels by name


@dataclass(frozen=True)
class Term:
    """One term of required (anti-)affinity, or of a hard spread constraint.

    Args:
        key: of the node labels that make a domain.
        selector: of pods.
        namespaces: where such pods are; None: all.
        skew: of a spread constraint, the most.
        domains: of a spread constraint, the fewest that count.
        by_affinity: of a spread constraint: nodes that the pod may not go to don't count.
        by_taints: of a spread constraint: nor those whose taints it does not tolerate.
    """

    key: str
    selector: str
    namespaces: frozenset[str] | None
    raw: Object
    skew: int = 0
    domains: int = 1
    by_affinity: bool = True
    by_taints: bool = False

    def __hash__(self) -> int:
        return hash((self.key, self.selector, self.namespaces, self.skew))

    def matches(self, pod: Object, namespace: str) -> bool:
        """Return whether a pod is one that the term speaks of."""
        here = self.namespaces is None or namespace in self.namespaces
        return here and selects(self.raw, pod["metadata"].get("labels") or {})


def affinity(pod: Object, namespace: str, spaces: Namespaces, kind: str) -> list[Term]:
    """Return the required terms of `kind`, podAffinity or podAntiAffinity."""
    found = (pod["spec"].get("affinity") or {}).get(kind) or {}
    labels = pod["metadata"].get("labels") or {}
    terms = []
    for term in found.get("requiredDuringSchedulingIgnoredDuringExecution") or []:
        named = set(term.get("namespaces") or [])
        chooser = term.get("namespaceSelector")
        if chooser is not None:
            named |= {name for name, has in spaces.items() if selects(chooser, has)}
        elif not named:
            named = {namespace}
        everywhere = chooser == {}
        raw = _with_keys(term, labels)
        terms.append(
            Term(term["topologyKey"], repr(raw), None if everywhere else frozenset(named), raw)
        )
    return terms


def spread(pod: Object, namespace: str) -> list[Term]:
    """Return the hard topology spread constraints."""
    labels = pod["metadata"].get("labels") or {}
    terms = []
    for one in pod["spec"].get("topologySpreadConstraints") or []:
        if one.get("whenUnsatisfiable", "DoNotSchedule") != "DoNotSchedule":
            continue
        raw = _with_keys(one, labels)
        terms.append(
            Term(
                one["topologyKey"],
                repr(raw),
                frozenset([namespace]),
                raw,
                one["maxSkew"],
                one.get("minDomains") or 1,
                one.get("nodeAffinityPolicy", "Honor") == "Honor",
                one.get("nodeTaintsPolicy", "Ignore") == "Honor",
            )
        )
    return terms


def _with_keys(term: Object, labels: Mapping[str, str]) -> Object:
    """Return a term's selector with what matchLabelKeys and mismatchLabelKeys add to it."""
    selector = dict(term.get("labelSelector") or {}) if "labelSelector" in term else {}
    expressions = list(selector.get("matchExpressions") or [])
    for keys, operator in (("matchLabelKeys", "In"), ("mismatchLabelKeys", "NotIn")):
        for key in term.get(keys) or []:
            if key in labels:
                expressions.append({"key": key, "operator": operator, "values": [labels[key]]})
    return {**selector, "matchExpressions": expressions}
