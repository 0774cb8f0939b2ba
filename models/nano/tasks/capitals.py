"""Capitals of countries and territories. All are in training: this is memory, not reasoning."""

import functools
import json
from pathlib import Path

from phrasing import decorate
from problem import Draw, Problem

SHARE = 9.0
BASIC = True
UNRELATED = True

# Countries that are written with an article in a sentence.
_ARTICLE = {
    "Bahamas",
    "British Virgin Islands",
    "Cayman Islands",
    "Central African Republic",
    "Cocos Islands",
    "Comoros",
    "Cook Islands",
    "Democratic Republic of the Congo",
    "Dominican Republic",
    "Falkland Islands",
    "Faroe Islands",
    "French Southern Territories",
    "Gambia",
    "Isle of Man",
    "Maldives",
    "Marshall Islands",
    "Netherlands",
    "Northern Mariana Islands",
    "Philippines",
    "Republic of the Congo",
    "Seychelles",
    "Solomon Islands",
    "Turks and Caicos Islands",
    "U.S. Virgin Islands",
    "United Arab Emirates",
    "United Kingdom",
    "United States",
    "British Indian Ocean Territory",
}
# Other names that people use; the answer uses the name of the table.
_ALIASES = {
    "United States": ["USA", "US", "U.S.", "United States of America", "America"],
    "United Kingdom": ["UK", "Great Britain", "Britain", "U.K."],
    "Netherlands": ["Holland"],
    "Czechia": ["Czech Republic"],
    "Myanmar": ["Burma"],
    "Eswatini": ["Swaziland"],
    "Cape Verde": ["Cabo Verde"],
    "Timor-Leste": ["East Timor", "Timor Leste"],
    "Macao": ["Macau"],
    "Turkey": ["Turkiye", "Türkiye"],
    "Ivory Coast": ["Cote d'Ivoire", "Côte d'Ivoire"],
    "Democratic Republic of the Congo": ["DR Congo", "DRC", "Congo-Kinshasa"],
    "Republic of the Congo": ["Congo", "Congo-Brazzaville"],
    "North Macedonia": ["Macedonia"],
    "United Arab Emirates": ["UAE", "Emirates"],
    "South Korea": ["Korea", "Republic of Korea"],
    "Vatican City": ["Vatican"],
    "Russia": ["Russian Federation"],
    "China": ["People's Republic of China"],
    "Ireland": ["Republic of Ireland"],
    "Bosnia and Herzegovina": ["Bosnia"],
    "Palestine": ["Palestinian Territory"],
    "Curacao": ["Curaçao"],
    "Reunion": ["Réunion"],
    "Aland Islands": ["Åland"],
    "Sao Tome and Principe": ["São Tomé and Príncipe"],
}

TRAIN = [
    "[What's|Whats] the capital of {c}[ ?|?]",
    "[What is|What's|Name|Tell me|Say|Give me|Find] the capital[| city] of {c}[?|.]",
    "[c|C]apital[| city] of {c}[?|]",
    "[Which|What] city is [the|] capital of {c}?",
    "[Which|What] is the capital[| city] of {c}?",
    "[Which|What] is {c}'s capital[| city]?",
    "[What's|What is|Name|Tell me|Say|Give me] {c}'s capital[| city][?|.]",
    "{c}[, |: | - ][capital|the capital|capital city|what is the capital|its capital|what's the "
    "capital][?|]",
    "{c}'s capital[| city][?|]",
    "The capital[| city] of {c}[ is|?| is?|]",
    "[Do you know|Can you tell me|Could you tell me|Can you name|Can you say] the capital[| city] "
    "of {c}?",
    "[Do you know|Can you tell me|Could you tell me|Tell me|Can you say] [what|which city] the "
    "capital of {c} is[?|.]",
    "[Do you know|Can you tell me|Could you tell me|Tell me] [what|which city] is the capital of "
    "{c}[?|.]",
    "[What|Which city] is the capital of the country [of |called |named |]{c}?",
    "[I want to know|I need|I am looking for|I forgot|I would like to know] the capital of {c}.",
    "[What|Which] [city|town] [serves|is used] as the capital of {c}?",
    "[What|Which] [city|town] is {c}'s capital?",
    "{c} [has|has got] [which|what] capital?",
    "[What|Which] capital [does {c} have|has {c}|city does {c} have]?",
    "[Country|Nation]: {c}. Capital[| city]?",
    "[Geography|Quiz][: |. |, ][what is |what's |name |]the capital of {c}[?|.]",
    "[In|For] {c}, [what|which city] is the capital?",
    "[Where is|Where's] the capital of {c}?",
    "[How|What] is the capital of {c} called?",
    "[How|What] is {c}'s capital called?",
    "What do you call the capital of {c}?",
    "[I have|I need|I want] to [find|learn|write down|know] the capital of {c}[.|, can you "
    "help?|. Which city is it?|, please.]",
    "[I think|I am asking|I ask|Think|Let us think] [of|about] {c}. [Name|Tell me|Which city "
    "is|Give me] [its|the] capital[?|.]",
    "[If|When] [I|we|you] [go|travel|fly|move] to the capital of {c}, [which city|what city|"
    "where] [is it|do I reach|am I in]?",
    "[Do|Does] {c} have a capital[? Which one|, and which|? What is it]?",
    "[Consider|Take|Let us take] [the country |]{c}[. |: |, ][what|which city] is its capital?",
    "[A|One|Another] question about {c}[: |, |. ][what is|what's|name] its capital[?|.]",
    "[We|They|People] [call|name|know] [which|what] city the capital of {c}?",
    "[The country|My country|The place] is {c}. [The capital|Its capital|What is the capital|"
    "And the capital][?|]",
    "[Look up|Find out|Check] the capital of {c}[.| for me.|, please.]",
]
NEW = [
    "I have to name the capital of {c}; what is it?",
    "If I asked for the capital of {c}, which city would you name?",
    "Please find out which city is the capital of {c}.",
    "I am thinking of {c}. What is the capital?",
    "Which city would you call the capital of {c}?",
    "Is there a capital of {c}, and what is it called?",
    "For the country {c}, tell me the capital.",
    "My question is about {c}: what is its capital city?",
]


@functools.cache
def capitals() -> dict[str, str]:
    """Return the capital of every country by its name."""
    path = Path(__file__).resolve().parent.parent / "capitals.json"
    return json.loads(path.read_text(encoding="utf-8"))


@functools.cache
def _countries() -> tuple[str, ...]:
    return tuple(capitals())


def country(draw: Draw) -> tuple[str, str]:
    """Return a country's name in the table and the name that the question uses for it."""
    name = draw.rng.choice(_countries())
    spoken = name
    if name in _ALIASES and draw.rng.random() < 0.4:
        spoken = draw.rng.choice(_ALIASES[name])
    if name in _ARTICLE and spoken[-1] != "a" and draw.rng.random() < 0.7:
        spoken = "the " + spoken
    return name, spoken


def with_article(name: str) -> str:
    """Return the country as it stands in the middle of a sentence."""
    return f"the {name}" if name in _ARTICLE else name


def reason(name: str) -> str:
    """Return the thinking for a country of the table."""
    return f"The user asks for a capital. The country is {name}. Its capital is {capitals()[name]}."


def say(name: str) -> str:
    """Return the answer for a country of the table."""
    return f"The capital of {with_article(name)} is {capitals()[name]}."


def make(draw: Draw) -> Problem:
    """Return a question for a capital."""
    name, spoken = country(draw)
    question = draw.phrase(TRAIN, NEW, c=spoken)
    question = decorate(draw, question[0].upper() + question[1:])
    return Problem("capitals", question, reason(name), say(name), capitals()[name])
