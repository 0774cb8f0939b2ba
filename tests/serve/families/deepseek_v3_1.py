"""DeepSeek-V3.1: `thinking`, off by default; its template opens the thinking, or closes it."""

from ..tiny.family import SIZES, Family, terms

TEMPLATE = """\
<｜begin▁of▁sentence｜>
{%- for message in messages if message.role == 'system' %}{{ message.content }}{% endfor %}
{%- if tools %}

## Tools
{%- for tool in tools %}
### {{ tool.function.name }}
{{ tool.function.parameters | tojson }}
{%- endfor %}
{%- endif %}
{%- for message in messages %}
{%- if message.role == 'user' %}<｜User｜>{{ message.content }}
{%- elif message.role == 'assistant' %}<｜Assistant｜></think>
{{- message.content }}<｜end▁of▁sentence｜>
{%- elif message.role == 'tool' %}<｜tool▁output▁begin｜>{{ message.content }}<｜tool▁output▁end｜>
{%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}<｜Assistant｜>{{ '<think>' if thinking else '</think>' }}
{%- endif %}"""

FAMILY = Family(
    config={
        **{name: size for name, size in SIZES.items() if name != "head_dim"},
        "architectures": ["DeepseekV3ForCausalLM"],
        "model_type": "deepseek_v3",
        "first_k_dense_replace": 1,
        "kv_lora_rank": 512,  # with the 64 below what vLLM's kernel for CPUs is compiled for
        "moe_intermediate_size": 64,
        "n_group": 1,
        "n_routed_experts": 4,
        "n_shared_experts": 1,
        "num_experts_per_tok": 2,
        "num_key_value_heads": 4,
        "q_lora_rank": 64,
        "qk_nope_head_dim": 32,
        "qk_rope_head_dim": 64,
        "scoring_func": "sigmoid",
        "topk_group": 1,
        "topk_method": "noaux_tc",
        "v_head_dim": 32,
    },
    native=terms("deepseek-v3.1"),
    template=TEMPLATE,
    head="<｜Assistant｜>",
    before="<think>",
    after="</think>",
    call="</think><｜tool▁calls▁begin｜><｜tool▁call▁begin｜>get_weather<｜tool▁sep｜>"
    '{"city": "Oslo"}<｜tool▁call▁end｜><｜tool▁calls▁end｜><｜end▁of▁sentence｜>',
    end="<｜end▁of▁sentence｜>",
    given="## Tools",
    special=["<｜begin▁of▁sentence｜>", "<｜end▁of▁sentence｜>"],
    marks=[
        *("<｜User｜>", "<｜Assistant｜>", "<think>", "</think>", "<｜tool▁sep｜>"),
        *("<｜tool▁calls▁begin｜>", "<｜tool▁calls▁end｜>"),
        *("<｜tool▁call▁begin｜>", "<｜tool▁call▁end｜>"),
        *("<｜tool▁output▁begin｜>", "<｜tool▁output▁end｜>"),
    ],
    reasoning_parser="deepseek_v3",
    tool_parser="deepseek_v31",
)
