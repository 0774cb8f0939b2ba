"""Draft a model's preset from what it publishes: its config.json, chat template and sizes.

`make preset MODEL=owner/name`, or `make preset CONFIG=folder [MODEL=owner/name] [TEMPLATE=file]`.
"""

import argparse
import os
import sys
from pathlib import Path

import jinja2

from . import Stop, draft
from .files import Files, from_hub, from_path
from .weights import count

ROOT = Path(__file__).parents[2]
PRESETS = ROOT / "charts/hybrid-llm/presets/models"


def main(argv: list[str] | None = None) -> int:
    """Write the draft, and return the exit status."""
    options = _options(argv)
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")  # it tells of kernels that it lacks
    try:
        files = _files(options)
        given = options.config or Path()
        name = draft.name_of(files, (given if given.is_dir() else given.parent).resolve().name)
        found = _drafted(name, files, options.template)
        return _written(found, options.out, options.force)
    except Stop as stop:
        print(f"error: {stop}", file=sys.stderr)
        return 1


def _options(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="make preset", description=(__doc__ or "").split("\n")[0], allow_abbrev=False
    )
    add = parser.add_argument
    add("--model", default="", help="owner/name on the hub")
    add("--config", type=Path, help="a config.json, or its folder, instead of the hub's")
    add("--template", type=Path, help="the chat template, where it is not the model's own")
    add("--out", help="a file, or - for the screen (the chart's presets/models/NAME.yaml)")
    add("--force", action="store_true", help="write over a file that is there")
    return parser.parse_args(argv)


def _files(options: argparse.Namespace) -> Files:
    if options.config:
        return from_path(options.config, options.model, options.template)
    if not options.model:
        raise Stop("name a model: make preset MODEL=owner/name, or CONFIG=path/to/config.json")
    if options.model.count("/") != 1:
        raise Stop(f"MODEL={options.model}: give owner/name; files of your own by CONFIG=folder")
    return from_hub(options.model, options.template)


def _drafted(name: str, files: Files, template: Path | None) -> draft.Draft:
    try:
        return draft.draft(name, files, count(files.config))
    except (jinja2.TemplateError, TypeError) as error:
        which = template or "its chat template"
        raise Stop(f"{which}: can't be rendered: {error}; give another by TEMPLATE=file") from None


def _written(found: draft.Draft, out: str | None, force: bool) -> int:
    if out == "-":
        print(found.text, end="")
        return 0
    path = Path(out) if out else PRESETS / f"{found.name}.yaml"
    if path.exists() and not force:
        raise Stop(
            f"{path}: is there already; ARGS=--force writes over it, ARGS='--out -' shows it"
        )
    path.write_text(found.text)
    print(f"wrote {path.relative_to(ROOT) if path.is_relative_to(ROOT) else path}")
    if found.open:
        print(f"left to do, at # TODO: {', '.join(found.open)}")
    print("then: check it against the model's card, and `make render`")
    return 0


if __name__ == "__main__":
    sys.exit(main())
