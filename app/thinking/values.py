"""The `reasoning` map of a Serve config's `args`: how each model thinks, in an operator's words."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    Field,
    TypeAdapter,
    ValidationError,
    model_validator,
)

from app.thinking.fixed import Thinking
from app.thinking.modes import ADAPTIVE, Mode
from app.thinking.native import EFFORT
from app.thinking.terms import Effort, Terms, Values

Tokens = Annotated[int, Field(ge=0)]
Efforts = dict[Effort, Tokens | None]


def _mode(value: object) -> object:
    if isinstance(value, bool) or value == ADAPTIVE:
        return value
    raise ValueError(f"must be true, false or {ADAPTIVE}")


Default = Annotated[Mode, BeforeValidator(_mode)]


class Lanes(Values):
    """Whether requests that don't think go first."""

    enabled: bool = False
    patience_seconds: Annotated[float, Field(ge=0, le=86400)] = 30  # that those which think wait


# Parameters that vLLM takes under these names on every surface
Sampled = Literal[
    "temperature", "top_p", "top_k", "min_p", "presence_penalty", "repetition_penalty"
]


class Adaptive(Values):
    """When a draft, written without thinking, is the answer."""

    # The least probability that each of its tokens must have; null: no drafts, so that a request
    # which leaves it to the server thinks
    threshold: Annotated[float, Field(ge=0, le=1)] | None = 0.9
    draft_tokens: Annotated[int, Field(ge=1)] = 64  # after which the rest is streamed as it comes


class OfKey(Values):
    """What may be fixed, for a model or for the requests of one API key."""

    thinking_default: Default | None = None  # whether it thinks when a request says nothing
    allow_override: bool = True  # whether a request may choose
    token_budget: Tokens | None = None  # thinking_token_budget of a request that names none
    max_token_budget: Tokens | None = None  # the most that a request may name
    effort_budgets: Efforts = {}  # thinking_token_budget for each effort; null: no limit
    adaptive: Adaptive = Adaptive()

    @model_validator(mode="after")
    def _budgets_agree(self) -> "OfKey":
        limit = self.max_token_budget
        named = {"tokenBudget": self.token_budget}
        named |= {
            f"effortBudgets.{effort}": tokens for effort, tokens in self.effort_budgets.items()
        }
        for name, budget in named.items():
            if budget is not None and limit is not None and budget > limit:
                raise ValueError(f"{name} ({budget}) is more than maxTokenBudget ({limit})")
        return self

    @property
    def has_budget(self) -> bool:
        """Whether thinking must be counted for it."""
        budgets = (self.token_budget, self.max_token_budget, *self.effort_budgets.values())
        return any(budget is not None for budget in budgets)


class Reasoning(OfKey):
    """The values of one model; each may be left out."""

    # The names under which chat clients get the thinking.
    names: Literal["both", "reasoning", "reasoning_content"] = Field(default="both", alias="fields")
    native: Terms = Terms()
    lanes: Lanes = Lanes()
    # What a request gets that does not say otherwise, by the mode that it is in
    sampling: dict[Literal["thinking", "nonThinking"], dict[Sampled, float]] = {}
    # {name of an API key: what is otherwise for it; what it leaves out is the model's}
    keys: dict[str, OfKey] = {}

    def of_key(self, name: str) -> OfKey:
        """Return all values for the requests of a key.

        Raises:
            ValidationError: its own don't agree with the model's.
        """
        model = self.model_dump(include=set(OfKey.model_fields), by_alias=True)
        own = self.keys[name].model_dump(exclude_unset=True, by_alias=True)
        adaptive = {**model["adaptive"], **own.get("adaptive", {})}
        return OfKey.model_validate({**model, **own, "adaptive": adaptive})


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
    for model_id, reasoning in found.items():
        if model_id not in model_ids:
            models = ", ".join(model_ids)
            raise ValueError(f"reasoning.{model_id}: no such model in llm_configs; it has {models}")
        for name in reasoning.keys:
            try:
                reasoning.of_key(name)
            except ValidationError as failure:
                place = f"{model_id}.keys.{name}"
                lines = (_line({**error, "loc": (place,)}) for error in failure.errors())
                raise ValueError("; ".join(lines)) from None
    return {model_id: found.get(model_id, Reasoning()) for model_id in model_ids}


def apply(values: Reasoning, model_id: str, engine_kwargs: dict[str, Any]) -> Thinking:
    """Return the values for the middleware, and write what vLLM itself does into `engine_kwargs`.

    Raises:
        ValueError: `engine_kwargs` say otherwise, or lack what a budget needs.
    """
    place = f"reasoning.{model_id}"
    native = values.native
    _check_native(values, place)
    has_parser = bool(
        engine_kwargs.get("reasoning_parser") or engine_kwargs.get("reasoning_config")
    )
    if not has_parser and any(each.has_budget for each in (values, *values.keys.values())):
        raise ValueError(f"{place}: a budget needs engine_kwargs.reasoning_parser")
    if has_parser and len(native.tags) == 2 and native.budget != "none":
        # vLLM asks its parser, made without a request, for them, and some have none then.
        tags = dict(zip(("reasoning_start_str", "reasoning_end_str"), native.tags, strict=True))
        engine_kwargs.setdefault("reasoning_config", tags)
    drafts = [values, *(values.of_key(name) for name in values.keys)]
    if engine_kwargs.get("logprobs_mode", "raw_logprobs") != "raw_logprobs" and any(
        each.adaptive.threshold is not None for each in drafts
    ):
        raise ValueError(
            f"{place}.adaptive: engine_kwargs.logprobs_mode hides the probabilities that judge a "
            "draft: leave it out, or set each threshold to null"
        )
    template = engine_kwargs.get("default_chat_template_kwargs") or {}
    if not isinstance(template, Mapping):
        raise ValueError(f"{model_id}: engine_kwargs.default_chat_template_kwargs is no map")
    written = template.get(native.argument)
    default = values.thinking_default
    told: dict[object, object] = {True: native.enabled, False: native.disabled}
    if None not in (default, written) and told.get(default) != written:
        raise ValueError(
            f"{place}.thinkingDefault is {default} and engine_kwargs."
            f"default_chat_template_kwargs.{native.argument} is {written}: leave one out"
        )
    # The middleware tells each request; a tokenizer that takes no arguments must not get any here.
    if default is False and written is None and native.argument not in ("", EFFORT):
        turned_off = {**template, native.argument: native.disabled}
        engine_kwargs["default_chat_template_kwargs"] = turned_off
    if values.lanes.enabled:
        if engine_kwargs.get("scheduling_policy", "priority") != "priority":
            raise ValueError(f"{place}.lanes: they need engine_kwargs.scheduling_policy priority")
        engine_kwargs["scheduling_policy"] = "priority"
    if default is None:
        default = native.default if native.fixed is None else native.fixed
        if written is not None:  # as templates have it: only the value for off turns it off
            default = written != native.disabled
    chosen = native.fixed is None
    own = _fixed(values, default, chosen)
    keys = {name: _fixed(values.of_key(name), default, chosen) for name in values.keys}
    return Thinking(
        fields=values.names,
        patience=values.lanes.patience_seconds if values.lanes.enabled else None,
        sampling=values.model_dump()["sampling"],
        counted=has_parser,
        keys=keys,
        native=native.native,
        **own,
    )


def _check_native(values: Reasoning, place: str) -> None:
    """Refuse what the model can't do.

    Raises:
        ValueError: the message says which of the values.
    """
    native = values.native
    keys = {f"{place}.keys.{name}": own for name, own in values.keys.items()}
    for where, given in ({place: values} | keys).items():
        if native.fixed is not None and given.thinking_default not in (None, native.fixed):
            raise ValueError(
                f"{where}.thinkingDefault is {given.thinking_default}, and this model "
                f"{native.modes} thinks (native.modes): leave it out"
            )
        if native.budget == "none" and given.has_budget:
            raise ValueError(
                f"{where}: nothing bounds this model's thinking (native.budget): leave out "
                "tokenBudget, maxTokenBudget and the numbers of effortBudgets"
            )


def _fixed(values: OfKey, default: Mode, chosen: bool) -> dict[str, Any]:
    """Return what `app.thinking.fixed.Thinking` has of these, under its names.

    Args:
        values: of a model or a key.
        default: the model's mode where nothing is said.
        chosen: whether the model has both modes.
    """
    return {
        "default": default if values.thinking_default is None else values.thinking_default,
        "override": values.allow_override and chosen,
        "budget": values.token_budget,
        "max_budget": values.max_token_budget,
        "efforts": dict(values.effort_budgets),
        "threshold": values.adaptive.threshold,
        "draft_tokens": values.adaptive.draft_tokens,
    }


def _line(failure: Mapping[str, Any]) -> str:
    """Return what pydantic says of one mistake."""
    place = ".".join(map(str, ("reasoning", *failure["loc"])))
    if failure["type"] == "extra_forbidden":
        known = ", ".join(
            str(field.alias) for field in _model_at(failure["loc"]).model_fields.values()
        )
        return f"{place}: there is no such value; there are {known}"
    return f"{place}: {failure['msg'].removeprefix('Value error, ')}"


def _model_at(place: tuple[Any, ...]) -> type[BaseModel]:
    """Return the model whose field a place (MODEL, ..., FIELD) names."""
    within = place[-2]
    maps: dict[Any, type[BaseModel]] = {"adaptive": Adaptive, "lanes": Lanes, "native": Terms}
    if within in maps:
        return maps[within]
    return OfKey if "keys" in place[1:-1] else Reasoning
