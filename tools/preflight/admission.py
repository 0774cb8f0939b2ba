"""What the API server makes of a pod before the scheduler sees it."""

import copy
from collections.abc import Mapping, Sequence

from . import Object
from .quantity import amount


def admitted(
    pod: Object,
    ranges: Sequence[Object] = (),
    runtime: Object | None = None,
    priorities: Mapping[str, Object] | None = None,
) -> Object:
    """Return a pod with the defaults that the cluster gives it.

    Args:
        pod: as its controller makes it.
        ranges: the namespace's LimitRanges.
        runtime: the RuntimeClass that it names.
        priorities: the cluster's PriorityClasses, by name.
    """
    pod = copy.deepcopy(pod)
    spec = pod["spec"]
    containers = [*(spec.get("containers") or []), *(spec.get("initContainers") or [])]
    for container in containers:
        resources = container["resources"] = dict(container.get("resources") or {})
        asked = resources["requests"] = dict(resources.get("requests") or {})
        bounds = resources["limits"] = dict(resources.get("limits") or {})
        for name, quantity in bounds.items():
            asked.setdefault(name, quantity)
        for limit in (one for r in ranges for one in r["spec"].get("limits") or []):
            if limit["type"] == "Container":
                for name, quantity in (limit.get("default") or {}).items():
                    bounds.setdefault(name, quantity)
                for name, quantity in (limit.get("defaultRequest") or {}).items():
                    asked.setdefault(name, quantity)
        for name, quantity in bounds.items():
            asked.setdefault(name, quantity)
    if runtime:
        if fixed := (runtime.get("overhead") or {}).get("podFixed"):
            spec["overhead"] = fixed
        scheduling = runtime.get("scheduling") or {}
        spec["nodeSelector"] = {
            **(spec.get("nodeSelector") or {}),
            **(scheduling.get("nodeSelector") or {}),
        }
        spec["tolerations"] = [
            *(spec.get("tolerations") or []),
            *(scheduling.get("tolerations") or []),
        ]
    classes = priorities or {}
    named = classes.get(spec.get("priorityClassName") or "")
    named = named or next((c for c in classes.values() if c.get("globalDefault")), None)
    spec.setdefault("priority", named["value"] if named else 0)
    spec.setdefault(
        "preemptionPolicy", (named or {}).get("preemptionPolicy", "PreemptLowerPriority")
    )
    return pod


def refused(pod: Object, ranges: Sequence[Object]) -> list[str]:
    """Return why LimitRanges, or limits below requests, forbid an admitted pod."""
    reasons = []
    spec = pod["spec"]
    for container in [*(spec.get("containers") or []), *(spec.get("initContainers") or [])]:
        resources = container["resources"]
        asked, bounds = resources["requests"], resources["limits"]
        for name, quantity in asked.items():
            if name in bounds and amount(name, quantity) > amount(name, bounds[name]):
                reasons.append(
                    f"{container['name']} asks for {quantity} {name}, and the limit that it gets "
                    f"by default is {bounds[name]}"
                )
        for limit in (one for r in ranges for one in r["spec"].get("limits") or []):
            if limit["type"] != "Container":
                continue
            for name, quantity in (limit.get("max") or {}).items():
                has = bounds.get(name)
                if has is None:
                    reasons.append(f"{container['name']} has no limit of {name}, and must")
                elif amount(name, has) > amount(name, quantity):
                    reasons.append(
                        f"{container['name']} may take {has} {name}, at most {quantity} are allowed"
                    )
            for name, quantity in (limit.get("min") or {}).items():
                has = asked.get(name)
                if has is None or amount(name, has) < amount(name, quantity):
                    reasons.append(
                        f"{container['name']} asks for {has or 'no'} {name}, at least "
                        f"{quantity} are needed"
                    )
            for name, ratio in (limit.get("maxLimitRequestRatio") or {}).items():
                if (
                    name not in bounds
                    or name not in asked
                    or amount(name, bounds[name]) > amount(name, asked[name]) * float(ratio)
                ):
                    reasons.append(
                        f"{container['name']}: limit over request of {name} is above {ratio}"
                    )
    for limit in (one for r in ranges for one in r["spec"].get("limits") or []):
        if limit["type"] == "Pod":
            from .requests import limits

            total = limits(pod)
            for name, quantity in (limit.get("max") or {}).items():
                if name not in total or total[name] > amount(name, quantity):
                    reasons.append(f"the pod's limits of {name} are none, or above {quantity}")
    return reasons
