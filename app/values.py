"""The `reasoning` map of a Serve config's `args`: how each model thinks, in an operator's words."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator
from pydantic.alias_generators import to_camel

from app.policy import Thinking

Tokens = Annotated[int, Field(ge=0)]


class Reasoning(BaseModel):
    """The values of one model; each may be left out."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, alias_generator=to_camel)

    # The names under which chat clients get the thinking.
    names: Literal["both", "reasoning", "reasoning_content"] = Field(default="both", alias="fields")
    thinking_default: bool | None = None  # whether it thinks when a request says nothing
    allow_override: bool = True  # whether a request may choose
    token_budget: Tokens | None = None  # thinking_token_budget of a request that names none
    max_token_budget: Tokens | None = None  # the most that a request may name

    @model_validator(mode="after")
    def _budgets_agree(self) -> "Reasoning":
        budget, limit = self.token_budget, self.max_token_budget
        if budget is not None and limit is not None and budget > limit:
            raise ValueError(f"tokenBudget ({budget}) is more than maxTokenBudget ({limit})")
        return self


def parse(given: object, model_ids: list[str]) -> dict[str, Reasoning]:
    """Return {model id: its values} for all models, also for those that `given` leaves out.

    Args:
        given: the `reasoning` map as written, or None.
        model_ids: the models that are served.

    Raises:
        ValueError: the map has a mistake; the message is one line that says where.
    """
    try:
        values = {} if given is None else given
        found = TypeAdapter(dict[str, Reasoning]).validate_python(values, strict=True)
    except ValidationError as failure:
        raise ValueError("; ".join(map(_line, failure.errors()))) from None
    for model_id in found:
        if model_id not in model_ids:
            models = ", ".join(model_ids)
            raise ValueError(f"reasoning.{model_id}: no such model in llm_configs; it has {models}")
    return {model_id: found.get(model_id, Reasoning()) for model_id in model_ids}


def apply(values: Reasoning, model_id: str, engine_kwargs: dict[str, Any]) -> Thinking:
    """Return the values for the middleware, and write what vLLM itself does into `engine_kwargs`.

    Raises:
        ValueError: `engine_kwargs` say otherwise, or lack what a budget needs.
    """
    place = f"reasoning.{model_id}"
    budgets = (values.token_budget, values.max_token_budget)
    has_parser = engine_kwargs.get("reasoning_parser") or engine_kwargs.get("reasoning_config")
    if budgets != (None, None) and not has_parser:
        raise ValueError(f"{place}: a budget needs engine_kwargs.reasoning_parser")
    template = engine_kwargs.get("default_chat_template_kwargs") or {}
    if not isinstance(template, Mapping):
        raise ValueError(f"{model_id}: engine_kwargs.default_chat_template_kwargs is no map")
    written = template.get("enable_thinking")
    default = values.thinking_default
    if None not in (default, written) and default is not written:
        raise ValueError(
            f"{place}.thinkingDefault is {default} and engine_kwargs."
            f"default_chat_template_kwargs.enable_thinking is {written}: leave one out"
        )
    if default is False and written is None:
        engine_kwargs["default_chat_template_kwargs"] = {**template, "enable_thinking": False}
    return Thinking(
        fields=values.names,
        # As the template has it: only false itself turns thinking off.
        default=written is not False if default is None else default,
        override=values.allow_override,
        budget=values.token_budget,
        max_budget=values.max_token_budget,
    )


def _line(failure: Mapping[str, Any]) -> str:
    """Return what pydantic says of one mistake."""
    place = ".".join(map(str, ("reasoning", *failure["loc"])))
    if failure["type"] == "extra_forbidden":
        known = ", ".join(str(field.alias) for field in Reasoning.model_fields.values())
        return f"{place}: there is no such value; there are {known}"
    return f"{place}: {failure['msg'].removeprefix('Value error, ')}"
