"""Kubernetes' own JSON schemas of the types that values pass through, for values.schema.json.

They are the strict ones of the package kubernetes-validate: a field that Kubernetes doesn't know is
an error. What its API server checks in code and no schema says is in kubernetes_rules.yaml.
"""

import json
import re
from pathlib import Path
from typing import Any

import kubernetes_validate
import yaml

from schemas import KUBERNETES

Schema = dict[str, Any]
PLACE = re.compile(r"^io\.k8s\.(?:api\.|apimachinery\.pkg\.(?:apis\.|.*\.(?=\w+$)))")
RANGES = {"int32": (-(2**31), 2**31 - 1), "int64": (-(2**53), 2**53)}  # whole, as a double too
RULES = Path(__file__).with_name("kubernetes_rules.yaml")


def expand(schema: Schema) -> Schema:
    """Replace, anywhere in a schema, {kubernetes: NAME} by a reference.

    NAME is a type of core/v1 as `Toleration`, has its group as `networking.v1.IngressTLS`, or is
    one of kubernetes_rules.yaml's own as `labels`.

    Returns:
        The definitions that the references need, by name.

    Raises:
        ValueError: Kubernetes has no such type, or it has none of the fields of a rule.
    """
    all_of, found = _load(), Schema()
    for name in _refer(schema):
        _reach(name, all_of, found)
    return dict(sorted(found.items()))


def _refer(schema: Any) -> set[str]:
    names = set()
    if isinstance(schema, dict) and isinstance(name := schema.get("kubernetes"), str):
        del schema["kubernetes"]
        name = f"core.v1.{name}" if name[0].isupper() and "." not in name else name
        schema["$ref"] = f"#/definitions/{name}"
        names.add(name)
    for inner in schema.values() if isinstance(schema, dict) else schema:
        if isinstance(inner, dict | list):
            names |= _refer(inner)
    return names


def _reach(name: str, all_of: dict[str, Schema], found: dict[str, Schema]) -> None:
    if name in found:
        return
    if name not in all_of:
        raise ValueError(f"`kubernetes: {name}`: Kubernetes {KUBERNETES} has no such type")
    found[name] = all_of[name]
    for reference in re.findall(r'"#/definitions/([^"]+)"', json.dumps(found[name])):
        _reach(reference, all_of, found)


def _load() -> dict[str, Schema]:
    package = Path(kubernetes_validate.__file__).parent / "kubernetes-json-schema"
    path = package / f"v{KUBERNETES}-local-strict" / "_definitions.json"
    raw = json.loads(path.read_text())["$defs"]
    definitions = {PLACE.sub("", name): _plain(schema) for name, schema in raw.items()}
    for name, rule in yaml.safe_load(RULES.read_text()).items():
        _add(definitions.setdefault(name, {}), rule, name)
    return definitions


def _add(definition: Schema, rule: Schema, name: str) -> None:
    if not definition and "." not in name:
        definition |= rule
        return
    fields = definition.get("properties", {})
    named = {*rule.get("properties", {}), *rule.get("drop", [])}
    if strange := named - fields.keys():
        raise ValueError(f"{RULES.name}: {name} has no {', '.join(sorted(strange))}")
    for field in rule.get("drop", []):
        del fields[field]
    for field, more in rule.get("properties", {}).items():
        fields[field] = more if "$ref" in more or "allOf" in more else fields[field] | more
    definition |= {key: value for key, value in rule.items() if key not in ("drop", "properties")}


def _plain(schema: Any) -> Any:
    """Return a schema without descriptions and nulls, and with the limits of its formats."""
    if isinstance(schema, list):
        return [_plain(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    copy = {
        key: _plain(value)
        for key, value in schema.items()
        # A field may be called `description`, and is a schema then.
        if not (key == "description" and isinstance(value, str)) and not key.startswith("x-")
    }
    if isinstance(types := copy.get("type"), list):
        copy["type"] = next(one for one in types if one != "null")
    if isinstance(copy.get("oneOf"), list):
        copy["type"] = [one["type"] for one in copy.pop("oneOf")]
    if isinstance(limits := copy.get("format"), str) and limits in RANGES:
        del copy["format"]
        copy |= dict(zip(("minimum", "maximum"), RANGES[limits], strict=True))
    if isinstance(reference := copy.get("$ref"), str):
        copy["$ref"] = f"#/definitions/{PLACE.sub('', reference.rpartition('/')[2])}"
    return copy
