"""What stands around simulated nodes: network, object store and Kubernetes API, each with its faults."""

import random
from collections import Counter
from dataclasses import dataclass, field

from hsds.cluster.discovery import Discovery, Presence
from hsds.errors import HsdsError, PreconditionFailed, StoreBusy, StoreUnavailable, Unavailable
from hsds.store.base import Store
from hsds.store.memory import MemoryStore
from tests.simulation.loop import PROCESS, Process, VirtualLoop

BUCKET = "hsdstest"


@dataclass
class Faults:
    """How likely each fault is at present. All are nothing in a world that is well."""

    late_message: float = 0.0
    lost_message: float = 0.0
    busy: float = 0.0
    spurious: float = 0.0
    """A condition refused that would hold: 409 of a store that is asked twice at once."""
    lost_reply: float = 0.0
    late_write: float = 0.0
    late_by: float = 30.0
    slow: float = 0.0
    """Seconds added to each answer of the store, at most."""
    store_down: bool = False
    api_down: bool = False
    api_lag: float = 0.05
    lost_events: float = 0.0


@dataclass
class World:
    """The state that no process owns. ``cut`` holds pairs of names between which nothing passes."""

    seed: object
    loop: VirtualLoop = field(default_factory=VirtualLoop)
    faults: Faults = field(default_factory=Faults)
    cut: set = field(default_factory=set)
    pods: dict = field(default_factory=dict)
    """Uid -> member, of pods that are present as the API has it."""
    store_timeout: float = 3.0

    def __post_init__(self):
        self.random = random.Random(self.seed)
        self.store = MemoryStore((BUCKET,), clock=self.loop.time)
        self.discoveries = []
        self.plan = {}
        """What takes how long, once: ``("effect" | "reply", host, key)`` or ``("message", from, to)``."""
        self.counts = Counter()
        """What was asked of the store, of the API and of peers."""
        self.hosts = {}
        """Name -> the node that listens there now: whatever arrives later reaches its successor."""

    def process(self, name):
        rate, origin = 1 + self.random.uniform(-0.0099, 0.0099), self.random.uniform(0, 1e4)
        return Process(self.loop, name, rate=rate, origin=origin)

    def separated(self, one, other):
        return bool(self.cut) and (frozenset((one, other)) in self.cut)

    # -- network ----------------------------------------------------------------------------------------

    def _latency(self):
        if self.random.random() < self.faults.late_message:
            return self.random.uniform(0.5, 25)
        return self.random.uniform(0.0002, 0.003)

    async def call(self, name, work):
        """Have ``work(node)`` run on another host; gives its result, or ``Unavailable`` if nobody is there.

        Where the network is cut, or loses the message, there is no answer at all.
        """
        source = PROCESS.get()
        future = self.loop.create_future()
        self.loop.keep(future)

        def answer(result, error):
            if future.done() or self.separated(source.name, name):
                return
            if error is None:
                future.set_result(result)
            else:
                future.set_exception(error)

        def reply(result, error=None):
            if self.random.random() >= self.faults.lost_message:
                self.loop.outside(self._latency(), answer, result, error)

        def deliver():
            if self.separated(source.name, name) or self.random.random() < self.faults.lost_message:
                return
            node = self.hosts.get(name)
            if node is None or node.process.dead:
                reply(None, Unavailable("connection refused"))
                return
            node.process.on_death.append(lambda: reply(None, Unavailable("connection reset")))
            self.loop.call_soon(begin, node, context=node.process.context.copy())

        def begin(node):
            task = node.process.spawn(work(node))
            task.add_done_callback(ended)

        def ended(task):
            if task.cancelled():
                return
            error = task.exception()
            reply(None if error else task.result(), error)

        delay = self.plan.pop(("message", source.name, name), None)
        self.loop.outside(self._latency() if delay is None else delay, deliver)
        return await future

    # -- Kubernetes -------------------------------------------------------------------------------------

    def appear(self, member):
        self.pods[member.uid] = member
        self._tell()

    def vanish(self, uid):
        self.pods.pop(uid, None)
        self._tell()

    def _tell(self):
        for discovery in self.discoveries:
            lost = self.random.random() < self.faults.lost_events
            lag = 5.0 if lost else self.random.uniform(0.2, 1) * self.faults.api_lag
            self.loop.outside(lag, discovery.event)


class SimDiscovery(Discovery):
    """Pods as one process sees them."""

    def __init__(self, world, process):
        self._world, self._process = world, process
        self._hint = None
        self._changed = lambda: None
        world.discoveries.append(self)
        world.loop.outside(0.01, self.event)

    async def list(self):
        world, started = self._world, self._process.clock()
        world.counts["LIST"] += 1
        future = world.loop.create_future()
        world.loop.keep(future)

        def answer(members):
            if not future.done() and not self._unreachable():
                future.set_result(members)

        def ask():
            if not self._unreachable():
                world.loop.outside(
                    world.random.uniform(0.001, world.faults.api_lag), answer, dict(world.pods)
                )

        world.loop.outside(world.random.uniform(0.001, world.faults.api_lag), ask)
        members = await future
        self._hint = frozenset(members)
        return Presence(started, members)

    def hint(self):
        return self._hint

    def on_hint(self, changed):
        self._changed = changed

    def event(self):
        """The watch has brought something; it goes on asking as long as the API is away."""
        if self._process.dead:
            return
        if self._unreachable():
            self._world.loop.outside(1.0, self.event)
            return
        self._hint = frozenset(self._world.pods)
        self._world.loop.call_soon(self._changed, context=self._process.context.copy())

    def _unreachable(self):
        return self._world.faults.api_down or self._world.separated(self._process.name, "api")


class SimStore(Store):
    """The one store as one process reaches it: what was sent may take effect after its sender is dead."""

    name = "simulated"
    conditional_delete = True

    def __init__(self, world, process):
        self._world, self._process = world, process

    async def get(self, bucket, key, *, start=0, length=None, if_none_match=None):
        return await self._ask(
            key, lambda s: s.get(bucket, key, start=start, length=length, if_none_match=if_none_match)
        )

    async def put(self, bucket, key, data, *, if_match=None, if_none_match=False):
        data = bytes(data)
        return await self._ask(
            key,
            lambda s: s.put(bucket, key, data, if_match=if_match, if_none_match=if_none_match),
            conditional=if_match is not None or if_none_match,
            writes=True,
        )

    async def delete(self, bucket, key, *, if_match=None):
        return await self._ask(key, lambda s: s.delete(bucket, key, if_match=if_match), writes=True)

    async def head(self, bucket, key):
        return await self._ask(key, lambda s: s.head(bucket, key))

    async def list(self, bucket, prefix="", **kwargs):
        return await self._ask(prefix, lambda s: s.list(bucket, prefix, **kwargs))

    async def create_bucket(self, bucket):
        raise NotImplementedError

    async def _ask(self, key, work, *, conditional=False, writes=False):
        world, rng, faults = self._world, self._world.random, self._world.faults
        name = self._process.name
        world.counts[f"{'PUT' if writes else 'GET'} {key}"] += 1
        future = world.loop.create_future()
        world.loop.keep(future)

        def end(error, result=None):
            if future.done():
                return
            if error is not None:
                future.set_exception(error)
            else:
                future.set_result(result)

        def unreachable():
            return world.faults.store_down or world.separated(self._process.name, "store")

        def answer(error, result=None):
            if not unreachable():
                end(error, result)

        def effect():
            delay = rng.uniform(0.001, 0.01) + rng.uniform(0, faults.slow)
            delay = world.plan.pop(("reply", name, key), delay)
            if rng.random() < faults.busy:
                world.loop.outside(delay, answer, StoreBusy("busy"))
                return
            if conditional and rng.random() < faults.spurious:
                world.loop.outside(delay, answer, PreconditionFailed("conflicting request"))
                return
            try:
                work(world.store).send(None)
            except StopIteration as stop:
                error, result = None, stop.value
            except HsdsError as fault:
                error, result = fault, None
            if rng.random() >= faults.lost_reply:
                world.loop.outside(delay, answer, error, result)

        if not unreachable() and not world.separated(name, "to store"):
            late = writes and rng.random() < faults.late_write
            delay = rng.uniform(0, faults.late_by) if late else rng.uniform(0.001, 0.01)
            world.loop.outside(world.plan.pop(("effect", name, key), delay), effect)
        world.loop.outside(world.store_timeout, end, StoreUnavailable("the store does not answer"))
        return await future
