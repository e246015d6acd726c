"""Several data nodes as one: operations are split by owner, and held while ownership changes."""

import asyncio
import itertools
import time

import numpy as np
import pytest

from hsds.cluster.lease import Lease
from hsds.cluster.takeover import Takeover
from hsds.cluster.view import Member, changed, first_view
from hsds.datanode.gatekeeper import Gatekeeper
from hsds.datanode.node import LocalDataNode
from hsds.errors import Unavailable
from hsds.hdf5.dataset import DatasetSpec
from hsds.hdf5.ids import new_object_id, new_root_id
from hsds.hdf5.query import parse_query
from hsds.hdf5.selection import Fancy, Hyperslab, Points, whole
from hsds.store.memory import MemoryStore
from hsds.transport import ops
from hsds.transport.base import DataNode, Trace
from hsds.transport.nodes import DataNodes
from hsds.transport.routing import Router, Views
from hsds.transport.splitting import split
from tests.tools.smallstate import small_state

DIMS = (40, 30)
TRACE = Trace("test")


class KnownViews(Views):
    def __init__(self, view):
        self._view, self._changed = view, asyncio.Event()

    @property
    def view(self):
        return self._view

    def learn(self, view):
        self._view = view
        self._changed.set()
        self._changed = asyncio.Event()

    async def refresh(self):
        pass

    async def newer(self, epoch):
        while self._view is None or self._view.epoch <= epoch:
            await self._changed.wait()
        return self._view


class Nodes:
    """Data nodes over one store, all leased for ever, and a router."""

    def __init__(self, count):
        self.store = MemoryStore(("b",))
        self.view = first_view("c", epoch=0)
        self.nodes, self.takeovers = {}, {}
        for n in range(count):
            self.view = changed(self.view, join=Member(f"uid-{n}", f"10.0.0.{n}", 6101))
        for n in range(count):
            takeover, lease = Takeover(f"uid-{n}", wait=0.0), Lease(1e9)
            lease.renew(time.monotonic())
            state = small_state(self.store, gate=Gatekeeper(takeover, lease, time.monotonic))
            self.nodes[f"uid-{n}"], self.takeovers[f"uid-{n}"] = LocalDataNode(state), takeover
        self.views = KnownViews(self.view)
        self.adopt()
        self.router = Router(
            self.views, lambda member: self.nodes[member.uid], clock=time.monotonic, hold_timeout=30.0
        )
        self.data = DataNodes(self.router)

    def adopt(self):
        for takeover in self.takeovers.values():
            takeover.adopt(self.view, 0.0)


@pytest.fixture
async def nodes():
    nodes = Nodes(3)
    opened = list(nodes.nodes.values())
    yield nodes
    for node in opened:
        await node.close()


@pytest.fixture
def dataset():
    id_ = new_object_id(new_root_id(), "datasets")
    return DatasetSpec.from_json(
        {
            "id": id_,
            "type": {"class": "H5T_INTEGER", "base": "H5T_STD_I32LE"},
            "shape": {"class": "H5S_SIMPLE", "dims": list(DIMS)},
            "layout": {"class": "H5D_CHUNKED", "dims": [7, 5]},
            "creationProperties": {},
        }
    )


VALUES = np.arange(1200, dtype="<i4").reshape(DIMS)


@pytest.fixture
async def written(nodes, dataset):
    await nodes.data.call(ops.WriteChunks("b", dataset, whole(DIMS), VALUES), TRACE)
    return dataset


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        (whole(DIMS), VALUES),
        (Hyperslab((3, 2), (39, 29), (2, 9)), VALUES[3:39:2, 2:29:9]),
        (Hyperslab((3, 2), (3, 29), (1, 1)), VALUES[3:3, 2:29]),
        (Fancy((np.array([1, 30, 17]), slice(2, 28, 3))), VALUES[[1, 30, 17], 2:28:3]),
        (Points(np.array([[39, 29], [0, 0], [20, 3]])), VALUES[[39, 0, 20], [29, 0, 3]]),
    ],
)
async def test_what_many_own_is_read_as_one(nodes, written, selection, expected):
    op = ops.ReadChunks("b", written, selection)
    assert np.array_equal(await nodes.data.call(op, TRACE), expected)


async def test_everybody_does_a_share_and_only_that(nodes, written):
    parts = split(ops.ReadChunks("b", written, whole(DIMS)), nodes.view)
    assert len(parts) == 3
    assert not frozenset.intersection(*(op.only for _, op in parts))
    cached = [len(node.state.chunks.cache) for node in nodes.nodes.values()]
    assert min(cached) > 0
    assert sum(cached) == 36


async def test_hits_come_in_order_and_up_to_the_limit(nodes, written):
    query = parse_query("_ > 99", written.datatype)
    for limit in (0, 7, 500):
        hits = await nodes.data.call(ops.QueryChunks("b", written, whole(DIMS), query, limit), TRACE)
        expected = np.arange(100, 1200)[: limit or None]
        if limit != 0 and limit != 500:
            expected = expected[:limit]
        assert hits.values.tolist() == expected.tolist()


async def test_a_limited_update_changes_no_more_than_its_limit(nodes, written):
    query = parse_query("_ > 99", written.datatype)
    op = ops.UpdateWhere("b", written, whole(DIMS), query, {"_": -1}, 13)
    hits = await nodes.data.call(op, TRACE)
    stored = await nodes.data.call(ops.ReadChunks("b", written, whole(DIMS)), TRACE)
    assert len(hits.values) == 13
    assert (stored == -1).sum() == 13
    assert (stored != VALUES).sum() == 13


async def test_trimming_reaches_every_chunk(nodes, written):
    await nodes.data.call(ops.TrimChunks("b", written, DIMS, (10, 10)), TRACE)
    stored = await nodes.data.call(ops.ReadChunks("b", written, whole(DIMS)), TRACE)
    assert np.array_equal(stored[:10, :10], VALUES[:10, :10])
    assert stored.sum() == VALUES[:10, :10].sum()


async def test_a_request_that_meets_a_change_is_held(nodes, written):
    nodes.view = changed(nodes.view, remove=["uid-1"])
    nodes.adopt()
    reading = asyncio.create_task(nodes.data.call(ops.ReadChunks("b", written, whole(DIMS)), TRACE))
    await asyncio.sleep(0.05)
    assert not reading.done()
    for takeover in nodes.takeovers.values():
        takeover.tick(1.0)
    nodes.views.learn(nodes.view)
    assert np.array_equal(await reading, VALUES)


class Stuck(DataNode):
    """Takes every request and answers none."""

    name = "stuck"

    def __init__(self):
        self.asked = []

    async def execute(self, batch, trace):
        self.asked.append(trace)
        await asyncio.Event().wait()


def one_chunk_of(nodes, dataset, mine):
    """A read of one chunk that uid-1 owns, or that it does not."""
    for row, column in itertools.product(range(0, DIMS[0], 7), range(0, DIMS[1], 5)):
        op = ops.ReadChunks("b", dataset, Hyperslab((row, column), (row + 1, column + 1), (1, 1)))
        ((uid, _),) = split(op, nodes.view)
        if (uid == "uid-1") == mine:
            return op
    raise AssertionError("uid-1 owns all or nothing")


async def test_a_data_node_that_is_stuck_holds_up_its_own_slots_only(nodes, written):
    nodes.nodes["uid-1"] = Stuck()
    waiting = asyncio.create_task(nodes.data.call(one_chunk_of(nodes, written, True), TRACE))
    await asyncio.sleep(0.05)
    for _ in range(20):
        await asyncio.wait_for(nodes.data.call(one_chunk_of(nodes, written, False), TRACE), 10)
    assert not waiting.done()
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)


async def test_who_leaves_the_view_is_not_waited_for(nodes, written):
    stuck = nodes.nodes["uid-1"] = Stuck()
    op = one_chunk_of(nodes, written, True)
    reading = asyncio.create_task(nodes.data.call(op, TRACE))
    await asyncio.sleep(0.05)
    assert len(stuck.asked) == 1
    nodes.view = changed(nodes.view, remove=["uid-1"])
    nodes.adopt()
    for takeover in nodes.takeovers.values():
        takeover.tick(1.0)
    nodes.views.learn(nodes.view)
    assert await asyncio.wait_for(reading, 5) == VALUES[op.selection.start]
    assert len(stuck.asked) == 1


async def test_who_has_left_already_is_not_waited_for(nodes, written):
    """The view changes between the look at it and the question."""
    op = one_chunk_of(nodes, written, True)
    later = changed(nodes.view, remove=["uid-1"])

    class Leaving(Stuck):
        async def execute(self, batch, trace):
            nodes.view = later
            nodes.adopt()
            for takeover in nodes.takeovers.values():
                takeover.tick(1.0)
            nodes.views.learn(later)
            await super().execute(batch, trace)

    nodes.nodes["uid-1"] = Leaving()
    assert await asyncio.wait_for(nodes.data.call(op, TRACE), 5) == VALUES[op.selection.start]


async def test_all_attempts_have_one_id_and_rising_numbers(nodes, written):
    stuck = nodes.nodes["uid-1"] = Stuck()
    nodes.router._attempt_timeout, nodes.router._hold_timeout = 0.05, 1.0
    with pytest.raises(Unavailable):
        await nodes.data.call(one_chunk_of(nodes, written, True), TRACE)
    attempts = [trace.attempts[0] for trace in stuck.asked]
    assert len({attempt.id for attempt in attempts}) == 1
    assert [attempt.number for attempt in attempts] == list(range(1, len(attempts) + 1))
    assert len(attempts) > 2


async def test_what_cannot_be_reached_in_time_is_unavailable(nodes, written):
    nodes.router._hold_timeout = 0.5
    for takeover in nodes.takeovers.values():
        takeover.close()
    with pytest.raises(Unavailable, match="could not be reached in time"):
        await nodes.data.call(ops.ReadChunks("b", written, whole(DIMS)), TRACE)
