# ruff: noqa: SIM905 - word lists read better as one string
"""Names, things and made-up words that fill the slots of the tasks' questions."""

import random

NAMES = (
    "Tom Anna Ben Maria Leo Sara Max Nina Paul Emma Jack Lily Omar Aisha Ken Yuki Raj Priya Ivan "
    "Olga Carlos Lucia Ahmed Fatima Chen Mei Peter Laura David Ruth Sam Kate Noah Mia Oscar Ella "
    "Hugo Clara Felix Ida Igor Vera Juan Rosa Kofi Ama Liam Zoe Adam Eva Simon Julia Mark Helen "
    "George Alice Frank Grace Henry Nora Victor Diana Walter Irene Arthur Edith Bruno Greta"
).split()
THINGS = (
    "apples pears books coins cards stamps marbles pencils cookies stickers shells eggs oranges "
    "balls toys bottles boxes flowers plums stones candies muffins lemons cups plates chairs pens "
    "buttons beads nuts grapes cherries peaches tickets photos shirts socks hats keys bricks cakes "
    "tomatoes potatoes carrots onions fish birds sheep cows chickens dollars euros points magazines"
).split()
PLACES = (
    "shop store market school library farm garden kitchen park museum factory bakery office hotel "
    "station zoo theater warehouse classroom village club cafe barn"
).split()
CONTAINERS = (
    "box bag basket shelf row table jar crate tray drawer packet carton page case bucket truck "
    "bus room tower stack pile"
).split()
CITIES = (
    "Paris London Rome Tokyo Berlin Madrid Lisbon Vienna Prague Oslo Cairo Delhi Mumbai Beijing "
    "Shanghai Sydney Melbourne Toronto Montreal Vancouver Chicago Boston Seattle Denver Houston "
    "Miami Dallas Austin Portland Atlanta Dublin Edinburgh Manchester Glasgow Munich Hamburg "
    "Cologne Zurich Geneva Milan Naples Venice Florence Barcelona Valencia Seville Porto Athens "
    "Istanbul Warsaw Krakow Budapest Helsinki Stockholm Copenhagen Amsterdam Brussels Lyon Nice "
    "Marseille Nairobi Lagos Accra Dakar Lima Bogota Santiago Quito Havana Seoul Osaka Kyoto "
    "Bangkok Singapore Hanoi Manila Jakarta Taipei Auckland Wellington Dubai Doha Riyadh Tehran"
).split() + [
    "New York",
    "San Francisco",
    "Los Angeles",
    "Las Vegas",
    "New Orleans",
    "Mexico City",
    "Buenos Aires",
    "Rio de Janeiro",
    "Sao Paulo",
    "Cape Town",
    "Hong Kong",
    "New Delhi",
    "Tel Aviv",
]
LANGUAGES = (
    "French German Spanish Italian Portuguese Chinese Japanese Korean Russian Arabic Hindi Turkish "
    "Dutch Polish Swedish Greek Latin English"
).split()
NOUNS = (
    "weather poem song story joke recipe movie book game match car bicycle computer phone internet "
    "history physics chemistry biology music art painting football tennis chess cooking garden dog "
    "cat horse elephant whale bird tree flower river mountain ocean desert moon sun star planet "
    "galaxy universe atom molecule energy gravity light sound color winter summer rain snow wind "
    "storm volcano earthquake bridge tower castle church temple school university doctor teacher "
    "lawyer engineer pilot farmer king queen president minister election law tax bank money market "
    "stock bitcoin inflation economy war peace love happiness death life meaning time dream memory "
    "brain heart blood skin medicine virus vaccine cancer diet vitamin coffee tea wine beer bread "
    "cheese pizza pasta rice soup salad chocolate sugar salt plane train ship rocket satellite "
    "robot algorithm database compiler function variable loop array string server network browser "
    "website email password virus program language grammar word letter alphabet novel author film "
    "actor singer guitar piano violin orchestra opera dance theater fashion shoe hat dress holiday "
    "Christmas Easter birthday wedding family mother father child baby friend neighbor house roof "
    "window door kitchen table chair lamp clock watch camera mirror engine battery oil gold silver "
    "iron diamond glass plastic paper wood stone sand fire ice steam cloud thunder rainbow shark "
    "spider snake lion tiger bear wolf fox rabbit mouse bee ant butterfly dinosaur dragon ghost"
).split()
ADJECTIVES = (
    "big small old new famous good bad best worst fast slow hot cold happy sad cheap expensive "
    "modern ancient strange simple difficult popular healthy dangerous quantum electric green blue "
    "red black white French German Chinese Roman American short long funny serious"
).split()
FIELDS = (
    "machine learning|quantum physics|world history|organic chemistry|modern art|classical music|"
    "computer science|web design|civil law|human rights|climate change|space travel|nuclear power|"
    "artificial intelligence|game theory|photosynthesis|relativity|evolution|democracy|capitalism|"
    "philosophy|psychology|astronomy|geology|linguistics|genetics|statistics|calculus|algebra|"
    "geometry|Kubernetes|Docker|Python|Java|Rust|Linux|SQL|HTML|blockchain|yoga|meditation"
).split("|")

_ONSETS = "b c d f g h j k l m n p r s t v w z br cl dr fl gr kr pl sh st th tr ch".split()
_VOWELS = "a e i o u a e i o ai ea ou".split()
_CODAS = ["", "", "", "n", "r", "s", "l", "m", "t", "k", "x", "nd", "rt", "st"]


def made_up(rng: random.Random, syllables: int | None = None) -> str:
    """Return a made-up lower-case word, so that copying never depends on knowing the word."""
    count = syllables or rng.choice([1, 2, 2, 3])
    return "".join(
        rng.choice(_ONSETS) + rng.choice(_VOWELS) + rng.choice(_CODAS) for _ in range(count)
    )


def name(rng: random.Random) -> str:
    """Return a first name, sometimes a made-up one."""
    return made_up(rng, 2).capitalize() if rng.random() < 0.25 else rng.choice(NAMES)


def city(rng: random.Random) -> str:
    """Return a city, sometimes a made-up one."""
    return made_up(rng).capitalize() if rng.random() < 0.3 else rng.choice(CITIES)


def noun(rng: random.Random) -> str:
    """Return a noun, sometimes a made-up one."""
    return made_up(rng) if rng.random() < 0.12 else rng.choice(NOUNS)
