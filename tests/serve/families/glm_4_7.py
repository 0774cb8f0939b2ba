"""GLM-4.5 to 4.7: `enable_thinking`, on by default; its template closes the thinking itself."""

from ..tiny.family import SIZES, Family, terms

TEMPLATE = """\
[gMASK]<sop>
{%- if tools %}<|system|>
# Tools
<tools>
{%- for tool in tools %}
{{ tool | tojson }}
{%- endfor %}
</tools>
{%- endif %}
{%- for message in messages %}
{%- if message.role == 'user' %}<|user|>
{{ message.content }}
{{- '/nothink' if enable_thinking is defined and not enable_thinking else '' }}
{%- elif message.role == 'assistant' %}<|assistant|>
<think></think>
{{ message.content }}
{%- elif message.role == 'tool' %}<|observation|>
<tool_response>
{{ message.content }}
</tool_response>
{%- else %}<|system|>
{{ message.content }}
{%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}<|assistant|>
{{- '\\n<think></think>' if enable_thinking is defined and not enable_thinking else '' }}
{%- endif %}"""

FAMILY = Family(
    config={
        **SIZES,
        "architectures": ["Glm4MoeForCausalLM"],
        "model_type": "glm4_moe",
        "first_k_dense_replace": 1,
        "moe_intermediate_size": 64,
        "n_routed_experts": 4,
        "n_shared_experts": 1,
        "num_experts_per_tok": 2,
        "partial_rotary_factor": 0.5,
        "use_qk_norm": True,
    },
    native=terms("glm-4.7"),
    template=TEMPLATE,
    head="<|assistant|>",
    before="<think>",
    after="</think>",
    call="</think><tool_call>get_weather<arg_key>city</arg_key><arg_value>Oslo</arg_value></tool_call><|user|>",
    end="<|user|>",
    given="<tools>",
    special=["[gMASK]", "<sop>", "<|system|>", "<|user|>", "<|assistant|>", "<|observation|>"],
    marks=[
        *("<think>", "</think>", "<tools>", "</tools>", "<tool_call>", "</tool_call>"),
        *("<arg_key>", "</arg_key>", "<arg_value>", "</arg_value>"),
        *("<tool_response>", "</tool_response>"),
    ],
    reasoning_parser="glm45",
    tool_parser="glm47",
)
