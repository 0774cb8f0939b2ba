"""Which fields of a request reach the engine, of those that vLLM's models have.

What vLLM's models don't have is dropped: the engine would read none of it. A field that a new vLLM
adds must be named here first: a test fails until it is.
"""

# Of chat completions and of plain ones
_BOTH = frozenset(
    [
        "add_special_tokens",
        "allowed_token_ids",
        "bad_words",
        "cache_salt",
        "echo",
        "frequency_penalty",
        "ignore_eos",
        "include_stop_str_in_output",
        "logit_bias",
        "logprob_token_ids",
        "logprobs",
        "max_tokens",
        "min_p",
        "min_tokens",
        "model",
        "n",
        "presence_penalty",
        "priority",
        "prompt_logprobs",
        "repetition_detection",
        "repetition_penalty",
        "response_format",
        "return_token_ids",
        "return_token_offsets",
        "return_tokens_as_token_ids",
        "seed",
        "skip_special_tokens",
        "spaces_between_special_tokens",
        "stop",
        "stop_token_ids",
        "stream",
        "stream_interval",
        "stream_options",
        "structured_outputs",
        "temperature",
        "thinking_token_budget",
        "top_k",
        "top_p",
        "truncate_prompt_tokens",
        "truncation_side",
        "user",
        "vllm_xargs",
    ]
)

# Of chat completions
CHAT = _BOTH | frozenset(
    [
        "add_generation_prompt",
        "chat_template_kwargs",
        "continue_final_message",
        "documents",
        "include_reasoning",
        "max_completion_tokens",
        "messages",
        "parallel_tool_calls",
        "reasoning_effort",
        "return_assistant_tokens_mask",
        "return_prompt_text",
        "tool_choice",
        "tools",
        "top_logprobs",
    ]
)

# Of plain completions
COMPLETIONS = _BOTH | {"prompt", "suffix"}

# Taken by no API here, and why.
REFUSED = {
    "chat_template": "the prompt's form is the server's",
    "use_beam_search": "one request would do the work of many",
    "kv_transfer_params": "it is for the server's own parts, which would trust it",
    "ec_transfer_params": "it is for the server's own parts, which would trust it",
    "media_io_kwargs": "models here read text alone",
    "mm_processor_kwargs": "models here read text alone",
    "prompt_embeds": "it would be loaded as the client made it",
}

# Dropped: they are the server's own, or mean nothing without what is refused.
DROPPED = frozenset({"request_id", "session_id", "routed_experts_prompt_start", "length_penalty"})

# Arguments of the template that are the server's: vLLM and transformers have them as parameters
# of the functions around it, and fail where a request has them too.
TEMPLATE_RESERVED = frozenset(
    [
        "add_generation_prompt",
        "chat_template",
        "continue_final_message",
        "conversation",
        "documents",
        "max_length",
        "messages",
        "model_config",
        "padding",
        "processor_kwargs",
        "return_assistant_tokens_mask",
        "return_dict",
        "return_tensors",
        "sanitize_control_tokens",
        "self",
        "tokenize",
        "tokenizer",
        "tokenizer_kwargs",
        "tools",
        "truncation",
    ]
)

# {type of a part of a message's content: where it has its text}; there are no other parts here.
TEXTS = {
    "text": "text",
    "input_text": "text",
    "output_text": "text",
    "refusal": "refusal",
    "thinking": "thinking",
}
