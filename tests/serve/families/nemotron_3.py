"""Nemotron 3: `enable_thinking`, on by default; its template opens the thinking. No /no_think.

Without its experts, which have no gate: those vLLM runs on GPUs alone.
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
{%- for message in messages %}<|im_start|>{{ message.role }}
{{ message.content }}<|im_end|>
{% endfor %}
{%- if add_generation_prompt %}<|im_start|>assistant
{% if enable_thinking is defined and not enable_thinking %}<think></think>{% else %}<think>
{% endif %}
{%- endif %}"""

FAMILY = Family(
    config={
        **SIZES,
        "architectures": ["NemotronHForCausalLM"],
        "model_type": "nemotron_h",
        "conv_kernel": 4,
        "layers_block_type": ["mamba", "attention"],
        "mamba_head_dim": 16,
        "mamba_num_heads": 8,
        "n_groups": 2,
        "ssm_state_size": 16,
    },
    native=terms("nvidia-nemotron-3-nano-30b-a3b-bf16"),
    template=TEMPLATE,
    head="<|im_start|>assistant\n",
    before="<think>\n",
    after="\n</think>\n\n",
    call="\n</think>\n\n<tool_call>\n<function=get_weather>\n<parameter=city>\nOslo\n</parameter>\n"
    "</function>\n</tool_call>\n<|im_end|>",
    end="<|im_end|>",
    given="<tools>",
    special=["<|endoftext|>", "<|im_start|>", "<|im_end|>"],
    marks=["<think>", "</think>", "<tools>", "</tools>", "<tool_call>", "</tool_call>"],
    reasoning_parser="nemotron_v3",
    tool_parser="qwen3_coder",
)
