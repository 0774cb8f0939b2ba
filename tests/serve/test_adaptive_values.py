"""The third mode, adaptive, with an operator's values: no draft is trusted, or each is in its end.

For one key none, for the other all: so what becomes of a draft is seen whatever the model does.
"""

import contextlib
import time
from typing import Any

import httpx
import pytest

from .conftest import BOB, DAVE, KEY, MODEL, Server, metrics
from .operators_values import both_modes
from .surfaces import SURFACES, ask

ADAPTIVE = {"thinking": {"type": "adaptive"}}
# Of nano's answers without thinking the longest
TRIP = (
    "I need to plan a trip to Paris from Seattle. Can you help me research flight costs, create an "
    "itinerary for 9 days, and suggest restaurants based on my dietary restrictions (vegetarian)?"
)
QUICK = "Hello"
CHAT = SURFACES["chat"]
streamed_or_not = pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
each_surface = pytest.mark.parametrize("surface", SURFACES.values(), ids=SURFACES)


def written(server: Server) -> float:
    """Return how many tokens the engine has written, when it has stopped to write."""
    seen = [-1.0]
    end = time.monotonic() + 60
    while len(seen) < 4 or len(set(seen[-3:])) > 1:  # a worker tells each second
        assert time.monotonic() < end, seen
        time.sleep(1.2)
        counted = metrics(server).items()
        seen.append(sum(n for name, n in counted if "vllm_generation_tokens_total" in name))
    return seen[-1]


def tokens_of_the_trip(server: Server) -> int:
    """Return how long its draft is, by the key of which each draft is trusted in its end."""
    reply = ask(server, CHAT, False, TRIP, key=DAVE, **ADAPTIVE)
    assert reply.decided.startswith("answered;confidence=")
    return int(reply.decided.rpartition("=")[2])


@both_modes
@streamed_or_not
@each_surface
def test_a_draft_that_is_not_trusted_is_ended_in_the_engine(
    server: Server, surface: Any, streamed: bool
):
    assert tokens_of_the_trip(server) > 80
    before = written(server)
    reply = ask(server, surface, streamed, TRIP, **ADAPTIVE, **{surface.limit: 10})
    assert reply.decided.startswith("thought;")
    (name,) = {"completion_tokens", "output_tokens"} & set(reply.usage)
    rejected = reply.usage[f"{name}_details"]["rejected_prediction_tokens"]
    assert rejected < 20
    assert reply.usage[name] == 10 + rejected
    # The engine is some tokens ahead of what it hears.
    assert written(server) - before < 10 + rejected + 20


@both_modes
@streamed_or_not
@pytest.mark.parametrize("key", [DAVE, KEY], ids=["draft", "thinking"])
def test_a_client_that_goes_leaves_nothing_running(server: Server, streamed: bool, key: str):
    most = tokens_of_the_trip(server) - 20
    body = {"model": MODEL, "stream": streamed, "temperature": 0, **CHAT.body(TRIP, streamed)}
    if key == KEY:
        body["thinking_token_budget"] = 20
    asks = {"json": {**body, **ADAPTIVE}, "headers": {"authorization": f"Bearer {key}"}}
    for _ in range(5):  # on a busy machine a client may be too slow to leave in time
        before = written(server)
        url = f"{server.base_url}{CHAT.path}"
        with (
            contextlib.suppress(httpx.ReadTimeout),  # before anything: a draft is held
            httpx.stream("POST", url, **asks, timeout=0.2) as response,
        ):
            assert response.status_code == 200
            next(response.iter_raw())
        if written(server) - before < most:
            return
    pytest.fail("the engine wrote all of it for nobody, five times")


@both_modes
@each_surface
def test_a_key_that_never_thinks_has_no_drafts(server: Server, surface: Any):
    for says in (ADAPTIVE, {"model": f"{MODEL}:auto"}):
        reply = ask(server, surface, False, QUICK, key=BOB, **says)
        assert (reply.decided, reply.thinking_tokens) == ("", 0)


@both_modes
def test_the_name_is_listed_for_who_may_use_it(server: Server):
    assert f"{MODEL}:auto" in {model.id for model in server.client().models.list().data}
    assert f"{MODEL}:auto" not in {model.id for model in server.client(BOB).models.list().data}


@both_modes
def test_what_came_of_it_is_counted(server: Server):
    for key in (DAVE, KEY):
        for streamed in (False, True):
            ask(server, SURFACES["responses"], streamed, QUICK, key=key, **ADAPTIVE)
    answered = f"{MODEL} responses adaptive_answered dave"
    thought = f"{MODEL} responses adaptive_thought alice"
    names = [
        f"hybrid_llm_requests_total {answered} ok",
        f"hybrid_llm_requests_total {thought} ok",
        f"hybrid_llm_draft_confidence_count {answered}",
        f"hybrid_llm_draft_confidence_count {thought}",
        f"hybrid_llm_rejected_draft_tokens_total {thought}",
        f"hybrid_llm_time_to_first_answer_token_seconds_count {answered}",
        f"hybrid_llm_time_to_first_answer_token_seconds_count {thought}",
        f"hybrid_llm_request_thinking_tokens_count {thought}",
    ]
    end = time.monotonic() + 60  # a worker reports every few seconds
    counted: dict[str, float] = {}
    while not set(names) <= set(counted) and time.monotonic() < end:
        time.sleep(1)
        counted = metrics(server)
    assert set(names) <= set(counted)
    assert not any("rejected" in name and "answered" in name for name in counted)
    assert f"hybrid_llm_request_thinking_tokens_count {answered}" not in counted
