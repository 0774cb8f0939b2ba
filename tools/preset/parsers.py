"""Which of vLLM's parsers read what a chat template writes: proposed, for somebody to check.

A tool parser is told by how the template writes a call, the reasoning parser with it, as each
family has both of its own. The first mark that is there counts.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Mark:
    """What a template has that shows which parsers read its model's answers."""

    text: str
    reasoning: str
    tools: str


MARKS = (
    Mark("<｜DSML｜", "deepseek_v4", "deepseek_v4"),
    Mark("<｜tool▁calls▁begin｜>", "deepseek_v3", "deepseek_v31"),
    Mark("<|tool_calls_section_begin|>", "kimi_k2", "kimi_k2"),
    Mark("<minimax:tool_call>", "minimax_m2", "minimax_m2"),
    Mark("<mm:think>", "minimax_m3", "minimax_m3"),
    Mark("<seed:tool_call>", "seed_oss", "seed_oss"),
    Mark("<arg_key>", "glm45", "glm47"),
    Mark("<|tool_call>", "gemma4", "gemma4"),
    Mark("<|channel|>", "openai_gptoss", "openai"),
    Mark("[TOOL_CALLS]", "mistral", "mistral"),
    Mark("truncate_history_thinking", "nemotron_v3", "qwen3_coder"),
    Mark("<function=", "qwen3", "qwen3_coder"),
    Mark("<|tool_call|>", "granite", "granite"),
    Mark("<tool_call>", "qwen3", "hermes"),
    Mark("<seed:think>", "seed_oss", ""),
    Mark("<think>", "qwen3", ""),
)


def propose(template: str) -> Mark | None:
    """Return the first mark that a template has."""
    return next((mark for mark in MARKS if mark.text in template), None)
