"""Requests made from our own OpenAPI document: right ones, and wrong ones in every way."""

from collections import Counter
from typing import Any

import httpx
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from .conftest import KEY, MODEL, Server

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
EXAMPLES = 25  # for each operation and mode


def test_every_answer_is_as_documented(server: Server):
    document = server.send("/openapi.json", method="GET").json()
    seen: Counter[tuple[str, int]] = Counter()

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(data=st.data())
    def one(operation: schemathesis.APIOperation, data: st.DataObject) -> None:
        mode = data.draw(st.sampled_from(list(schemathesis.GenerationMode)))
        case = data.draw(operation.as_strategy(generation_mode=mode))
        if isinstance(case.body, dict):
            sound(case.path, case.body)
        response = case.call(
            base_url=server.base_url, headers={"authorization": f"Bearer {KEY}"}, timeout=60
        )
        seen[case.path, response.status_code] += 1
        case.validate_response(response, checks=CHECKS)

    for found in schemathesis.openapi.from_dict(document).get_all_operations():
        one(found.ok())
    assert {path for path, _ in seen} == set(document["paths"])
    statuses = {status for _, status in seen}
    assert {200, 400, 404} <= statuses, seen  # else little is shown


def sound(path: str, body: dict[str, Any]) -> None:
    """Mend what would have nearly every request refused at once, and keep answers short."""
    if isinstance(body.get("model"), str):
        body["model"] = MODEL
    for field in ("messages", "input"):
        if body.get(field) in ([], ""):
            body[field] = [{"role": "user", "content": "Hello"}]
    for limit in ("max_tokens", "max_completion_tokens", "max_output_tokens"):
        if type(body.get(limit)) is int and body[limit] > 20:
            body[limit] = 20
    # Without one a small model may go on for minutes; in the Messages API it may not be missing.
    if path.endswith("/completions") and body.get("max_completion_tokens") is None:
        body.setdefault("max_tokens", 20)
    elif path.endswith("/responses"):
        body.setdefault("max_output_tokens", 20)


def test_the_document_is_of_what_is_open_here(server: Server):
    document = server.send("/openapi.json", method="GET").json()
    for path in document["paths"]:
        assert path.startswith("/v1/") or path.endswith(("health", "livez", "readyz"))
    assert "/inference/v1/generate" not in document["paths"]
    assert httpx.get(f"{server.base_url}/openapi.json").status_code == 401
