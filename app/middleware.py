"""The one middleware stack of both serving modes."""

from typing import Any

from app.aliases import ModelAliases
from app.anthropic_messages import MessagesAPI
from app.auth import BearerAuth
from app.errors import OpenAIErrors
from app.limits import RequestLimits
from app.metering import Metering
from app.openai_responses import ResponsesAPI
from app.policy import ThinkingPolicy
from app.reasoning import ReasoningNames
from app.start import LateStart

# Innermost first, the order in which FastAPI and vLLM's `middleware` option add them. Without a key
# nobody gets further than BearerAuth, which tells the others whose it is; what it and RequestLimits
# refuse has OpenAI's shape already. ThinkingPolicy reads bodies, so it stands behind both. All
# behind it work with what it has decided. MessagesAPI and ResponsesAPI ask for chat completions, so
# those behind them know only these. LateStart gives OpenAIErrors the errors that a stream
# begins with as error responses.
STACK: tuple[Any, ...] = (
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
)

# Those that take the values of the models.
WITH_VALUES = (ThinkingPolicy, ModelAliases)

# The same as vLLM's `middleware` option wants them.
IMPORT_PATHS = [f"{layer.__module__}.{layer.__qualname__}" for layer in STACK]
