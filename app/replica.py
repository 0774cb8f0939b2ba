"""What a replica does before it starts its engine, and what it leaves out.

Ray starts two further processes for each replica, which both import vLLM first. One downloads the
model from a bucket: with no bucket it has nothing to do, and the engine waits for it. The other
gathers what Ray's usage statistics say of the models: where these are off, nobody reads it.
"""

from ray._common.usage.usage_lib import usage_stats_enabled
from ray.llm._internal.common.callbacks.base import CallbackBase
from ray.llm._internal.common.utils.download_utils import is_remote_path
from ray.llm._internal.serve.core.server import llm_server

from app.answers.counting import by_token

IMPORT_PATH = f"{__name__}.Start"


class Start(CallbackBase):  # type: ignore[misc]
    """Prepares an engine; Ray calls it in the replica."""

    async def on_before_node_init(self) -> None:
        """Count thinking by tokens, and leave out the processes that nobody needs."""
        from vllm.reasoning import ReasoningParserManager

        if name := self.llm_config.engine_kwargs.get("reasoning_parser"):
            parser = ReasoningParserManager.get_reasoning_parser(name)
            ReasoningParserManager.register_module(name, module=by_token(parser))
        engine = self.llm_config.get_engine_config()
        if not engine.mirror_config and not is_remote_path(engine.actual_hf_model_id):
            self.ctx.run_init_node = False
        if not usage_stats_enabled():
            llm_server.push_telemetry_report_for_all_models = lambda **_: None
