"""A replica over several hosts, which leaves with the first of them.

Serve moves a replica whose own host is about to go (an eviction, the notice of a spot node). Of a
further host, on which there are only ranks of the engine, it takes no notice: they would end when
its time is up, and cut all that is being answered. So the replica says so, as it is asked for its
health: Serve then starts another one, and this one ends its answers.

Nor would it do to have the replica's own host drained. A Ray node that has been is gone, and in a
pod nothing starts the next before the liveness probe has failed for minutes.

When a further host is lost at once, vLLM waits for its ranks for as long as a step may take.
"""

import asyncio
import logging
from typing import Any

import ray
from ray import serve
from ray._raylet import GcsClient  # type: ignore[attr-defined]
from ray.core.generated.gcs_pb2 import GcsNodeInfo
from ray.exceptions import RayActorError
from ray.util.placement_group import get_current_placement_group, placement_group_table

_LOOK_EVERY_S = 1.0
_PATIENCE_S = 5.0

log = logging.getLogger("ray.serve")


async def one_is_lost() -> bool:
    """Wait until a further host of this replica is lost; let it leave when one is about to go.

    Returns:
        True once one is lost; False, and at once, where the replica has one host.
    """
    others = await asyncio.to_thread(_further_hosts)
    if not others:
        return False
    cluster = GcsClient(address=ray.get_runtime_context().gcs_address)
    leaves = False
    while others.isdisjoint(await asyncio.to_thread(_lost, cluster)):
        engine = engine_of_this_replica()
        if engine and not leaves:  # else it starts
            leaves = not others.isdisjoint(await asyncio.to_thread(_draining, cluster))
            if leaves:
                log.warning("A further host of this replica is about to go, and so it leaves.")
                engine.check_health = _leaving
        await asyncio.sleep(_LOOK_EVERY_S)
    return True


def engine_of_this_replica() -> Any:
    """Return Ray's wrapper of the engine, None until the replica is whole."""
    return getattr(serve.get_replica_context().servable_object, "engine", None)


def _further_hosts() -> frozenset[str]:
    """Return the ids of the Ray nodes that have a part of this replica, but its own."""
    group = get_current_placement_group()
    if group is None:
        return frozenset()
    nodes = placement_group_table(group)["bundles_to_node_id"].values()
    return frozenset(nodes) - {ray.get_runtime_context().get_node_id()}


def _draining(cluster: Any) -> set[str]:
    """Return the ids of the nodes that are about to go; none of a head that doesn't answer."""
    try:
        return set(cluster.get_draining_nodes(timeout=_PATIENCE_S))
    except Exception:  # of several kinds, as Serve's controller has found
        return set()


def _lost(cluster: Any) -> set[str]:
    """Return the ids of the nodes that are gone; none of a head that doesn't answer."""
    try:
        nodes = cluster.get_all_node_info(timeout=_PATIENCE_S, state_filter=GcsNodeInfo.DEAD)
        return {node.hex() for node in nodes}
    except Exception:
        return set()


async def _leaving() -> None:
    """Say that this actor ends, which Serve believes at once; of other errors it wants three."""
    raise RayActorError(error_msg="a further host of this replica is about to go, so it ends")
