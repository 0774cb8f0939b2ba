"""Qwen3.5: `enable_thinking`, on by default; its template opens the thinking. No /no_think.

Its architecture here is that of Qwen3-Next, whose decoder it has: vLLM's own for Qwen3.5 needs
torchvision, for its pictures, which an environment for CPUs does not have.
"""

from ..tiny.family import SIZES, Family, terms

TEMPLATE = """\
{%- if tools %}<|im_start|>system
# Tools
<tools>
{%- for tool in tools %}
{{ tool | tojson }}
{%- endfor %}
</tools><|im_end|>
{% endif %}
{%- for message in messages %}
{%- if message.role == 'tool' %}<|im_start|>user
<tool_response>
{{ message.content }}
</tool_response><|im_end|>
{% else %}<|im_start|>{{ message.role }}
{{ message.content }}<|im_end|>
{% endif %}
{%- endfor %}
{%- if add_generation_prompt %}<|im_start|>assistant
{% if enable_thinking is defined and enable_thinking is false %}<think>

</think>

{% else %}<think>
{% endif %}
{%- endif %}"""

FAMILY = Family(
    config={
        **SIZES,
        "architectures": ["Qwen3NextForCausalLM"],
        "model_type": "qwen3_next",
        "layer_types": ["linear_attention", "full_attention"],
        "linear_key_head_dim": 128,
        "linear_num_key_heads": 1,
        "linear_num_value_heads": 2,
        "linear_value_head_dim": 128,
        "moe_intermediate_size": 64,
        "num_experts": 4,
        "num_experts_per_tok": 2,
        "shared_expert_intermediate_size": 64,
    },
    native=terms("qwen3.5-9b"),
    template=TEMPLATE,
    head="<|im_start|>assistant\n",
    before="<think>\n",
    after="\n</think>\n\n",
    call="\n</think>\n\n<tool_call>\n<function=get_weather>\n<parameter=city>\nOslo\n</parameter>\n"
    "</function>\n</tool_call><|im_end|>",
    end="<|im_end|>",
    given="<tools>",
    special=["<|endoftext|>", "<|im_start|>", "<|im_end|>"],
    marks=[
        *("<think>", "</think>", "<tools>", "</tools>", "<tool_call>", "</tool_call>"),
        *("<tool_response>", "</tool_response>"),
    ],
    reasoning_parser="qwen3",
    tool_parser="qwen3_coder",
)
