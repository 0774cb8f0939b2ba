"""What holds for every request: browsers of other origins, health, time, and Anthropic's errors."""

import concurrent.futures
import json
import socket
import time

import anthropic
import grpc
import httpx
import psutil
import pytest
from ray.serve.generated import serve_pb2, serve_pb2_grpc

from .conftest import KEY, MODEL, Server, command_line
from .operators_values import PAGE, SECONDS, both_modes

HELLO = {"model": MODEL, "messages": [{"role": "user", "content": "Hello"}], "max_tokens": 5}


pytestmark = both_modes


# Pages of other origins

COLD = {"extra_body": {"temperature": -1}}
REQUESTS = {
    "an answer": ({"json": HELLO}, 200),
    "a list": ({"path": "/v1/models", "method": "GET"}, 200),
    "no key": ({"json": HELLO, "headers": {"authorization": ""}}, 401),
    "no JSON": ({"content": "x", "headers": {"content-type": "text/plain"}}, 415),
    "too large": ({"json": {**HELLO, "user": "x" * 5_000_000}}, 413),
    "no such path": ({"path": "/v1/nope", "method": "GET"}, 404),
    "closed": ({"path": "/v1/nope", "json": {}}, 404),
    "a refusal of the policy": ({"json": {**HELLO, "reasoning_effort": "bogus"}}, 400),
    "a mistake": ({"json": {**HELLO, "temperature": "hot"}}, 400),
    "Anthropic's": ({"path": "/v1/messages", "json": {}}, 400),
}


def allowed(response: httpx.Response) -> dict[str, str]:
    return {k: v for k, v in response.headers.items() if k.startswith("access-control-allow-")}


@pytest.mark.parametrize("origin", [PAGE, "https://evil.example"])
@pytest.mark.parametrize(("request_", "status"), REQUESTS.values(), ids=REQUESTS)
def test_a_page_of_an_allowed_origin_alone_reads_any_answer(
    server: Server, request_, status, origin
):
    headers = {**request_.get("headers", {}), "origin": origin}
    response = server.send(**{**request_, "headers": headers})
    assert response.status_code == status
    assert allowed(response) == ({"access-control-allow-origin": PAGE} if origin == PAGE else {})


def test_a_preflight_needs_no_key(server: Server):
    headers = {
        "authorization": "",
        "origin": PAGE,
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization, content-type, x-stainless-lang",
    }
    response = server.send(method="OPTIONS", headers=headers)
    assert response.status_code == 200
    assert response.headers["access-control-allow-origin"] == PAGE
    assert "authorization" in response.headers["access-control-allow-headers"]
    assert "access-control-allow-credentials" not in response.headers
    response = server.send(method="OPTIONS", headers={**headers, "origin": "https://evil.example"})
    assert response.status_code == 400
    assert "access-control-allow-origin" not in response.headers


# Requests that do not end


class Slow:
    """A client that sends a piece at once and then a byte or so now and again."""

    def __init__(self, server: Server, first: bytes, drip: bytes = b"", last: float = 30) -> None:
        host, port = server.base_url.removeprefix("http://").split(":")
        begin = time.monotonic()
        self.answer, self.closed = b"", False
        with socket.create_connection((host, int(port))) as connection:
            connection.settimeout(0.3)
            connection.sendall(first)
            while not self.closed and time.monotonic() < begin + last:
                try:
                    received = connection.recv(65536)
                    self.answer += received
                    self.closed = not received
                except TimeoutError:
                    if drip and not self.answer:
                        connection.sendall(drip)
                except OSError:
                    self.closed = True
        self.seconds = time.monotonic() - begin

    @property
    def status(self) -> int:
        return int(self.answer.split(b" ", 2)[1])

    @property
    def body(self) -> object:
        return json.loads(self.answer.partition(b"\r\n\r\n")[2])


def head(path: str = "/v1/chat/completions") -> bytes:
    lines = (f"POST {path} HTTP/1.1", "Host: x", f"Authorization: Bearer {KEY}")
    return "\r\n".join((*lines, "Content-Type: application/json", "")).encode()


UNFINISHED = {  # {what: (the bytes, what follows now and again)}
    "nothing more": (head() + b"Content-Length: 100\r\n\r\n{", b""),
    "byte by byte": (head() + b"Content-Length: 100\r\n\r\n{", b" "),
    "chunk by chunk": (head() + b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n", b"1\r\n \r\n"),
    "a message": (head("/v1/messages") + b"Content-Length: 100\r\n\r\n{", b" "),
    "headers": (b"GET /v1/models HTTP/1.1\r\nHost: x\r\n", b""),
    "headers, byte by byte": (b"GET /v1/models HTTP/1.1\r\nHost: x\r\nx-drip: ", b"x"),
    # More than HAProxy waits for, so the application has it.
    "a large one": (head() + b"Content-Length: 99999\r\n\r\n{" + b" " * 80000, b" "),
}


def test_a_request_that_does_not_end_gets_a_408_and_no_more(server: Server):
    with concurrent.futures.ThreadPoolExecutor() as pool:
        started = {
            what: pool.submit(Slow, server, *each, last=SECONDS + 10)
            for what, each in UNFINISHED.items()
        }
    clients = {what: each.result() for what, each in started.items()}
    for headers in (clients.pop("headers"), clients.pop("headers, byte by byte")):
        # Ray's own proxy, of the ingress mode, has no such limit: then an Ingress in front must.
        assert headers.closed is ("direct" in server.run.output.parent.name)
        assert not headers.closed or headers.status == 408
    for what, client in clients.items():
        assert (client.status, client.closed) == (408, True), what
        assert f"{SECONDS} seconds" in client.body["error"]["message"], what
        assert client.seconds > SECONDS - 1, what
    message = clients.pop("a message").body
    assert (message["type"], message["error"]["type"]) == ("error", "timeout_error")
    assert {client.body["error"]["code"] for client in clients.values()} == {"request_timeout"}


def test_an_answer_may_take_longer_than_a_request(server: Server):
    begin = time.monotonic()
    long = {"max_tokens": 1000, "structured_outputs": {"regex": "[0-9]{1000}"}, "n": 4}
    response = server.send(json={**HELLO, **long})
    assert response.status_code == 200
    assert response.json()["usage"]["completion_tokens"] >= 4 * 300
    assert time.monotonic() - begin > SECONDS


# Errors of Anthropic's API


def client_of(server: Server, key: str = KEY) -> anthropic.Anthropic:
    return anthropic.Anthropic(base_url=server.base_url, api_key=key, max_retries=0)


@pytest.mark.parametrize(
    ("key", "request_", "raised", "kind"),
    [
        ("sk-wrong", {}, anthropic.AuthenticationError, "authentication_error"),
        (KEY, {"model": "nope"}, anthropic.NotFoundError, "not_found_error"),
        (KEY, {"messages": "x"}, anthropic.BadRequestError, "invalid_request_error"),
        (
            KEY,
            {"extra_body": {"temperature": -1}},
            anthropic.BadRequestError,
            "invalid_request_error",
        ),
        (KEY, {"system": "x" * 5_000_000}, anthropic.APIStatusError, "request_too_large"),
    ],
    ids=["key", "model", "messages", "temperature", "too large"],
)
def test_anthropics_client_raises_its_own_errors(server: Server, key, request_, raised, kind):
    with pytest.raises(raised) as failure:
        client_of(server, key).messages.create(**{**HELLO, **request_})
    body = failure.value.body
    assert (body["type"], body["error"]["type"]) == ("error", kind)
    assert failure.value.request_id and body["request_id"] == failure.value.request_id
    assert failure.value.request_id == failure.value.response.headers["x-request-id"]


def test_an_answer_has_its_id_too(server: Server):
    assert client_of(server).messages.create(**HELLO)._request_id


def test_which_of_two_keys_counts(server: Server):
    headers = {"authorization": "Bearer sk-wrong", "x-api-key": KEY}
    response = server.send("/v1/messages", json={}, headers=headers)
    assert response.status_code == 401
    assert "`Authorization: Bearer`, which counts" in response.json()["error"]["message"]


@pytest.mark.parametrize(
    ("request_", "param"),
    [
        ({"stop": 5}, "stop"),
        ({"response_format": {"type": "x"}}, "response_format.type"),
        ({"tools": [{"type": "function"}]}, "tools.0.function"),
    ],
)
def test_an_error_names_the_field_alone(server: Server, request_, param):
    error = server.send(json={**HELLO, **request_}).json()["error"]
    assert error["param"] == param
    assert error["message"].startswith(f"{param}: ")


def test_a_models_time_of_creation_stays(server: Server):
    def created() -> list[int]:
        cards = server.send("/v1/models", method="GET").json()["data"]
        return [card["created"] for card in cards]

    before = created()
    time.sleep(1.1)
    assert created() == before
    assert all(0 <= time.time() - each < 3600 for each in before)


# Health


def health(server: Server, path: str) -> int:
    return httpx.get(f"{server.base_url}{path}", timeout=20).status_code  # with no key


def test_health_says_nothing_and_takes_a_flood(server: Server):
    for path in ("/livez", "/readyz", "/health"):
        response = httpx.get(f"{server.base_url}{path}", timeout=20)
        assert (response.status_code, response.json()) == (200, {"status": "ok"})
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        assert set(pool.map(lambda _: health(server, "/readyz"), range(300))) == {200}


# What listens

NOT_HERE_ALONE = ("0.0.0.0", "::")


def test_others_reach_nothing_but_what_wants_rays_token(server: Server):
    listening = {
        socket_.laddr.port: process.name()
        for process in server.run.processes()
        for socket_ in process.net_connections(kind="inet")
        if socket_.status == psutil.CONN_LISTEN and socket_.laddr.ip in NOT_HERE_ALONE
    }
    # Ray's port between the deployments, which has no option for where it listens (2.60).
    assert listening
    assert all(name.startswith("ray::ServeReplica:") for name in listening.values()), listening
    for port in listening:
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            request = serve_pb2.ASGIRequest(pickled_request_metadata=b"")
            with pytest.raises(grpc.RpcError) as refused:
                serve_pb2_grpc.ASGIServiceStub(channel).HandleRequest(request, timeout=10)
        assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED


def test_no_process_runs_that_nobody_needs(server: Server):
    """Each imports vLLM, which takes most of a start, and keeps half a GiB or more."""
    running = " ".join(map(command_line, server.run.processes()))
    assert "ray::ServeReplica:llm:LLMServer" in running
    for unneeded in ("LLMRouter", "TelemetryAgent"):
        assert unneeded not in running
