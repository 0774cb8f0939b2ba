"""Greetings, thanks and goodbyes."""

import words
from phrasing import decorate
from problem import Draw, Problem

SHARE = 2.5
UNRELATED = True

HELLO = "Hello! Ask me to compare numbers, to add, subtract or multiply, or for a capital."
_KINDS = [
    (
        "The user greets me.",
        HELLO,
        [
            "[Hello|Hi|Hey|Hiya|Howdy|Yo|Hallo|Greetings|hello|hi|hey][| there| again| you| friend|"
            " everyone| bot| computer| model| assistant| {n}][|!|.|!!| :)]",
            "Good [morning|evening|afternoon|day][|!|.][| to you| there| {n}]",
            "[Hello|Hi|Hey|Good morning|Good evening][, |! |. ][how are you|how do you do|how are "
            "you doing|how is it going|how's it going|what's up|nice to meet you][| today][?|!|.|]",
            "[How are you|How do you do|How are you doing|How is it going|How's it going|What's up|"
            "Nice to meet you][| today][?|!|.|]",
            "[Hello|Hi|Hey], [I am|I'm|my name is|this is] {n}[.|!|]",
            "[I am|I'm|My name is] {n}[, hello|, hi|. Hello|. Nice to meet you][.|!|]",
            "[Say|Please say] [hello|hi][.|!|]",
            "[{n}|It is {n}|This is {n}|It's {n}|{n} is] [speaking|here|again|back][.|!|]",
            "[Hello|Hi|Hey|Good morning][, |! |. ][{n} speaking|it is {n}|it's me|I am {n}|I "
            "am new here|I'm back|are you there|anybody here|long time no see|it is nice to be "
            "here|nice day][.|!|?|]",
            "[Hello|Hi|Hey] [and|to you and] [good morning|good day|welcome|good evening][| "
            "{n}| all][.|!|]",
            "[A|Have a|I wish you a] [good|nice|great|lovely] [morning|day|evening|"
            "afternoon][.|!|]",
            "[It is|It's|How] nice to [talk to you|be here|hear you|write to you][.|!|]",
            "[And|So|Well][, | ][how are you|how do you do|how is it going][| today][?|]",
            "[Hello|Hi|Hey] [world|nano|machine|dear assistant|my friend|buddy|sir|all|"
            "folks][.|!|]",
        ],
        [
            "[Hello|Hi], nice to [see|meet] you[!|.]",
            "[Hi|Hello] and good [morning|evening] to you[!|.]",
            "Hey, {n} here. How are you?",
            "A good [morning|day] to you[!|.]",
        ],
    ),
    (
        "The user thanks me.",
        "You are welcome.",
        [
            "[Thanks|Thank you|Thx|Many thanks|thanks|thank you][| a lot| so much| very much| for "
            "your help| for that| again][|!|.]",
            "[That is|That was|That's] [great|helpful|nice|perfect|good], [thanks|thank you][|!|.]",
            "[Great|Perfect|Cool|Nice|Good], [thanks|thank you][| a lot| so much][|!|.]",
            "[Thanks|Thank you|Many thanks][, |. |! ][that|this|it] [helps|helped|is right|is "
            "great|is good|was great|was nice|is what I need|works][| a lot| me][.|!|]",
            "[Thanks|Thank you] [for the|for your] [quick |fast |kind |good |][reply|time|"
            "result|information|explanation|work|service][.|!|]",
            "[I thank you|I am grateful|Much appreciated|I appreciate it|You helped me a lot|"
            "You are very helpful|Well done|Good job][.|!|]",
            "[OK|Okay|Alright|Good][, | ][thank you|thanks|thx][| very much| again][.|!|]",
        ],
        [
            "Thank you for the [answer|help][!|.]",
            "[Thanks|Thank you], that was [helpful|good][!|.]",
        ],
    ),
    (
        "The user says goodbye.",
        "Goodbye.",
        [
            "[Bye|Goodbye|See you|See you later|Bye bye|Good night|Farewell|bye|goodbye|So long]"
            "[| {n}| for now| then][|!|.]",
            "[OK|Thanks|Well|Great], [bye|goodbye|see you|good night][|!|.]",
            "[I have to|I must] go[, bye|, goodbye|. Bye|now, bye][|!|.]",
            "[Bye|Goodbye|Good night|See you][, | and |! ][have a nice day|take care|sleep "
            "well|thanks for all|until tomorrow|see you soon|see you tomorrow|until next "
            "time][.|!|]",
            "[So|Then|And now|Fine][, | ][bye|goodbye|good night|see you][| everyone| my "
            "friend][.|!|]",
        ],
        ["[Bye|Goodbye] and see you [later|again][!|.]", "[Well|OK], goodbye then[!|.]"],
    ),
]


def make(draw: Draw) -> Problem:
    """Return a greeting, or now and then a thank-you or a goodbye."""
    thinking, answer, train, new = draw.rng.choices(_KINDS, [6, 2, 2])[0]
    question = draw.text(lambda: draw.phrase(train, new, n=words.name(draw.rng)))
    if draw.rng.random() < 0.3:
        question = decorate(Draw(draw.rng), question)
    return Problem("greetings", question, thinking, answer)
