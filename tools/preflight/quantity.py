"""Quantities of Kubernetes: "500m", "64Gi"."""

import math
from decimal import Decimal, InvalidOperation

# Our own and not the `kubernetes` package's, which the chart's Job has not: both run this one.
_TIMES = {
    **{"n": Decimal("1e-9"), "u": Decimal("1e-6"), "m": Decimal("1e-3")},
    **{unit: Decimal(1000) ** n for n, unit in enumerate("kMGTPE", 1)},
    **{f"{unit}i": Decimal(1024) ** n for n, unit in enumerate("KMGTPE", 1)},
}


def number(quantity: str | int | float) -> Decimal:
    """Return a quantity as a number; it may be written with an exponent too.

    Raises:
        ValueError: it is none.
    """
    text = str(quantity)
    suffix = next((text[-n:] for n in (2, 1) if text[-n:] in _TIMES), "")
    try:
        return Decimal(text.removesuffix(suffix)) * _TIMES.get(suffix, 1)
    except InvalidOperation:
        raise ValueError(f"no quantity: {text}") from None


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
