"""The plan, for people and for programs."""

import dataclasses
import json
import math
import textwrap
from dataclasses import dataclass
from typing import Any

from .load import Load
from .rates import Rates
from .release import Replica
from .sizing import FREE, HOURS, Objective, Size

WIDTH = 110  # of a line


@dataclass(frozen=True)
class Plan:
    """All that was worked out.

    Args:
        load: planned for.
        quiet: requests a second in the quietest hour.
        objective: to keep.
        replica: as the chart lays it out.
        rates: of it.
        busiest: what the load needs.
        least: replicas in the quietest hour.
        price: of an accelerator's hour.
    """

    load: Load
    quiet: float
    objective: Objective
    replica: Replica
    rates: Rates
    busiest: Size
    least: int
    price: float

    @property
    def values(self) -> dict[str, Any]:
        """The chart's values that follow."""
        found: dict[str, Any] = {
            "autoscaling.minReplicas": self.least,
            "autoscaling.maxReplicas": self.busiest.replicas,
            "autoscaling.targetOngoingRequests": max(1, math.floor(self.busiest.most.running)),
        }
        fits = int(self.rates.engine.at_once(self.load))
        if fits < self.replica.sequences:
            found["engine.maxNumSeqs"] = fits
        return found

    def month(self, replicas: int) -> float:
        """Return what so many replicas cost in a month."""
        return replicas * max(1, self.replica.accelerators) * self.price * HOURS

    @property
    def million(self) -> dict[str, float]:
        """What a million tokens cost in the busiest hour, as the dashboard reckons it."""
        hour = self.month(self.busiest.replicas) / HOURS
        thinking = self.load.share * self.load.thinking
        every = 3600 * self.load.requests / 1e6  # of a token a request: millions an hour
        return {
            "of thinking or of answers": hour / (every * (thinking + self.load.answer)),
            "of answers, with the thinking that they took": hour / (every * self.load.answer),
        }


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def shown(plan: Plan) -> str:
    """Return the plan line by line, the answer first."""
    load, replica, busiest, engine = plan.load, plan.replica, plan.busiest, plan.rates.engine
    count = busiest.replicas * replica.accelerators
    noun = "replica" if busiest.replicas == 1 else "replicas"
    of = f", {count} x {replica.label} in all" if count else ""
    month, least = plan.month(busiest.replicas), plan.month(plan.least)
    at_once, prefill = engine.at_once(load), engine.prefill(load.prompt)
    lines = [
        f"{busiest.replicas} {noun} of {replica.id}, each on {replica.where}{of}; "
        + (f"{_number(least)} to " if least < month else "")
        + f"{_number(month)} a month.",
        *(textwrap.fill(f"WARNING: {one}.", WIDTH) for one in plan.rates.warnings),
        "",
        "Expected, in seconds: what 50 and 95 of 100 requests don't exceed",
        f"  {'':18}{'first token':>18}{'first of answer':>18}{'end':>18}",
    ]
    for kind, whats in busiest.now.seconds.items():
        cells = "".join(f"{f'{one.p50:.2f}, {one.p95:.2f}':>18}" for one in whats.values())
        lines.append(f"  {kind:18}{cells}")
    lines += [
        textwrap.fill(
            f"  a replica is used to {100 * busiest.now.rate / busiest.saturation:.0f} %, with "
            f"{busiest.now.running:.1f} requests in flight; limited by {busiest.limit}",
            WIDTH,
            subsequent_indent="    ",
        ),
        "",
        "Arithmetic",
    ]
    steps = [
        *plan.rates.lines,
        f"Cache: it holds {replica.cache:,} tokens (the chart's own arithmetic); a running request "
        f"comes to {engine.room(load.over_time(1)):.0f}, so {at_once:.0f} run at once, of "
        f"engine.maxNumSeqs {replica.sequences}.",
        f"Most: {load.generated:.0f} tokens a request x "
        f"{1e3 * engine.step(at_once):.1f} ms a step / {at_once:.0f} at once + "
        f"{1e3 * prefill:.1f} ms for its start: a replica can't exceed "
        f"{busiest.saturation:.3g} requests a second. {100 * FREE:.0f} % of that are kept free.",
        f"Queue: one replica is simulated step by step, its arrivals independent; up to "
        f"{busiest.most.rate:.3g} requests a second it keeps the objective.",
        f"Replicas: {load.requests:g} / {busiest.most.rate:.3g}, rounded up: {busiest.replicas}. "
        "None is spare.",
        f"Little's law: {busiest.most.rate:.3g} a second x "
        f"{busiest.most.running / busiest.most.rate:.1f} s = {busiest.most.running:.1f} in flight "
        "there: autoscaling.targetOngoingRequests.",
        f"Cost: {busiest.replicas} x {max(1, replica.accelerators)} x {plan.price:g} x {HOURS} h = "
        f"{_number(month)} a month.",
        *(f"  a million tokens {what}: {value:.3g}" for what, value in plan.million.items()),
    ]
    lines += [textwrap.fill(step, WIDTH, subsequent_indent="    ") for step in steps]
    values = ",".join(f"{key}={value}" for key, value in plan.values.items())
    lines += ["", "Values", f"--set {values}"]
    if replica.lanes:
        lines.append(
            "reasoning.lanes is on, and not reckoned with: quick answers wait less than this says."
        )
    return "\n".join(lines)


def as_json(plan: Plan) -> str:
    """Return the plan for programs."""
    busiest = plan.busiest
    return json.dumps(
        {
            "measured": plan.rates.measured,
            "replicas": busiest.replicas,
            "accelerators": busiest.replicas * plan.replica.accelerators,
            "accelerator": plan.replica.label,
            "tensor": plan.replica.tensor,
            "pipeline": plan.replica.pipeline,
            "hosts": plan.replica.hosts,
            "limit": busiest.limit,
            "saturation": busiest.saturation,
            "utilisation": busiest.now.rate / busiest.saturation,
            "at_most": dataclasses.asdict(busiest.most),
            "expected": dataclasses.asdict(busiest.now),
            "month": [plan.month(plan.least), plan.month(busiest.replicas)],
            "million_tokens": plan.million,
            "arithmetic": plan.rates.lines,
            "warnings": plan.rates.warnings,
            "values": plan.values,
        },
        indent=2,
    )
