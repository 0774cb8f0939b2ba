"""The chat template: Qwen3's semantics, rendered with jinja2 as the servers do."""

import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "models" / "nano"))

from template import render

USER = {"role": "user", "content": "Hello"}
HEAD = "<|im_start|>assistant\n"
EMPTY = "<think>\n\n</think>\n\n"
TOOL = {
    "type": "function",
    "function": {"name": "get_time", "parameters": {"type": "object", "properties": {}}},
}
CALL = {
    "id": "1",
    "type": "function",
    "function": {"name": "get_time", "arguments": {"city": "Oś"}},
}


def test_the_prompt_ends_with_the_head_of_the_answer_only_when_asked() -> None:
    assert render([USER]) == "<|im_start|>user\nHello<|im_end|>\n"
    assert (
        render([USER], add_generation_prompt=True) == "<|im_start|>user\nHello<|im_end|>\n" + HEAD
    )


@pytest.mark.parametrize(
    ("options", "end"),
    [
        ({}, HEAD),
        ({"enable_thinking": True}, HEAD),
        ({"enable_thinking": None}, HEAD),
        ({"enable_thinking": False}, HEAD + EMPTY),
    ],
)
def test_only_enable_thinking_false_writes_the_empty_block(options: dict, end: str) -> None:
    prompt = render([USER], add_generation_prompt=True, **options)
    assert prompt == "<|im_start|>user\nHello<|im_end|>\n" + end


@pytest.mark.parametrize(
    "answer",
    [
        {"content": "Hi.", "reasoning": "secret"},
        {"content": "Hi.", "reasoning_content": "secret"},
        {"content": "<think>\nsecret\n</think>\n\nHi."},
    ],
)
def test_thinking_of_earlier_turns_is_not_shown(answer: dict) -> None:
    prompt = render([USER, {"role": "assistant", **answer}, USER], add_generation_prompt=True)
    assert "secret" not in prompt
    assert "<think>" not in prompt
    assert "assistant\nHi.<|im_end|>" in prompt


@pytest.mark.parametrize("field", ["reasoning", "reasoning_content"])
def test_thinking_before_a_tool_result_is_shown_while_the_turn_lasts(field: str) -> None:
    step = {"role": "assistant", "content": None, field: "why", "tool_calls": [CALL]}
    result = {"role": "tool", "tool_call_id": "1", "content": "12:00"}
    assert "<think>\nwhy\n</think>\n\n<tool_call>" in render([USER, step, result])
    assert "why" not in render([USER, step, result, {"role": "assistant", "content": "x"}, USER])


def test_the_system_prompt_comes_first_and_tools_after_it() -> None:
    system = {"role": "system", "content": "Be kind."}
    assert render([system, USER]).startswith("<|im_start|>system\nBe kind.<|im_end|>\n")
    prompt = render([system, USER], tools=[TOOL])
    assert prompt.startswith("<|im_start|>system\nBe kind.\n\n# Tools\n\n")
    assert f"<tools>\n{json.dumps(TOOL)}\n</tools>" in prompt
    assert render([USER], tools=[TOOL]).startswith("<|im_start|>system\n# Tools\n\n")
    assert "# Tools" not in render([USER], tools=[])


@pytest.mark.parametrize("arguments", [{"city": "Oś"}, '{"city": "Oś"}'])
def test_tool_calls_are_hermes_blocks(arguments: object) -> None:
    call = {**CALL, "function": {"name": "get_time", "arguments": arguments}}
    block = '<tool_call>\n{"name": "get_time", "arguments": {"city": "Oś"}}\n</tool_call>'
    prompt = render([USER, {"role": "assistant", "content": "", "tool_calls": [call, call]}, USER])
    assert f"{HEAD}{block}\n{block}<|im_end|>\n" in prompt
    prompt = render([USER, {"role": "assistant", "content": "So:", "tool_calls": [call]}, USER])
    assert f"{HEAD}So:\n{block}<|im_end|>\n" in prompt


def test_tool_results_in_a_row_share_one_block() -> None:
    results = [{"role": "tool", "tool_call_id": i, "content": i} for i in "ab"]
    prompt = render([USER, {"role": "assistant", "content": "", "tool_calls": [CALL]}, *results])
    assert prompt.endswith(
        "<|im_start|>user\n<tool_response>\na\n</tool_response>\n"
        "<tool_response>\nb\n</tool_response><|im_end|>\n"
    )


def test_a_later_system_message_and_an_empty_conversation_render() -> None:
    assert render([USER, {"role": "system", "content": "x"}]).endswith("system\nx<|im_end|>\n")
    assert render([], add_generation_prompt=True) == HEAD
