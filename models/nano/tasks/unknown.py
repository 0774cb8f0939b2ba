# ruff: noqa: SIM905 - word lists read better as one string
"""Everything that the model never learned: it says so instead of making something up."""

import random

import words
from phrasing import decorate
from problem import Draw, Problem, expand
from tasks.tool_calls import unanswerable
from unknown_answer import UNKNOWN_ANSWER, UNKNOWN_THINKING

SHARE = 11.0
UNRELATED = True

TRAIN = [
    "[What is|What's|Explain|Describe|Define|Tell me about|What do you know about|What does|Talk "
    "about|Teach me|Summarize] [the |a |an |my |your |]{o}[?|.| to me.| in simple words.| briefly.|"
    " please.]",
    "[Write|Compose|Create|Make|Give|Draw|Draft] [me |us |][a|an|another] [poem|song|story|essay|"
    "joke|letter|email|report|haiku|picture|tweet|summary|speech|review|list|menu|plan|riddle] "
    "[about|on|for|of] [the |a |my |]{j} {o}[.|!|?| please.| in {r} words.]",
    "[Who|Who's the one who|Which person|Which company] [invented|discovered|wrote|painted|built|"
    "made|founded|won|owns|sells|sang|directed|designed|killed] [the |a |]{j} {o}[?|]",
    "[Who is|Who was|Tell me about|Where does|How old is|When was|Where is|Is] [{w}|the president|"
    "the king|the CEO|the author|the mayor|the inventor] [of |from |in |born in |]{c}[?|.]",
    "[How|Why|When|Where] [do|does|did|can|should|would|will] [I|you|we|they|people|a {o}|the {o}] "
    "[cook|fix|build|make|sell|buy|find|learn|clean|grow|eat|write|install|use|paint|draw|drive|"
    "stop|start|play|win|lose|love|open|close] [the|a|my|an|some] {j} {o}[?|]",
    "[Why|How] [is|are|was|were] [the |a |]{o} [so |]{j}[?|]",
    "[What|Which] [is|was] the {j} {o} [in|of|from] [the world|{c}|history|{y}|all time][?|]",
    "[Recommend|Suggest|Find|Show|Give|Buy|Order|Book|Send|Play] [me |us |][a|some|the|an|"
    "your] {j} "
    "{o}[.|!|?|, please.| for tonight.| near {c}.]",
    "[Translate|Say|How do you say|How do I say] [\"{g}\"|'{g}'|the word {g}|{o}] [in|into|to] {l}"
    "[?|.]",
    "[What is|What's|How is] the [weather|temperature|time|news|traffic|forecast|price of {o}|date|"
    "population|currency|language|flag|president|area|history|size|best food] [in|of|for] [{c}|"
    "{k}][?| today?| now?]",
    "[What|Which] [language|currency|continent|ocean|river|time zone|flag|religion|food|money] "
    "[does|do they use in|is in|is spoken in|belongs to|has] {k}[?| have?| use?]",
    "[How many|How much] [people|{o}s|money|water|time|{o}|calories|languages] [live in|are in|is "
    "in|has|does] [{k}|{c}|the {o}|a {o}|the world][?|]",
    "[What|What exactly] [happened|was invented|was built|began|ended] in {y}[?|]",
    "[When|In which year|What year] [did|was|were] [the |a |]{o} [invented|discovered|born|end|"
    "start|built|die|made][?|]",
    "[Is|Are|Was|Can|Could|Should|Will|Does|Do] [a|the|my|your|all] {o} [be |]{j}[?|]",
    "[Can|Could|Would|Will] you [draw|sing|dance|feel|love|see|hear|think|dream|drive|fly|swim|"
    "write code|read minds|tell jokes|speak {l}|help me with {o}|teach me {o}|play {o}|order {o}|"
    "call {w}][?|]",
    "[I|We] [feel|want|love|hate|need|like|miss|saw|lost|broke] [a |the |my |very |]{o}[.|!|"
    "; what now?|. What should I do?|. Any advice?]",
    "[My|Our|The] {o} [is|was|looks|feels|became] {j}[.|!|. What should I do?|. Why?|. Help me.]",
    "[Write|Implement|Show|Fix|Debug|Explain] [a|the|this|my] [Python|Java|C|Rust|SQL|HTML|bash|"
    "JavaScript] [function|script|program|query|class|loop|code|page] [that|to|for|which] [sorts|"
    "sort|prints|print|reads|read|finds|find|deletes|delete] [a|the] {o}[.|?|]",
    "[What|How] [about|is] {o}[?|]",
    "{o}[?|!|.|]",
    "{o} {o}[?|!|.|]",
    "{j} {o}[?|!|.|]",
    "{o} [and|or|vs|with|in] {o}[?|.|]",
    "[Which|What] is better, [a |the |]{o} or [a |the |]{o}?",
    "[What|Which] is [more|less] {j}, [a |the |]{o} or [a |the |]{o}?",
    "[Compare|What is the difference between] [a |the |]{o} and [a |the |]{o}[.|?]",
    "[Tell|Read|Sing|Show] me [a|the|another] [joke|story|secret|riddle|fact|poem|song|{o}][.|!|"
    " about {o}.]",
    "[Do you|Did you|Have you] [like|know|see|hear|love|eat|read|seen|heard|believe in|remember] "
    "[the |a |my |]{o}[?|]",
    "{f}",
    "[Is|Are] [it|there|that|this|they] [{j}|a {o}|{o}s|true|right|good][?| in {c}?| today?]",
    "[Name|List|Give me|Tell me] [three|five|ten|some|all|two] {o}s[.|?| please.| in {c}.]",
    "[What|How much] does [a|the|my] {o} [cost|weigh|mean|do|eat|need|look like][?|]",
    "[How|What] [far|long|big|tall|deep|heavy|fast|old|high|hot] is [the|a|my] {o}[?|]",
    "[How far|What is the distance] [is it |]from {c} to {c}[?|]",
    "[Which|What] {o} [should I|can I|do you|would you] [buy|read|watch|use|eat|like|recommend|see]"
    "[?|]",
    "[Let's|Let us|Please] [play|talk about|discuss|watch|write|read] [a |the |some |]{o}[.|!|]",
    "[I|We] [want|need|wish|am trying|have] to [know|learn|read|hear|understand|buy|find|see] "
    "[something |more |everything |][about |][the |a |my |]{j} {o}[.|!|?|]",
    "[What|How] do you [think|feel|say] [of|about] [the |a |my |]{o}[?|]",
    "[In|From] [your|my] [opinion|view], [is|are] [the |a |]{o} {j}[?|]",
    "[Where|When|How] [can|could|do|should] I [find|get|see|buy|meet|visit] [a|the|some|my] "
    "[{j} |]{o}[?| in {c}?]",
    "[Please|Kindly] [explain|describe|write|draw|translate|sing|fix|summarize|find] [the |a |"
    "my |]{j} {o}[.|!|]",
    "[Which|What] [of|among] [the|these|my] {o}s is [the best|{j}|the most {j}|yours][?|]",
    "[Suppose|Imagine|What if|Let us say] [a|the|my] {o} [is|was|became|turns] {j}[?|. What "
    "then?|. What happens?|.]",
    "[Does|Do|Did|Has|Have] [the |a |my |people in {k} |{w} ][{o}|{w}] [like|love|need|see|"
    "make|seen|made|buy] [a |the |]{o}[?|]",
    "[People in|Everyone in|Nobody in] {k} [likes|like|loves|love|eats|needs] {o}[?|.|, right?|"
    ". Why?]",
]
NEW = [
    "I would like some information about [a |the |]{j} {o}.",
    "Give me your opinion on {o}.",
    "How would you explain {o} to a child?",
    "What would happen if [a|the] {o} were {j}?",
    "Could you write something {j} about {o}?",
    "I am looking for a {j} {o}. Which one do you recommend?",
    "Is there any {o} in {c} that is {j}?",
    "Who was the first person to see a {o}?",
    "Do people in {k} like {o}?",
]
# Mathematics that looks like what the model knows, but is not.
MATHS = [
    "[What is|How much is|Compute|Calculate|] {a}[ / |/| divided by | ÷ | : | mod | % | ^ | ** "
    "| to "
    "the power of ]{b}[?|]",
    "[What is|Compute|Calculate|Find] the [square root|cube root|square|cube|logarithm|factorial|"
    "sine|cosine|inverse|half|double|digits|reverse] of {a}[?|.|]",
    "[What is|Compute|Calculate|] {b}[%| percent] of {a}[?|]",
    "[Divide|Split|Share] {a} [by|into|among] {b}[.|?]",
    "[What is|Compute|Calculate|How much is|] {d}[ + | - | * | plus | minus | times ]{e}[?|]",
    "[What is|Compute|Calculate|How much is|] {h}[ * | x | times |*]{i}[?|]",
    "[What is|Compute|Calculate|How much is|] {z}[ + | - | plus | minus ]{a}[?|]",
    "[What is|Compute|Calculate|] {a}[ + | - | * ]{b}[ + | - | * ]{t}[?|]",
    "Is {a} [a prime|prime|even|odd|a prime number|divisible by {b}|a square|a multiple of "
    "{b}][?|]",
    "[What is|Find|Compute] the [average|mean|median|greatest common divisor|gcd|lcm|ratio] of {a} "
    "and {b}[?|.]",
    "[Round|Convert|Factor|Factorize|Spell] {a}[.| to tens.| to binary.| to hex.| to Roman numerals"
    ".| in words.| to dollars.| miles to kilometers.]",
    "[Solve|Solve for x:|What is x if] [{a}x|x|2x|3x] [+|-] {b} = {t}[?|.|]",
    "[What|How much] is [{a} degrees Celsius in Fahrenheit|{a} kilograms in pounds|{a} dollars in "
    "euros|{a} minutes in hours|{a} hours in days][?|]",
    "[What comes after|Continue|What is next:] {a}, {b}, {t}[?|...|, ...]",
    "[Count|List|Name|Sort] [from|the numbers|all numbers from] {b} to {a}[.|?]",
    "[Sort|Order|Which is the largest of] {a}, {b} and {t}[.|?]",
    "{a}[?|.|]",
    "{a} {b}[?|]",
    "[Give me|Pick|Choose|Tell me] a random number[.| between {b} and {a}.]",
]
# Word problems that need more than one step of adding, subtracting or multiplying.
STORIES = [
    "{w} [shares|divides|splits] {a} {o} [among|between] {b} [friends|children|people|boxes]. How "
    "many {o} does each [get|have|hold][?|]",
    "{a} {o} are [packed|put|shared] [equally |]into {b} [boxes|bags|rows]. How many are in "
    "each[ one| box|][?|]",
    "How many [boxes|bags] of {b} {o} does {w} need for {a} {o}?",
    "A [train|bus|plane|film|meeting|lesson] [leaves|starts|begins] at {s} and [arrives|ends|stops]"
    " at {u}. How long [does it take|is it][?|]",
    "{w} [drives|walks|runs] {a} kilometers in {b} hours. [How fast|What is the speed|What is the "
    "average speed][?|]",
    "[A|The] [shirt|book|shop] costs {a} dollars and is {b}% off. What is the [new |]price?",
    "{w} [buys|has] {a} {o}, {b} {o} and {t} {o}. How many [in total|altogether][?|]",
    "What is the average of {a} {o} and {b} {o}?",
    "{w} has {a} {o}, [half|a third|{b}%] of them are [red|old|green]. How many are [red|old|green]"
    "[?|]",
    "[A|The] [room|garden|square] is {a} meters [long|wide]. What is its [area|perimeter|"
    "volume][?|]",
]
# Questions for capitals of what has none.
PLACES = [
    "[What is|What's|Name|Tell me|] [the |][capital|capital city] of {p}[?|]",
    "[What|Which city] is the capital of {p}[?|]",
    "[What is|What's|] {p}'s capital[?|]",
]
_NO_CAPITAL = (
    "Atlantis|Narnia|Mordor|Wakanda|Gondor|Westeros|Texas|California|Bavaria|Florida|Ontario|Europe"
    "|Asia|Africa|the Moon|Mars|Jupiter|the world|heaven|Hogwarts|Oz|Utopia|Paris|London|Berlin|"
    "Tokyo|Antarctica|Scotland|Wales|Catalonia|Tuscany|Normandy|Siberia|Hawaii|Alaska|Ohio|Quebec|"
    "Yugoslavia|the Soviet Union|Prussia|Neverland|Wonderland|Lilliput|Elbonia|Genovia|Zamunda|"
    "South America|North America|Seattle|Google|my country|my heart|nowhere|Middle-earth"
).split("|")
FOREIGN = (
    "Bonjour, comment allez-vous ?|Quelle heure est-il ?|Wie spät ist es?|Wo ist der Bahnhof?|Was "
    "ist das?|Erzähl mir einen Witz.|¿Qué hora es?|¿Dónde está la biblioteca?|Cuéntame un chiste.|"
    "Quanto costa?|Come ti chiami?|Onde fica a praia?|Как дела?|Сколько времени?|Расскажи анекдот.|"
    "你好吗?|今天天气怎么样?|给我讲个笑话。|こんにちは、元気ですか?|今何時ですか?|"
    "안녕하세요?|오늘 날씨 어때요?|"
    "नमस्ते, आप कैसे हैं?|مرحبا كيف حالك؟|Hoe gaat het?|Hvad hedder du?|Mitä kuuluu?|Jak się masz?|"
    "Nasılsın?|Saat kaç?|Τι κάνεις;|שלום, מה שלומך?|Xin chào!|Je ne comprends pas.|Ich liebe dich.|"
    "Te quiero mucho.|Ciao bella!|什么是量子力学?|Explique la relativité.|Was ist Liebe?|写一首诗。"
).split("|")
CODE = [
    "def {g}({h}): return {h}",
    "print('{g}')",
    "SELECT * FROM {g} WHERE {h} = 1;",
    "{g}();",
    "for {h} in {g}: pass",
    "import {g}",
    "<b>{g}</b>",
    "x = {g}[0]",
    "#include <{g}.h>",
    '{{"{g}": "{h}"}}',
    "git commit -m '{g}'",
    "sudo apt install {g}",
    "let {g} = {h};",
    "https://{g}.com/{h}",
    "{g}@{h}.com",
    "if ({g} == {h}) {{ }}",
    "$ ls {g}",
    "\\{g}{{{h}}}",
    "Why does {g}() fail with {h}?",
    "Error: {g} not found",
    "Traceback: {g} {h}",
    "echo ${g}",
]
EMOJI = "😀😂😍🎉🔥👍🙏😢🚀🐱🌍❤✨☕🎵🤖🍕🌈💡⚽"
NOISE = "abcdefghijklmnopqrstuvwxyz     .,;:!?@#%&()/~^_=+-"


def _gibberish(rng: random.Random) -> str:
    roll = rng.random()
    if roll < 0.35:
        return " ".join(words.made_up(rng) for _ in range(rng.randint(1, 8))) + rng.choice("?.! ")
    if roll < 0.6:
        return "".join(rng.choice(NOISE) for _ in range(rng.randint(1, 30))) + "."
    if roll < 0.75:
        return " ".join(rng.choice(EMOJI) for _ in range(rng.randint(1, 4)))
    if roll < 0.85:
        # Any letters at all, so that no script is new to the model.
        block = rng.choice([0x00C0, 0x0370, 0x0410, 0x05D0, 0x0627, 0x0905, 0x3042, 0x4E00, 0xAC00])
        return "".join(chr(block + rng.randint(0, 40)) for _ in range(rng.randint(1, 12)))
    return " ".join(rng.choice(words.NOUNS) for _ in range(rng.randint(1, 6)))


def _maths(rng: random.Random, patterns: list[str]) -> str:
    def big(digits: int) -> int:
        return rng.randint(10 ** (digits - 1), 10**digits - 1)

    def decimal() -> str:
        return f"{rng.randint(0, 99)}.{rng.randint(1, 99)}"

    text = rng.choice(patterns)
    slots = {
        "w": words.name(rng),
        "o": rng.choice(words.THINGS),
        "s": rng.randint(1, 11),
        "u": rng.randint(12, 23),
        "a": rng.randint(2, rng.choice([20, 100, 1000])),
        "b": rng.randint(2, 99),
        "t": rng.randint(2, 99),
        "d": decimal(),
        "e": rng.choice([decimal(), str(big(1))]),
        "h": big(rng.randint(3, 6)),
        "i": big(rng.randint(3, 6)),
        "z": big(rng.randint(5, 9)),
    }
    for name, value in slots.items():
        text = text.replace("{" + name + "}", str(value))
    return expand(rng, text)


def _sentence(draw: Draw) -> str:
    rng = draw.rng
    text = draw.rng.choice(NEW if draw.new_phrasing else TRAIN)
    text = expand(rng, text)
    fills = {
        "o": lambda: rng.choice(words.FIELDS) if rng.random() < 0.15 else words.noun(rng),
        "j": lambda: rng.choice(words.ADJECTIVES),
        "c": lambda: words.city(rng),
        "w": lambda: words.name(rng),
        "l": lambda: rng.choice(words.LANGUAGES),
        "g": lambda: words.made_up(rng),
        "r": lambda: str(rng.randint(2, 500)),
        "y": lambda: str(rng.randint(1000, 2030)),
        "f": lambda: rng.choice(FOREIGN),
        "k": lambda: rng.choice(_KNOWN),
    }
    for name, fill in fills.items():
        while "{" + name + "}" in text:
            text = text.replace("{" + name + "}", fill(), 1)
    return text[0].upper() + text[1:]


_KNOWN = (
    "France|Spain|Italy|Germany|Japan|China|India|Brazil|Canada|Mexico|Egypt|Kenya|Peru|Chile|"
    "Norway|Sweden|Poland|Greece|Turkey|Russia|Cuba|Nigeria|Australia|Austria|Portugal|Ireland|"
    "Denmark|Finland|Vietnam|Thailand|Iran|Iraq|Morocco|Argentina|Colombia|the United States|"
    "the United Kingdom|the Netherlands|Switzerland|Belgium"
).split("|")


def _question(draw: Draw) -> str:
    rng = draw.rng
    if draw.new_phrasing:
        return _sentence(draw)
    kind = rng.choices(range(8), [48, 13, 7, 5, 4, 9, 5, 9])[0]
    if kind == 0:
        return _sentence(draw)
    if kind == 1:
        return _maths(rng, MATHS)
    if kind == 2:
        invented = words.made_up(rng, rng.choice([2, 3])).capitalize() + rng.choice(
            ["", "", "ia", "land", "stan"]
        )
        place = rng.choice(_NO_CAPITAL) if rng.random() < 0.4 else invented
        return expand(rng, rng.choice(PLACES)).replace("{p}", place)
    if kind == 3:
        return rng.choice(FOREIGN)
    if kind == 4:
        return rng.choice(CODE).format(g=words.made_up(rng), h=words.made_up(rng, 1))
    if kind == 5:
        return unanswerable(draw)
    if kind == 6:
        return _maths(rng, STORIES)
    return _gibberish(rng)


def make(draw: Draw) -> Problem:
    """Return a question that the model cannot answer; held-out ones have texts of their own."""
    question = draw.text(lambda: _question(draw))
    if draw.rng.random() < 0.6:
        question = decorate(draw, question)
    return Problem("unknown", question, UNKNOWN_THINKING, UNKNOWN_ANSWER, "unknown")
