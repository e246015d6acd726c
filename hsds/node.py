"""``hsds sn``, ``hsds dn`` and ``hsds node``: one process of a cluster, with one role or both.

Here its parts are joined, and here is the order in which they start and end. A process with both roles
reaches its own data node by a function call, and the others, like everybody, through sockets.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, get_args

from aiohttp import web

import hsds
from hsds.budget import ByteBudget
from hsds.cluster.discovery import Discovery
from hsds.cluster.figures import tell_of_membership
from hsds.cluster.view import Member, View
from hsds.config import Settings
from hsds.configsources import Loaded
from hsds.datanode.app import DataNodeApp
from hsds.datanode.figures import tell_of_caches
from hsds.datanode.node import LocalDataNode
from hsds.datanode.participant import Participant
from hsds.errors import HsdsError, InvalidSettings, Unavailable
from hsds.identity import (
    boottime,
    cluster_id,
    discovery_of,
    member_of,
    secrets_of,
    service_node_id,
    timing_of,
)
from hsds.listening import check_exposure, open_port, open_socket
from hsds.memorylimit import Role
from hsds.metrics import Metrics
from hsds.monitoring import Probes, monitored
from hsds.nodetable import observe, own_row, table_of_nodes
from hsds.post import Post
from hsds.process import (
    Stopped,
    data_node,
    listening,
    local_user,
    on_signals,
    open_record_store,
    open_store,
    run,
    service_node,
    using,
)
from hsds.servicenode.homes import make_standing_folders
from hsds.servicenode.node import ServiceNode
from hsds.servicenode.service import render
from hsds.store.health import StoreHealth
from hsds.transport.base import DataNode
from hsds.transport.figures import tell_of_routing
from hsds.transport.following import Follower
from hsds.transport.nodes import DataNodes
from hsds.transport.pinging import Pinger
from hsds.transport.remote import Connections
from hsds.transport.routing import Router
from hsds.transport.signing import Secrets, Signer
from hsds.transport.words import HttpPeers
from hsds.unseen import tell_if_unseen

ROLES: Final[tuple[Role, ...]] = get_args(Role)

_LEAVE_SECONDS: Final = 20.0
"""For what is in flight to end and the view to be changed; after that others remove us."""
_LAST_WORDS_SECONDS: Final = 0.3
"""For peers and service nodes to hear of the view without us."""
_LEFTOVERS_SECONDS: Final = 5.0
_READ_BUFFER: Final = 256 * 1024
_IDLE_SECONDS: Final = 3630.0
_LOOK_SECONDS: Final = 0.05

log = logging.getLogger(__name__)


def run_node(loaded: Loaded, roles: Sequence[Role], environ: Mapping[str, str]) -> None:
    """Run a process with these roles until SIGTERM. ``InvalidSettings`` for what prevents the start.

    ``environ`` is where Kubernetes says how its API is reached.
    """
    settings = loaded.settings
    if "sn" in roles:
        check_exposure(settings)

    def live(fitted: Settings) -> Coroutine[Any, Any, None]:
        return _Process(fitted, tuple(roles), environ).live()

    run(loaded, settings, live, roles=roles, name="-".join(roles))


def run_worker(loaded: Loaded, post: Post) -> None:
    """As ``run_node`` with both roles, one of several at the same ``post``."""

    def live(settings: Settings) -> Coroutine[Any, Any, None]:
        return _Process(settings, ROLES, {}, post=post).live()

    run(loaded, loaded.settings, live, roles=ROLES, name=post.name)


@dataclass(slots=True)
class _Process:
    """What the roles of one process share, and its life."""

    settings: Settings
    roles: tuple[Role, ...]
    environ: Mapping[str, str]
    post: Post | None = None
    """Of a process that was started with others like it."""
    metrics: Metrics = field(default_factory=Metrics)
    secrets: Secrets = field(init=False)
    discovery: Discovery = field(init=False)
    participant: Participant | None = None
    own: DataNode | None = None
    """The data node in this process."""
    service: ServiceNode | None = None
    up: bool = False
    joined: bool = False
    """Whether the data node has once taken over what it owned."""
    health: StoreHealth | None = None

    async def live(self) -> None:
        """From the start to the end."""
        self.secrets = secrets_of(self.settings)
        stop = asyncio.Event()
        on_signals(stop)
        if self.post is not None:
            self.post.take_up(stop.set)
        try:
            async with asyncio.TaskGroup() as group:
                await self._run(group, stop)
        except BaseExceptionGroup as errors:  # an error raised in an `except*` would be a group again
            fault: BaseException = errors
            while isinstance(fault, BaseExceptionGroup) and len(fault.exceptions) == 1:
                (fault,) = fault.exceptions
            if isinstance(fault, Stopped):
                log.info("ended before it had begun")
                return
            if isinstance(fault, HsdsError):
                raise fault from None
            raise
        log.info("ended")

    async def _run(self, group: asyncio.TaskGroup, stop: asyncio.Event) -> None:
        """Start everything, wait for the end, and end it in order."""
        async with AsyncExitStack() as stack:
            self.discovery = await stack.enter_async_context(discovery_of(self.settings, self.environ))
            await stack.enter_async_context(_meanwhile(group, self.discovery.run()))
            if self.post is None:  # else there would be as many as processes for one port
                probes = Probes(started=lambda: self.up, ready=self._ready, render=self._render)
                await stack.enter_async_context(monitored(self.settings, self.metrics, probes))
            if "dn" in self.roles:
                await stack.enter_async_context(self._data_role(group, stop))
            if self.post is not None:
                stack.push_async_callback(self.post.drained)
                await stack.enter_async_context(_meanwhile(group, self._report(self.post)))
            if "sn" in self.roles:
                await stack.enter_async_context(self._service_role(group))
            self.up = True
            log.info("hsds %s runs as %s", hsds.__version__, " and ".join(self.roles))
            await stop.wait()
            log.info("ending: finishing the requests in flight")

    async def _report(self, post: Post) -> None:
        """Tell when all is well for the first time."""
        while not (self._ready() and self.service and self.service.state == "READY"):  # noqa: ASYNC110 - polls
            await asyncio.sleep(_LOOK_SECONDS)
        post.ready()

    def _ready(self) -> bool:
        """A data node is ready when it has taken over, for the sake of rollouts. With a service node beside
        it, it is enough that it once had: others that come and go must not empty the Service.
        """
        if self.participant is not None:
            alone = self.service is None
            self.joined = self.participant.ready or (self.joined and not alone)
        fit = self.service is None or self.service.state in ("WAITING", "READY")
        return self.up and fit and (self.participant is None or self.joined)

    def _render(self) -> bytes:
        if self.service is not None:
            return render(self.service)
        self.metrics.ready.set(self._ready())
        return self.metrics.render()

    # -- data node -------------------------------------------------------------------------------------

    @asynccontextmanager
    async def _data_role(self, group: asyncio.TaskGroup, stop: asyncio.Event) -> AsyncIterator[None]:
        settings, metrics, post = self.settings, self.metrics, self.post
        me = member_of(settings) if post is None else post.me
        if settings.aws_s3_no_sign_request:
            raise InvalidSettings(
                "aws_s3_no_sign_request: a cluster keeps its view in the bucket; use hsds serve"
            )
        async with AsyncExitStack() as stack:
            if post is None:
                stack.enter_context(using(settings.root_dir, shared=True))
            store = await stack.enter_async_context(open_store(settings, metrics, alone=False, stop=stop))
            self.health = health = StoreHealth()
            metrics.store_failing.set_function(lambda: health.failing_seconds)
            records = await stack.enter_async_context(open_record_store(settings, metrics, health))
            connections = Connections(Signer(self.secrets.current))
            stack.push_async_callback(connections.close)
            self.participant = participant = Participant(
                me,
                cluster_id(settings) if post is None else post.cluster,
                store=records,
                bucket=settings.bucket_name,
                discovery=self.discovery,
                peers=HttpPeers(connections, timeout=timing_of(settings).timeout),
                timing=timing_of(settings),
                clock=boottime,
            )
            participant.store_state = health.to_json
            tell_of_membership(metrics, participant.membership, boottime)
            node = await stack.enter_async_context(data_node(settings, store, health, gate=participant.gate))
            participant.told = lambda gained, lost, kept: node.moved(gained=gained, lost=lost, kept=kept)
            self.own = participant.counted(node)
            app = DataNodeApp(
                node=self.own,
                standing=participant,
                signer=Signer(self.secrets.current),
                metrics=metrics,
                bodies=ByteBudget(settings.request_memory_size),
                answers=ByteBudget(settings.request_memory_size),
            )
            self._tell_of_data_role(me, node, app)
            await stack.enter_async_context(_answering(app, me, settings))
            leftovers = _leftovers(node, participant, settings.bucket_name)
            unseen = tell_if_unseen(
                self.discovery, me.uid, settings, member=lambda: participant.membership.member
            )
            await stack.enter_async_context(_meanwhile(group, participant.agent.run(), leftovers, unseen))
            participant.agent.start_serving()
            yield
            with suppress(TimeoutError):
                async with asyncio.timeout(_LEAVE_SECONDS):
                    await participant.agent.leave()
                    await asyncio.sleep(_LAST_WORDS_SECONDS)

    def _tell_of_data_role(self, me: Member, node: LocalDataNode, app: DataNodeApp) -> None:
        self.metrics.info.labels("dn", f"dn-{me.uid[:8]}", hsds.__version__).set(1)
        self.metrics.start_time.set(time.time())
        state = node.state
        self.metrics.tell_of_budgets(
            requests=app.bodies, answers=app.answers, changes=state.changes, loads=state.loads
        )
        tell_of_caches(self.metrics, state)

    # -- service node ----------------------------------------------------------------------------------

    @asynccontextmanager
    async def _service_role(self, group: asyncio.TaskGroup) -> AsyncIterator[None]:
        settings = self.settings
        async with AsyncExitStack() as stack:
            connections = Connections(Signer(self.secrets.current))
            stack.push_async_callback(connections.close)
            follower = Follower(connections, self.discovery, own=self._own_view)
            connections.learned = follower.learn
            router = Router(
                follower,
                lambda member: self._reach(member, connections),
                clock=time.monotonic,
                hold_timeout=settings.hold_timeout,
            )
            self.service = service = service_node(settings, DataNodes(router), self.metrics)
            stack.callback(service.auth.close)
            service.node_id = service_node_id(settings) if self.post is None else self.post.name
            service.state, service.dn_urls = "INITIALIZING", ()
            pinger = Pinger(
                connections,
                follower,
                me=lambda: own_row(service, settings),
                clock=time.monotonic,
                answered=lambda: observe(service, follower, pinger),
            )
            if self.health is not None:
                service.store_state = self.health.to_json
            service.epoch = lambda: None if follower.view is None else follower.view.epoch
            service.cluster = lambda: table_of_nodes(service, settings, follower, pinger)
            service.metrics_public = settings.metrics_public is True or self.post is not None
            tell_of_routing(self.metrics, router, follower)
            work = _meanwhile(group, follower.run(), pinger.run(), self._folders(service))
            await stack.enter_async_context(work)
            sites = None if self.post is None else self.post.open_site
            urls = await stack.enter_async_context(listening(service, sites))
            log.info("serves bucket %s at %s", settings.bucket_name, " and ".join(urls))
            yield

    async def _folders(self, service: ServiceNode) -> None:
        """Make the folders that are always there, when there are data nodes to do it."""
        user = None if self.post is None or self.settings.has_users else local_user()
        while True:
            with suppress(Unavailable):
                await make_standing_folders(service, user)
                return
            await asyncio.sleep(1.0)

    def _own_view(self) -> View | None:
        return None if self.participant is None else self.participant.view

    def _reach(self, member: Member, connections: Connections) -> DataNode:
        if self.participant is None or member.uid != self.participant.membership.me.uid or self.own is None:
            return connections.node(member.address, member.port)
        return self.own


async def _leftovers(node: LocalDataNode, participant: Participant, bucket: str) -> None:
    """Take up what others left to be done that this node owns now, whenever it has gained slots."""
    while True:
        await node.sweeper.wanted()
        await asyncio.sleep(_LEFTOVERS_SECONDS)
        if participant.ready:
            try:
                await node.start(bucket)
            except HsdsError as error:
                log.info("what is left of deleted objects is looked for later: %s", error)


@asynccontextmanager
async def _answering(app: DataNodeApp, me: Member, settings: Settings) -> AsyncIterator[None]:
    """Answer service nodes and peers on ``dn_port``, or at a Unix socket, to the very end."""
    runner = web.AppRunner(
        app.make(),
        access_log=None,
        read_bufsize=_READ_BUFFER,
        keepalive_timeout=_IDLE_SECONDS,
        shutdown_timeout=1.0,
    )
    await runner.setup()
    try:
        if me.address.startswith("/"):
            await open_socket(runner, Path(me.address), private=True)
        else:
            await open_port(runner, settings.host, settings.dn_port, key="dn_port")
        yield
    finally:
        await runner.cleanup()


@asynccontextmanager
async def _meanwhile(group: asyncio.TaskGroup, *works: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Do these in the background until the end of the block. If one fails, all fails."""
    tasks = [group.create_task(work) for work in works]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
