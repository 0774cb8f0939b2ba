"""Granite 3.2: `thinking`, off by default; sentences and no tokens tell its thinking apart."""

from ..tiny.family import SIZES, Family

TEMPLATE = """\
<|start_of_role|>system<|end_of_role|>You are Granite.
{{- ' Write your thoughts after "Here is my thought process:".' if thinking else '' -}}
<|end_of_text|>
{% if tools %}<|start_of_role|>tools<|end_of_role|>{{ tools | tojson }}<|end_of_text|>
{% endif %}
{%- for message in messages %}
{{- '<|start_of_role|>' + message.role + '<|end_of_role|>' + message.content }}<|end_of_text|>
{% endfor %}
{%- if add_generation_prompt %}<|start_of_role|>assistant<|end_of_role|>{% endif %}"""

FAMILY = Family(
    config={
        **{name: size for name, size in SIZES.items() if name != "head_dim"},
        "architectures": ["GraniteForCausalLM"],
        "model_type": "granite",
        "hidden_size": 128,
    },
    native={
        "modes": "both",
        "argument": "thinking",
        "enabled": True,
        "disabled": False,
        "default": False,
        "switches": False,
        "budget": "none",
        "tags": [],
    },
    template=TEMPLATE,
    head="<|start_of_role|>assistant<|end_of_role|>",
    before="Here is my thought process:",
    after="\nHere is my response:",
    call="\nHere is my response:"
    '<|tool_call|>[{"name": "get_weather", "arguments": {"city": "Oslo"}}]<|end_of_text|>',
    end="<|end_of_text|>",
    given="<|start_of_role|>tools",
    asks="Write your thoughts",
    special=["<|start_of_role|>", "<|end_of_role|>", "<|end_of_text|>"],
    marks=["<|tool_call|>", "Here"],  # the parser looks for the word at the end of a token
    reasoning_parser="granite",
    tool_parser="granite",
    counted=False,
    # Where a chunk has several tokens, pieces of the sentences stay in the thinking; and a call
    # stays text, since its parser of thinking never says that this has ended.
    streams=False,
)
