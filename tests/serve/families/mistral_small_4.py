"""Mistral Small 4: a `reasoning_effort` of `high` has it think, `none` has it not.

Its architecture is that of Qwen3's experts, and its tokenizer one of Hugging Face's: its own needs
mistral-common's files, which nothing here can make.
"""

from ..tiny.family import QWEN3_MOE, Family, terms

TEMPLATE = """\
{%- set effort = (reasoning_effort or 'none') if reasoning_effort is defined else 'none' -%}
<s>
{%- for message in messages if message.role == 'system' -%}
[SYSTEM_PROMPT]{{ message.content }}[/SYSTEM_PROMPT]
{%- endfor %}
{%- if tools %}[AVAILABLE_TOOLS]{{ tools | tojson }}[/AVAILABLE_TOOLS]{% endif -%}
[MODEL_SETTINGS]{"reasoning_effort": "{{ effort }}"}[/MODEL_SETTINGS]
{%- for message in messages %}
{%- if message.role == 'user' %}[INST]{{ message.content }}[/INST]
{%- elif message.role == 'assistant' %}{{ message.content }}</s>
{%- elif message.role == 'tool' %}[TOOL_RESULTS]{{ message.content }}[/TOOL_RESULTS]
{%- endif %}
{%- endfor %}"""

FAMILY = Family(
    config=QWEN3_MOE,
    native=terms("mistral-small-4-119b-2603"),
    template=TEMPLATE,
    head="[/INST]",
    before="[THINK]",
    after="[/THINK]",
    call='[/THINK][TOOL_CALLS]get_weather[ARGS]{"city": "Oslo"}</s>',
    end="</s>",
    given="[AVAILABLE_TOOLS]",
    asks='"reasoning_effort": "high"',
    special=["<s>", "</s>"],
    marks=[
        *("[THINK]", "[/THINK]", "[INST]", "[/INST]", "[TOOL_CALLS]", "[ARGS]"),
        *("[AVAILABLE_TOOLS]", "[/AVAILABLE_TOOLS]", "[TOOL_RESULTS]", "[/TOOL_RESULTS]"),
    ],
    reasoning_parser="mistral",
    tool_parser="mistral",
)
