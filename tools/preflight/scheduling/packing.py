"""Which of some pods find a node.

Which node the scheduler prefers depends on much that can't be foretold, and one pod on the wrong
node may leave no room for the next. So all ways to place them are followed, nodes that are alike
counting as one. What holds in each of them is certain.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .. import Object
from ..requests import requests
from .nodes import Node
from .selectors import on_node, wanted_of_nodes
from .standing import reason
from .taints import repels
from .terms import Namespaces, Term, affinity, spread

STATES = 20_000  # more are not followed

Counts = tuple[int, ...]  # placed pods of each kind


@dataclass(frozen=True)
class Kind:
    """Pods that are alike: one as the API server would admit it, and where its volumes can be."""

    name: str
    pod: Object
    volumes: Sequence[Sequence[Object]] = ()


@dataclass(frozen=True)
class Outcomes:
    """What may become of the pods.

    Args:
        placed: of each kind, in every way that they may be placed.
        whole: whether every way was followed; else there are more outcomes than these.
    """

    placed: frozenset[Counts]
    whole: bool

    def fewest(self, kind: int) -> int:
        """Return how many pods of a kind find a node at least."""
        return min(counts[kind] for counts in self.placed)

    def most(self, kind: int) -> int:
        """Return how many pods of a kind find a node at best."""
        return max(counts[kind] for counts in self.placed)


class Packing:
    """Places pods on nodes.

    Args:
        nodes: with what runs there.
        kinds: of pods to place.
        namespace: of these pods.
        spaces: labels of all namespaces.
    """

    def __init__(
        self, nodes: Sequence[Node], kinds: Sequence[Kind], namespace: str, spaces: Namespaces
    ) -> None:
        self.kinds = kinds
        self._asked = [requests(kind.pod) for kind in kinds]
        self._resources = sorted({name for asked in self._asked for name in asked})
        self._near = [affinity(k.pod, namespace, spaces, "podAffinity") for k in kinds]
        self._apart = [affinity(k.pod, namespace, spaces, "podAntiAffinity") for k in kinds]
        self._spread = [spread(k.pod, namespace) for k in kinds]
        self._matching = {
            term: [term.matches(k.pod, namespace) for k in kinds]
            for terms in (*self._near, *self._apart, *self._spread)
            for term in terms
        }
        self._there = _matching_pods(nodes, self._matching)
        self._all_near = [_all_matching(nodes, terms) for terms in self._near]
        self._counted = [self._domains(nodes, n) for n in range(len(kinds))]
        allowed = {node.name: [not reason(node, k.pod, k.volumes) for k in kinds] for node in nodes}
        for node in nodes:
            _stay_away(node, nodes, kinds, namespace, spaces, allowed)
        self._nodes = [node for node in nodes if any(allowed[node.name])]
        self._allowed = [allowed[node.name] for node in self._nodes]
        self._free = [
            {name: node.free(name) for name in (*self._resources, "pods")} for node in self._nodes
        ]

    def _domains(self, nodes: Sequence[Node], kind: int) -> dict[Term, dict[str, list[Node]]]:
        """Return the nodes that count in each domain of a kind's spread constraints."""
        pod, terms = self.kinds[kind].pod, self._spread[kind]
        found: dict[Term, dict[str, list[Node]]] = {}
        selector = pod["spec"].get("nodeSelector") or {}
        wanted = wanted_of_nodes(pod)
        for term in terms:
            domains = found.setdefault(term, defaultdict(list))
            for node in nodes:
                if any(other.key not in node.labels for other in terms):
                    continue
                chosen = all(node.labels.get(k) == v for k, v in selector.items())
                chosen = chosen and (wanted is None or on_node(wanted, node.labels, node.name))
                if (term.by_affinity and not chosen) or (
                    term.by_taints and repels(node.raw, pod) is not None
                ):
                    continue
                domains[node.labels[term.key]].append(node)
        return found

    def outcomes(self, counts: Sequence[tuple[int, int]]) -> Outcomes:
        """Place pods, in this order: (kind, how many) each."""
        queue = tuple(kind for kind, count in counts for _ in range(count))
        demand = Counter[str]()
        for kind in queue:
            demand.update(self._asked[kind])
        classes = self._classes(demand, len(queue))
        # Of nodes that are alike no more are needed than there are pods.
        taken: Counter[object] = Counter()
        nodes = []
        for number, alike in enumerate(classes):
            taken[alike] += 1
            if taken[alike] <= len(queue):
                nodes.append(number)
        search = _Search(self, nodes, classes, len(self.kinds))
        start = tuple((0,) * len(self.kinds) for _ in nodes)
        return Outcomes(search.follow(start, queue, 0), not search.cut)

    def _classes(self, demand: Mapping[str, int], pods: int) -> list[object]:
        """Return what makes each node differ from others; more room than is asked for is none."""
        keys = {term.key for term in self._matching}
        sizes = {key: Counter(n.labels.get(key) for n in self._nodes) for key in keys}
        classes: list[object] = []
        for node, allowed, left in zip(self._nodes, self._allowed, self._free, strict=True):
            free = tuple(min(left[name], demand[name]) for name in self._resources)
            domains = []
            for term in self._matching:
                value = node.labels.get(term.key)
                alone = value is not None and sizes[term.key][value] == 1
                there = self._there[term].get(value or "", 0)
                domains.append((None if alone else value, value is None, there))
            apart = tuple(
                tuple(
                    node in counted.get(node.labels.get(t.key, ""), ()) for t, counted in c.items()
                )
                for c in self._counted
            )
            near = tuple(
                tuple(a.get(node.labels.get(t.key, ""), 0) for t, a in n) for n in self._all_near
            )
            room = min(left["pods"], pods)
            classes.append((tuple(allowed), free, room, tuple(domains), apart, near))
        return classes

    # Of a state: how many pods of each kind were placed on each of the nodes that are looked at.

    def fits(self, kind: int, place: int, nodes: Sequence[int], state: Sequence[Counts]) -> bool:
        """Return whether one more pod of a kind finds room on a node."""
        node, left = self._nodes[nodes[place]], self._free[nodes[place]]
        if not self._allowed[nodes[place]][kind] or sum(state[place]) >= left["pods"]:
            return False
        for name, value in self._asked[kind].items():
            placed = zip(state[place], self._asked, strict=True)
            if left[name] - sum(n * asked.get(name, 0) for n, asked in placed) < value:
                return False
        return (
            self._far(kind, node, nodes, state)
            and self._close(kind, node, nodes, state)
            and self._even(kind, node, nodes, state)
        )

    def _placed(self, term: Term, value: str, nodes: Sequence[int], state: Sequence[Counts]) -> int:
        matching = self._matching[term]
        total = 0
        for number, counts in zip(nodes, state, strict=True):
            if self._nodes[number].labels.get(term.key) == value:
                total += sum(n for n, yes in zip(counts, matching, strict=True) if yes)
        return total

    def _far(self, kind: int, node: Node, nodes: Sequence[int], state: Sequence[Counts]) -> bool:
        for term in self._apart[kind]:
            value = node.labels.get(term.key)
            if value is not None and (
                self._there[term].get(value, 0) or self._placed(term, value, nodes, state)
            ):
                return False
        for other, terms in enumerate(self._apart):
            for term in terms:
                if not self._matching[term][kind] or (value := node.labels.get(term.key)) is None:
                    continue
                for number, counts in zip(nodes, state, strict=True):
                    if counts[other] and self._nodes[number].labels.get(term.key) == value:
                        return False
        return True

    def _close(self, kind: int, node: Node, nodes: Sequence[int], state: Sequence[Counts]) -> bool:
        terms = self._near[kind]
        if not terms:
            return True
        if any(term.key not in node.labels for term in terms):
            return False
        like = [all(self._matching[t][k] for t in terms) for k in range(len(self.kinds))]
        found, anywhere = [], False
        for term, there in self._all_near[kind]:
            count = there.get(node.labels[term.key], 0)
            anywhere = anywhere or bool(there)
            for number, counts in zip(nodes, state, strict=True):
                placed = sum(n for n, yes in zip(counts, like, strict=True) if yes)
                other = self._nodes[number].labels
                anywhere = anywhere or bool(placed and term.key in other)
                count += placed if other.get(term.key) == node.labels[term.key] else 0
            found.append(count > 0)
        # The first of pods that want to be together may go anywhere.
        return all(found) or (not anywhere and like[kind])

    def _even(self, kind: int, node: Node, nodes: Sequence[int], state: Sequence[Counts]) -> bool:
        for term in self._spread[kind]:
            value = node.labels.get(term.key)
            if value is None:
                return False
            domains = self._counted[kind][term]
            counts = {}
            for domain, members in domains.items():
                names = {member.name for member in members}
                total = sum(_matching_here(term, member) for member in members)
                for number, placed in zip(nodes, state, strict=True):
                    if self._nodes[number].name in names:
                        total += sum(
                            n for n, yes in zip(placed, self._matching[term], strict=True) if yes
                        )
                counts[domain] = total
            least = min(counts.values(), default=0) if len(counts) >= term.domains else 0
            own = int(self._matching[term][kind])
            if counts.get(value, 0) + own - least > term.skew:
                return False
        return True


class _Search:
    """Follows every way to place pods, one class of nodes after the other."""

    def __init__(
        self, packing: Packing, nodes: Sequence[int], classes: Sequence[object], kinds: int
    ) -> None:
        self._packing, self._nodes, self._kinds = packing, nodes, kinds
        numbers: dict[object, int] = {}
        self._class = [numbers.setdefault(classes[n], len(numbers)) for n in nodes]
        self._seen: dict[object, frozenset[Counts]] = {}
        self.cut = False

    def follow(
        self, state: tuple[Counts, ...], queue: tuple[int, ...], waited: int
    ) -> frozenset[Counts]:
        """Return what may become of the queue, of which the last `waited` found no room."""
        if waited == len(queue):
            total = tuple(sum(counts[k] for counts in state) for k in range(self._kinds))
            return frozenset([total])
        alike = frozenset(Counter(zip(self._class, state, strict=True)).items())
        key = (alike, queue, waited)
        if key in self._seen:
            return self._seen[key]
        first, rest = queue[0], queue[1:]
        found: set[Counts] = set()
        tried: set[tuple[int, Counts]] = set()
        for place, counts in enumerate(state):
            if (self._class[place], counts) in tried:
                continue
            tried.add((self._class[place], counts))
            if not self._packing.fits(first, place, self._nodes, state):
                continue
            one = tuple(n + (k == first) for k, n in enumerate(counts))
            found |= self.follow((*state[:place], one, *state[place + 1 :]), rest, 0)
            if len(self._seen) > STATES:
                self.cut = True
                break
        if not found:
            found |= self.follow(state, (*rest, first), waited + 1)
        self._seen[key] = frozenset(found)
        return self._seen[key]


def _matching_here(term: Term, node: Node) -> int:
    return sum(
        term.matches(pod, pod["metadata"].get("namespace", ""))
        for pod in node.pods
        if "deletionTimestamp" not in pod["metadata"]
    )


def _matching_pods(nodes: Sequence[Node], terms: Mapping[Term, object]) -> dict[Term, Counter[str]]:
    """Return how many pods that are there each term speaks of, by domain."""
    found: dict[Term, Counter[str]] = {term: Counter() for term in terms}
    for node in nodes:
        for pod in node.pods:
            for term, counts in found.items():
                value = node.labels.get(term.key)
                if value is not None and term.matches(pod, pod["metadata"].get("namespace", "")):
                    counts[value] += 1
    return found


def _all_matching(nodes: Sequence[Node], terms: Sequence[Term]) -> list[tuple[Term, Counter[str]]]:
    """Return of each term, by domain, how many pods there all of the terms speak of."""
    found: list[tuple[Term, Counter[str]]] = [(term, Counter()) for term in terms]
    for node in nodes if terms else ():
        for pod in node.pods:
            if all(term.matches(pod, pod["metadata"].get("namespace", "")) for term in terms):
                for term, counts in found:
                    if (value := node.labels.get(term.key)) is not None:
                        counts[value] += 1
    return found


def _stay_away(
    node: Node,
    nodes: Sequence[Node],
    kinds: Sequence[Kind],
    namespace: str,
    spaces: Namespaces,
    allowed: Mapping[str, list[bool]],
) -> None:
    """Close the domains whose pods don't want the new ones beside them."""
    for pod in node.pods:
        for term in affinity(pod, pod["metadata"].get("namespace", ""), spaces, "podAntiAffinity"):
            value = node.labels.get(term.key)
            for number, kind in enumerate(kinds):
                if value is None or not term.matches(kind.pod, namespace):
                    continue
                for other in nodes:
                    if other.labels.get(term.key) == value:
                        allowed[other.name][number] = False
