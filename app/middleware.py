"""The one middleware stack of both serving modes."""

from typing import Any

from app.answers.chat import ChatCompletions
from app.answers.metering import Metering
from app.answers.names import ReasoningNames
from app.answers.start import LateStart
from app.edge.aliases import ModelAliases
from app.edge.auth import BearerAuth
from app.edge.errors import OpenAIErrors
from app.edge.limits import RequestLimits
from app.surfaces.messages import MessagesAPI
from app.surfaces.responses import ResponsesAPI
from app.thinking.policy import ThinkingPolicy

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
    ChatCompletions,
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
