"""Olmo 3 Think: always thinks, between tags that are no tokens of their own."""

from ..tiny.family import SIZES, Family

TEMPLATE = """\
<|im_start|>system
{% if tools %}<functions>{{ tools | tojson }}</functions>{% endif %}<|im_end|>
{% for message in messages %}<|im_start|>{{ message.role }}
{{ message.content }}<|im_end|>
{% endfor %}
{%- if add_generation_prompt %}<|im_start|>assistant
<think>{% endif %}"""

FAMILY = Family(
    config={
        **SIZES,
        "architectures": ["Olmo3ForCausalLM"],
        "model_type": "olmo3",
        "layer_types": ["sliding_attention", "full_attention"],
        "sliding_window": 128,
    },
    native={"modes": "always", "argument": "", "switches": False, "budget": "none"},
    template=TEMPLATE,
    head="<|im_start|>assistant\n",
    before="<think>",
    after="</think>",
    call='</think><function_calls>get_weather(city="Oslo")</function_calls><|im_end|>',
    end="<|im_end|>",
    given="<functions>",
    special=["<|endoftext|>", "<|im_start|>", "<|im_end|>"],
    marks=["</", "\u0120</", "think"],  # of which the end of its thinking consists
    reasoning_parser="olmo3",
    tool_parser="olmo3",
    counted=False,
    streams=False,  # where a chunk has several tokens, some of the text is lost
)
