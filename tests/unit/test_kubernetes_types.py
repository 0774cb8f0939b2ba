"""Kubernetes' own schemas, as tools/kubernetes_types.py puts them into the chart's."""

from pathlib import Path
from typing import Any

import jsonschema
import pytest

import kubernetes_types


def expanded(**properties: Any) -> jsonschema.Draft7Validator:
    schema: dict[str, Any] = {"type": "object", "properties": properties}
    definitions = kubernetes_types.expand(schema)
    return jsonschema.Draft7Validator(schema | {"definitions": definitions})


def test_a_name_without_a_group_is_of_core() -> None:
    one = {"key": "a", "operator": "Exists", "effect": "NoSchedule"}
    schema = expanded(tolerations={"type": "array", "items": {"kubernetes": "Toleration"}})
    assert schema.is_valid({"tolerations": [one]})
    for wrong in ({"oprator": "Exists"}, {"operator": "Exist"}, {"tolerationSeconds": "9"}):
        assert not schema.is_valid({"tolerations": [one | wrong]}), wrong


def test_what_a_type_is_made_of_comes_along() -> None:
    schema = expanded(egress={"kubernetes": "networking.v1.NetworkPolicyEgressRule"})
    to = {"ipBlock": {"cidr": "10.0.0.0/8"}}
    assert schema.is_valid({"egress": {"to": [to]}})
    assert not schema.is_valid({"egress": {"to": [to | {"ipBlok": {}}]}})
    assert not schema.is_valid({"egress": {"to": [{"ipBlock": {"cidr": "10.0.0.0/33"}}]}})


def test_numbers_have_the_bounds_of_their_format() -> None:
    schema = expanded(port={"kubernetes": "TCPSocketAction"}, rule={"kubernetes": "Sysctl"})
    assert schema.is_valid({"port": {"port": 8000}})
    assert not schema.is_valid({"port": {"port": 99999}})


def test_a_type_that_there_is_not() -> None:
    with pytest.raises(ValueError, match="`kubernetes: core.v1.Tolerance`: Kubernetes .* no such"):
        expanded(one={"kubernetes": "Tolerance"})


def test_a_rule_for_a_field_that_there_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text("core.v1.Toleration: {properties: {efect: {enum: [a]}}}\n")
    monkeypatch.setattr(kubernetes_types, "RULES", rules)
    with pytest.raises(ValueError, match="core.v1.Toleration has no efect"):
        expanded(one={"kubernetes": "Toleration"})
