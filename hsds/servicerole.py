"""The service node of a process of a cluster: how its parts are joined.

It reaches a data node of the same process by a function call, and the others, like everybody, through
sockets.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress

from hsds.cluster.view import Member
from hsds.datarole import DataRole
from hsds.errors import Unavailable
from hsds.identity import service_node_id
from hsds.nodetable import observe, own_row, table_of_nodes
from hsds.process import listening, local_user, service_node
from hsds.roles import Shared
from hsds.servicenode.homes import make_standing_folders
from hsds.servicenode.node import ServiceNode
from hsds.transport.base import DataNode
from hsds.transport.figures import tell_of_routing
from hsds.transport.following import Follower
from hsds.transport.nodes import DataNodes
from hsds.transport.pinging import Pinger
from hsds.transport.remote import Connections
from hsds.transport.routing import Router
from hsds.transport.signing import Signer

log = logging.getLogger(__name__)


@asynccontextmanager
async def service_role(shared: Shared, beside: DataRole | None) -> AsyncIterator[ServiceNode]:
    """Serve as a service node, ``beside`` a data node if there is one, until the end of the block."""
    settings, metrics, post = shared.settings, shared.metrics, shared.post

    def reach(member: Member) -> DataNode:
        if beside is not None and beside.is_at(member):
            return beside.node
        return connections.node(member.address, member.port)

    async with AsyncExitStack() as stack:
        connections = Connections(Signer(shared.secrets.current))
        stack.push_async_callback(connections.close)
        follower = Follower(
            connections, shared.discovery, own=lambda: None if beside is None else beside.participant.view
        )
        connections.learned = follower.learn
        router = Router(follower, reach, clock=time.monotonic, hold_timeout=settings.hold_timeout)
        service = service_node(settings, DataNodes(router), metrics)
        stack.callback(service.auth.close)
        service.node_id = service_node_id(settings) if post is None else post.name
        service.state, service.dn_urls = "INITIALIZING", ()
        pinger = Pinger(
            connections,
            follower,
            me=lambda: own_row(service, settings),
            clock=time.monotonic,
            answered=lambda: observe(service, follower, pinger),
        )
        if beside is not None:
            service.store_state = beside.health.to_json
        service.epoch = lambda: None if follower.view is None else follower.view.epoch
        service.cluster = lambda: table_of_nodes(service, settings, follower, pinger)
        service.metrics_public = settings.metrics_public is True or post is not None
        tell_of_routing(metrics, router, follower)
        work = shared.meanwhile(follower.run(), pinger.run(), _folders(shared, service))
        await stack.enter_async_context(work)
        urls = await stack.enter_async_context(listening(service, None if post is None else post.open_site))
        log.info("serves bucket %s at %s", settings.bucket_name, " and ".join(urls))
        yield service


async def _folders(shared: Shared, service: ServiceNode) -> None:
    """Make the folders that are always there, when there are data nodes to do it."""
    user = None if shared.post is None or shared.settings.has_users else local_user()
    while True:
        with suppress(Unavailable):
            await make_standing_folders(service, user)
            return
        await asyncio.sleep(1.0)
