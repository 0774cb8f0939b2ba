"""What a pod asks of a node."""

from collections import Counter
from collections.abc import Mapping

from . import Object
from .quantity import amount

Amounts = Mapping[str, int]


def requests(pod: Object) -> dict[str, int]:
    """Return what the scheduler counts for a pod, by resource: see `quantity.amount` for the units.

    Containers run beside each other and beside init containers that restart always; other init
    containers one after the other, before. What the pod asks for as a whole wins; overhead is
    added.
    """
    spec = pod["spec"]
    total: Counter[str] = Counter()
    for container in spec.get("containers") or []:
        total.update(of_container(container))
    beside: Counter[str] = Counter()
    most: dict[str, int] = {}
    for container in spec.get("initContainers") or []:
        asked = Counter(of_container(container))
        if container.get("restartPolicy") == "Always":
            beside.update(asked)
            needed = beside
        else:
            needed = asked + beside
        for name, value in needed.items():
            most[name] = max(most.get(name, 0), value)
    total.update(beside)
    result = {name: max(total.get(name, 0), most.get(name, 0)) for name in {*total, *most}}
    result |= of_container(spec)
    for name, quantity in (spec.get("overhead") or {}).items():
        result[name] = result.get(name, 0) + amount(name, quantity)
    return {name: value for name, value in result.items() if value}


def of_container(container: Object) -> dict[str, int]:
    """Return what a container asks for; a limit without a request is one."""
    resources = container.get("resources") or {}
    asked = {**(resources.get("limits") or {}), **(resources.get("requests") or {})}
    return {name: amount(name, quantity) for name, quantity in asked.items()}


def limits(pod: Object) -> dict[str, int]:
    """Return the sum of its containers' limits, by resource."""
    total: Counter[str] = Counter()
    for container in pod["spec"].get("containers") or []:
        found = (container.get("resources") or {}).get("limits") or {}
        total.update({name: amount(name, quantity) for name, quantity in found.items()})
    return dict(total)
