"""Rendering conversations through the chat template file, exactly as the servers do."""

import functools
import json
from pathlib import Path

from jinja2 import Template
from jinja2.sandbox import ImmutableSandboxedEnvironment

PATH = Path(__file__).resolve().parent / "chat_template.jinja"


@functools.cache
def _template() -> Template:
    # The same options and the same tojson as transformers' apply_chat_template.
    environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
    environment.filters["tojson"] = lambda value: json.dumps(value, ensure_ascii=False)
    return environment.from_string(PATH.read_text(encoding="utf-8"))


def render(messages: list[dict], **options: object) -> str:
    """Return the prompt text of a conversation.

    Args:
        messages: chat messages as the API has them.
        **options: `tools`, `add_generation_prompt` and `enable_thinking`, as for the template.
    """
    return _template().render(messages=messages, **options)
