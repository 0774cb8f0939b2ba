"""The one middleware stack of both serving modes."""

from typing import Any

from app.auth import BearerAuth
from app.errors import OpenAIErrors
from app.limits import RequestLimits
from app.policy import ThinkingPolicy
from app.reasoning import ReasoningNames
from app.start import LateStart

# Innermost first, the order in which FastAPI and vLLM's `middleware` option add them. Without a key
# nobody gets further than BearerAuth; what it and RequestLimits refuse has OpenAI's shape already.
# ThinkingPolicy reads bodies, so it stands behind both, and tells ReasoningNames the names.
# LateStart gives OpenAIErrors the errors that a stream begins with as error responses.
STACK: tuple[Any, ...] = (
    LateStart,
    ReasoningNames,
    ThinkingPolicy,
    OpenAIErrors,
    RequestLimits,
    BearerAuth,
)

# The same as vLLM's `middleware` option wants them.
IMPORT_PATHS = [f"{layer.__module__}.{layer.__qualname__}" for layer in STACK]
