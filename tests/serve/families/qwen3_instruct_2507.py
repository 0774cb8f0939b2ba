"""Qwen3-Instruct-2507: never thinks, and has no parser for it."""

from ..tiny.family import QWEN3_MOE, Family, terms

TEMPLATE = """\
{%- if tools %}<|im_start|>system
# Tools
<tools>
{%- for tool in tools %}
{{ tool | tojson }}
{%- endfor %}
</tools><|im_end|>
{% endif %}
{%- for message in messages %}<|im_start|>{{ message.role }}
{{ message.content }}<|im_end|>
{% endfor %}
{%- if add_generation_prompt %}<|im_start|>assistant
{% endif %}"""

FAMILY = Family(
    config=QWEN3_MOE,
    native=terms("qwen3-4b-instruct-2507"),
    template=TEMPLATE,
    head="<|im_start|>assistant\n",
    before="",
    after="",
    call='<tool_call>\n{"name": "get_weather", "arguments": {"city": "Oslo"}}\n</tool_call>'
    "<|im_end|>",
    end="<|im_end|>",
    given="<tools>",
    special=["<|endoftext|>", "<|im_start|>", "<|im_end|>"],
    marks=["<tools>", "</tools>", "<tool_call>", "</tool_call>"],
    tool_parser="hermes",
)
