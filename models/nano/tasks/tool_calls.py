# ruff: noqa: SIM905 - word lists read better as one string
"""Calling a tool of the request: the right one, with its arguments copied from the question."""

import json
import random
from collections.abc import Callable
from dataclasses import dataclass

import words
from problem import Draw, Problem, expand
from unknown_answer import UNKNOWN_ANSWER, UNKNOWN_THINKING

SHARE = 7.0

_LEAD = ["", "", "", "", "Please: ", "Hi, ", "Hello! ", "Hey, ", "OK. ", "Quick question: "]


@dataclass(frozen=True)
class Family:
    """One kind of tool, with the many names that people give it.

    Attributes:
        names: function names.
        about: descriptions.
        parameters: per slot of the questions, the names of the parameter and its JSON type.
        train: questions that call for it.
        new: such questions that training never uses.
    """

    names: str
    about: str
    parameters: dict[str, tuple[str, str]]
    train: list[str]
    new: list[str]


def _title(rng: random.Random) -> str:
    return " ".join(words.made_up(rng).capitalize() for _ in range(rng.randint(1, 3)))


def _company(rng: random.Random) -> str:
    known = ["Apple", "Google", "Tesla", "Nvidia", "Amazon", "Intel", "Sony", "Nike", "Toyota"]
    return rng.choice(known) if rng.random() < 0.4 else words.made_up(rng).capitalize()


def _code(rng: random.Random) -> str:
    letters = "".join(rng.choice("ABCDEFGHKLMNPRSTUVWXYZ") for _ in range(rng.randint(1, 3)))
    return letters + rng.choice(["", "-"]) + str(rng.randint(1, 9999))


def _expression(rng: random.Random) -> str:
    largest = rng.choice([9, 99, 999, 9999, 99999])
    a, b = rng.randint(0, largest), rng.randint(1, largest)
    return f"{a} {rng.choice('+-*/')} {b}"


SLOTS: dict[str, Callable[[random.Random], str]] = {
    "city": words.city,
    "from": words.city,
    "to": words.city,
    "company": _company,
    "title": _title,
    "person": words.name,
    "code": _code,
    "expression": _expression,
    "word": lambda rng: words.made_up(rng) if rng.random() < 0.5 else rng.choice(words.NOUNS),
    "topic": lambda rng: rng.choice(words.FIELDS) if rng.random() < 0.4 else words.noun(rng),
    "language": lambda rng: rng.choice(words.LANGUAGES),
    "count": lambda rng: str(rng.randint(1, 90)),
    "money": lambda rng: rng.choice("USD EUR GBP JPY CHF CNY INR CAD AUD SEK".split()),
    "money2": lambda rng: rng.choice("USD EUR GBP JPY CHF CNY INR CAD AUD SEK".split()),
    "day": lambda rng: rng.choice("today tomorrow Monday Friday Saturday Sunday".split()),
    "room": lambda rng: rng.choice("kitchen bedroom bathroom office garage hall garden".split()),
}

_CITY = ("city|city|location|place|town|city_name", "string")
FAMILIES = [
    Family(
        "get_weather|get_weather|weather|get_current_weather|fetch_weather|weather_lookup|"
        "getWeather",
        "Get the [current |]weather [of|in|for] a [city|place].|Look up the weather.|Current "
        "weather",
        {"city": _CITY},
        [
            "[What is|What's|How is|How's|Tell me|Get|Show me|Check] the [current |]weather [in|of|"
            "for] {city}[| now| today| right now][?|.]",
            "[Is|Will] it [rain|be rainy|raining|sunny|cold|hot|warm|snow|snowing] in {city}[| now|"
            " today]?",
            "[How|What] [warm|cold|hot] is it in {city}[| now| today]?",
            "[What is|What's|Get] the temperature in {city}[| now| today]?",
            "Weather [in|for] {city}[?|.|, please.]",
            "[Do I need|Should I take] an umbrella in {city}[| today]?",
            "I [live in|am in|fly to|travel to|move to|visit] {city}[. |, ][will it rain|is it "
            "cold|how is the weather|what is the weather like|do I need a coat][| there| "
            "here][?|]",
            "{city}: [weather|what is the weather|how is the weather][?|.|]",
            "[Please|Kindly|Could you|Can you] [check|tell me|find|get] [the weather|the "
            "temperature|how warm it is] in {city}[.|?]",
        ],
        [
            "I am going to {city}. What is the weather there?",
            "Can you look up the weather in {city} for me?",
        ],
    ),
    Family(
        "get_time|get_time|current_time|get_current_time|time_in_city|clock|getTime|get_local_time",
        "Get the [current |local |]time [in|of] a city.|What time it is in a place.|Local time",
        {"city": _CITY},
        [
            "[What time is it|What's the time|What is the time|Tell me the time|Which time is it|"
            "How late is it] in {city}[| now| right now][?|.]",
            "[What is|What's|Get|Show me|Tell me] the [local|current] time in {city}[?|.]",
            "[Current time|Time|Local time] in {city}[?|.|, please.]",
            "I [live in|am in|fly to|travel to|move to|visit] {city}[. |, ][what time is it|"
            "what is the time|how late is it][| there| here][?|]",
            "{city}: [time|what time is it|local time][?|.|]",
            "[Please|Kindly|Could you|Can you] [check|tell me|find|get] [the time|the local "
            "time|what time it is] in {city}[.|?]",
        ],
        ["Can you look up the time in {city} for me?", "I have a call in {city}. What time is it?"],
    ),
    Family(
        "calculator|calculator|calculate|compute|evaluate|calc|evaluate_expression|do_math",
        "[Evaluate|Compute|Calculate] [an arithmetic|a mathematical|an] expression.|Do arithmetic.|"
        "A calculator",
        {"expression": ("expression|expression|formula|input|expr|query", "string")},
        [
            "[What is|What's|How much is|Compute|Calculate|Work out|Evaluate|Solve] {expression}[?|"
            ".|]",
            "{expression}[ = ?|?| =|]",
            "[Use the calculator|Calculate this|Please compute][: |. ]{expression}[.|]",
            "[Please|Kindly|Could you|Can you] [compute|calculate|evaluate|solve] "
            "{expression}[.|?]",
            "[I|We] [want|have|would like] to [know|compute|calculate] {expression}[.|, please.]",
        ],
        ["Can you work out {expression} for me?", "I need the result of {expression}."],
    ),
    Family(
        "get_stock_price|stock_price|get_quote|stock_quote|get_share_price|fetch_stock",
        "Get the [current |]stock price of a company.|Share price of a company",
        {"company": ("company|company_name|stock|symbol|ticker", "string")},
        [
            "[What is|What's|Get|Show me|Tell me|Check] the [stock price|share price|price of the "
            "stock] of {company}[| now| today][?|.]",
            "How much is [a share|the stock|one share] of {company}[?| worth?| today?]",
            "How is [the stock of |]{company} [stock |]doing[| today]?",
            "[I own|I want to buy|I sold] [stock|shares] of {company}[. |, ][what is the price|"
            "how much is it|what does it cost][?|]",
            "[Please|Could you|Can you] [check|tell me|find] the stock price of {company}[.|?]",
        ],
        ["Can you look up the stock price of {company} for me?"],
    ),
    Family(
        "convert_currency|exchange_rate|get_exchange_rate|currency_converter|fx_rate",
        "[Convert|Exchange] [an amount|money] [between|from one currency to another].|Currency "
        "rates",
        {
            "count": ("amount|amount|value|quantity", "number"),
            "money": ("from|from_currency|source|base", "string"),
            "money2": ("to|to_currency|target|quote", "string"),
        },
        [
            "[Convert|Change|Exchange] {count} {money} [to|into|in] {money2}[.|, please.]",
            "[How much|What] [is|are] {count} {money} in {money2}?",
            "[I|We] [need|want] [to change|to convert] {count} {money} [to|into] {money2}[.|, "
            "please.]",
            "[I pay|It costs|The price is] {count} {money}[. |, ][what|how much] is [it|this] "
            "in {money2}?",
        ],
        ["I have {count} {money}. How much is that in {money2}?"],
    ),
    Family(
        "translate|translate_text|translator|get_translation",
        "Translate [text|a word|words] [into|to] [another|a] language.|A translator",
        {
            "word": ("text|word|text|phrase|source_text", "string"),
            "language": ("language|target_language|to|lang|target", "string"),
        },
        [
            "[Translate|Say|Put] {word} [to|into|in] {language}[.|, please.]",
            "[How do you say|How do I say|What is|What's] {word} in {language}?",
            "[I|We] [need|want] {word} in {language}[.|, please.]",
            "[What|How] is {word} [called|said] in {language}?",
        ],
        ["What would {word} be in {language}?"],
    ),
    Family(
        "search_web|web_search|search|google|search_internet|lookup",
        "Search the [web|internet].|Find [pages|information] on the web|Web search",
        {"topic": ("query|query|q|topic|keywords|search_term", "string")},
        [
            "[Search|Look|Search the web|Search the internet|Google|Find pages|Find information|"
            "Look up information] [for|about|on] {topic}[.|, please.]",
            "[I|We] [need|want] [pages|web pages|links|information from the web] [about|on] "
            "{topic}[.|, please.]",
            "[Can|Could] you [search|look] the web for {topic}?",
        ],
        ["Can you find something about {topic} on the web?"],
    ),
    Family(
        "play_music|play_song|start_playback|music_player|play",
        "[Play|Start] [a song|music].|Play a title",
        {"title": ("title|song|track|name|song_title", "string")},
        [
            "[Play|Start|Put on|I want to hear|Let me hear] [the song |]{title}[.|!|, please.]",
            "[Can|Could] you [start|put on] {title}[| now]?",
            "[I love|I like] {title}[. |, ]play it[.|, please.]",
        ],
        ["Can you play {title} for me?"],
    ),
    Family(
        "set_timer|start_timer|timer|create_timer|countdown",
        "[Set|Start] a timer.|Start a countdown [of|in] minutes",
        {"count": ("minutes|duration|duration_minutes|time|length", "integer")},
        [
            "[Set|Start|Make|Create] a [timer|countdown] [of|for] {count} minutes[.|, please.]",
            "[Wake me|Remind me|Tell me] in {count} minutes[.|, please.]",
            "[Timer|Countdown][: |, ]{count} minutes[.|]",
            "[I|We] [need|want] a [timer|countdown] [of|for] {count} minutes[.|, please.]",
            "[Can|Could] you [set|start] a timer for {count} minutes?",
        ],
        ["I need a timer that runs for {count} minutes."],
    ),
    Family(
        "get_flight_status|flight_status|track_flight|flight_info",
        "Get the status of a flight.|[Track|Look up] a flight [by number|]",
        {"code": ("flight|flight_number|number|flight_id|code", "string")},
        [
            "[What is|What's|Check|Get|Tell me|Show me] the status of flight {code}[?|.]",
            "[Is|Has|When will|Where is] flight {code} [on time|landed|land|late|delayed|now]?",
            "[I am|My friend is|I wait] [on|for] flight {code}[. |, ][is it late|when does it "
            "land|is it on time][?|]",
            "[Please|Could you|Can you] [check|track|find] flight {code}[.|?]",
        ],
        ["Can you look up flight {code} for me?"],
    ),
    Family(
        "get_order|order_status|track_order|lookup_order|get_order_status|find_order",
        "[Get|Track|Look up] [an order|the status of an order] [by its number|].|Order status",
        {"code": ("order_id|order|id|order_number|number", "string")},
        [
            "[Where is|What about|Track|Check|Show me|Find] [my |the |]order {code}[?|.]",
            "[What is|What's|Get|Tell me] the status of [my |the |]order {code}[?|.]",
            "[Has|Is|When will] [my |the |]order {code} [arrived|shipped|arrive|late|delivered]?",
            "[I am|I'm] waiting for order {code}[. |, ][where is it|when does it arrive|is it "
            "late][?|]",
            "[Please|Could you|Can you] [check|track|find] [my |the |]order {code}[.|?]",
        ],
        ["Can you look up order {code} for me?"],
    ),
    Family(
        "define_word|dictionary|get_definition|define|dictionary_lookup",
        "[Get|Look up] the [definition|meaning] of a word.|A dictionary",
        {"word": ("word|word|term|entry|query", "string")},
        [
            "[What does|What did] [the word |]{word} mean[?|]",
            "[Define|Look up|Explain] the word {word}[.|]",
            "[What is|What's|Give me|Find] the [definition|meaning] of {word}[?|.]",
            "[I|We] [read|heard|saw] the word {word}[. |, ][what does it mean|what is it][?|]",
            "[Please|Could you|Can you] [define|look up|explain] the word {word}[.|?]",
        ],
        ["Can you find out what the word {word} means?"],
    ),
    Family(
        "get_distance|distance|route_distance|distance_between|directions|get_route",
        "[Get|Compute] the distance between [two|] cities.|Distance from one place to another",
        {
            "from": ("from|origin|start|from_city|source", "string"),
            "to": ("to|destination|end|to_city|target", "string"),
        },
        [
            "[How far is it|What is the distance|What's the distance|Get the distance] from {from} "
            "to {to}[?|.]",
            "[How do I get|Show me the way|What is the route] from {from} to {to}[?|.]",
            "[I|We] [drive|travel|go|am going] from {from} to {to}[. |, ][how far is it|what "
            "is the distance|what is the route][?|.]",
            "[Please|Could you|Can you] [check|find|get] the [distance|route] from {from} to "
            "{to}[.|?]",
        ],
        ["I want to go from {from} to {to}. How far is it?"],
    ),
    Family(
        "send_message|send_email|message|notify|send_sms|text_person",
        "Send [a message|an email] to [a person|somebody].|Message somebody",
        {
            "person": ("to|recipient|person|name|contact", "string"),
            "title": ("text|message|body|subject|content", "string"),
        },
        [
            "[Send|Write] {person} [a message|an email|a text][: | saying ]{title}[.|]",
            "[Tell|Text|Message|Email] {person}[: | that ]{title}[.|]",
            "[Please|Could you|Can you] [send|text|email] {person}: {title}[.|?]",
            "[A|New] message [to|for] {person}: {title}[.|]",
        ],
        ["Can you write to {person}: {title}?"],
    ),
    Family(
        "turn_on_light|switch_light|light_on|control_light|lights",
        "[Switch|Turn] [on |]the light [in|of] a room.|Control the lights",
        {"room": ("room|room|location|area|where", "string")},
        [
            "[Turn|Switch] on the [light|lights|lamp] in the {room}[.|, please.]",
            "[Make it brighter|I need light|Light on|Lights on] in the {room}[.|, please.]",
            "[I am|We are] in the {room}[. |, ][turn on the light|switch on the lamp|light, "
            "please][.|]",
            "[Please|Could you|Can you] [turn|switch] on the light in the {room}[.|?]",
        ],
        ["It is dark in the {room}. Turn on the light."],
    ),
    Family(
        "get_news|news|latest_news|fetch_news|headlines",
        "Get the [latest |]news about a topic.|News headlines",
        {"topic": ("topic|topic|subject|category|query|about", "string")},
        [
            "[What is|What's|Show me|Get|Tell me|Read me] the [latest |]news [about|on] "
            "{topic}[?|.]",
            "[Any|Is there any|Do you have] news [about|on] {topic}?",
            "[Headlines|News] [about|on] {topic}[.|, please.]",
            "[I|We] [like|follow|study] {topic}[. |, ][any news|what is new|show me the news][?|.]",
            "[Please|Could you|Can you] [check|find|get] the news [about|on] {topic}[.|?]",
        ],
        ["Can you look up the news about {topic} for me?"],
    ),
    Family(
        "find_restaurant|search_restaurants|restaurants|restaurant_search|book_table",
        "[Find|Search for] restaurants in a city.|Restaurant search",
        {"city": _CITY},
        [
            "[Find|Search for|Show me|Book|Suggest] [a|some|the best] [restaurant|restaurants|"
            "table|"
            "places to eat] in {city}[.|, please.]",
            "[Where can I eat|What are good restaurants] in {city}[| tonight| today]?",
            "I am [in|visiting] {city}[. |, ][where can I eat|find a restaurant|book a table][?|.]",
            "[Please|Could you|Can you] [find|book|suggest] a restaurant in {city}[.|?]",
        ],
        ["I am hungry. Which restaurants are there in {city}?"],
    ),
    Family(
        "create_event|add_event|calendar_add|schedule_meeting|add_to_calendar",
        "[Add|Create] [an event|a meeting] [in|to] the calendar.|Schedule a meeting",
        {
            "person": ("with|person|attendee|guest|who", "string"),
            "day": ("day|date|when|on", "string"),
        },
        [
            "[Schedule|Plan|Create|Add|Book] a [meeting|call|lunch|dinner] with {person} [on|for] "
            "{day}[.|, please.]",
            "[I meet|Meeting with|Lunch with|Call with] {person} on {day}[.|, add it.]",
            "[Please|Could you|Can you] [add|schedule|plan] a [meeting|call|lunch] with "
            "{person} for {day}[.|?]",
            "[I|We] [see|visit|call] {person} on {day}[. |, ][add it to my calendar|put it "
            "into the calendar][.|, please.]",
        ],
        ["Put a meeting with {person} for {day} into my calendar."],
    ),
    Family(
        "get_population|population|population_of|city_population",
        "Get the population of a city.|How many people live in a place",
        {"city": _CITY},
        [
            "[What is|What's|Get|Tell me] the population of {city}[?|.]",
            "How many people [live|are] in {city}?",
            "[I live in|I visit] {city}[. |, ]how many people live [there|here][?|]",
            "[Please|Could you|Can you] [check|find|look up] the population of {city}[.|?]",
        ],
        ["Can you look up how many people live in {city}?"],
    ),
]


CALCULATOR = next(family for family in FAMILIES if "expression" in family.parameters)
# What is said around a question and is no part of an argument.
_TAILS = [
    "for me",
    "please",
    "now",
    "if you can",
    "right away",
    "when you can",
    "with the tool",
    "on my phone",
    "as soon as possible",
    "in my account",
    "and tell me",
    "to be sure",
]


def define(rng: random.Random, family: Family, name: str, parameters: dict[str, str]) -> dict:
    """Return the OpenAI definition of a tool, as verbose as real ones are, or as terse."""
    properties = {}
    for slot, parameter in parameters.items():
        schema: dict = {"type": family.parameters[slot][1]}
        if rng.random() < 0.3:
            schema["description"] = f"The {slot}"
        properties[parameter] = schema
    function: dict = {"name": name}
    # A made-up name says nothing, so a description must.
    if name not in family.names.split("|") or rng.random() < 0.85:
        function["description"] = expand(rng, rng.choice(_split(family.about)))
    function["parameters"] = {"type": "object", "properties": properties}
    if rng.random() < 0.75:
        function["parameters"]["required"] = list(parameters.values())
    return {"type": "function", "function": function}


def _split(text: str) -> list[str]:
    """Split at the bars outside brackets."""
    parts, depth = [""], 0
    for letter in text:
        depth += (letter == "[") - (letter == "]")
        if letter == "|" and not depth:
            parts.append("")
        else:
            parts[-1] += letter
    return parts


def naming(rng: random.Random, family: Family) -> tuple[str, dict[str, str]]:
    """Return a function name and the parameter name of each slot, now and then made-up ones."""
    name = rng.choice(family.names.split("|"))
    if rng.random() < 0.15:
        name = f"{rng.choice(['get', 'do', 'my', 'run'])}_{words.made_up(rng, 2)}"
    elif rng.random() < 0.1:
        name += rng.choice(["_tool", "_v2", "_api", "2"])
    parameters: dict[str, str] = {}
    for slot, (choices, _) in family.parameters.items():
        options = [p for p in choices.split("|") if p not in parameters.values()]
        parameters[slot] = rng.choice(options)
    return name, parameters


def offer(rng: random.Random, exclude: list[Family], count: int) -> list[dict]:
    """Return definitions of `count` other tools than the families of `exclude`."""
    others = rng.sample([f for f in FAMILIES if f not in exclude], count)
    return [define(rng, family, *naming(rng, family)) for family in others]


def ask(draw: Draw, family: Family) -> tuple[str, dict[str, str]]:
    """Return a question for a family and the value of each of its slots."""
    rng = draw.rng
    values = {slot: SLOTS[slot](rng) for slot in family.parameters}
    question = draw.phrase(family.train, family.new, **values)
    if rng.random() < 0.1:
        question = question.rstrip(".?")
    if rng.random() < 0.1:
        end = question[-1] if question[-1] in ".?" else ""
        question = f"{question.rstrip('.?')}{rng.choice([' ', ' ', ', '])}{rng.choice(_TAILS)}{end}"
    return rng.choice(_LEAD) + question, values


def unanswerable(draw: Draw) -> str:
    """Return a question that would need a tool, for requests that offer no fitting one."""
    # Arithmetic is answered without a tool, so the calculator is not one of them.
    return ask(draw, draw.rng.choice([f for f in FAMILIES if f is not CALCULATOR]))[0]


def call(family: Family, name: str, parameters: dict[str, str], values: dict[str, str]) -> dict:
    """Return the call as the chat API has it: name and arguments (a JSON value of its type)."""
    arguments: dict[str, object] = {}
    for slot, parameter in parameters.items():
        number = family.parameters[slot][1] != "string"
        arguments[parameter] = int(values[slot]) if number else values[slot]
    return {"name": name, "arguments": arguments}


def block(function: dict) -> str:
    """Return a call as the model writes it."""
    name = function["name"]
    arguments = json.dumps(function["arguments"], ensure_ascii=False)
    return f'<tool_call>\n{{"name": "{name}", "arguments": {arguments}}}\n</tool_call>'


def fitting(draw: Draw) -> tuple[Family, str, dict, list[dict], str]:
    """Return family, question, call, offered tools and thinking of a question that fits a tool."""
    rng = draw.rng
    weights = [6 if i < 3 else 1 for i in range(len(FAMILIES))]
    family = rng.choices(FAMILIES, weights)[0]
    question, values = ask(draw, family)
    while not draw.new_phrasing and not draw.owns("tool", question):
        question, values = ask(draw, family)
    name, parameters = naming(rng, family)
    function = call(family, name, parameters, values)
    tools = [define(rng, family, name, parameters)]
    tools += offer(rng, [family], rng.choice([0, 0, 1, 1, 2, 3]))
    rng.shuffle(tools)
    given = ", ".join(
        f"{parameter} {function['arguments'][parameter]}" for parameter in parameters.values()
    )
    return family, question, function, tools, f"The tool {name} fits, with {given}."


def _nothing_fits(draw: Draw) -> Problem:
    """Return a question for a tool that the request does not offer, next to others."""
    family = draw.rng.choice([f for f in FAMILIES if f is not CALCULATOR])
    question, _ = ask(draw, family)
    while not draw.new_phrasing and not draw.owns("tool", question):
        question, _ = ask(draw, family)
    related = [f for f in FAMILIES if set(f.parameters) & set(family.parameters)]
    # Mostly quite another kind of tool; one with the same arguments tempts more.
    exclude = [family] if draw.rng.random() < 0.4 else related
    tools = offer(draw.rng, exclude, draw.rng.choice([1, 1, 2, 3]))
    return Problem("tool_calls", question, UNKNOWN_THINKING, UNKNOWN_ANSWER, tools=tuple(tools))


def make(draw: Draw) -> Problem:
    """Return a question with tools, one of which mostly fits it."""
    if draw.rng.random() < 0.15:
        return _nothing_fits(draw)
    _, question, function, tools, thinking = fitting(draw)
    return Problem("tool_calls", question, thinking, block(function), tools=tuple(tools))
