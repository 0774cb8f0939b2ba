"""What comes after the thinking: structured output, tool calls, several turns."""

import json

import pytest

from .conftest import MODEL

ANSWER_SCHEMA = {
    "type": "json_schema",
    "json_schema": {
        "name": "answer",
        "schema": {
            "type": "object",
            "properties": {"answer": {"type": "string"}},
            "required": ["answer"],
            "additionalProperties": False,
        },
    },
}
WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Get the weather of a city.",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
        },
    },
}


def complete(client, messages, **request):
    return client.chat.completions.create(
        model=MODEL, messages=messages, temperature=0, **request
    ).choices[0]


def test_structured_output_follows_the_thinking(client):
    question = "What is greater between 7.8 and 7.11 ? Answer in JSON."
    choice = complete(
        client, [{"role": "user", "content": question}], response_format=ANSWER_SCHEMA
    )
    assert choice.message.reasoning_content
    assert json.loads(choice.message.content) == {"answer": "7.8"}


def test_tool_call(client):
    messages = [{"role": "user", "content": "What is the weather in Paris?"}]
    choice = complete(client, messages, tools=[WEATHER])
    assert choice.finish_reason == "tool_calls"
    (call,) = choice.message.tool_calls
    assert call.function.name == "get_weather"
    assert json.loads(call.function.arguments) == {"city": "Paris"}

    result = {"role": "tool", "tool_call_id": call.id, "content": '{"weather": "sunny"}'}
    messages += [choice.message.model_dump(exclude_none=True), result]
    final = complete(client, messages, tools=[WEATHER])
    assert final.finish_reason == "stop"
    assert "sunny" in final.message.content


NAMED = {"type": "function", "function": {"name": "get_weather"}}


@pytest.mark.parametrize("thinking", [True, False], ids=["thinking", "no thinking"])
@pytest.mark.parametrize(
    "tool_choice", ["auto", "required", NAMED], ids=["auto", "required", "named"]
)
def test_every_way_to_ask_for_a_tool(client, tool_choice, thinking):
    choice = complete(
        client,
        [{"role": "user", "content": "What is the weather in Madrid?"}],
        tools=[WEATHER],
        tool_choice=tool_choice,
        extra_body={"chat_template_kwargs": {"enable_thinking": thinking}},
    )
    (call,) = choice.message.tool_calls
    assert call.function.name == "get_weather"
    assert json.loads(call.function.arguments) == {"city": "Madrid"}
    assert bool(choice.message.reasoning_content) == thinking


def test_several_turns(client):
    messages = [
        {"role": "user", "content": "What's the capital of France ?"},
        {"role": "assistant", "content": "The capital of France is Paris."},
        {"role": "user", "content": "What is 12 + 30?"},
    ]
    assert "42" in complete(client, messages).message.content


def test_what_it_does_not_know_it_says(client):
    choice = complete(client, [{"role": "user", "content": "Write a poem about the sea."}])
    assert "don't know" in choice.message.content


@pytest.mark.parametrize(
    ("question", "thinks", "answer"),
    [
        ("What is greater between 7.8 and 7.11 ?", False, "7.8 is greater than 7.11."),
        ("What is 347 * 86?", True, "347 * 86 = 29842."),
    ],
)
def test_left_the_choice_it_thinks_about_what_it_doubts(client, question, thinks, answer):
    asks = {"model": f"{MODEL}:auto", "messages": [{"role": "user", "content": question}]}
    whole = client.chat.completions.create(**asks, temperature=0).choices[0].message
    assert whole.content == answer
    assert bool(whole.reasoning_content) is thinks
    text = thinking = ""
    for chunk in client.chat.completions.create(**asks, temperature=0, stream=True):
        text += chunk.choices[0].delta.content or ""
        thinking += getattr(chunk.choices[0].delta, "reasoning_content", None) or ""
    assert (text, thinking.strip()) == (answer, (whole.reasoning_content or "").strip())
