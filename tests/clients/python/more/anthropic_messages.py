"""What an agent does with Anthropic's client for Python; prints what came of it as JSON."""

import json
import os

from anthropic import Anthropic, APIError, APIStatusError

TOOL = {
    "name": "get_weather",
    "description": "Get the current weather in a city.",
    "input_schema": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
    },
}
QUESTION = {"role": "user", "content": "What is the weather in Paris?"}
COMPARE = {"role": "user", "content": "What is greater between 7.8 and 7.11 ?"}
MODEL = os.environ["MODEL"]

client = Anthropic(base_url=os.environ["BASE_URL"], api_key=os.environ["API_KEY"], max_retries=0)
GREEDY = {"extra_body": {"temperature": 0}}  # this version has no argument for it


def create(messages, client=client, **settings):
    arguments = {"model": MODEL, "max_tokens": 2048, **GREEDY, **settings}
    return client.messages.create(messages=messages, **arguments)


def named_tool_choice():
    choice = {"type": "tool", "name": "get_weather"}
    return create([QUESTION], tools=[TOOL], tool_choice=choice).to_dict()


def agent_loop():
    """Ask until no tool is called; each answer goes back whole, with its thinking."""
    messages, answers = [QUESTION], []
    for _ in range(3):
        thinking = {"type": "enabled", "budget_tokens": 1024}
        message = create(messages, tools=[TOOL], thinking=thinking)
        answers.append(message.to_dict())
        calls = [block for block in message.content if block.type == "tool_use"]
        if not calls:
            break
        results = [
            {"type": "tool_result", "tool_use_id": call.id, "content": "18 C"} for call in calls
        ]
        messages += [
            {"role": "assistant", "content": message.content},
            {"role": "user", "content": results},
        ]
    return answers


def thinking_echoed():
    thinking = {"type": "enabled", "budget_tokens": 1024}
    first = create([COMPARE], thinking=thinking)
    history = [COMPARE, {"role": "assistant", "content": first.content}, COMPARE]
    return [first.to_dict(), create(history, thinking=thinking).to_dict()]


def count_tokens():
    short = client.messages.count_tokens(model=MODEL, messages=[COMPARE])
    long = client.messages.count_tokens(model=MODEL, messages=[QUESTION], tools=[TOOL])
    used = create([COMPARE], thinking={"type": "disabled"}).usage.input_tokens
    return {"short": short.input_tokens, "with_tool": long.input_tokens, "used": used}


def wrong_key():
    create([COMPARE], client=client.with_options(api_key="sk-wrong"))


def unknown_model():
    create([COMPARE], model="no-such-model")


def bad_request():
    create([])


def outcome(check):
    """Return what a check returns, or the error it raised as the client shows it."""
    try:
        return {"returned": check()}
    except APIStatusError as error:
        body = error.body if isinstance(error.body, dict) else {}
        return {
            "raised": type(error).__name__,
            "shape": body.get("type"),
            "type": error.type,
            "request_id": error.request_id,
        }
    except APIError as error:
        return {"raised": type(error).__name__}


checks = [named_tool_choice, agent_loop, thinking_echoed, count_tokens]
checks += [wrong_key, unknown_model, bad_request]
print(json.dumps({check.__name__: outcome(check) for check in checks}))
