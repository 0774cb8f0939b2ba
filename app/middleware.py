"""The one middleware stack of both serving modes.

The way of a request, from the outside in. CrossOrigin lets a browser's pages read the answer, if
they may. AnthropicErrors gives every error on /v1/messages Anthropic's shape, so that all behind it
know OpenAI's alone. BearerAuth lets nobody further without a key, and says whose it is.
RequestLimits refuses what is no JSON, too large or too slow before anything reads it. OpenAIErrors
gives what fails behind it OpenAI's shape. Documentation answers /openapi.json, ModelAliases
/v1/models. Requests reads the body, once, by the engine's own models; decides on its thinking
(`app.thinking`); and asks for the chat completion that it becomes, whichever API it came by
(`app.surfaces`). From there on there are chat completions alone, and plain ones.

The answer comes back the same way. LateStart holds it until its first event, so that an error is
still an error response; Adaptive asks for it again where it was a draft that can't be trusted, the
one layer that asks twice; ReasoningNames gives the thinking its names; Metering counts. Asleep
refuses what would wait too long for a model that has no replica. ChatCompletions gives the answer
what OpenAI's have; Requests turns it into the shape of the API that was asked. Leaving tells the
application that a client has gone; Health, the innermost, has its word.
"""

from typing import Any

from app.answers.chat import ChatCompletions
from app.answers.leaving import Leaving
from app.answers.metering import Metering
from app.answers.names import ReasoningNames
from app.answers.start import LateStart
from app.edge.aliases import ModelAliases
from app.edge.anthropic import AnthropicErrors
from app.edge.asleep import Asleep
from app.edge.auth import BearerAuth
from app.edge.cors import CrossOrigin
from app.edge.errors import OpenAIErrors
from app.edge.health import Health
from app.edge.limits import RequestLimits
from app.edge.openapi import Documentation
from app.requests import Requests
from app.thinking.adaptive import Adaptive

# Innermost first, the order in which FastAPI and vLLM's `middleware` option add them.
STACK: tuple[Any, ...] = (
    Health,
    Leaving,
    LateStart,
    Adaptive,
    ReasoningNames,
    Metering,
    Asleep,
    ChatCompletions,
    Requests,
    ModelAliases,
    Documentation,
    OpenAIErrors,
    RequestLimits,
    BearerAuth,
    AnthropicErrors,
    CrossOrigin,
)

# Those that take the values of the models.
WITH_VALUES = (Requests, ModelAliases)

# Those that take the values of the edge.
WITH_EDGE = (RequestLimits, CrossOrigin)

# The same as vLLM's `middleware` option wants them. Where its server runs, no model sleeps.
IMPORT_PATHS = [
    f"{layer.__module__}.{layer.__qualname__}" for layer in STACK if layer is not Asleep
]
