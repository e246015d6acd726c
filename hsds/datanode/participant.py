"""A data node that shares the keys with others: its membership, the agent that acts for it, and how it is."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Final

import hsds
from hsds.cluster.agent import Agent, Peers
from hsds.cluster.discovery import Discovery
from hsds.cluster.membership import Membership, Timing, Word
from hsds.cluster.slots import Mask
from hsds.cluster.view import Member, View
from hsds.datanode.gatekeeper import Gatekeeper
from hsds.datanode.standing import Json, Standing
from hsds.errors import HsdsError
from hsds.store.base import Store
from hsds.transport.base import DataNode, Trace
from hsds.transport.ops import Op

_LOOK: Final = 0.25
_HEARD_SECONDS: Final = 5.0


class Participant(Standing):
    """One process of a data node in a cluster."""

    def __init__(
        self,
        me: Member,
        cluster: str,
        *,
        store: Store,
        bucket: str,
        discovery: Discovery,
        peers: Peers,
        timing: Timing,
        clock: Callable[[], float],
    ) -> None:
        """``store`` must not wait for outages: the lease has to run out in one. Nor must it wait for a
        connection behind others, which would end the lease of a node that is merely busy.
        """
        self.membership = Membership(
            me, cluster, timing=timing, first_epoch=lambda: int(time.time()), moved=self._moved
        )
        self.gate = Gatekeeper(self.membership.takeover, self.membership.lease, clock)
        self.agent = Agent(
            self.membership, store, bucket, discovery, peers, clock=clock, lingering=self.gate.lingering
        )
        self.gate.settled_down = self.agent.settled_down
        self.requests = 0
        """Batches of operations that were asked for, ever."""
        self.store_state: Callable[[], Json] = dict
        """What is known of the object store, for whoever asks how this node is."""
        self.told: Callable[[Mask, Mask, Mask], None] = lambda gained, lost, kept: None
        """Called with the slots gained, lost and kept whenever that has changed, before anybody is told."""
        self._clock = clock
        self._started_at = time.time()
        self._changed = asyncio.Event()
        self._service_nodes: dict[str, tuple[float, Json]] = {}

    def __repr__(self) -> str:
        return f"<Participant {self.membership!r}>"

    @property
    def started(self) -> bool:
        return True  # before that nobody listens

    @property
    def ready(self) -> bool:
        """Whether it is a member and has taken over. An outage of the store, in which leases run out, is no
        fault of this node.
        """
        takeover = self.membership.takeover
        return self.membership.member and takeover.live_slots == takeover.owned

    @property
    def view(self) -> View | None:
        return self.membership.view

    async def newer(self, epoch: int) -> View:
        while True:
            view = self.membership.view
            if view is not None and view.epoch > epoch:
                return view
            with suppress(TimeoutError):  # a view that moves none of our slots is not told of
                async with asyncio.timeout(_LOOK):
                    await self._changed.wait()

    def hear(self, word: Word) -> Word:
        return self.agent.hear(word)

    def info(self) -> Json:
        membership, takeover = self.membership, self.membership.takeover
        view = membership.view
        number = None if view is None else view.number(membership.me.uid)
        return {
            "uid": membership.me.uid,
            "id": "dn" if number is None else f"dn-{number:03d}",
            "number": number,
            "role": "dn",
            "address": membership.me.address,
            "port": membership.me.port,
            "version": hsds.__version__,
            "state": self._state,
            "start_time": self._started_at,
            "epoch": takeover.epoch,
            "leased": self._leased,
            "lease_age": membership.lease.age(self._clock()),
            "owned_slots": takeover.owned.bit_count(),
            "live_slots": takeover.live_slots.bit_count(),
            "requests": self.requests,
            "store": self.store_state(),
            "service_nodes": self._heard_of(),
            "node": {"id": membership.me.uid, "type": "dn", "state": self._state_of_hsds},
        }

    def pinged(self, sender: Json) -> Json:
        self._service_nodes[str(sender.get("id"))[:80]] = self._clock(), sender
        return self.info()

    def counted(self, node: DataNode) -> DataNode:
        """``node``, with what it is asked counted."""
        return _Counted(node, self)

    @property
    def _leased(self) -> bool:
        return self.membership.lease.held(self._clock())

    @property
    def _state(self) -> str:
        if self.membership.leaving:
            return "DRAINING"
        return "RUNNING" if self.ready and self._leased else "STARTING"

    @property
    def _state_of_hsds(self) -> str:
        """The state in HSDS's words, where HSDS's ``hsds-node-state`` looks for it."""
        return {"DRAINING": "TERMINATING", "RUNNING": "READY", "STARTING": "WAITING"}[self._state]

    def _heard_of(self) -> list[Json]:
        """Service nodes that asked lately."""
        since = self._clock() - _HEARD_SECONDS
        self._service_nodes = {id_: said for id_, said in self._service_nodes.items() if said[0] >= since}
        return [json for _, json in self._service_nodes.values()]

    def _moved(self, gained: Mask, lost: Mask) -> None:
        self.gate.lost(lost, leaving=self.membership.leaving)
        self.told(gained, lost, self.membership.takeover.owned & ~gained)
        self.agent.moved(gained, lost)
        self._changed.set()
        self._changed = asyncio.Event()


class _Counted(DataNode):
    """Counts what it passes on."""

    def __init__(self, node: DataNode, participant: Participant) -> None:
        self._node = node
        self._participant = participant

    @property
    def name(self) -> str:
        return self._node.name

    async def execute(self, ops: Sequence[Op[Any]], trace: Trace) -> Sequence[Any | HsdsError]:
        self._participant.requests += 1
        return await self._node.execute(ops, trace)
