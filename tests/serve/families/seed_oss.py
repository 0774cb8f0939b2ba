"""Seed-OSS: a budget is an argument of its template; none of it turns the thinking off."""

from ..tiny.family import SIZES, Family, terms

TEMPLATE = """\
{%- if tools %}<seed:bos>system
# Tools
{%- for tool in tools %}
{{ tool | tojson }}
{%- endfor %}
<seed:eos>{% endif %}
{%- if thinking_budget is not defined %}{% set thinking_budget = -1 %}{% endif %}
{%- if thinking_budget == 0 %}<seed:bos>system
Your thinking budget is 0: answer directly.
<seed:eos>
{%- elif thinking_budget != -1 %}<seed:bos>system
Your thinking budget is {{ thinking_budget }}.
<seed:eos>
{%- endif %}
{%- for message in messages %}<seed:bos>{{ message.role }}
{{ message.content }}<seed:eos>
{%- endfor %}
{%- if add_generation_prompt %}<seed:bos>assistant
{% if thinking_budget == 0 %}<seed:think><seed:cot_budget_reflect>The thinking budget is 0.
{{- '</seed:cot_budget_reflect></seed:think>' }}
{%- endif %}
{%- endif %}"""

FAMILY = Family(
    config={**SIZES, "architectures": ["SeedOssForCausalLM"], "model_type": "seed_oss"},
    native=terms("seed-oss-36b-instruct"),
    template=TEMPLATE,
    head="<seed:bos>assistant\n",
    before="<seed:think>",
    after="</seed:think>",
    call="</seed:think><seed:tool_call>\n<function=get_weather>\n<parameter=city>Oslo</parameter>\n"
    "</function>\n</seed:tool_call><seed:eos>",
    end="<seed:eos>",
    given="# Tools",
    special=["<seed:bos>", "<seed:eos>", "<seed:pad>"],
    marks=[
        *("<seed:think>", "</seed:think>", "<seed:tool_call>", "</seed:tool_call>"),
        *("<seed:cot_budget_reflect>", "</seed:cot_budget_reflect>"),
    ],
    reasoning_parser="seed_oss",
    tool_parser="seed_oss",
)
