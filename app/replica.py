"""What a replica does besides running its engine, and what it leaves out.

vLLM's own server ends when its engine has died. Ray's replica would live on until Serve has looked
at it three times, and answer each request with an error meanwhile; so quickly that HAProxy, which
asks the least busy one, would send it nearly all of them. So it ends as well. And it watches its
hosts, where it has several.

Ray starts two further processes for each replica, which both import vLLM first. One downloads the
model from a bucket: with no bucket it has nothing to do, and the engine waits for it. The other
gathers what Ray's usage statistics say of the models: where these are off, nobody reads it.
"""

import asyncio
import logging
import multiprocessing
import os

from ray._common.usage.usage_lib import usage_stats_enabled
from ray.llm._internal.common.callbacks.base import CallbackBase
from ray.llm._internal.common.utils.download_utils import is_remote_path
from ray.llm._internal.serve.constants import RAY_SERVE_LLM_ENABLE_DIRECT_STREAMING
from ray.llm._internal.serve.core.server import llm_server

from app.answers import following
from app.answers.counting import by_token
from app.answers.kept import kept
from app.hosts import engine_of_this_replica, one_is_lost

IMPORT_PATH = f"{__name__}.Start"

_LOOK_EVERY_S = 0.1
_LAST_WORDS_S = 0.3  # in which those who were being answered hear of it
_ENGINE_ENDS_S = 5.0  # within which one that was killed is seen to have died

log = logging.getLogger("ray.serve")
_watching: set[asyncio.Task[None]] = set()  # not in Start, which Ray sends to other processes


class Start(CallbackBase):  # type: ignore[misc]
    """Prepares an engine; Ray calls it in the replica."""

    async def on_before_node_init(self) -> None:
        """Count thinking by tokens, join them by load, leave out processes that nobody needs."""
        from vllm.parser.engine import streaming_parser_engine
        from vllm.reasoning import ReasoningParserManager

        # vLLM makes a parser three times for each request, and this most of what that takes.
        streaming_parser_engine._build_drop_info = kept(streaming_parser_engine._build_drop_info)
        if name := self.llm_config.engine_kwargs.get("reasoning_parser"):
            parser = ReasoningParserManager.get_reasoning_parser(name)
            ReasoningParserManager.register_module(name, module=by_token(parser))
        if RAY_SERVE_LLM_ENABLE_DIRECT_STREAMING:
            following.follow()
        engine = self.llm_config.get_engine_config()
        if not engine.mirror_config and not is_remote_path(engine.actual_hf_model_id):
            self.ctx.run_init_node = False
        if not usage_stats_enabled():
            llm_server.push_telemetry_report_for_all_models = lambda **_: None

    async def on_after_node_init(self) -> None:
        """Watch the engine that starts now, and its hosts."""
        loop = asyncio.get_running_loop()
        _watching.update(map(loop.create_task, (_end_with_the_engine(), _end_with_a_host())))


async def _end_with_the_engine() -> None:
    """End this process soon after its engine has died."""
    while not _engine_has_died():
        await asyncio.sleep(_LOOK_EVERY_S)
    log.error("The engine has died, and so this replica ends; Serve starts another.")
    await asyncio.sleep(_LAST_WORDS_S)
    os._exit(1)


async def _end_with_a_host() -> None:
    """End the engine, and so this process, when a host is lost; the engine may not have seen it."""
    if not await one_is_lost():
        return
    log.error("A host of this replica is lost, and so its engine ends.")
    for engine in multiprocessing.active_children():
        engine.kill()  # vLLM sees that, and tells those who are being answered
    await asyncio.sleep(_ENGINE_ENDS_S)
    os._exit(1)  # it had not started yet


def _engine_has_died() -> bool:
    """Tell whether there was an engine and is no more."""
    client = getattr(engine_of_this_replica(), "_engine_client", None)
    return client is not None and client.errored
