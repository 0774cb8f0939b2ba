"""Write values.schema.json from the comments beside the chart's values.

A line `# @schema {...}` above a key is merged into what its value tells: the type, and for a map
that no further keys are allowed. None is required: what is not there has its default
(tools/defaults.py). `partialOf: KEY` in it stands for the schema of that key, `only: [...]` beside
it for some of its keys alone, and `kubernetes: TYPE` for Kubernetes' own (kubernetes_types.py). The
lines from `# -- ` on are the description. It is our own for the first and the last.
"""

import argparse
import json
import re
import sys
from pathlib import Path
from typing import Any

import yaml

import kubernetes_types

CHART = Path(__file__).parent.parent / "charts" / "hybrid-llm"
KEY = re.compile(r"^( *)([A-Za-z][A-Za-z0-9_-]*):( |$)")
ANNOTATION = "# @schema "
TYPES = {
    bool: "boolean",
    int: "integer",
    float: "number",
    str: "string",
    dict: "object",
    list: "array",
}

MOST = 2**31 - 1  # of an integer

Schema = dict[str, Any]
Path_ = tuple[str, ...]


def main() -> int:
    """Print the schema of the chart's values, or write it to --out."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("values", nargs="?", type=Path, default=CHART / "values.yaml")
    parser.add_argument("--out", type=Path, default=CHART / "values.schema.json")
    arguments = parser.parse_args()
    text = arguments.values.read_text()
    try:
        root = schema_of(yaml.safe_load(text), (), read_comments(text.splitlines()))
        partials(root, root["properties"])
        bound(root)
        definitions = kubernetes_types.expand(root)
    except ValueError as mistake:
        sys.exit(f"{arguments.values}: {mistake}")
    # What Helm itself puts there: values of a parent chart, for all its subcharts.
    root["properties"]["global"] = {"type": "object", "additionalProperties": True}
    # And where that chart has `condition: hybrid-llm.enabled`.
    root["properties"]["enabled"] = {"type": "boolean"}
    whole = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "$comment": "Generated from values.yaml by `make render`; do not edit.",
        "title": "Values of hybrid-llm",
        **root,
        "definitions": definitions,
    }
    arguments.out.write_text(json.dumps(whole, indent=2) + "\n")
    return 0


def read_comments(lines: list[str]) -> dict[Path_, Schema]:
    """Return {path of a key: what its comment says} for every key that has one.

    Raises:
        ValueError: an annotation is no map, or belongs to no key; the message names the line.
    """
    found: dict[Path_, Schema] = {}
    at: list[tuple[int, str]] = []  # indentation and name of the keys around
    comment: Schema = {}
    for number, line in enumerate(lines, 1):
        stripped = line.strip()
        if stripped.startswith(ANNOTATION.strip()):
            comment |= _annotation(stripped, number)
        elif stripped.startswith("# -- "):
            # Without the type that helm-docs wants said of a null.
            comment["description"] = re.sub(r"^\(\w+\) ", "", stripped[5:])
        elif stripped.startswith("#"):
            if "description" in comment:
                comment["description"] += " " + stripped[1:].strip()
        elif key := KEY.match(line):
            indentation = len(key[1])
            while at and at[-1][0] >= indentation:
                at.pop()
            at.append((indentation, key[2]))
            if comment:
                found[tuple(name for _, name in at)] = comment
            comment = {}
        elif comment:
            raise ValueError(f"line {number}: the comment above it belongs to no key")
    if comment:
        raise ValueError(f"line {len(lines)}: the last comment belongs to no key")
    return found


def _annotation(line: str, number: int) -> Schema:
    try:
        given = yaml.safe_load(line[len(ANNOTATION) :])
    except yaml.YAMLError as error:
        raise ValueError(f"line {number}: {error}") from None
    if not isinstance(given, dict):
        raise ValueError(f"line {number}: `@schema` wants a map")
    return given


def schema_of(value: object, path: Path_, comments: dict[Path_, Schema]) -> Schema:
    """Return the schema of a value and all in it."""
    comment = comments.get(path, {})
    schema: Schema = {}
    if value is not None and "enum" not in comment:
        schema["type"] = TYPES[type(value)]
    if isinstance(value, dict) and not {"additionalProperties", "kubernetes"} & comment.keys():
        schema["additionalProperties"] = False
        schema["properties"] = {
            name: schema_of(inner, (*path, name), comments) for name, inner in value.items()
        }
    schema |= comment
    if "number" in (types := _list(schema.get("type"))):
        schema |= {"type": [*types, "string"], "pattern": schema.get("pattern", _pattern(schema))}
    if value is None and not {"type", "kubernetes"} & schema.keys():
        raise ValueError(f"{'.'.join(path)}: null tells no type; say it by `# @schema`")
    if not isinstance(value, dict) or "properties" not in schema:
        schema["default"] = value
    return schema


def _list(types: Any) -> list[str]:
    return types if isinstance(types, list) else [types]


def _pattern(schema: Schema) -> str:
    """Return the pattern of a number as text, which is what `--set key=0.5` gives.

    Helm reads whole numbers alone as numbers. The bounds that numbers here have are 0 and 1; what
    else there is a template looks at, or the comment has a pattern of its own.
    """
    positive = "exclusiveMinimum" in schema
    whole = r"0*[1-9][0-9]*(\.[0-9]+)?" if positive else r"[0-9]+(\.[0-9]+)?"
    part = r"0*\.[0-9]*[1-9][0-9]*" if positive else r"0*\.[0-9]+"
    if schema.get("maximum") == 1:
        whole = r"1(\.0+)?" if positive else r"[01](\.0+)?"
    return f"^({whole}|{part})$"


def partials(schema: Any, sections: Schema) -> None:
    """Replace, anywhere in a schema, {partialOf: KEY} by that section."""
    for inner in schema.values() if isinstance(schema, dict) else schema:
        if isinstance(inner, dict) and (name := inner.pop("partialOf", None)):
            copy = json.loads(json.dumps(sections[name]))
            if only := inner.pop("only", None):
                copy["properties"] = {key: copy["properties"][key] for key in only}
            inner |= copy
        if isinstance(inner, dict | list):
            partials(inner, sections)


def bound(schema: Any) -> None:
    """Give every integer without a maximum that of 32 bits, as Kubernetes, Ray and vLLM have it."""
    for inner in schema.values() if isinstance(schema, dict) else schema:
        if isinstance(inner, dict | list):
            bound(inner)
    if isinstance(schema, dict) and "integer" in _list(schema.get("type")):
        schema.setdefault("maximum", MOST)


if __name__ == "__main__":
    sys.exit(main())
