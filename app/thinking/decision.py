"""The one decision on a request's thinking: from what it says, and what its operator has fixed.

In this order, the first that says something: what the operator has fixed; the request's fields and
the ending of its model's name, which must agree; the last `/think` or `/no_think` of its messages;
the operator's default. One of them may leave it to the model's own doubt: then the engine may be
asked in both modes (`app.thinking.adaptive`). Whatever decides, the engine is told so, and a switch
in the messages that would have the model do otherwise is taken out.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.edge.errors import Refusal
from app.thinking.controls import Control, controls, switch, with_tags_apart, without_switches
from app.thinking.fixed import Thinking
from app.thinking.modes import ADAPTIVE, Mode, in_words


@dataclass(frozen=True)
class Decision:
    """What is done with a request."""

    thinks: bool  # where it is adaptive: whether it may
    budget: int | None = None  # tokens of thinking; None: no limit
    # Of one that is adaptive: what the engine is told for the draft, which does not think
    draft: Mapping[str, Any] | None = None


def decide(
    request: dict[str, Any],
    thinking: Thinking,
    ending: Mode | None = None,
    surface: str = "chat_completions",
) -> tuple[Decision, dict[str, Any]]:
    """Return the decision on a request to a chat model, and the fields that tell the engine.

    Args:
        request: the chat completion that it becomes, as `app.requests` has parsed it, and the
            controls that its client has written. Switches that must not count are taken out of it.
        thinking: what is fixed for its model and key.
        ending: the mode that the ending of the model's name asks for.
        surface: the API that it is asked by.

    Raises:
        Refusal: it asks for what it may not, or for two things at once.
    """
    said = controls(request, ending, surface, thinking.native)
    mode = _mode(request, said, thinking)
    thinks = mode is not False
    native = thinking.native
    # A model that obeys them would obey this one; an off template is closed to any /think. To
    # another it is a word without a meaning.
    opposed = thinks and switch(request) is False if native.switches else native.modes == "both"
    apart = without_switches(request) if opposed else {}
    budget = _budget(said, thinking)
    told = apart | _told(request, thinking, thinks, budget, said)
    draft = None
    if mode == ADAPTIVE and thinking.threshold is not None:
        draft = apart | _told(request, thinking, False, budget, said)
    return Decision(thinks, budget if thinks and budget != -1 else None, draft), told


def _mode(request: Mapping[str, Any], said: list[Control], thinking: Thinking) -> Mode:
    """Return the mode of a request, of all that say something of it.

    Raises:
        Refusal: it asks for one that it may not have, or for two.
    """
    modes = [control for control in said if control.thinks is not None]
    fixed = None if thinking.override else thinking.default
    if ADAPTIVE in (fixed, *(control.thinks for control in modes)):
        # An effort is for the thinking, when there is some.
        modes = [control for control in modes if not (control.effort and control.thinks)]
    if any(control.begins for control in said) and thinking.override:
        modes = [control for control in modes if control.thinks != ADAPTIVE]
    if not thinking.override:
        for control in modes:
            # What leaves it to the server takes what the server has.
            if control.thinks not in (thinking.default, ADAPTIVE):
                raise _fixed(control, thinking)
        return thinking.default
    _agree(modes, [control.thinks for control in modes])
    wished = modes[0].thinks if modes else None
    return next((mode for mode in (wished, switch(request)) if mode is not None), thinking.default)


def _told(
    request: Mapping[str, Any],
    thinking: Thinking,
    thinks: bool,
    budget: int | None,
    said: list[Control],
) -> dict[str, Any]:
    """Return the fields that tell the engine of one mode.

    Args:
        request: as `decide` has it.
        thinking: what is fixed for its model and key.
        thinks: the mode.
        budget: tokens of thinking, -1 for no limit, None for what the engine has.
        said: what the request says.

    Raises:
        Refusal: it could think by other means than its mode, and must not.
    """
    effort = next((control.effort for control in said if control.effort is not None), None)
    added = thinking.native.told(request, thinks, effort, budget)
    if any(control.begins for control in said):
        budget = _of_text(budget, thinking)
    elif not thinks:  # its prompt has closed the thinking; the cap holds for any other all the same
        budget = thinking.max_budget
    added |= _budgeted(budget) | _closed(request, thinking)
    for name, value in thinking.sampling.get("thinking" if thinks else "nonThinking", {}).items():
        if request.get(name) is None:
            added[name] = value
    if thinking.patience is not None:
        added["priority"] = priority(request, thinking.patience if thinks else 0)
    return added


def decide_plain(
    request: dict[str, Any],
    thinking: Thinking,
    ending: Mode | None = None,
    surface: str = "completions",
) -> tuple[Decision, dict[str, Any]]:
    """Return the same for a plain completion, whose prompt may hold a `<think>` of its own.

    Raises:
        Refusal: it asks for a mode, which it can't have, or for what it may not.
    """
    said = controls(request, ending, surface)
    for control in said:
        if control.thinks is not None:
            message = f"{control.field}: /v1/completions has no thinking mode; use a chat API."
            raise Refusal(control.field, message, "unsupported_parameter")
    budget = _of_text(_budget(said, thinking), thinking)
    added = _budgeted(budget) | _closed(request, thinking)
    if thinking.patience is not None:
        added["priority"] = priority(request, 0)
    return Decision(False, None), added


def priority(request: Mapping[str, Any], patience: float) -> int:
    """Return the latest time by which a request should start, in ms: vLLM runs the lowest first.

    A request that thinks is passed by those that don't, but only by those that come within its
    patience: after that it stands before all that come later, so that no flood can starve it.

    Args:
        request: the parsed body.
        patience: seconds that it lets others pass.

    Raises:
        Refusal: it names a priority of its own.
    """
    if request.get("priority") not in (None, 0):
        message = "priority: this server sets it from the thinking mode; leave it out."
        raise Refusal("priority", message, "unsupported_parameter")
    return int((time.time() + patience) * 1000)


def _budget(said: list[Control], thinking: Thinking) -> int | None:
    """Return the tokens of thinking: a number in the request, its effort's, or the default."""
    limit = thinking.max_budget
    numbers = [control for control in said if control.budget is not None]
    efforts = [control for control in said if control.effort is not None]
    _agree(numbers, [control.budget for control in numbers])
    _agree(efforts, [control.effort for control in efforts])
    for control in numbers:
        asked = control.budget
        if thinking.native.budget == "none" and asked != -1:
            never = thinking.native.modes == "never"
            reason = "this model never thinks" if never else "nothing bounds this model's thinking"
            message = f"{control.field}: {reason}; leave it out."
            raise Refusal(control.field, message, "unsupported_parameter")
        if limit is not None and asked is not None and (asked == -1 or asked > limit):
            shown = "-1 (no limit)" if asked == -1 else control.value
            raise Refusal(
                control.field,
                f"{control.field}: {shown} is more than "
                f"the {limit} tokens that the operator of this server allows for this "
                f"{_whose(thinking)}.",
                "integer_above_max_value",
                403 if thinking.of_key else 400,
            )
        return asked
    default = thinking.budget
    effort = efforts[0].effort if efforts else None
    if effort is not None and effort in thinking.efforts:
        default = thinking.efforts[effort]
    return limit if default is None else default


def _budgeted(budget: int | None) -> dict[str, Any]:
    """Return the engine's field, which has no number for no limit."""
    return {} if budget is None else {"thinking_token_budget": None if budget == -1 else budget}


def _of_text(budget: int | None, thinking: Thinking) -> int | None:
    """Return the budget of what a client has written itself, which may begin with a `<think>`."""
    return 0 if _never(thinking) and thinking.counted else budget


def _never(thinking: Thinking) -> bool:
    return not thinking.override and not thinking.default


# What keeps an answer from its end, after which a model begins anew, with thinking
_ENDLESS = ("ignore_eos", "min_tokens")
# And what can have any token written, or the last one never: vLLM's budget is for each <think>
_FORCING = ("allowed_token_ids", "bad_words", "logit_bias")


def _closed(request: Mapping[str, Any], thinking: Thinking) -> dict[str, Any]:
    """Return what keeps a request fixed to off from thinking by other means than its mode.

    vLLM applies `bad_words` after all that a client can say of tokens.

    Raises:
        Refusal: it could think by such means, or again and again up to the cap.
    """
    never = _never(thinking) and thinking.counted
    limited = thinking.max_budget is not None
    for field in (*(_ENDLESS if never or limited else ()), *(_FORCING if limited else ())):
        if request.get(field):
            message = f"{field}: not where the operator limits thinking; leave it out."
            raise Refusal(field, message, "unsupported_parameter")
    tags = thinking.native.tags
    apart = with_tags_apart(request, tags) if limited else {}
    if not never or not tags:
        return apart
    return apart | {"bad_words": [*(request.get("bad_words") or ()), tags[0]]}


def _agree(said: list[Control], values: list[Any]) -> None:
    for control, value in zip(said, values, strict=True):
        first = said[0]
        if value != values[0]:
            message = (
                f"{first.field} ({first.value}) and {control.field} ({control.value}) ask for "
                "different things: leave one of them out."
            )
            raise Refusal(control.field, message, "conflicting_parameters")


def _fixed(control: Control, thinking: Thinking) -> Refusal:
    mode = in_words(thinking.default)
    allowed = {}
    if thinking.default != ADAPTIVE:
        allowed = {"enable_thinking": str(thinking.default).lower()}
        if control.field.startswith("chat_template_kwargs."):
            allowed |= {"thinking": allowed["enable_thinking"]}
    if not thinking.default:
        allowed |= {"effort": '"none"', "reasoning_effort": '"none"', "type": '"disabled"'}
    other = allowed.get(control.field.split(".")[-1])
    way_out = f"leave it out or set it to {other}" if other else "leave it out"
    if control.field == "model":
        way_out = "use the model's name without it"
    elif control.begins:
        way_out = "let the model begin its answer itself"
    reason = f"the operator of this server has fixed thinking to {mode} for this {_whose(thinking)}"
    if thinking.native.modes != "both":
        reason = f"this model {thinking.native.modes} thinks"
    message = f"{control.field}: {reason}; {way_out}."
    status = 403 if thinking.of_key and thinking.native.modes == "both" else 400
    return Refusal(control.field, message, "unsupported_value", status)


def _whose(thinking: Thinking) -> str:
    return "API key" if thinking.of_key else "model"
