"""MiniMax M2: always thinks; its template opens the thinking, and nothing turns it off.

Its architecture is that of Qwen3's experts: with its own the engine died here on a CPU (vLLM 0.29).
"""

from ..tiny.family import QWEN3_MOE, Family, terms

TEMPLATE = """\
]~!b[]~b]system
You are a helpful assistant.
{%- if tools %}

# Tools
<tools>
{%- for tool in tools %}
<tool>{{ tool.function | tojson }}</tool>
{%- endfor %}
</tools>
{%- endif %}[e~[
{% for message in messages %}
{%- set role = {'assistant': 'ai'}.get(message.role, message.role) -%}
]~b]{{ role }}
{{ message.content }}[e~[
{% endfor %}
{%- if add_generation_prompt %}]~b]ai
<think>
{% endif %}"""

FAMILY = Family(
    config=QWEN3_MOE,
    native=terms("minimax-m2.7"),
    template=TEMPLATE,
    head="]~b]ai\n",
    before="<think>\n",
    after="\n</think>\n\n",
    call='\n</think>\n\n<minimax:tool_call>\n<invoke name="get_weather">\n'
    '<parameter name="city">Oslo</parameter>\n</invoke>\n</minimax:tool_call>[e~[',
    end="[e~[",
    given="<tools>",
    special=["]~!b[", "]~b]", "[e~["],
    marks=[
        *("<think>", "</think>", "<tools>", "</tools>"),
        *("<minimax:tool_call>", "</minimax:tool_call>"),
    ],
    reasoning_parser="minimax_m2",
    tool_parser="minimax_m2",
)
