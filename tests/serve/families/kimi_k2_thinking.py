"""Kimi-K2-Thinking: always thinks, and begins it itself."""

from ..tiny.family import Family, terms
from .deepseek_v3_1 import FAMILY as DEEPSEEK

TEMPLATE = """\
{%- if tools %}<|im_system|>tool_declare<|im_middle|># Tools
{{- tools | tojson }}<|im_end|>
{%- endif %}
{%- for message in messages %}
{%- set role = message.role -%}
<|im_{{ role if role in ('user', 'assistant') else 'system' }}|>{{ role }}<|im_middle|>
{{- message.content }}<|im_end|>
{%- endfor %}
{%- if add_generation_prompt %}<|im_assistant|>assistant<|im_middle|>{% endif %}"""

FAMILY = Family(
    config=DEEPSEEK.config,  # it has DeepSeek-V3's architecture
    native=terms("kimi-k2-thinking"),
    template=TEMPLATE,
    head="<|im_assistant|>assistant<|im_middle|>",
    before="<think>",
    after="</think>",
    call="</think><|tool_calls_section_begin|><|tool_call_begin|>functions.get_weather:0"
    '<|tool_call_argument_begin|>{"city": "Oslo"}<|tool_call_end|><|tool_calls_section_end|>'
    "<|im_end|>",
    end="<|im_end|>",
    given="# Tools",
    special=["<|im_end|>", "<|im_user|>", "<|im_assistant|>", "<|im_system|>", "<|im_middle|>"],
    marks=[
        *("<think>", "</think>", "<|tool_calls_section_begin|>", "<|tool_calls_section_end|>"),
        *("<|tool_call_begin|>", "<|tool_call_argument_begin|>", "<|tool_call_end|>"),
    ],
    reasoning_parser="kimi_k2",
    tool_parser="kimi_k2",
)
