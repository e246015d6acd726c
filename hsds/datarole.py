"""The data node of a process of a cluster: how its parts are joined, and how it starts and leaves."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from aiohttp import web

import hsds
from hsds.budget import ByteBudget
from hsds.cluster.figures import tell_of_membership
from hsds.cluster.view import Member
from hsds.config import Settings
from hsds.datanode.app import DataNodeApp
from hsds.datanode.figures import tell_of_caches
from hsds.datanode.node import LocalDataNode
from hsds.datanode.participant import Participant
from hsds.errors import InvalidSettings
from hsds.identity import boottime, cluster_id, member_of, timing_of
from hsds.listening import serve_port, serve_socket
from hsds.metrics import Metrics
from hsds.process import data_node, open_record_store, open_store, using
from hsds.roles import Shared
from hsds.store.base import Store
from hsds.store.health import StoreHealth
from hsds.transport.base import DataNode
from hsds.transport.linkserver import LinkServer
from hsds.transport.remote import Connections
from hsds.transport.signing import Signer
from hsds.transport.words import HttpPeers
from hsds.unseen import tell_if_unseen

_LEAVE_SECONDS: Final = 20.0
"""For what is in flight to end and the view to be changed; after that others remove us."""
_LAST_WORDS_SECONDS: Final = 0.3
"""For peers and service nodes to hear of the view without us."""
_ANSWER_SECONDS: Final = 1.0
"""For requests that come although nobody sends any to a node that has left."""
_IDLE_SECONDS: Final = 3630.0


@dataclass(frozen=True, slots=True)
class DataRole:
    """The data node of a process that serves."""

    participant: Participant
    node: DataNode
    """To ask it by a function call."""
    health: StoreHealth
    """How its store does."""

    def is_at(self, member: Member) -> bool:
        """Whether it is this member of the cluster."""
        return member.uid == self.participant.membership.me.uid


@asynccontextmanager
async def data_role(shared: Shared) -> AsyncIterator[DataRole]:
    """Serve as a data node until the end of the block; then leave the cluster."""
    settings, metrics, post = shared.settings, shared.metrics, shared.post
    if settings.aws_s3_no_sign_request:
        raise InvalidSettings(
            "aws_s3_no_sign_request: a cluster keeps its view in the bucket; use hsds serve"
        )
    me = member_of(settings) if post is None else post.me
    async with AsyncExitStack() as stack:
        if post is None:
            stack.enter_context(using(settings.root_dir, shared=True))
        store = await stack.enter_async_context(open_store(settings, metrics, alone=False, stop=shared.stop))
        health = StoreHealth()
        metrics.store_failing.set_function(lambda: health.failing_seconds)
        records = await stack.enter_async_context(open_record_store(settings, metrics, health))
        connections = Connections(Signer(shared.secrets.current))
        stack.push_async_callback(connections.close)
        participant = _participant(shared, me, records, connections)
        participant.store_state = health.to_json
        tell_of_membership(metrics, participant.membership, boottime)
        node = await stack.enter_async_context(data_node(settings, store, health, gate=participant.gate))
        participant.told = lambda gained, lost, kept: node.moved(gained=gained, lost=lost, kept=kept)
        app = DataNodeApp(
            node=participant.counted(node),
            standing=participant,
            signer=Signer(shared.secrets.current),
            metrics=metrics,
            bodies=ByteBudget(settings.request_memory_size),
            answers=ByteBudget(settings.request_memory_size),
        )
        _tell(metrics, me, node, app)
        await stack.enter_async_context(_answering(app, me, settings))
        node.sweeper.know(settings.bucket_name)
        leftovers = node.sweeper.follow(lambda: participant.ready)
        unseen = tell_if_unseen(
            shared.discovery, me.uid, settings, member=lambda: participant.membership.member
        )
        await stack.enter_async_context(shared.meanwhile(participant.agent.run(), leftovers, unseen))
        participant.agent.start_serving()
        yield DataRole(participant, app.node, health)
        with suppress(TimeoutError):
            async with asyncio.timeout(_LEAVE_SECONDS):
                await participant.agent.leave()
                await asyncio.sleep(_LAST_WORDS_SECONDS)


def _participant(shared: Shared, me: Member, records: Store, connections: Connections) -> Participant:
    settings, post = shared.settings, shared.post
    timing = timing_of(settings)
    return Participant(
        me,
        cluster_id(settings) if post is None else post.cluster,
        store=records,
        bucket=settings.bucket_name,
        discovery=shared.discovery,
        peers=HttpPeers(connections, timeout=timing.timeout),
        timing=timing,
        clock=boottime,
    )


def _tell(metrics: Metrics, me: Member, node: LocalDataNode, app: DataNodeApp) -> None:
    metrics.info.labels("dn", f"dn-{me.uid[:8]}", hsds.__version__).set(1)
    metrics.start_time.set(time.time())
    state = node.state
    metrics.tell_of_budgets(
        requests=app.bodies, answers=app.answers, changes=state.changes, loads=state.loads
    )
    tell_of_caches(metrics, state)


@asynccontextmanager
async def _answering(app: DataNodeApp, me: Member, settings: Settings) -> AsyncIterator[None]:
    """Answer service nodes and peers on ``dn_port``, or at a Unix socket, to the very end."""
    runner = web.AppRunner(
        app.make(), access_log=None, keepalive_timeout=_IDLE_SECONDS, shutdown_timeout=_ANSWER_SECONDS
    )
    await runner.setup()
    assert runner.server is not None
    links = LinkServer(app.routes(), runner.server)
    listener = await (
        serve_socket(links, Path(me.address))
        if me.address.startswith("/")
        else serve_port(links, settings.host, settings.dn_port, key="dn_port")
    )
    try:
        yield
    finally:
        listener.close()
        await links.close(_ANSWER_SECONDS)
        await runner.cleanup()
