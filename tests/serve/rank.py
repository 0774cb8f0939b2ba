"""A replica with a rank of its engine on a further host; Ray calls this in the replica.

A stand-in: vLLM's ranks on a CPU are all on one host. As with a rank of vLLM's, the replica ends
when it does.
"""

import asyncio
import os

import ray
from ray.util.placement_group import get_current_placement_group
from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy

from app.replica import Start

_running: set[asyncio.Task[None]] = set()


@ray.remote
class Rank:
    """An actor that lives until its host or its replica ends."""

    async def run(self) -> None:
        await asyncio.Event().wait()


async def end_with(rank: "ray.actor.ActorHandle[Rank]") -> None:
    try:
        await rank.run.remote()
    finally:
        os._exit(1)


class WithRank(Start):
    """What each replica does, and a rank in the second bundle."""

    async def on_after_node_init(self) -> None:
        await super().on_after_node_init()
        second = PlacementGroupSchedulingStrategy(get_current_placement_group(), 1)
        rank = Rank.options(scheduling_strategy=second).remote()
        _running.add(asyncio.get_running_loop().create_task(end_with(rank)))
