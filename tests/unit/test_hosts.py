"""A replica over several hosts asks which of them go, and leaves with the first. GCS is faked."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from ray import NodeID
from ray.exceptions import RayActorError

from app import hosts

OWN, FURTHER, OTHER = (NodeID.from_random() for _ in range(3))  # the last is another replica's


class Cluster:
    """Ray's GCS: which hosts this replica has, and which go."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *nodes: NodeID) -> None:
        self.draining: dict[str, int] = {}
        self.dead: dict[NodeID, Any] = {}
        self.answers = True
        self.looks = 0
        self.engine = SimpleNamespace(check_health=self.healthy)
        self.replica = SimpleNamespace(servable_object=SimpleNamespace(engine=self.engine))
        table = {"bundles_to_node_id": {i: node.hex() for i, node in enumerate(nodes)}}
        context = SimpleNamespace(gcs_address="here", get_node_id=OWN.hex)
        group = object() if nodes else None
        monkeypatch.setattr(hosts, "_LOOK_EVERY_S", 0)
        monkeypatch.setattr(hosts, "GcsClient", lambda address: self)
        monkeypatch.setattr(hosts, "get_current_placement_group", lambda: group)
        monkeypatch.setattr(hosts, "placement_group_table", lambda _: table)
        monkeypatch.setattr(hosts.ray, "get_runtime_context", lambda: context)
        monkeypatch.setattr(hosts.serve, "get_replica_context", lambda: self.replica)

    def get_draining_nodes(self, timeout: float) -> dict[str, int]:
        if not self.answers:
            raise OSError("the head restarts")
        return dict(self.draining)

    def get_all_node_info(self, timeout: float, state_filter: int) -> dict[NodeID, Any]:
        assert state_filter == hosts.GcsNodeInfo.DEAD
        self.looks += 1
        if not self.answers:
            raise OSError("the head restarts")
        return dict(self.dead)

    async def healthy(self) -> None:
        pass

    async def looked_at(self) -> None:
        """Wait until what it says now has been heard."""
        looks = self.looks + 3
        while self.looks < looks:
            await asyncio.sleep(0)

    @asynccontextmanager
    async def watched(self) -> AsyncIterator["asyncio.Task[bool]"]:
        """Have the replica watch it."""
        watching = asyncio.create_task(hosts.one_is_lost())
        try:
            yield watching
        finally:
            watching.cancel()


@pytest.mark.parametrize("nodes", [(), (OWN,), (OWN, OWN)])
def test_on_one_host_nothing_is_asked(monkeypatch: pytest.MonkeyPatch, nodes: Any) -> None:
    cluster = Cluster(monkeypatch, *nodes)
    assert asyncio.run(asyncio.wait_for(hosts.one_is_lost(), 30)) is False
    assert cluster.looks == 0 and cluster.engine.check_health == cluster.healthy


def test_it_leaves_when_a_further_host_drains_and_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = Cluster(monkeypatch, OWN, OWN, FURTHER)

    async def check() -> None:
        async with cluster.watched() as watching:
            cluster.draining = {OWN.hex(): 1, OTHER.hex(): 2}  # of its own Serve takes notice
            await cluster.looked_at()
            await cluster.engine.check_health()
            cluster.draining[FURTHER.hex()] = 0  # no time is said
            await cluster.looked_at()
            for _ in range(2):
                with pytest.raises(RayActorError, match="a further host"):
                    await cluster.engine.check_health()
            assert not watching.done()  # it ends its answers

    asyncio.run(check())


@pytest.mark.parametrize("drains_first", [False, True])
def test_a_lost_host_is_told(monkeypatch: pytest.MonkeyPatch, drains_first: bool) -> None:
    cluster = Cluster(monkeypatch, OWN, FURTHER)

    async def check() -> None:
        async with cluster.watched() as watching:
            cluster.dead = {OTHER: None}
            if drains_first:
                cluster.draining = {FURTHER.hex(): 1}
            await cluster.looked_at()
            assert not watching.done()
            cluster.dead[FURTHER] = None
            assert await asyncio.wait_for(watching, 30) is True

    asyncio.run(check())


def test_a_head_that_does_not_answer_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = Cluster(monkeypatch, OWN, FURTHER)

    async def check() -> None:
        async with cluster.watched() as watching:
            cluster.answers, cluster.draining = False, {FURTHER.hex(): 1}
            await cluster.looked_at()
            await cluster.engine.check_health()
            assert not watching.done()
            cluster.answers = True
            await cluster.looked_at()
            with pytest.raises(RayActorError):
                await cluster.engine.check_health()

    asyncio.run(check())


def test_a_replica_that_starts_leaves_once_it_is_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = Cluster(monkeypatch, OWN, FURTHER)
    whole, cluster.replica.servable_object = cluster.replica.servable_object, None
    cluster.draining = {FURTHER.hex(): 1}

    async def check() -> None:
        async with cluster.watched():
            await cluster.looked_at()
            await cluster.engine.check_health()
            cluster.replica.servable_object = whole
            await cluster.looked_at()
            with pytest.raises(RayActorError):
                await cluster.engine.check_health()

    asyncio.run(check())
