"""DeepSeek-R1: always thinks; its template opens the thinking."""

from dataclasses import replace

from ..tiny.family import terms
from .deepseek_v3_1 import FAMILY as V3_1

FAMILY = replace(
    V3_1,
    native=terms("deepseek-r1-0528"),
    template=V3_1.template.replace("{{ '<think>' if thinking else '</think>' }}", "<think>\n"),
    before="<think>\n",
    after="\n</think>\n\n",
    call="\n</think>\n\n" + V3_1.call.removeprefix(V3_1.after),
    reasoning_parser="deepseek_r1",
)
