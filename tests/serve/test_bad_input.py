"""Bad requests: each gets a 4xx in OpenAI's shape, and the server answers on."""

import json

import pytest

from .conftest import MODEL, Server

OK = [{"role": "user", "content": "Hello"}]
JSON = {"content-type": "application/json"}

# name -> (the request, the status, a word of the message, the field at fault)
CASES = {
    "unknown model": ({"json": {"model": "nope", "messages": OK}}, 404, "nope", "model"),
    "malformed JSON": ({"content": b'{"model": ', "headers": JSON}, 400, "JSON", None),
    "no body": ({"content": b"", "headers": JSON}, 400, "required", None),
    "a list": ({"json": []}, 400, "object", None),
    "invalid UTF-8": ({"content": b'{"model":"\xff"}', "headers": JSON}, 400, "body", None),
    "deep nesting": (
        {"content": b'{"messages":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "headers": JSON},
        400,
        "body",
        None,
    ),
    "no messages": ({"json": {"model": MODEL}}, 400, "required", "messages"),
    "empty messages": ({"json": {"model": MODEL, "messages": []}}, 400, "empty", "messages"),
    "messages of the wrong type": (
        {"json": {"model": MODEL, "messages": "sk-not-to-be-echoed"}},
        400,
        "list",
        "messages",
    ),
    "max_tokens of the wrong type": (
        {"json": {"model": MODEL, "messages": OK, "max_tokens": "many"}},
        400,
        "integer",
        "max_tokens",
    ),
    "negative temperature": (
        {"json": {"model": MODEL, "messages": OK, "temperature": -1}},
        400,
        "non-negative",
        "temperature",
    ),
    "unknown reasoning_effort": (
        {"json": {"model": MODEL, "messages": OK, "reasoning_effort": "bogus"}},
        400,
        "",
        "reasoning_effort",
    ),
    "wrong Content-Type": (
        {
            "content": json.dumps({"model": MODEL, "messages": OK}),
            "headers": {"content-type": "text/plain"},
        },
        415,
        "application/json",
        None,
    ),
    "a prompt that is too long": (
        {"json": {"model": MODEL, "messages": [{"role": "user", "content": "hello " * 9000}]}},
        400,
        "maximum context length",
        None,
    ),
    "a body of 10 MB": (
        {"json": {"model": MODEL, "messages": [{"role": "user", "content": "hello " * 1_750_000}]}},
        413,
        "4194304 bytes",
        None,
    ),
    "an image": (
        {
            "json": {
                "model": MODEL,
                "messages": [
                    {
                        "role": "user",
                        "content": [{"type": "image_url", "image_url": {"url": "data:,x"}}],
                    }
                ],
            }
        },
        400,
        "multimodal",
        None,
    ),
    "an impossible schema": (
        {
            "json": {
                "model": MODEL,
                "messages": OK,
                "response_format": {
                    "type": "json_schema",
                    "json_schema": {"name": "x", "schema": {"type": "bogus"}},
                },
            }
        },
        400,
        "bogus",
        None,
    ),
    "an unknown path": ({"path": "/v1/nope", "json": {}}, 404, "Not Found", None),
}
INTERNALS = ("Traceback", "actor", "Internal exception", "ray.", "vllm.", ".py", "pydantic")


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize(("request_", "status", "word", "param"), CASES.values(), ids=CASES)
def test_bad_input(server: Server, request_, status, word, param, streamed):
    if streamed and isinstance(request_.get("json"), dict):
        request_ = {**request_, "json": {**request_["json"], "stream": True}}
    response = server.send(**request_)
    if response.headers["content-type"].startswith("text/event-stream"):
        # vLLM compiles a schema only once the stream has begun; then an event has to say it
        assert streamed
        assert "response_format" in request_["json"]
        events = [line[6:] for line in response.text.splitlines() if line.startswith("data: ")]
        (payload,) = [json.loads(event) for event in events if '"error"' in event]
    else:
        assert response.status_code == status
        assert response.headers["content-type"] == "application/json"
        payload = response.json()
    assert set(payload) == {"error"}
    error = payload["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert error["type"] == "invalid_request_error"
    assert word in error["message"]
    assert param is None or error["param"] == param
    assert not [leak for leak in INTERNALS if leak in response.text]
    assert "sk-not-to-be-echoed" not in response.text


def test_the_server_still_answers_after_all_of_them(server: Server):
    for request_, *_ in CASES.values():
        assert server.send(**request_).status_code < 500
    answer = server.send(json={"model": MODEL, "messages": OK, "max_tokens": 5})
    assert answer.status_code == 200


def test_a_wrong_method(server: Server):
    response = server.send(method="GET")
    assert response.status_code == 405
    assert response.json()["error"]["code"] == "method_not_allowed"
