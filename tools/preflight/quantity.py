"""Quantities of Kubernetes: "500m", "64Gi"."""

import math
from decimal import Decimal

from kubernetes.utils.quantity import parse_quantity


def number(quantity: str | int | float) -> Decimal:
    """Return a quantity as a number."""
    return Decimal(parse_quantity(quantity))  # type: ignore[no-untyped-call]


def amount(resource: str, quantity: str | int | float) -> int:
    """Return what the scheduler counts: thousandths of a CPU, whole units of others, rounded up."""
    value = number(quantity)
    return math.ceil(value * 1000 if resource.endswith("cpu") else value)


def shown(resource: str, value: int) -> str:
    """Return an amount for a reader: "500m" of cpu, "64 GiB" of memory, "4" of others."""
    if resource.endswith("cpu"):
        return f"{value / 1000:g}"
    if "memory" in resource or "storage" in resource or "hugepages" in resource:
        return f"{value / 2**30:.1f} GiB".replace(".0 ", " ")
    return str(value)
