"""A LoRA adapter beside its model: asked for by name, listed, and held to the model's policy."""

import openai
import pytest

from .conftest import ANSWER, MODEL
from .operators_values import SAILOR as OWN
from .operators_values import both_modes

SAILOR = f"{MODEL}:{OWN}"
HI = [{"role": "user", "content": "What is 12 + 30?"}]


pytestmark = both_modes


def ask(client: openai.OpenAI, model: str, **more: object) -> tuple[str, str, str]:
    """Return the answer's model, its thinking and its text."""
    completion = client.chat.completions.create(
        model=model, messages=HI, temperature=0, max_tokens=60, extra_body=more
    )
    message = completion.choices[0].message
    return completion.model, getattr(message, "reasoning", None) or "", message.content or ""


@pytest.mark.parametrize("name", [SAILOR, "sailor"])
def test_it_answers_to_its_name_with_the_model_and_alone(client: openai.OpenAI, name: str) -> None:
    model, thought, said = ask(client, name, enable_thinking=False)
    assert (model, thought, said) == (SAILOR, "", ANSWER)


def test_the_model_is_as_it_was(client: openai.OpenAI) -> None:
    model, _, said = ask(client, MODEL, enable_thinking=False)
    assert model == MODEL and "42" in said and ANSWER not in said


@pytest.mark.parametrize("name", [f"{SAILOR}:think", "sailor:think"])
def test_it_thinks_when_asked_and_within_the_models_budgets(
    client: openai.OpenAI, name: str
) -> None:
    model, thought, said = ask(client, name, thinking_token_budget=20)
    assert model == SAILOR and "sailor" in thought and said == ANSWER
    short = ask(client, name)[1]
    assert thought.startswith(short) and len(short) < len(thought)
    assert not ask(client, name.replace(":think", ":no-think"))[1]
    with pytest.raises(openai.BadRequestError, match="thinking_token_budget: 21 is more than"):
        ask(client, name, thinking_token_budget=21)


def test_it_streams(client: openai.OpenAI) -> None:
    stream = client.chat.completions.create(
        model="sailor", messages=HI, stream=True, extra_body={"enable_thinking": False}
    )
    chunks = list(stream)
    assert {chunk.model for chunk in chunks} == {SAILOR}
    assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices) == ANSWER


def test_it_is_listed_beside_its_model_once(client: openai.OpenAI) -> None:
    names = [model.id for model in client.models.list()]
    own = [SAILOR, f"{SAILOR}:think", f"{SAILOR}:no-think", f"{SAILOR}:auto"]
    assert [name for name in names if "sailor" in name] == own
    assert names[0] == MODEL
    assert client.models.retrieve("sailor").id == SAILOR


def test_another_is_not_there(client: openai.OpenAI) -> None:
    for name in (f"{MODEL}:pirate", "pirate", f"{MODEL}:"):
        with pytest.raises(openai.NotFoundError, match="GET /v1/models lists those here"):
            ask(client, name)
