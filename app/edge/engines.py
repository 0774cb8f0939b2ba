"""Whether the engines behind Ray's ingress live, which has no /health as vLLM's server has."""

import asyncio
from collections.abc import Iterable
from typing import Any

_PATIENCE_S = 4.0  # s


async def all_answer(models: Iterable[Any]) -> bool:
    """Tell whether each model has a replica whose engine lives.

    Args:
        models: the handles (`ray.serve.handle.DeploymentHandle`) of their deployments.
    """
    return all(await asyncio.gather(*map(_answers, models)))


async def _answers(model: Any) -> bool:
    """Ask all replicas past the router, for in its queue a busy model would seem to be dead."""
    try:
        asked = model.broadcast("check_health")
        found = await asked.results_async(timeout_s=_PATIENCE_S, return_exceptions=True)
    except Exception:  # there is no replica, or none answers
        return False
    return any(not isinstance(each, BaseException) for each in found)


async def asleep(model: Any) -> bool:
    """Tell whether a model has no replica; one that is slow, or just going, is one."""
    from ray.serve.exceptions import DeploymentUnavailableError

    try:
        asked = model.broadcast("check_health")
        await asked.results_async(timeout_s=_PATIENCE_S, return_exceptions=True)
    except DeploymentUnavailableError:
        return True
    except Exception:  # for others to tell of
        return False
    return False
