"""The one middleware stack of both serving modes."""

from typing import Any

from app.auth import BearerAuth
from app.errors import OpenAIErrors
from app.limits import RequestLimits
from app.reasoning import ReasoningNames

# Innermost first, the order in which FastAPI and vLLM's `middleware` option add them: every layer's
# errors pass through OpenAIErrors, and nobody without a key gets further than BearerAuth.
STACK: tuple[Any, ...] = (ReasoningNames, RequestLimits, BearerAuth, OpenAIErrors)

# The same as vLLM's `middleware` option wants them.
IMPORT_PATHS = [f"{layer.__module__}.{layer.__qualname__}" for layer in STACK]
