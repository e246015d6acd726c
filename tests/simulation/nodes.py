"""Simulated processes: data nodes made of the real parts, and clients that reach them through the router."""

import asyncio
from dataclasses import dataclass
from functools import cache

from hsds.cluster.agent import Agent, Peers
from hsds.cluster.lease import Lease
from hsds.cluster.membership import Membership, Timing
from hsds.cluster.takeover import Takeover
from hsds.cluster.view import Member
from hsds.datanode.attempts import Attempts
from hsds.datanode.change import Basis, Outcome
from hsds.datanode.commit import Committer
from hsds.datanode.documents import JSON
from hsds.datanode.gatekeeper import Gatekeeper
from hsds.datanode.node import LocalDataNode
from hsds.datanode.reader import Reader
from hsds.datanode.repeats import Repeats
from hsds.errors import HsdsError, NotOwner, Unavailable
from hsds.hdf5 import keys
from hsds.transport import ops
from hsds.transport.base import DataNode, Trace
from hsds.transport.routing import Router, Views
from tests.simulation.world import BUCKET, SimDiscovery, SimStore
from tests.tools.smallstate import small_state

TIMING = Timing()
EPOCH_ZERO = 1000


@dataclass(frozen=True, slots=True)
class Append(ops.DomainOp[list]):
    """Append a token to the log under a path; the answer is the log up to there."""

    token: str
    basis: Basis = Basis.READ


@dataclass(frozen=True, slots=True)
class ReadLog(ops.GetDomain):
    """The log under a path."""


def log_key(path):
    return BUCKET, keys.domain_key(path)


@dataclass(frozen=True)
class Parts:
    """What data nodes are made of. Mutants exchange one of them."""

    lease: type = Lease
    takeover: type = Takeover
    membership: type = Membership
    agent: type = Agent
    gate: type = Gatekeeper
    reader: type = Reader
    repeats: type = Repeats
    attempts: type = Attempts


@cache
def _committer_with(kind):
    class Mutant(Committer):
        attempts = kind

    return Mutant


class DataNodeProcess:
    """One process of a data-node pod."""

    def __init__(self, world, member, parts):
        self.world, self.member = world, member
        self.process = process = world.process(member.address)
        self.lease = parts.lease(TIMING.lease)
        self.takeover = parts.takeover(member.uid, wait=TIMING.wait)
        self.membership = parts.membership(
            member,
            "sim",
            timing=TIMING,
            first_epoch=lambda: EPOCH_ZERO + int(world.loop.now),
            moved=self._moved,
            lease=self.lease,
            takeover=self.takeover,
        )
        self.gate = parts.gate(self.takeover, self.lease, process.clock)
        self.store = SimStore(world, process)
        state = small_state(self.store, gate=self.gate, clock=process.clock)
        if parts.reader is not Reader:
            state.objects.reader.__class__ = parts.reader
        if parts.attempts is not Attempts:
            state.objects.committer.__class__ = _committer_with(parts.attempts)
        self.node = LocalDataNode(state, name=member.address, clock=world.loop.time)
        self.node._repeats = parts.repeats(process.clock, keep=180)
        self.node._handlers |= {Append: self._append, ReadLog: self._read}
        self._committer, self._reader = state.objects.committer, state.objects.reader
        self.seen = None
        process.on_step = self.look
        process.context.run(self._start, parts)

    def __repr__(self):
        return f"<{self.process!r} {self.takeover!r}>"

    def _start(self, parts):
        self.agent = parts.agent(
            self.membership,
            self.store,
            BUCKET,
            SimDiscovery(self.world, self.process),
            SimPeers(self.world),
            clock=self.process.clock,
            lingering=self.gate.lingering,
        )
        self.gate.settled_down = self.agent.settled_down
        self.running = self.process.spawn(self.agent.run())
        self.agent.start_serving()

    def _moved(self, gained, lost):
        self.agent.moved(gained, lost)

    def look(self):
        """After each step: has anything changed that the invariant is about?"""
        seen = (self.takeover.live_slots, self.lease.age(0.0))
        if seen != self.seen:
            self.seen = seen
            self.world.check_owners()

    def serving(self):
        """Slots that this process would serve now."""
        if self.process.dead or not self.lease.held(self.process.clock()):
            return 0
        return self.takeover.live_slots

    def terminate(self):
        """SIGTERM."""
        if not self.process.dead:
            self.process.spawn(self._stop())

    async def _stop(self):
        try:
            async with asyncio.timeout(8):
                await self.agent.leave()
                await asyncio.sleep(0.2)
        except TimeoutError:
            pass
        self.world.loop.outside(0, self.process.kill)

    async def execute(self, operations, trace):
        results = await self.node.execute(operations, trace)
        return results, self.membership.view

    async def _append(self, op):
        def apply(value):
            log = [*value["log"], op.token] if value is not None else [op.token]
            return Outcome({"log": log}, log)

        return await self._committer.change(log_key(op.path), JSON, apply, op.basis)

    async def _read(self, op):
        entry = await self._reader.read(log_key(op.path), JSON)
        return entry.value["log"] if entry.value is not None else []


class SimPeers(Peers):
    """Other nodes over the simulated network."""

    def __init__(self, world):
        self._world = world

    async def exchange(self, member, word):
        self._world.counts["word"] += 1

        async def hear(node):
            if not isinstance(node, DataNodeProcess) or node.member.uid != member.uid:
                raise Unavailable("another pod has this address now")
            return node.agent.hear(word)

        return await self._world.call(member.address, hear)

    def inform(self, view):
        for name, host in list(self._world.hosts.items()):
            if isinstance(host, ClientProcess):
                self._world.loop.create_task(self._inform(name, view))

    async def _inform(self, name, view):
        async def learn(client):
            client.views.learn(view)

        try:
            async with asyncio.timeout(2):
                await self._world.call(name, learn)
        except (TimeoutError, Unavailable):
            pass


class RemoteNode(DataNode):
    """A data node over the simulated network."""

    def __init__(self, world, member, views):
        self._world, self._member, self._views = world, member, views

    @property
    def name(self):
        return self._member.address

    async def execute(self, operations, trace):
        async def work(node):
            if node.member.uid != self._member.uid:
                return [NotOwner("another pod has this address now")] * len(operations), None
            return await node.execute(operations, trace)

        results, view = await self._world.call(self._member.address, work)
        if view is not None and any(isinstance(result, HsdsError) for result in results):
            self._views.learn(view)
        return results


class SimViews(Views):
    """What one client knows of views: from pushes, refusals, and by asking."""

    def __init__(self, world):
        self._world = world
        self._view = None
        self._changed = asyncio.Event()
        self._asking = None

    @property
    def view(self):
        return self._view

    def learn(self, view):
        if self._view is None or view.epoch > self._view.epoch:
            self._view = view
            self._changed.set()
            self._changed = asyncio.Event()

    async def newer(self, epoch):
        while self._view is None or self._view.epoch <= epoch:
            await self._changed.wait()
        return self._view

    async def refresh(self):
        if self._asking is None or self._asking.done():
            self._asking = asyncio.ensure_future(self._ask())
        await asyncio.shield(self._asking)

    async def _ask(self):
        known = () if self._view is None else [member.address for member in self._view.members]
        names = {*known, *(member.address for member in self._world.pods.values())}

        async def ask(name):
            async def tell(node):
                return node.membership.view

            try:
                async with asyncio.timeout(0.5):
                    view = await self._world.call(name, tell)
            except (TimeoutError, Unavailable):
                return
            if view is not None:
                self.learn(view)

        await asyncio.gather(*map(ask, sorted(names)))


class ClientProcess:
    """Clients behind one service node: each sends one operation after another and writes down what it saw."""

    def __init__(self, world, name, history, paths, *, clients=2, think=0.35, hold_timeout=90.0):
        self.world, self.name, self.history, self.paths = world, name, history, paths
        self.process = world.process(name)
        self.think = think
        self.stopped = False
        self.idle = 0
        self.clients = clients
        world.hosts[name] = self
        self.process.context.run(self._start, hold_timeout)

    def _start(self, hold_timeout):
        self.views = SimViews(self.world)
        self.router = Router(
            self.views,
            lambda member: RemoteNode(self.world, member, self.views),
            clock=self.world.loop.time,
            hold_timeout=hold_timeout,
            attempt_timeout=4.0,
        )
        for number in range(self.clients):
            self.process.spawn(self._client(number))
        self.process.spawn(self._pinging())

    async def _pinging(self):
        while True:
            await self.views.refresh()
            await asyncio.sleep(2)

    async def _client(self, number):
        rng, count = self.world.random, 0
        await asyncio.sleep(rng.uniform(0, 0.5))
        while not self.stopped:
            path = rng.choice(self.paths)
            count += 1
            if rng.random() < 0.5:
                await self.append(path, f"{self.name}.{number}.{count}")
            else:
                await self.read(path)
            await asyncio.sleep(rng.expovariate(1 / self.think))
        self.idle += 1

    async def append(self, path, token):
        basis = self.world.random.choice((Basis.READ, Basis.READ, Basis.ABSENT))
        return await self._ask(path, token, Append(BUCKET, path, token, basis))

    async def read(self, path):
        return await self._ask(path, None, ReadLog(BUCKET, path))

    async def _ask(self, path, token, op):
        call = self.history.begin(path, token, self.world.loop.now)
        (result,) = await self.router.execute((op,), Trace(f"{self.name}{len(self.history.calls)}"))
        if isinstance(result, HsdsError):
            call.error = str(result)
        else:
            call.end, call.log = self.world.loop.now, result
        call.answered = self.world.loop.now
        return call


def pod(number):
    """The n-th pod that was ever started, with an address of its own."""
    return Member(f"pod-{number:03d}", f"10.0.0.{number}", 6101, "1")
