"""The one middleware stack of both serving modes.

The way of a request, from the outside in. BearerAuth lets nobody further without a key, and says
whose it is. RequestLimits refuses what is no JSON or too large before anything reads it.
OpenAIErrors gives what fails behind it OpenAI's shape. ModelAliases answers /v1/models,
Documentation /openapi.json. Requests
reads the body, once, by the engine's own models; decides on its thinking (`app.thinking`); and asks
for the chat completion that it becomes, whichever API it came by (`app.surfaces`). From there on
there are chat completions alone, and plain ones. The answer comes back the same way: LateStart
holds it until its first event, so that an error is still an error response; ReasoningNames gives
the thinking its names; Metering counts; Requests turns it into the shape of the API that was asked.
"""

from typing import Any

from app.answers.chat import ChatCompletions
from app.answers.metering import Metering
from app.answers.names import ReasoningNames
from app.answers.start import LateStart
from app.edge.aliases import ModelAliases
from app.edge.auth import BearerAuth
from app.edge.errors import OpenAIErrors
from app.edge.limits import RequestLimits
from app.edge.openapi import Documentation
from app.requests import Requests

# Innermost first, the order in which FastAPI and vLLM's `middleware` option add them.
STACK: tuple[Any, ...] = (
    LateStart,
    ReasoningNames,
    Metering,
    ChatCompletions,
    Requests,
    ModelAliases,
    Documentation,
    OpenAIErrors,
    RequestLimits,
    BearerAuth,
)

# Those that take the values of the models.
WITH_VALUES = (Requests, ModelAliases)

# The same as vLLM's `middleware` option wants them.
IMPORT_PATHS = [f"{layer.__module__}.{layer.__qualname__}" for layer in STACK]
