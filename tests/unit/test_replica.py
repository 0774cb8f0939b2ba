"""What a replica does before its engine starts, and which processes of Ray it does without."""

import asyncio
import pickle
from types import SimpleNamespace
from typing import Any

import pytest
from ray import serve
from ray.llm._internal.serve.core.server import llm_server
from ray.serve.llm import LLMConfig
from transformers import AutoTokenizer
from vllm.parser.engine import streaming_parser_engine
from vllm.parser.qwen3 import Qwen3Parser
from vllm.reasoning import ReasoningParserManager

from app import replica
from app.answers.counting import by_token
from app.replica import Start

PUSH = "push_telemetry_report_for_all_models"


def prepared(source: Any = "models/nano", **arguments: Any) -> Start:
    """Return what has prepared a model's engine."""
    loading = {"model_id": "nano", "model_source": source}
    config = LLMConfig(model_loading_config=loading, engine_kwargs=arguments)
    start = Start(llm_config=config)
    asyncio.run(start.on_before_node_init())
    return start


@pytest.fixture(autouse=True)
def as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the modules of Ray and vLLM as they are."""
    known = dict(ReasoningParserManager.reasoning_parsers)
    monkeypatch.setattr(ReasoningParserManager, "reasoning_parsers", known)
    monkeypatch.setattr(llm_server, PUSH, getattr(llm_server, PUSH))
    monkeypatch.setattr(
        streaming_parser_engine, "_build_drop_info", streaming_parser_engine._build_drop_info
    )


def test_it_counts_thinking_by_tokens() -> None:
    before = ReasoningParserManager.get_reasoning_parser("qwen3")
    for arguments in ({"reasoning_parser": "qwen3"}, {"reasoning_parser": "qwen3"}, {}):
        prepared(**arguments)
    after = ReasoningParserManager.get_reasoning_parser("qwen3")
    assert after is by_token(after) and issubclass(after, before)


@pytest.mark.parametrize(
    ("source", "downloads"),
    [
        ("models/nano", False),
        ("Qwen/Qwen3-32B", False),  # the engine itself does
        (None, False),
        ("s3://bucket/model", True),
        ({"bucket_uri": "gs://bucket/model"}, True),
    ],
)
def test_ray_downloads_what_is_in_a_bucket_and_nothing_else(source: Any, downloads: bool) -> None:
    assert prepared(source).ctx.run_init_node is downloads


@pytest.mark.parametrize("statistics", ["0", "1"])
def test_statistics_are_gathered_unless_they_are_off(
    monkeypatch: pytest.MonkeyPatch, statistics: str
) -> None:
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", statistics)
    asked: list[Any] = []
    monkeypatch.setattr(llm_server, PUSH, lambda all_models: asked.extend(all_models))
    prepared()
    getattr(llm_server, PUSH)(all_models=["a model"])
    assert asked == (["a model"] if statistics == "1" else [])


def test_what_all_parsers_share_is_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    build, made = streaming_parser_engine._build_drop_info, list[Any]()

    def counted(config: Any, tokenizer: Any) -> Any:
        made.append(config)
        return build(config, tokenizer)

    monkeypatch.setattr(streaming_parser_engine, "_build_drop_info", counted)
    prepared()
    tokenizer = AutoTokenizer.from_pretrained("models/nano")
    off = {"chat_template_kwargs": {"enable_thinking": False}}
    drops = [Qwen3Parser(tokenizer, **each)._engine._has_drops for each in ({}, off, {}, off, {})]
    assert drops == [True] * 5 and len(made) == 2


def test_it_ends_soon_after_its_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    client = SimpleNamespace(errored=False)
    engine, whole = SimpleNamespace(), SimpleNamespace(servable_object=None)
    monkeypatch.setattr(serve, "get_replica_context", lambda: whole)
    monkeypatch.setattr(replica, "_LOOK_EVERY_S", 0)
    monkeypatch.setattr(replica, "_LAST_WORDS_S", 0)
    ended: list[int] = []
    monkeypatch.setattr(replica.os, "_exit", ended.append)

    async def one_host() -> bool:
        return False

    monkeypatch.setattr(replica, "one_is_lost", one_host)

    async def check() -> None:
        start = Start(llm_config=LLMConfig(model_loading_config={"model_id": "nano"}))
        await start.on_after_node_init()

        async def later() -> list[int]:
            for _ in range(5):
                await asyncio.sleep(0)
            return list(ended)

        assert await later() == []  # the replica is being made
        whole.servable_object = SimpleNamespace(engine=engine)
        assert await later() == []  # its engine starts
        engine._engine_client = client
        assert await later() == []
        client.errored = True
        assert await later() == [1]
        pickle.dumps(start)  # Ray sends it to other processes

    asyncio.run(check())


def test_a_lost_host_ends_the_engine_and_the_replica(monkeypatch: pytest.MonkeyPatch) -> None:
    context = SimpleNamespace(servable_object=None)  # it starts
    monkeypatch.setattr(serve, "get_replica_context", lambda: context)
    monkeypatch.setattr(replica, "_ENGINE_ENDS_S", 0)
    ended, lost, did = asyncio.Event(), asyncio.Event(), list[str]()
    engine = SimpleNamespace(kill=lambda: did.append("the engine"))
    monkeypatch.setattr(replica.multiprocessing, "active_children", lambda: [engine])

    def end(code: int) -> None:
        did.append(f"the replica: {code}")
        ended.set()

    monkeypatch.setattr(replica.os, "_exit", end)

    async def one_is_lost() -> bool:
        return await lost.wait()

    monkeypatch.setattr(replica, "one_is_lost", one_is_lost)

    async def check() -> None:
        start = Start(llm_config=LLMConfig(model_loading_config={"model_id": "nano"}))
        await start.on_after_node_init()
        for _ in range(5):
            await asyncio.sleep(0)
        assert did == []
        lost.set()
        await asyncio.wait_for(ended.wait(), 30)
        assert did == ["the engine", "the replica: 1"]

    asyncio.run(check())
