"""How fast a replica is that nobody has measured: by its data sheet and others' tables."""

from functools import cache

import yaml

from . import Stop
from .curve import Curve, Line, line
from .hardware import COMPUTE, active, peak
from .load import Load
from .rates import Rates
from .release import CHART, Replica
from .simulation import Engine
from .table import by_prompt, every

MOST = 64  # streams: beyond them the front end is the limit in some tables, not the accelerator
Key = tuple[str, str, int]


@cache
def shown_by_tables(without: Key | None = None) -> tuple[Line, float, int]:
    """Return what bench/ shows of GPUs, for those that it has not measured.

    It is a step's seconds by those of reading the weights once at the data sheet's bandwidth; the
    seconds of a request's start beyond its prefill, at most; and the number of tables.

    Args:
        without: a table that does not count.
    """
    presets = [
        yaml.safe_load(p.read_text()) for p in (CHART / "presets/accelerators").glob("*.yaml")
    ]
    points, starts = [], [0.0]
    for key, table in every().items():
        name, label, tensor = key
        if key == without:
            continue
        sheet = next((one for one in presets if one["label"] == label and "peak" in one), None)
        path = CHART / "presets" / "models" / f"{name}.yaml"
        if not sheet or not path.exists():
            continue
        model = yaml.safe_load(path.read_text())
        best = peak(sheet, model, tensor)
        assert best
        used, _ = by_prompt([row for row in table.rows if row.streams <= MOST])
        steps = line([(row.streams, row.step) for row in used])
        points.append((model["weightBytes"] / best.bandwidth, steps.base))
        prompt = sum(row.prompt for row in used) / len(used)
        each = line([(row.streams, row.first) for row in used]).each
        starts.append(each - 2 * active(model) * prompt / (best.compute * COMPUTE))
    return line(points), max(starts), len(points)


def by_arithmetic(replica: Replica, load: Load, without: Key | None = None) -> Rates:
    """Return the rates of a replica that nobody has measured.

    Args:
        replica: that one.
        load: planned for.
        without: a table that is not looked at, to see how right this is.

    Raises:
        Stop: there is nothing to reckon with.
    """
    count = max(1, replica.accelerators)
    best = peak(replica.accelerator, replica.model, count)
    if not best:
        raise Stop(
            f"{replica.id} on {replica.where} was not measured, and the accelerator's preset has "
            "no `peak` to reckon with: measure a replica and name the --table (docs/sizing.md), or "
            '--set-json \'accelerator.overrides.peak={"bandwidthGBs": 864, "tflops": 362}\''
        )
    shown, start, tables = shown_by_tables(without)
    # The stages of a pipeline take turns at a sequence, and work at others meanwhile.
    bandwidth = best.bandwidth / replica.pipeline
    read = replica.model["weightBytes"] / bandwidth
    base = shown.base + shown.each * read
    one = 2 * active(replica.model) / (best.compute * COMPUTE)
    context = load.over_time(0.5)
    cache = context * replica.token_bytes / best.bandwidth * max(1.0, shown.each)
    sheet = "by the data sheet"
    of_a_stage = ", of the accelerators of a stage" if replica.pipeline > 1 else ""
    lines = [
        f"Not measured: {replica.id} on {replica.where}. By arithmetic, out of the presets:",
        f"  weights: {replica.model['weightBytes'] / 1e9:.1f} GB / {bandwidth / 1e9:.0f} GB/s "
        f"({sheet}{of_a_stage}) = {1e3 * read:.1f} ms; a step takes {1e3 * shown.base:.1f} ms + "
        f"{shown.each:.2f} x that = {1e3 * base:.1f} ms, as the {tables} tables of GPUs in bench/ "
        f"show (largest error {100 * shown.error:.0f} %)",
        f"  each sequence: 2 x {active(replica.model) / 1e9:.1f} G parameters / (half of "
        f"{best.compute / 1e12:.0f} TFLOPS, {sheet}) = {1e3 * one:.3f} ms, and "
        f"{1e3 * cache:.3f} ms to read the KV cache of its {context:.0f} tokens",
        f"  the start of a request: {1e3 * start:.2f} ms + {load.prompt:.0f} tokens x "
        f"{1e3 * one:.4f} ms = {1e3 * (start + one * load.prompt):.1f} ms of all",
    ]
    warnings = ["nothing of this was measured: measure one replica before you buy (docs/sizing.md)"]
    if count > 1:
        warnings.append(
            f"what {count} accelerators say to each other in a step is not reckoned with"
            + (f", nor is the network between {replica.hosts} hosts" * (replica.hosts > 1))
        )
    if replica.pipeline > 1:
        warnings.append(
            f"the {replica.pipeline} stages are taken to work all the time: that one waits for "
            "another (a pipeline's bubbles) is not reckoned with, so first tokens come later"
        )
    step = Curve(((1, base + one + cache), (2, base + 2 * (one + cache))))
    engine = Engine(step, start, one, 0.0, replica.sequences, *replica.cached)
    return Rates(engine, False, 0, tuple(lines), tuple(warnings))
