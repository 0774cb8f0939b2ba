"""How a model is told to think: its chat template, rendered with each argument, and compared."""

import re
from dataclasses import dataclass, field

from .prompts import Prompts

# What templates are told by; with the values to try, the one that has it think first
_ARGUMENTS: dict[str, tuple[object, object]] = {
    "enable_thinking": (True, False),
    "thinking": (True, False),
    "thinking_mode": ("enabled", "disabled"),
    "thinking_option": ("on", "off"),
}
EFFORT = "reasoning_effort"
_NO_EFFORT = ("none", "no_think")
_EFFORTS = ("minimal", "low", "medium", "high", "xhigh", "max")
_BUDGETS = ("thinking_budget", "reasoning_budget")
_TAGS = (
    ("<think>", "</think>"),
    ("<seed:think>", "</seed:think>"),
    ("<mm:think>", "</mm:think>"),
    ("[THINK]", "[/THINK]"),
    ("<|START_THINKING|>", "<|END_THINKING|>"),
    ("<|channel>thought", "<channel|>"),
)
_OF_MESSAGES = ("reasoning", "reasoning_content")
_OF_THINKING = re.compile(r"think|reason|effort")


@dataclass(frozen=True)
class Found:
    """What the template shows.

    Args:
        tags: between which it thinks; () where none of those known here is in it.
        argument: that turns its thinking on and off; "" for none.
        enabled: its value for on; None without an argument.
        disabled: its value for off; None without an argument.
        default: whether it thinks where nothing is said; None where the prompts don't tell.
        opens: whether a prompt ends in the opening tag.
        efforts: values of `reasoning_effort` that make prompts of their own.
        budget: the argument that bounds the thinking; "" for none.
        others: further arguments that sound like thinking, for whoever reads the draft.
        switches: that its text names, as /no_think.
        seen: what was rendered and how it ended, in words.
    """

    tags: tuple[str, ...]
    argument: str = ""
    enabled: object = None
    disabled: object = None
    default: bool | None = None
    opens: bool = False
    efforts: tuple[str, ...] = ()
    budget: str = ""
    others: tuple[str, ...] = ()
    switches: tuple[str, ...] = ()
    seen: tuple[str, ...] = field(default=())

    @property
    def modes(self) -> str | None:
        """Return both, always or never; None where the prompts don't tell."""
        if self.argument:
            return "both"
        if self.opens or self.efforts:
            return "always"
        return None if self.tags else "never"


def look(template: str) -> Found:
    """Render a chat template with what templates are told by, and say what each changes.

    Args:
        template: in Jinja, as the model publishes it.

    Raises:
        jinja2.TemplateError: it can't be rendered with nothing said.
    """
    tags = next((pair for pair in _TAGS if pair[0] in template or pair[1] in template), ())
    prompts = Prompts(template, tags)
    told = _by_switch(prompts) or _by_effort(prompts) or _by_budget(prompts) or _Told()
    on = {told.argument: told.enabled} if told.argument else {}
    default = prompts.thinks() if told.default is None else told.default
    known = {*_ARGUMENTS, EFFORT, *_BUDGETS, *_OF_MESSAGES}
    others = sorted(name for name in _names(template) - known if _OF_THINKING.search(name))
    return Found(
        tags,
        told.argument,
        told.enabled,
        told.disabled,
        default,
        prompts.thinks(**on) is True,
        told.efforts or _efforts(prompts, on),
        _budget(prompts),
        tuple(others),
        tuple(dict.fromkeys(re.findall(r"/no_?think\b", template))),
        tuple(prompts.shown()),
    )


@dataclass(frozen=True)
class _Told:
    """What turns the thinking on and off."""

    argument: str = ""
    enabled: object = None
    disabled: object = None
    default: bool | None = None
    efforts: tuple[str, ...] = ()


def _by_switch(prompts: Prompts) -> _Told | None:
    """Return the first argument whose two values make two prompts; see those of all."""
    told = None
    for name, (on, off) in _ARGUMENTS.items():
        with_on, with_off = prompts(**{name: on}), prompts(**{name: off})
        if with_on is None or with_off is None or with_on == with_off:
            continue
        prompts.see(f"{name} {on}", **{name: on})
        prompts.see(f"{name} {off}", **{name: off})
        default = {with_on: True, with_off: False}.get(prompts.plain)
        told = told or _Told(name, on, off, default)
    return told


def _by_effort(prompts: Prompts) -> _Told | None:
    """Return the efforts, where one of them closes the thinking, and another does not."""
    efforts = _efforts(prompts, {})
    for none in _NO_EFFORT:
        if efforts and prompts.thinks(**{EFFORT: none}) is False:
            off = prompts.see(f"{EFFORT} {none}", **{EFFORT: none})
            on = tuple(one for one in efforts if prompts(**{EFFORT: one}) != off)
            if on:
                prompts.see(f"{EFFORT} {on[-1]}", **{EFFORT: on[-1]})
                return _Told(EFFORT, on[-1], none, prompts.plain != off, on)
    return None


def _by_budget(prompts: Prompts) -> _Told | None:
    """Return the budget, where one of 0 closes the thinking."""
    name = _budget(prompts)
    if not name or prompts.thinks(**{name: 0}) is not False:
        return None
    off = prompts.see(f"{name} 0", **{name: 0})
    return _Told(name, -1, 0, prompts.plain != off)


def _budget(prompts: Prompts) -> str:
    return next((name for name in _BUDGETS if prompts(**{name: 0}) != prompts(**{name: 512})), "")


def _efforts(prompts: Prompts, on: dict[str, object]) -> tuple[str, ...]:
    """Return the efforts that have a prompt of their own, or that their prompt names.

    A template may take any other value for one of those that it knows, or refuse it.
    """
    by_effort = {name: prompts(**{EFFORT: name, **on}) for name in (*_NO_EFFORT, *_EFFORTS)}
    texts = [text for text in by_effort.values() if text is not None]
    if len(set(texts)) < 2:
        return ()
    return tuple(
        name
        for name in _EFFORTS
        if (text := by_effort[name]) is not None
        and (texts.count(text) == 1 or re.search(rf"\b{name}\b", text, re.IGNORECASE))
    )


def _names(template: str) -> set[str]:
    from jinja2 import Environment, meta

    environment = Environment(extensions=["jinja2.ext.loopcontrols"])  # for its syntax alone
    try:
        return set(meta.find_undeclared_variables(environment.parse(template)))
    except Exception:  # a tag of transformers' own
        return set()
