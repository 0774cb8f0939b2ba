"""Quantities of Kubernetes: "500m", "64Gi"."""

import math
from decimal import Decimal

_TIMES = {
    **{"n": Decimal("1e-9"), "u": Decimal("1e-6"), "m": Decimal("1e-3"), "": Decimal(1)},
    **{unit: Decimal(1000) ** n for n, unit in enumerate("kMGTPE", 1)},
    **{f"{unit}i": Decimal(1024) ** n for n, unit in enumerate("KMGTPE", 1)},
}


def number(quantity: str | int | float) -> Decimal:
    """Return a quantity as a number; it may be written with an exponent too."""
    text = str(quantity).strip()
    digits = text.rstrip("KMGTPEkinum") if not text.endswith(tuple("0123456789.")) else text
    return Decimal(digits) * _TIMES[text[len(digits) :]]


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
