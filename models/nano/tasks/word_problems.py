"""Word problems of one step: adding, subtracting or multiplying what a short story tells."""

import words
from arithmetic import addition, in_order, multiplication, subtraction
from phrasing import decorate
from problem import Draw, Problem
from tasks import add, multiply, subtract

SHARE = 13.0
BASIC = True
UNRELATED = True

_MORE = "[finds|buys|gets|receives|picks|collects|wins|is given|makes]"
_LOSE = "[loses|sells|gives away|uses|throws away|breaks|spends|eats|drops]"
_HAVE_NOW = (
    "[How many {o} [does [he|she|{n}] have|has [he|she|{n}]|are there] "
    "[now|in total|altogether|in all|today|at the end]?|How many {o} is that[ in total| altogether|"
    " now|]?|[What|How much] is the [total|total number of {o}]?|How many {o} in all?|"
    "Count the {o}.]"
)
_LEFT = (
    "[How many {o} [are left|remain|does [he|she|{n}] have left|does [he|she|{n}] still have|"
    "has [he|she|{n}] left|are still there|are left over]?|How many [are left|remain]?|"
    "What [is left|remains]?|How many {o} [are there|does [he|she|{n}] have] "
    "[now|after that|at the end]?]"
)
_ALL = (
    "[How many {o} [are there|is that|does [he|she|{n}] have] "
    "[in total|altogether|in all|together|]?|What is the total[ number of {o}|]?|"
    "How many {o} in all?|Count [all|] the {o}.]"
)

ADD = [
    "{n} has {a} {o} and " + _MORE + " {b} more[| {o}]. " + _HAVE_NOW,
    "{n} has {a} {o}. [He|She] " + _MORE + " {b} more[| {o}]. " + _HAVE_NOW,
    "{n} has {a} {o}. {m} [gives|brings|sends|sells] [him|her] {b} more[| {o}]. " + _HAVE_NOW,
    "{n} has {a} {o} and {m} has {b}[| {o}]. [How many {o} do they have [together|in total|in all|"
    "altogether|]?|How many {o} are there in total?|How many have they together?]",
    "There are {a} {o} in [the|a] {p}. {n} [brings|adds|puts in|leaves] {b} more[| {o}]. " + _ALL,
    "[A|The] {p} has {a} {o} and [gets|buys|orders|receives] {b} more. " + _ALL,
    "On [Monday|Tuesday|Sunday] {n} [sold|read|made|found|picked|counted|saw] {a} {o} and on "
    "[Wednesday|Friday|Saturday] {b}[| {o}|more]. [How many {o} in total?|How many {o} is that "
    "[together|in all|altogether]?|How many {o} did [he|she|{n}] [sell|read|make|find|pick] in "
    "[total|all]?]",
    "{n} [found|bought|picked|collected|made] {a} {o} [in the morning|yesterday|last week|first] "
    "and {b} [in the evening|today|this week|later]. " + _ALL,
    "One {k} holds {a} {o} and [another|the other|a second] {k} holds {b}[| {o}]. " + _ALL,
    "[There are|We have|I see|I count] {a} {o} in one {k} and {b} in [another|the other]. " + _ALL,
    "I have {a} {o} and [get|buy|find|receive] {b} more. How many {o} do I have [now|in total|in "
    "all|altogether|]?",
    "I had {a} {o}, then I [got|bought|found|received] {b} more. How many [{o} |]do I have now?",
    "[If|When] {n} has {a} {o} and " + _MORE + " {b} [more|others|new ones], how many {o} does "
    "[he|she|{n}] have?",
    "{n} needs {a} {o} and {m} needs {b}[| {o}]. How many {o} do they need [together|in total|in "
    "all|]?",
    "{a} {o} are on the table and {b} [are |]on the floor. " + _ALL,
    "{n} is {a} years old. How old will [he|she|{n}] be in {b} years?",
    "{n} [walked|drove|ran|rode] {a} [kilometers|miles|meters] and then {b} more. How [far|many "
    "kilometers|many miles] [is that|did [he|she|{n}] go] [in total|altogether|in all]?",
    "[A|The] {p} had {a} visitors [yesterday|on Monday] and {b} [today|on Tuesday]. How many "
    "visitors [is that in total|were there in total|altogether|came in all]?",
    "{n} paid {a} dollars for {o} and {b} dollars for a {k}. How [much|many dollars] did [he|she|"
    "{n}] pay [in total|altogether|in all|]?",
    "[A|One] {k} costs {a} [dollars|euros] and [another|the other] costs {b}. What do they cost "
    "[together|in total|altogether]?",
    "{n} [adds|puts] {b} {o} to [a|the] {k} [with|of|that holds] {a}[| {o}]. " + _ALL,
    "{a} {o} plus {b} {o}: how many {o}?",
    "[First|At first] there were {a} {o}; [then|later] {b} more came. " + _ALL,
    "{n} has {a} [red|small|old|green] {o} and {b} [blue|big|new|white] {o}. " + _ALL,
    "[A|The] {p} has {a} [red|small|old|green] {o} and {b} [blue|big|new|white] [ones|{o}]. "
    + _ALL,
    "{n} has {b} {o} more than {m}, who has {a}. How many {o} does {n} have?",
    "{m} has {a} {o}. {n} has {b} more[| than {m}]. How many {o} does {n} have?",
    "[After|When|Once] {n} [gets|buys|finds|receives] {b} more {o}, how many does [he|she|{n}] "
    "have if [he|she] [started|began] with {a}?",
    "{n} [started|began] [with|the day with] {a} {o} and [later |then |]"
    + _MORE
    + " {b}[| more]. "
    + _HAVE_NOW,
    "In the {p} [there are|are] {a} {o}. {n} [brings|adds|puts] {b} more. " + _ALL,
    "[Together|In total|Altogether][, | ]how many {o} do {n} and {m} have if {n} has {a} and "
    "{m} has {b}?",
    "How many {o} [are there|do we have|are that] if {a} {o} are in the {k} and {b} [are |]in "
    "the {p}?",
    "{n} [bought|got|found] {a} {o} [at|in] the {p}[, then| and] {b} [more |others |]at home. "
    + _ALL,
    "{n}: {a} {o}. {m}: {b} {o}. [Together|In total|Sum|How many together|How many in total]?",
]
ADD_NEW = [
    "There were {a} {o} in the {k}, and {n} put {b} more into it. How many {o} are in it now?",
    "Yesterday {n} had {a} {o}. Today [he|she] got {b} more. How many does [he|she] have in all?",
    "{n} and {m} put their {o} together: {a} and {b}. How many {o} is that in total?",
    "After buying {b} more {o}, how many does {n} have if [he|she] had {a} before?",
    "The {p} bought {a} {o} in the morning and {b} more in the evening. How many in total?",
]
SUBTRACT = [
    "{n} has {a} {o} and " + _LOSE + " {b}[| of them]. " + _LEFT,
    "{n} has {a} {o}. [He|She] " + _LOSE + " {b}[| of them| {o}]. " + _LEFT,
    "{n} has {a} {o} and gives {b}[| of them| {o}] to {m}. " + _LEFT,
    "{n} had {a} {o} but [lost|sold|gave away|used|broke|spent|dropped] {b}[| of them]. " + _LEFT,
    "{n} has {a} {o}. {m} [takes|steals|buys|borrows] {b}[| of them| {o}]. " + _LEFT,
    "There are {a} {o} in [the|a] {p}. {b} [are sold|are taken away|are removed|break|are lost|are "
    "used|go away|leave]. " + _LEFT,
    "[A|The] {p} has {a} {o} and [sells|loses|uses|gives away|throws away] {b}[| of them]. "
    + _LEFT,
    "[A|The] {k} [holds|has] {a} {o}. {n} [takes out|takes|removes|takes away] {b}[| of them]. "
    + _LEFT,
    "I have {a} {o} and [lose|sell|give away|use|spend|eat] {b}[| of them]. How many [{o} |][are "
    "left|do I have left|do I still have|remain]?",
    "I had {a} {o}, then I [lost|sold|gave away|used|spent|ate] {b}. How many [{o} |][are left|"
    "do I "
    "have now|do I have left|remain]?",
    "[If|When] {n} has {a} {o} and "
    + _LOSE
    + " {b}[| of them], how many {o} [are left|remain|does "
    "[he|she|{n}] have left]?",
    "{n} has {a} {o} and {m} has {b}[| {o}]. How many more {o} does {n} have[| than {m}]?",
    "{n} has {a} {o} and {m} has {b}[| {o}]. [What is the difference|How big is the difference]?",
    "{n} has {a} {o}, {m} has {b}. How many fewer {o} does {m} have[| than {n}]?",
    "{n} needs {a} {o} and has {b}[| of them| {o}]. How many [more |]{o} [does [he|she|{n}] [still "
    "|]need|are missing]?",
    "{n} wants [to read |]{a} {o} and [has|read|got] {b}[| so far| already]. How many [more |][are "
    "missing|does [he|she|{n}] need|remain|are left]?",
    "Of {a} {o}[,|] {b} are [red|broken|sold|old|bad|green]. How many are not[| [red|broken|sold|"
    "old|bad|green]]?",
    "{n} is {a} years old and {m} is {b}. How much older is {n}[| than {m}]?",
    "{n} is {a} years old. How old was [he|she|{n}] {b} years ago?",
    "A [trip|road|way] is {a} [kilometers|miles|meters] long. {n} has [gone|driven|walked] {b}. "
    "How [far|many kilometers|many miles] [is left|are left|remain|is it still]?",
    "{n} has {a} dollars and [spends|pays] {b}[| dollars| for {o}]. How [much|many dollars] [is "
    "left|are left|does [he|she|{n}] have left|remain]?",
    "[A|The] {k} costs {a} [dollars|euros]. {n} [has|saved] {b}. How much [is missing|more does "
    "[he|she|{n}] need]?",
    "{a} people are [in|on|at] [the|a] {p}. {b} [leave|go home|go away]. How many [people |][are "
    "left|remain|are still there|stay]?",
    "{a} {o} minus {b} {o}: how many {o}?",
    "[First|At first] there were {a} {o}; [then|later] {b} were [lost|sold|gone|taken]. " + _LEFT,
    "{n} has {b} {o} fewer than {m}, who has {a}. How many {o} does {n} have?",
    "{m} has {a} {o}. {n} has {b} fewer[| than {m}]. How many {o} does {n} have?",
    "{n} [sold|lost|used|gave away|ate|broke] {b} of [his|her|the] {a} {o}. " + _LEFT,
    "[After|When|Once] {n} [loses|gives away|uses|has sold|has used] {b} {o}, how many [are "
    "left|remain|does [he|she|{n}] have] [if|when] [he|she|{n}] [started|began] with {a}?",
    "How many {o} [are left|remain|are there] [if|when|after] {b} of {a}[| {o}] are [sold|lost|"
    "gone|eaten|taken away]?",
    "{n} [started|began] [with|the day with] {a} {o} and [later |then |]"
    + _LOSE
    + " {b}[| of them]. "
    + _LEFT,
    "{b} of the {a} {o} in the {p} [are|were] [sold|lost|old|broken|taken]. " + _LEFT,
    "[Out of|From|Of] [the |]{a} {o} {n} [sold|lost|used|took|gave {m}] {b}. " + _LEFT,
    "In the {p} [there are|there were|are] {a} {o}. {n} [takes|took|buys|bought] {b}[| of them]. "
    + _LEFT,
]
SUBTRACT_NEW = [
    "There were {a} {o} in the {k}, and {n} took {b} of them out. How many {o} are left in it?",
    "Yesterday {n} had {a} {o}. Today [he|she] lost {b} of them. How many are left?",
    "From {a} {o}, {n} gave {b} to {m}. How many {o} does {n} still have?",
    "After selling {b} {o}, how many are left if {n} had {a} before?",
    "The {p} had {a} {o} in the morning and sold {b} of them. How many remain in the evening?",
]
MULTIPLY = [
    "{n} has {a} {k}s with {b} {o} each. " + _ALL,
    "{n} has {a} {k}s. [Each|Every] {k} [has|holds|contains] {b} {o}. " + _ALL,
    "There are {a} {k}s with {b} {o} [in each|each|in every one]. " + _ALL,
    "There are {a} {k}s [in|at] [the|a] {p}[, each with| and each has] {b} {o}. " + _ALL,
    "[Each|Every|One] {k} [has|holds|contains] {b} {o}. How many {o} are in {a} {k}s?",
    "[Each|Every|One] {k} [has|holds|contains] {b} {o}. {n} [has|buys|takes] {a} {k}s. " + _ALL,
    "{n} buys {a} {o} [for|at] {b} [dollars|euros] each. [How much [does [he|she|{n}] pay|is that|"
    "do they cost|is it in total]?|What is the [total|price|total price]?|What do they cost?]",
    "[One|Each|A] {k} costs {b} [dollars|euros]. [How much|What] do {a} {k}s cost?",
    "{a} {o} cost {b} [dollars|euros] each. [What|How much] is the total[| price]?",
    "{n} [reads|sells|makes|eats|picks|collects] {b} {o} [a|every|each|per] day. How many {o} [is "
    "that|does [he|she|{n}] [read|sell|make|eat|pick|collect]] in {a} days?",
    "{n} [saves|earns|spends] {b} [dollars|euros] [a|every|each|per] [week|day|month|hour]. How "
    "much [is that|does [he|she|{n}] [save|earn|spend]] in {a} [weeks|days|months|hours]?",
    "[A|The] {p} sells {b} {o} [a|every|each|per] day. How many {o} [is that|does it sell] in {a} "
    "days?",
    "{a} children [get|have|bring|receive] {b} {o} each. " + _ALL,
    "{a} people [have|bring|buy|need] {b} {o} each. " + _ALL,
    "I have {a} {k}s with {b} {o} each. How many {o} do I have[| in total| in all| altogether]?",
    "I buy {a} {k}s of {b} {o}[| each]. How many {o} [do I have|is that|do I get]?",
    "[If|When] [each|every|one] {k} has {b} {o}, how many {o} [are in|do|have] {a} {k}s[| have]?",
    "{n} puts {b} {o} [in|into|on] each of {a} {k}s. " + _ALL,
    "{n} [walks|runs|drives|rides] {b} [kilometers|miles] [a|every|each|per] day. How [far|many "
    "kilometers|many miles] [is that|does [he|she|{n}] go] in {a} days?",
    "[A|The] {p} has {a} rows of {b} [chairs|seats|{o}][| each]. How many [chairs|seats|{o}] [are "
    "there|is that|in total]?",
    "{a} [boxes|bags|packets] of {b} {o}: how many {o}[| in total| in all| altogether]?",
    "{a} times {n} [buys|gets|takes] {b} {o}. " + _ALL,
    "{m} has {b} {o}. {n} has {a} times as many. How many {o} does {n} have?",
    "{n} has {a} times as many {o} as {m}, who has {b}. How many {o} does {n} have?",
    "{n} [packs|fills] {a} {k}s with {b} {o} each. " + _ALL,
    "[In|On] [each|every|one] {k} [there are|are|lie] {b} {o}. [How many {o} [are there |]in "
    "{a} {k}s?|There are {a} {k}s. How many {o} in total?]",
    "How many {o} [are there|are|do I have|do we have] in {a} {k}s [if|when|with] [each|every "
    "one|each one|one] [has|holds|with] {b}[| {o}]?",
    "{n} and {m} [have|buy|bring] {a} {k}s. [Each|Every] {k} [has|holds|contains] {b} {o}. " + _ALL,
    "[Each|Every] day {n} [sells|reads|makes|finds|picks] {b} {o}. How many {o} is that [after|"
    "in] {a} days?",
    "[A|The] {p} has {a} {k}s. [Each|Every] [of them|one|{k}] [has|holds|contains] {b} {o}. "
    + _ALL,
    "{a} {k}s, [each|every one] with {b} {o}[: |. ][how many {o}|the total|how many in total]?",
]
MULTIPLY_NEW = [
    "In each of the {a} {k}s there are {b} {o}. How many {o} are there altogether?",
    "{n} and {m} fill {a} {k}s. If every {k} holds {b} {o}, how many {o} is that?",
    "The {p} has {a} {k}s, and each of them has {b} {o}. How many {o} in total?",
    "Every day {n} makes {b} {o}. How many does [he|she] make in {a} days?",
    "How many {o} does {n} have in {a} {k}s if each one contains {b}?",
]


def make(draw: Draw) -> Problem:
    """Return a word problem; its operands are held out together with the plain tasks' ones."""
    rng = draw.rng
    if (kind := rng.randrange(3)) == 0:
        (a, b), patterns, new = add.operands(draw, 999), ADD, ADD_NEW
    elif kind == 1:
        (a, b), patterns, new = subtract.operands(draw, 999, negative=0), SUBTRACT, SUBTRACT_NEW
    else:
        (a, b), patterns, new = multiply.operands(draw, 99), MULTIPLY, MULTIPLY_NEW
    question = draw.phrase(
        patterns,
        new,
        n=words.name(rng),
        m=words.name(rng),
        o=words.made_up(rng, 2) + "s" if rng.random() < 0.1 else rng.choice(words.THINGS),
        p=rng.choice(words.PLACES),
        k=rng.choice(words.CONTAINERS),
        a=a,
        b=b,
    )
    if kind != 1:
        a, b = in_order(question, a, b)
    thinking = (addition, subtraction, multiplication)[kind](a, b)
    result = (a + b, a - b, a * b)[kind]
    question = decorate(draw, question)
    return Problem("word_problems", question, thinking, f"The answer is {result}.", str(result))
