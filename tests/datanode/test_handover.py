"""What a data node remembers beside its caches is right when slots move: unstored changes, sweeps, counts."""

from __future__ import annotations

import asyncio
import time

import numpy as np
import pytest

from hsds.cluster.lease import Lease
from hsds.cluster.slots import object_slot
from hsds.cluster.takeover import Takeover
from hsds.cluster.view import Member, changed, first_view
from hsds.datanode import sweep
from hsds.datanode.gatekeeper import Gatekeeper
from hsds.datanode.node import LocalDataNode
from hsds.errors import NotOwner, StoreUnavailable
from hsds.hdf5 import keys
from hsds.hdf5.dataset import DatasetSpec
from hsds.hdf5.ids import new_object_id, new_root_id
from hsds.hdf5.selection import whole
from hsds.hdf5.selecttext import parse_select
from hsds.transport import ops
from hsds.transport.base import Trace
from hsds.transport.nodes import DataNodes
from hsds.transport.routing import Router
from tests.tools.scripted import ScriptedStore
from tests.tools.smallstate import small_state
from tests.transport.test_routing import KnownViews

TRACE = Trace("test")
DIMS = (40, 40)
VALUES = np.arange(1600, dtype="<i4").reshape(DIMS)
WAIT, LEASE = 10.2, 10.0


class Node:
    """A data node with the state that its agent would keep."""

    def __init__(self, cluster, uid):
        self.uid, self.cluster = uid, cluster
        self.takeover = Takeover(uid, wait=WAIT)
        self.lease = Lease(LEASE)
        self.gate = Gatekeeper(self.takeover, self.lease, lambda: cluster.now)
        self.gate.settled_down = cluster.release
        state = small_state(cluster.store, gate=self.gate, flush_max_age=60.0 if cluster.flush else None)
        self.node = LocalDataNode(state, hold_timeout=0.01)
        self.state = state

    def adopt(self, view):
        self.moved(*self.takeover.adopt(view, self.cluster.now))
        self.lease.renew(self.cluster.now)

    def moved(self, gained, lost, leaving=False):
        self.gate.lost(lost, leaving=leaving)
        self.node.moved(gained=gained, lost=lost, kept=self.takeover.owned & ~gained)


class Cluster:
    """Data nodes over one store that know every view at once, and release as soon as they may."""

    def __init__(self, *, flush=False, count=1):
        self.store, self.flush, self.now = ScriptedStore(), flush, 100.0
        self.view = first_view("c", epoch=0)
        self.nodes = {}
        self.views = KnownViews(self.view)
        self.router = Router(
            self.views, lambda member: self.nodes[member.uid].node, clock=time.monotonic, hold_timeout=5.0
        )
        self.data = DataNodes(self.router)
        for _ in range(count):
            self.join()

    def join(self, uid=None):
        member = self._newcomer(uid or f"uid-{len(self.nodes)}")
        self.nodes[member.uid] = Node(self, member.uid)
        self.show(changed(self.view, join=member))
        return self.nodes[member.uid]

    def join_as_owner(self, id_):
        """Let a node join that owns the object from then on: which one that is lies in its uid."""
        slot = object_slot("b", keys.object_key(id_))
        for i in range(1000):
            uid = f"uid-{len(self.nodes)}-{i}"
            if changed(self.view, join=self._newcomer(uid)).owners()[slot] == uid:
                return self.join(uid)
        raise AssertionError("no uid owns the slot")

    def _newcomer(self, uid):
        return Member(uid, f"10.0.0.{len(self.nodes)}", 6101)

    def show(self, view):
        self.view = view
        for node in self.nodes.values():
            node.adopt(view)
        self.release()
        self.views.learn(view)

    def release(self):
        for node in self.nodes.values():
            if not node.gate.lingering():
                for other in self.nodes.values():
                    other.takeover.released(node.uid, self.view.epoch)

    async def ask(self, op):
        return await self.data.call(op, TRACE)

    def owner(self, id_):
        return self.nodes[self.view.owners()[object_slot("b", keys.object_key(id_))]]

    async def make(self):
        """A root with a dataset of 64 chunks, written."""
        root = new_root_id()
        json = {"id": root, "root": root, "created": 1.0, "lastModified": 1.0, "links": {}, "attributes": {}}
        await self.ask(ops.CreateObject("b", root, json))
        id_ = new_object_id(root, "datasets")
        dataset = {
            "id": id_,
            "root": root,
            "created": 1.0,
            "lastModified": 1.0,
            "type": {"class": "H5T_INTEGER", "base": "H5T_STD_I32LE"},
            "shape": {"class": "H5S_SIMPLE", "dims": list(DIMS)},
            "layout": {"class": "H5D_CHUNKED", "dims": [5, 5]},
            "creationProperties": {},
            "attributes": {},
        }
        await self.ask(ops.CreateObject("b", id_, dataset))
        spec = DatasetSpec.from_json(dataset)
        await self.ask(ops.WriteChunks("b", spec, whole(DIMS), VALUES))
        return root, spec

    async def listed(self, prefix=""):
        return [info.key async for info in self.store.list_all("b", prefix)]

    async def close(self):
        for node in self.nodes.values():
            await node.node.close()


@pytest.fixture
async def cluster(request):
    cluster = Cluster(**getattr(request, "param", {}))
    yield cluster
    await cluster.close()


flushing = pytest.mark.parametrize("cluster", [{"flush": True}, {"flush": True, "count": 3}], indirect=True)
several = pytest.mark.parametrize("cluster", [{"count": 3}], indirect=True)


async def until(true):
    async with asyncio.timeout(30):
        while not true():  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.001)


def unstored(cluster):
    return sum(len(set(node.state.unstored())) for node in cluster.nodes.values())


# -- durability: flush -----------------------------------------------------------------------------


@flushing
async def test_who_joins_waits_until_what_was_answered_for_is_stored(cluster):
    _, spec = await cluster.make()
    before = unstored(cluster)
    assert before > 60
    new = cluster.join()
    assert new.takeover.live_slots != new.takeover.owned, "others have something left"
    read = await cluster.ask(ops.ReadChunks("b", spec, whole(DIMS)))
    assert np.array_equal(read, VALUES)
    assert new.takeover.live_slots == new.takeover.owned
    assert 0 < unstored(cluster) < before, "only what moved was stored"


@flushing
async def test_who_leaves_stores_everything_first(cluster):
    _, spec = await cluster.make()
    last = cluster.join()
    await cluster.ask(ops.WriteChunks("b", spec, whole(DIMS), VALUES + 1))
    assert set(last.state.unstored())
    last.moved(0, last.takeover.close(), leaving=True)
    assert last.gate.lingering()
    with pytest.raises(NotOwner):
        last.gate.hold(("b", spec.key((0, 0))))
    await until(lambda: not last.gate.lingering())  # as its agent does, which then leaves the view
    assert not set(last.state.unstored())
    cluster.show(changed(cluster.view, leave=last.uid))
    assert np.array_equal(await cluster.ask(ops.ReadChunks("b", spec, whole(DIMS))), VALUES + 1)


@flushing
async def test_a_change_sent_before_the_slots_were_gained_is_refused(cluster):
    """Its second attempt may have been answered by another owner since."""
    _, spec = await cluster.make()
    old = cluster.view.epoch
    new = cluster.join()
    await until(lambda: new.takeover.live_slots == new.takeover.owned)
    at = next(i for i in range(64) if _live(new, ("b", spec.key((i // 8, i % 8)))))
    selection = parse_select(f"[{at // 8 * 5}:{at // 8 * 5 + 5},{at % 8 * 5}:{at % 8 * 5 + 5}]", DIMS)
    op = ops.WriteChunks("b", spec, selection, np.zeros((5, 5), "<i4"))
    (late,) = await new.node.execute((op,), Trace("late", epoch=old))
    assert isinstance(late, NotOwner)
    (now,) = await new.node.execute((op,), Trace("now", epoch=cluster.view.epoch))
    assert now is None


@flushing
async def test_nothing_is_stored_when_others_may_serve(cluster):
    """The lease under which slots were owned ran out before the store took what was answered for."""
    await cluster.make()
    owner, *_ = cluster.nodes.values()
    mine = set(owner.state.unstored())
    cluster.store.down = True
    cluster.join()
    moved = {key for key in mine if not _live(owner, key)}
    assert moved
    assert owner.gate.lingering()
    cluster.now += LEASE + 0.1
    assert not owner.gate.lingering(), "it may say that it has released them"
    cluster.store.down = False
    for node in cluster.nodes.values():
        node.lease.renew(cluster.now)
    await until(lambda: not moved & set(owner.state.unstored()))
    assert not {name for _, name in moved} & set(await cluster.listed())


def _live(node, key):
    try:
        node.gate.hold(key)
    except NotOwner:
        return False
    return True


@flushing
async def test_a_lease_that_lapses_and_comes_back_loses_nothing(cluster):
    root, spec = await cluster.make()
    cluster.now += LEASE + 1
    node, *_ = cluster.nodes.values()
    with pytest.raises(NotOwner):
        await node.state.flush("b")
    for each in cluster.nodes.values():
        each.lease.renew(cluster.now)
    await cluster.ask(ops.Flush("b", root))
    assert not unstored(cluster)
    assert np.array_equal(await cluster.ask(ops.ReadChunks("b", spec, whole(DIMS))), VALUES)


@flushing
async def test_a_flush_reaches_every_data_node(cluster):
    root, spec = await cluster.make()
    assert sum(bool(set(node.state.unstored())) for node in cluster.nodes.values()) == len(cluster.nodes)
    await cluster.ask(ops.Flush("b", root))
    assert unstored(cluster) == 0
    assert len(await cluster.listed(keys.dataset_prefix(spec.id))) == 65


# -- sweeps ----------------------------------------------------------------------------------------


async def swept(cluster, id_):
    async with asyncio.timeout(30):
        while await cluster.listed(".hsds/deleted/"):  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.001)
    assert await cluster.listed(keys.dataset_prefix(id_)) == [keys.object_key(id_)]


@several
async def test_chunks_of_all_owners_are_swept_by_one(cluster):
    _, spec = await cluster.make()
    await cluster.ask(ops.DeleteObject("b", spec.id))
    running = [node for node in cluster.nodes.values() if node.node.sweeper._running]
    assert running == [cluster.owner(spec.id)]
    await swept(cluster, spec.id)


@several
async def test_what_others_store_late_is_swept_too(cluster):
    """A chunk that another data node was about to store when its dataset was deleted."""
    _, spec = await cluster.make()
    owner = cluster.owner(spec.id)
    owner.node.sweeper._again = 0.05
    await cluster.ask(ops.DeleteObject("b", spec.id))
    await asyncio.shield(owner.node.sweeper._swept["b", spec.id])
    await cluster.store.put("b", spec.key((0, 0)), b"late")
    await swept(cluster, spec.id)


@several
async def test_a_sweep_goes_on_at_the_next_owner(cluster):
    _, spec = await cluster.make()
    owner = cluster.owner(spec.id)
    cluster.store.delete_all = _nothing  # it does not get far
    await cluster.ask(ops.DeleteObject("b", spec.id))
    del cluster.store.delete_all
    await owner.node.close()  # it crashed
    cluster.show(changed(cluster.view, remove=[owner.uid]))
    cluster.now += WAIT
    for node in cluster.nodes.values():
        node.takeover.tick(cluster.now)
        node.lease.renew(cluster.now)
    del cluster.nodes[owner.uid]
    assert await cluster.listed(".hsds/deleted/")
    for node in cluster.nodes.values():
        await asyncio.wait_for(node.node.sweeper.wanted(), 10)
        await node.node.start("b")
    running = [node for node in cluster.nodes.values() if node.node.sweeper._running]
    assert running == [cluster.owner(spec.id)]
    await swept(cluster, spec.id)


async def _nothing(*_, **__):
    raise StoreUnavailable("not now")


@several
async def test_who_lost_the_dataset_stops(cluster, monkeypatch):
    monkeypatch.setattr(sweep, "_RETRY_SECONDS", 0.01)
    _, spec = await cluster.make()
    owner = cluster.owner(spec.id)
    cluster.store.delete_all = _nothing
    await cluster.ask(ops.DeleteObject("b", spec.id))
    cluster.join_as_owner(spec.id)
    del cluster.store.delete_all
    await asyncio.wait_for(owner.node.sweeper.drain(), 10)
    assert len(await cluster.listed(keys.dataset_prefix(spec.id))) == 65, "it swept nothing"
    await cluster.owner(spec.id).node.start("b")
    await swept(cluster, spec.id)


@several
async def test_an_id_is_free_when_its_sweep_has_ended(cluster):
    """Also where the slot has just moved, and nobody has looked for notes yet."""
    _root, spec = await cluster.make()
    json = (await cluster.ask(ops.GetObject("b", spec.id, attributes=True))).json
    cluster.owner(spec.id).node.sweeper._again = 60.0
    await cluster.ask(ops.DeleteObject("b", spec.id))
    cluster.join_as_owner(spec.id)
    await cluster.ask(ops.CreateObject("b", spec.id, json))
    assert not await cluster.listed(".hsds/deleted/")
    assert await cluster.listed(keys.dataset_prefix(spec.id)) == [keys.object_key(spec.id)]


# -- counts ----------------------------------------------------------------------------------------


async def test_counts_are_remembered_only_while_one_owns_everything(cluster):
    root, spec = await cluster.make()
    stats = ops.GetRootStats("b", root)
    assert (await cluster.ask(stats)).num_chunks == 64
    lists = _count_lists(cluster.store)
    assert (await cluster.ask(stats)).num_chunks == 64
    assert not lists, "remembered"
    cluster.join()
    for left in (63, 62):
        await cluster.store.delete("b", spec.key((left % 2, 0)))  # as another may do
        assert (await cluster.ask(stats)).num_chunks == left


def _count_lists(store):
    calls, inner = [], store.list

    async def counted(*args, **kwargs):
        calls.append(args)
        return await inner(*args, **kwargs)

    store.list = counted
    return calls


async def test_counts_do_not_come_back_with_the_slots(cluster):
    """Remembered by the only one, changed by another that came and went."""
    root, spec = await cluster.make()
    stats = ops.GetRootStats("b", root)
    await cluster.ask(stats)
    other = cluster.join()
    mine = [key for key in await cluster.listed(keys.dataset_prefix(spec.id)) if _live(other, ("b", key))]
    await cluster.store.delete("b", mine[-1])  # as the other would
    other.moved(0, other.takeover.close(), leaving=True)
    cluster.show(changed(cluster.view, leave=other.uid))
    del cluster.nodes[other.uid]
    assert (await cluster.ask(stats)).num_chunks == 63


async def test_scan_results_are_written_only_by_one_that_owns_everything(cluster):
    root, _ = await cluster.make()
    await cluster.ask(ops.Rescan("b", root))
    assert keys.info_key(root) in await cluster.listed()
    await cluster.store.delete("b", keys.info_key(root))
    cluster.join()
    await cluster.ask(ops.Rescan("b", root))
    assert keys.info_key(root) not in await cluster.listed()


@several
async def test_scan_results_of_a_time_alone_are_gone_before_others_change(cluster):
    """A data node that was out of the view meanwhile does not rely on having removed them before."""
    root, spec = await cluster.make()
    first, *others = cluster.nodes.values()
    cluster.show(changed(cluster.view, remove=[node.uid for node in others]))
    cluster.now += WAIT
    first.takeover.tick(cluster.now)
    first.lease.renew(cluster.now)
    await cluster.ask(ops.Rescan("b", root))
    assert keys.info_key(root) in await cluster.listed()
    for n, node in enumerate(others):
        cluster.show(changed(cluster.view, join=Member(node.uid, f"10.0.1.{n}", 6101)))
    await cluster.ask(ops.WriteChunks("b", spec, whole(DIMS), VALUES + 1))
    assert keys.info_key(root) not in await cluster.listed()


# -- what was deleted ------------------------------------------------------------------------------


@several
async def test_what_was_deleted_may_be_made_again_elsewhere(cluster):
    _root, spec = await cluster.make()
    json = (await cluster.ask(ops.GetObject("b", spec.id, attributes=True))).json
    before = cluster.owner(spec.id)
    before.node.sweeper._again = 0.0
    await cluster.ask(ops.DeleteObject("b", spec.id))
    await swept(cluster, spec.id)
    cluster.join_as_owner(spec.id)
    await cluster.ask(ops.CreateObject("b", spec.id, json))
    await cluster.ask(ops.WriteChunks("b", spec, whole(DIMS), VALUES))
    assert np.array_equal(await cluster.ask(ops.ReadChunks("b", spec, whole(DIMS))), VALUES)
