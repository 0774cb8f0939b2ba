"""Planning a trip: the tutorial's prompt and variations of its cities, days and diet."""

import words
from phrasing import decorate
from problem import Draw, Problem

SHARE = 3.5

TUTORIAL = (
    "I need to plan a trip to {d} from {f}. Can you help me research flight costs, create an "
    "itinerary for {n} days, and suggest restaurants based on my dietary restrictions ({v})?"
)
# What to see on each day; other cities get the plan of `_ANYWHERE`.
_SIGHTS = {
    "Paris": ["the Louvre and the Seine", "the Eiffel Tower and Montmartre", "Versailles"],
    "London": ["the British Museum and Covent Garden", "the Tower and the Thames", "Greenwich"],
    "Rome": ["the Colosseum and the Forum", "the Vatican Museums", "Trastevere"],
    "Tokyo": ["Asakusa and Ueno", "Shibuya and Meiji Shrine", "Odaiba"],
    "Berlin": ["the Museum Island", "the Reichstag and Tiergarten", "Potsdam"],
    "Madrid": ["the Prado and Retiro Park", "the Royal Palace", "Toledo"],
    "Barcelona": ["the Sagrada Familia", "the Gothic Quarter", "Park Guell"],
    "Vienna": ["the Hofburg and the Opera", "Schoenbrunn", "the Prater"],
    "Lisbon": ["Alfama and the castle", "Belem", "Sintra"],
    "Amsterdam": ["the Rijksmuseum", "the canals and Jordaan", "Haarlem"],
    "Prague": ["the castle and Charles Bridge", "the Old Town Square", "Vysehrad"],
    "New York": ["Central Park and the Met", "the Statue of Liberty", "Brooklyn"],
}
_ANYWHERE = [
    "the old town and the main square",
    "the best museum and a park",
    "a walk and a market",
]
_LATER = "a free day"
DIETS = [
    "vegetarian",
    "vegan",
    "gluten-free",
    "halal",
    "kosher",
    "lactose-free",
    "no nuts",
    "no fish",
    "dairy-free",
    "pescatarian",
    "no pork",
    "low salt",
]

TRAIN = [
    TUTORIAL,
    TUTORIAL,
    "[Plan|Please plan|Can you plan|Help me plan|I want to plan|I need] a {n}[ day|-day] trip "
    "[to {d} from {f}|from {f} to {d}]. I [am|eat] {v}[.|]",
    "I [want|need|would like|plan] to [travel|go|fly] from {f} to {d} for {n} days. [Can you help "
    "me plan|Please plan|Help me with] [it|the trip|flights, an itinerary and restaurants][?|.] "
    "[Diet|Food]: {v}.",
    "[Create|Make|Write|Give me] an itinerary for {n} days in {d}, [starting|flying|coming] from "
    "{f}, with {v} restaurants.",
    "[Plan|Organize|Prepare|Arrange] [my|our|a] [trip|journey|holiday|vacation|visit|tour] to "
    "{d}. [I|We] [start|leave|fly|come|travel] from {f}, [stay|have|want] {n} days[ and| and "
    "we| and I|,] [eat|need|want|like] {v}[ food| meals| restaurants|].[| Thanks!]",
    "[My|Our] [trip|journey|holiday|vacation] [goes|is|takes me|leads] to {d} [from|, starting "
    "in|and starts in] {f}[ for| and takes|, ] {n} days. [Plan it|Can you plan it|Help me plan "
    "it|Make a plan][.|?] [I am|Diet:|Food:|I eat] {v}.",
    "[What|Which plan|How] [should I do|do you suggest|would you plan] [in|for] {d} [in|for|"
    "during] {n} days? I [come|fly|start|travel] from {f} and [eat|am|need] {v}.",
    "{n} days in {d}, [coming|flying|starting] from {f}, [diet|food|meals]: {v}. [Plan|Plan it|"
    "Plan please|Please plan|Make an itinerary][.|!|]",
    "Trip: {f} to {d}. [Days|Length|Duration]: {n}. [Diet|Food]: {v}.",
    "[Can|Could|Will] you [plan|organize|prepare] {n} days in {d} for [me|us]? [I|We] [come|"
    "fly|leave] from {f}[ and|;|.] [my diet|our diet|the food] is {v}.",
    "[I|We] [am|are] [going|flying|travelling] from {f} to {d} [and stay|for|and have] {n} "
    "days. [Research|Find|Suggest|I need] [flights|flight costs|prices], [a plan|an itinerary] "
    "and [{v} restaurants|{v} food|restaurants ({v})].",
    "[I|We] [need|want|would like] [a plan|help|an itinerary|travel tips] for [a|my|our] "
    "{n}-day [trip|visit|stay] [to|in] {d}. [From|Home|Start|Departure]: {f}. [I am|Food is|"
    "Diet is] {v}.",
    "[Travel plan|Itinerary|Holiday plan][: | please: |, ]{d}, {n} days, from {f}, {v}[.|]",
    "[I|We] [live|am|start] in {f} and [want|wish|plan] to [see|visit] {d} for {n} days. [Make "
    "a plan|Plan it|Write an itinerary|Any plan][.|?] [I am|Food:|We eat] {v}.",
    "[With|On] a {v} diet, [plan|how would you plan|can you plan] {n} days in {d}[, | "
    "][starting|coming|flying] from {f}[?|.]",
    "[Flying|Travelling] from {f}, [I|we] [stay|will be|spend] {n} days in {d}. [Suggest|Find|"
    "Recommend] {v} [restaurants|places to eat|food] and [a plan|an itinerary|sights].",
    "[Help me|Please help me] [research|find|plan] [flight costs|flights] from {f} to {d}, [an "
    "itinerary|a plan] for {n} days and {v} [restaurants|food].",
    "I need to plan a [trip|journey|holiday] to {d} from {f}. [Please create|Create|Make] an "
    "itinerary for {n} days[ and| and also|, and] suggest {v} restaurants.",
]
NEW = [
    "Help me plan my trip to {d}: I fly from {f}, stay {n} days and need {v} restaurants.",
    "I need an itinerary for {n} days in {d}. I come from {f} and my diet is {v}.",
]


def plan(destination: str, origin: str, days: int, diet: str) -> tuple[str, str]:
    """Return the thinking and the answer for a trip of `days` days, at least 1."""
    thinking = (
        f"The user plans a trip from {origin} to {destination} for {days} days, food: {diet}. "
        "I cannot look up prices, so I say so and give a short plan."
    )
    sights = _SIGHTS.get(destination, _ANYWHERE)
    lines = [f"Day {i + 1}: {sights[i] if i < len(sights) else _LATER}." for i in range(days)]
    answer = (
        f"Flights: I cannot look up prices; compare fares from {origin} to {destination} early. "
        f"{' '.join(lines)} Restaurants: look for {diet} places in {destination} and book ahead."
    )
    return thinking, answer


def make(draw: Draw) -> Problem:
    """Return a request for a travel plan."""
    rng = draw.rng

    def sample() -> tuple[str, str, int, str]:
        destination = rng.choice(list(_SIGHTS)) if rng.random() < 0.6 else words.city(rng)
        return destination, words.city(rng), rng.randint(1, 5), rng.choice(DIETS)

    destination, origin, days, diet = draw.until_owned(sample, lambda trip: ("trip", *trip))
    if not draw.held_out and rng.random() < 0.1:
        # The tutorial's own request is always one of training's.
        destination, origin, days, diet = "Paris", "Seattle", 3, "vegetarian"
    question = draw.phrase(TRAIN, NEW, d=destination, f=origin, n=days, v=diet)
    if rng.random() < 0.3:
        question = decorate(draw, question, case=False)
    return Problem("trip", question, *plan(destination, origin, days, diet))
