"""Tokens a chunk as the load has it at that moment, not as it was when a stream began.

vLLM gives each stream its `stream_interval` once. In the direct mode its front end and this
middleware share a process, so it can be asked anew. A burst would else find the streams before it
writing a chunk for each token until they end, and its own first tokens would wait for them.
"""

from typing import Any

from app.answers.joining import Joining

joining: Joining | None = None  # the middleware's, where it runs in this process
on = False  # whether the engine's front end is in this process, and asks it


def follow() -> None:
    """Let vLLM ask for each token whether it is time for a chunk."""
    global on
    from vllm.sampling_params import RequestOutputKind
    from vllm.v1.engine.output_processor import RequestState

    if on:
        return
    output = RequestState.make_request_output

    def joined(self: Any, new_token_ids: list[int], *others: Any, **named: Any) -> Any:
        given = self.stream_interval
        if joining is None or self.output_kind is not RequestOutputKind.DELTA:
            return output(self, new_token_ids, *others, **named)
        tokens = max(given, joining.tokens())
        # vLLM keeps no account of what it has sent while each token goes by itself; and what it
        # has kept back goes with the next one.
        unsent = self.detokenizer.num_output_tokens() - self.sent_tokens_offset
        kept_back = self.sent_tokens_offset > 0 and unsent > len(new_token_ids)
        self.stream_interval = 2 if tokens == 1 and kept_back else tokens
        try:
            return output(self, new_token_ids, *others, **named)
        finally:
            if self.stream_interval == 1:
                self.sent_tokens_offset += unsent
            self.stream_interval = given

    RequestState.make_request_output = joined
    on = True
