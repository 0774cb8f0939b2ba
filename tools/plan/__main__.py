"""Say how many accelerators a load needs, how long its answers take, and what that costs.

`make plan ARGS="--preset qwen3-32b --accelerator h200 --requests 2"`. Other options are Helm's.
"""

import argparse
import json
import math
import sys
from pathlib import Path

from . import Stop
from .arithmetic import by_arithmetic
from .load import Load
from .rates import by_table
from .release import laid_out
from .report import Plan, as_json, shown
from .sizing import Objective, size
from .table import OURS, measured, read


def _options(argv: list[str] | None) -> tuple[argparse.Namespace, list[str]]:
    parser = argparse.ArgumentParser(
        prog="python -m tools.plan",
        description=(__doc__ or "").split("\n")[0],
        epilog="All other options are those of Helm: -f my-values.yaml, --set key=value ...",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--preset", help="of the model (the chart's)")
    add("--accelerator", help="its preset (the chart's)")
    add("--requests", type=float, required=True, help="a second, in the busiest hour")
    add("--quiet", type=float, help="requests a second in the quietest hour (as many)")
    add("--prompt", type=float, default=800, help="its tokens (%(default)g)")
    add("--thinking", type=float, default=1000, help="its tokens, of one that thinks (%(default)g)")
    add("--answer", type=float, default=300, help="its tokens (%(default)g)")
    add("--share", type=float, default=0.5, help="of the requests that think (%(default)g)")
    add("--variation", type=float, default=0.5, help="of lengths: deviation / mean (%(default)g)")
    add(
        "--first-answer",
        type=float,
        default=math.inf,
        help="seconds to it: 95 %% keep it (no objective)",
    )
    add("--quick", type=float, default=math.inf, help="the same for those that don't think")
    add("--price", type=float, default=1.0, help="of an accelerator's hour (%(default)g)")
    add("--table", type=Path, help="what you measured of one replica (docs/sizing.md)")
    add("--system", default=OURS, help="whose runs of the table count (%(default)s)")
    add("--json", action="store_true", help="for programs")
    return parser.parse_known_args(argv)


def plan(options: argparse.Namespace, others: list[str]) -> Plan:
    """Work it out.

    Args:
        options: the command line's.
        others: for Helm.

    Raises:
        Stop: it can't be, and why.
    """
    lengths = options.prompt, options.thinking, options.answer
    load = Load(options.requests, *lengths, options.share, options.variation)
    objective = Objective(options.quick, options.first_answer)
    quiet = load.requests if options.quiet is None else options.quiet
    if not 0 < quiet <= load.requests:
        raise Stop(f"--quiet {quiet:g}: give more than 0 and at most --requests {load.requests:g}")
    if not 0 <= options.price < math.inf:
        raise Stop(f"--price {options.price:g}: give what an accelerator's hour costs, 0 or more")
    table = read(options.table, options.system) if options.table else None
    named = (("model.preset", options.preset), ("accelerator.preset", options.accelerator))
    replica = laid_out([*others, *(f"--set={key}={name}" for key, name in named if name)])
    modes = replica.model["thinking"]["modes"]
    if modes != "both" and load.share != (only := int(modes == "always")):
        raise Stop(f"--share {load.share:g}: {replica.id} {modes} thinks; give --share {only}")
    longest = load.prompt + load.answer + (load.thinking if load.share else 0)
    if longest > replica.length:
        raise Stop(
            f"--prompt, --thinking and --answer: {longest:.0f} tokens together, and a request may "
            f"have {replica.length} (model.maxModelLen); shorten them, or --set model.maxModelLen=N"
        )
    table = table or measured(replica)
    rates = by_table(replica, load, table) if table else by_arithmetic(replica, load)
    busiest = size(rates.engine, load, objective)
    least = max(1, math.ceil(quiet / busiest.most.rate - 1e-9))
    return Plan(load, quiet, objective, replica, rates, busiest, least, options.price)


def main(argv: list[str] | None = None) -> int:
    """Print the plan; return the exit status."""
    options, others = _options(argv)
    try:
        found = plan(options, others)
    except Stop as stop:
        if options.json:
            print(json.dumps({"error": str(stop)}))
        print(f"error: {stop}", file=sys.stderr)
        return 1
    print(as_json(found) if options.json else shown(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
