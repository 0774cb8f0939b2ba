"""Gemma 4: `enable_thinking`, off by default; it thinks in a channel with tags of its own."""

from ..tiny.family import SIZES, Family, terms

TEMPLATE = """\
<bos>
{%- if enable_thinking or tools %}<|turn>system
{{ '<|think|>' if enable_thinking else '' }}
{%- for tool in tools or [] %}<|tool>{{ tool | tojson }}<tool|>{% endfor %}<turn|>
{% endif %}
{%- for message in messages %}
{%- set role = {'assistant': 'model'}.get(message.role, message.role) -%}
<|turn>{{ role }}
{{ message.content }}<turn|>
{% endfor %}
{%- if add_generation_prompt %}<|turn>model
{{ '' if enable_thinking else '<|channel>thought\\n<channel|>' }}
{%- endif %}"""

FAMILY = Family(
    config={
        **SIZES,
        "architectures": ["Gemma4ForCausalLM"],
        "model_type": "gemma4_text",
        "global_head_dim": 32,
        "hidden_size_per_layer_input": 16,
        "layer_types": ["sliding_attention", "full_attention"],
        "sliding_window": 128,
        "tie_word_embeddings": True,
        "vocab_size_per_layer_input": 512,
    },
    native=terms("gemma-4-31b-it"),
    template=TEMPLATE,
    head="<|turn>model\n",
    before="<|channel>thought\n",
    after="<channel|>",
    call='<channel|><|tool_call>call:get_weather{city:<|"|>Oslo<|"|>}<tool_call|><turn|>',
    end="<turn|>",
    given="<|tool>",
    special=["<bos>", "<turn|>"],
    marks=[
        *("<|turn>", "<|think|>", "<|channel>", "thought", "<channel|>", "<|tool>", "<tool|>"),
        *("<|tool_call>", "<tool_call|>", "<|tool_response>", "<tool_response|>", '<|"|>'),
    ],
    reasoning_parser="gemma4",
    tool_parser="gemma4",
)
