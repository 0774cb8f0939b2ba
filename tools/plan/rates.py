"""How fast a replica is, out of a measured table."""

from dataclasses import dataclass

from .curve import curve, line
from .hardware import COMPUTE, active, peak
from .load import Load
from .release import Replica
from .simulation import Engine
from .table import ALIKE, Table, by_prompt


@dataclass(frozen=True)
class Rates:
    """An engine, and how it was come by.

    Args:
        engine: for the load that is planned for.
        measured: whether it is from a table.
        most: streams up to which it was measured; 0: not at all.
        lines: the arithmetic in words, one step a line.
        warnings: what of it nobody has measured.
    """

    engine: Engine
    measured: bool
    most: float
    lines: tuple[str, ...]
    warnings: tuple[str, ...]


def by_table(replica: Replica, load: Load, table: Table) -> Rates:
    """Return the rates that a table shows, for this load's lengths.

    The streams of a row began together, so its first tokens waited for the starts of all: what they
    take more for each stream is what a start takes. A step is what was between two later tokens.

    Args:
        replica: the table's.
        load: planned for.
        table: its measurements.
    """
    within = [row for row in table.rows if row.streams <= replica.sequences]
    if len({row.streams for row in within}) < 2:
        within = list(table.rows)
    usual, longer = by_prompt(within)
    short = min(row.prompt for row in usual)
    least, most = (of(row.streams for row in usual) for of in (min, max))
    alone = [row for row in within if row.streams == least]
    step = curve((row.streams, row.step) for row in usual)
    first = line([(row.streams, row.first) for row in usual])
    best = peak(replica.accelerator, replica.model, max(1, replica.accelerators))
    lines = [
        f"Measured: {table.source}, {len(within)} rows up to {most:.0f} streams.",
        f"  a step: {', '.join(f'{1e3 * y:.2f} ms of {x:.0f}' for x, y in step.points)}; between "
        "them by a line",
    ]

    prompts = [row.prompt for row in alone]
    token = 0.0
    if max(prompts) > ALIKE * short:
        token = line([(row.prompt, row.first) for row in alone]).each
        how = f"measured up to {max(prompts):.0f}"
    elif best:
        # What starts together can't take less each than its prompt does.
        token = min(2 * active(replica.model) / (best.compute * COMPUTE), first.each / short)
        how = (
            f"not measured: by half of {best.compute / 1e12:.0f} TFLOPS, the data sheet's, or less"
        )
    else:
        how = "not measured: longer prompts are taken to be as quick"
    start = max(0.0, first.each - token * short)
    overhead = max(0.0, first.base - step(least))
    lines.append(
        f"  the start of a request: {1e3 * start:.2f} ms + {load.prompt:.0f} tokens x "
        f"{1e3 * token:.4f} ms ({how}) = {1e3 * (start + token * load.prompt):.1f} ms of all"
    )
    lines.append(f"  until a client sees a token: {1e3 * overhead:.0f} ms outside the engine")

    there = short + sum(row.output for row in usual) / len(usual) / 2
    more = load.over_time(0.5) - there
    deeper = [
        (row.step - step(row.streams)) / row.streams / (row.prompt - short)
        for row in longer
        if row.streams > least
    ]
    if deeper:
        context, how = max(0.0, sum(deeper) / len(deeper)), "measured"
    else:
        context = replica.token_bytes / best.bandwidth if best else 0.0
        how = f"not measured: by {best.bandwidth / 1e9:.0f} GB/s, the data sheet's" if best else ""
    if more > 0 and context:
        step = step.tilted(context * more)
        lines.append(
            f"  a sequence has {load.over_time(0.5):.0f} tokens in the mean, {there:.0f} there: "
            f"{1e3 * context * more:.3f} ms more of a step for each ({how})"
        )
    longest = max(row.prompt for row in within)
    warnings = []
    if load.prompt > ALIKE * longest:
        warnings.append(
            f"prompts of {load.prompt:.0f} tokens were not measured: {longest:.0f} at most"
        )
    if most < replica.sequences:
        warnings.append(
            f"more than {most:.0f} streams were not measured: up to engine.maxNumSeqs "
            f"{replica.sequences} a step is taken to grow as before"
        )
    engine = Engine(step, start, token, overhead, replica.sequences, *replica.cached)
    return Rates(engine, True, most, tuple(lines), tuple(warnings))
