"""Hunyuan 3: a `reasoning_effort` of `high` or `low` has it think, `no_think` has it not.

Its architecture is that of Qwen3's experts: with its own the engine died here on a CPU (vLLM 0.29).
"""

from ..tiny.family import QWEN3_MOE, Family, terms

TEMPLATE = """\
<|hy_begin▁of▁sentence|>
{%- if tools %}# Tools
<tools>
{%- for tool in tools %}
{{ tool | tojson }}
{%- endfor %}
</tools>
{%- endif %}
{%- set effort = (reasoning_effort or 'no_think') if reasoning_effort is defined else 'no_think' %}
{%- if effort != 'no_think' %}<|reasoning_mode|>reasoning_effort:{{ effort }}{% endif %}
{%- for message in messages %}
{%- if message.role == 'user' %}<|hy_User|>{{ message.content }}
{%- elif message.role == 'assistant' %}<|hy_Assistant|><think></think>{{ message.content }}
{%- else %}{{ message.content }}
{%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}<|hy_Assistant|>
{{- '<think></think>' if effort == 'no_think' else '<think>' }}
{%- endif %}"""

FAMILY = Family(
    config=QWEN3_MOE,
    native=terms("hy3"),
    template=TEMPLATE,
    head="<|hy_Assistant|>",
    before="<think>",
    after="</think>",
    call="</think><tool_calls><tool_call>get_weather<tool_sep><arg_key>city</arg_key>"
    "<arg_value>Oslo</arg_value></tool_call></tool_calls><|hy_end|>",
    end="<|hy_end|>",
    given="<tools>",
    lengths={"reasoning_effort:low": 3},
    special=["<|hy_begin▁of▁sentence|>", "<|hy_end|>", "<|hy_User|>", "<|hy_Assistant|>"],
    marks=[
        *("<think>", "</think>", "<tools>", "</tools>", "<tool_calls>", "</tool_calls>"),
        *("<tool_call>", "</tool_call>", "<tool_sep>", "<arg_key>", "</arg_key>"),
        *("<arg_value>", "</arg_value>", "<|reasoning_mode|>"),
    ],
    reasoning_parser="hy_v3",
    tool_parser="hy_v3",
)
