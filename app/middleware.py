"""The one middleware stack of both serving modes."""

from typing import Any

from app.answers.metering import Metering
from app.answers.names import ReasoningNames
from app.answers.start import LateStart
from app.edge.aliases import ModelAliases
from app.edge.anthropic import AnthropicErrors
from app.edge.auth import BearerAuth
from app.edge.cors import CrossOrigin
from app.edge.errors import OpenAIErrors
from app.edge.health import Health
from app.edge.limits import RequestLimits
from app.surfaces.messages import MessagesAPI
from app.surfaces.responses import ResponsesAPI
from app.thinking.policy import ThinkingPolicy

# Innermost first, the order in which FastAPI and vLLM's `middleware` option add them. Without a key
# nobody gets further than BearerAuth, which tells the others whose it is; what it and RequestLimits
# refuse has OpenAI's shape already. AnthropicErrors turns all such errors into Anthropic's for the
# surface that has those, and CrossOrigin lets browsers read any of it. Health, the innermost, has
# the application's own word. ThinkingPolicy reads bodies, so it stands behind both. All
# behind it work with what it has decided. MessagesAPI and ResponsesAPI ask for chat completions, so
# those behind them know only these. LateStart gives OpenAIErrors the errors that a stream
# begins with as error responses.
STACK: tuple[Any, ...] = (
    Health,
    LateStart,
    ReasoningNames,
    Metering,
    MessagesAPI,
    ResponsesAPI,
    ThinkingPolicy,
    ModelAliases,
    OpenAIErrors,
    RequestLimits,
    BearerAuth,
    AnthropicErrors,
    CrossOrigin,
)

# Those that take the values of the models.
WITH_VALUES = (ThinkingPolicy, ModelAliases)

# Those that take the values of the edge.
WITH_EDGE = (RequestLimits, CrossOrigin)

# The same as vLLM's `middleware` option wants them.
IMPORT_PATHS = [f"{layer.__module__}.{layer.__qualname__}" for layer in STACK]
