"""The chart's defaults, for its own templates: files/defaults.yaml.

Helm drops a key that a user sets to null, and `helm upgrade --reuse-values` lacks those that came
with the new version. The templates put in what is missing from this file, for Helm does not show
them values.yaml.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from schema import CHART, Path_, Schema, read_comments


def defaults(values: Path = CHART / "values.yaml") -> str:
    """Return {path of a value: its default} as YAML, without those that are null."""
    text = values.read_text()
    found = dict(_leaves(yaml.safe_load(text), (), read_comments(text.splitlines())))
    return yaml.safe_dump(found, sort_keys=False, width=100)


def _leaves(value: Any, path: Path_, comments: dict[Path_, Schema]) -> Iterator[tuple[str, Any]]:
    # A map with keys of the user's own is one value: an entry of it that is null is left out.
    whole = {"additionalProperties", "kubernetes"} & comments.get(path, {}).keys()
    if isinstance(value, dict) and not whole:
        for key, inner in value.items():
            yield from _leaves(inner, (*path, key), comments)
    elif value is not None:
        yield ".".join(path), value
