"""Requests made from our own OpenAPI document: right ones, and wrong ones in every way."""

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
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
EXAMPLES = 60  # for each operation and mode


@pytest.fixture
def api(server: Server) -> schemathesis.BaseSchema:
    response = server.send("/openapi.json", method="GET")
    assert response.status_code == 200
    return schemathesis.openapi.from_dict(response.json())


schema = schemathesis.pytest.from_fixture("api")


@schema.parametrize()
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_every_answer_is_as_documented(case: schemathesis.Case, server: Server):
    if isinstance(case.body, dict):
        if "model" in case.body and isinstance(case.body["model"], str):
            case.body["model"] = MODEL  # else most would be a 404 and show nothing
        for limit in ("max_tokens", "max_completion_tokens", "max_output_tokens"):
            if type(case.body.get(limit)) is int and case.body[limit] > 20:
                case.body[limit] = 20
    response = case.call(
        base_url=server.base_url, headers={"authorization": f"Bearer {KEY}"}, timeout=60
    )
    case.validate_response(response, checks=CHECKS)


def test_the_document_is_of_what_is_open_here(server: Server):
    document = server.send("/openapi.json", method="GET").json()
    for path in document["paths"]:
        assert path.startswith("/v1/") or path.endswith(("health", "livez", "readyz"))
    assert "/inference/v1/generate" not in document["paths"]
    assert httpx.get(f"{server.base_url}/openapi.json").status_code == 401
