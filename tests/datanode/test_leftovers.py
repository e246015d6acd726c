"""What a killed process left to be freed in a bucket that is not the default one: the next takes it up."""

import asyncio

import numpy as np
import pytest

from hsds.datanode import sweep
from hsds.datanode.gate import OpenGate
from hsds.datanode.node import LocalDataNode
from hsds.datanode.sweep import NOTES
from hsds.errors import NotFound, NotOwner, StoreUnavailable
from hsds.hdf5 import keys
from hsds.hdf5.create import new_dataset, new_group
from hsds.hdf5.dataset import DatasetSpec
from hsds.hdf5.ids import new_object_id, new_root_id
from hsds.hdf5.layout import LayoutLimits
from hsds.hdf5.selection import whole
from hsds.transport import ops
from hsds.transport.base import Trace
from hsds.transport.nodes import DataNodes
from tests.tools.smallstate import small_state

OTHER = "other"


@pytest.fixture(autouse=True)
def soon(monkeypatch):
    monkeypatch.setattr(sweep, "_RETRY_SECONDS", 0.01)


@pytest.fixture
async def store(state):
    await state.store.create_bucket(OTHER)
    return state.store


async def make_group(ask):
    root = new_root_id()
    await ask(ops.CreateObject(OTHER, root, new_group({}, root, root, 1.0)))
    return root


@pytest.fixture
async def left(store, ask):
    """JSON of a dataset of which the object is gone, but neither its chunk nor the note."""
    root = await make_group(ask)
    id_ = new_object_id(root, "datasets")
    json = new_dataset({"type": "H5T_STD_I32LE", "shape": [4]}, root, id_, 1.0, limits=LayoutLimits())
    await ask(ops.CreateObject(OTHER, id_, json))
    await ask(ops.WriteChunks(OTHER, DatasetSpec.from_json(json), whole((4,)), np.ones(4, "<i4")))
    await store.put(OTHER, NOTES + id_, b"deleted")
    await store.delete(OTHER, keys.object_key(id_))
    return json


@pytest.fixture
async def after(store):
    """The data node of the process that comes after, which has looked in the default bucket."""
    node = LocalDataNode(small_state(store))
    await node.start("b")
    yield node
    await node.close()


@pytest.fixture
def ask_after(after):
    nodes = DataNodes(after)
    return lambda op: nodes.call(op, Trace("test"))


@pytest.fixture
async def following(after):
    task = asyncio.create_task(after.sweeper.follow())
    yield task
    task.cancel()


async def leftovers(store, json):
    """Keys of its chunks, and of notes."""
    prefixes = (keys.dataset_prefix(json["id"]), NOTES)
    return [info.key for prefix in prefixes async for info in store.list_all(OTHER, prefix)]


async def until(done):
    async with asyncio.timeout(20):
        while not await done():  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.005)


@pytest.mark.usefixtures("following")
async def test_a_change_in_the_bucket_has_it_freed(left, store, ask_after):
    with pytest.raises(NotFound):
        await ask_after(ops.GetObject(OTHER, left["id"]))
    await asyncio.sleep(0.1)
    assert len(await leftovers(store, left)) == 2, (
        "a bucket that is only read may be one that cannot be changed"
    )
    kept = await make_group(ask_after)
    await until(lambda: gone(store, left))
    assert (await ask_after(ops.GetObject(OTHER, kept))).json["id"] == kept


async def gone(store, json):
    return not await leftovers(store, json)


@pytest.mark.usefixtures("following")
async def test_a_listing_that_fails_is_tried_again(left, store, ask_after, monkeypatch):
    plain, tried = store.list_all, asyncio.Event()

    def fails(*arguments, **more):
        monkeypatch.setattr(store, "list_all", plain)
        tried.set()
        raise StoreUnavailable("not now")

    monkeypatch.setattr(store, "list_all", fails)
    await make_group(ask_after)
    await asyncio.wait_for(tried.wait(), 20)
    await until(lambda: gone(store, left))


async def test_an_id_is_not_used_again_before_that(left, store, ask_after):
    """Nobody has looked for notes in the bucket yet."""
    await ask_after(ops.CreateObject(OTHER, left["id"], left))
    assert await leftovers(store, left) == [keys.object_key(left["id"])]
    read = ops.ReadChunks(OTHER, DatasetSpec.from_json(left), whole((4,)))
    assert (await ask_after(read)).tolist() == [0] * 4


class Moving(OpenGate):
    """Owns everything, or nothing."""

    alone = False
    here = True

    def hold(self, key):
        if not self.here:
            raise NotOwner("it has moved")
        return super().hold(key)

    def valid(self, hold):
        return self.here


@pytest.mark.parametrize("ending", ["slot lost", "node ends"])
async def test_an_id_is_not_used_again_if_the_sweep_ends_before_that(left, store, monkeypatch, ending):
    gate, plain = Moving(), store.delete_all
    former, owner = (LocalDataNode(small_state(store, gate=each)) for each in (gate, OpenGate()))
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def fails(*_, **__):
        begun.set()
        await go_on.wait()
        raise StoreUnavailable("not now")

    monkeypatch.setattr(store, "delete_all", fails)
    create = ops.CreateObject(OTHER, left["id"], left)
    refused = asyncio.create_task(former.execute((create,), Trace("test")))
    await begun.wait()
    monkeypatch.setattr(store, "delete_all", plain)
    gate.here = False
    if ending == "slot lost":
        go_on.set()
    else:
        await former.sweeper.close()
    (answer,) = await asyncio.wait_for(refused, 20)
    assert isinstance(answer, NotOwner)
    assert len(await leftovers(store, left)) == 2, "its chunk, and the note"

    read = ops.ReadChunks(OTHER, DatasetSpec.from_json(left), whole((4,)))
    (_,) = await owner.execute((create,), Trace("test"))
    (values,) = await owner.execute((read,), Trace("test"))
    assert values.tolist() == [0] * 4
    for node in (former, owner):
        await node.close()


async def test_a_sweep_that_fails_is_told_and_leaves_its_note(left, store, after, monkeypatch, caplog):
    async def fails(*_, **__):
        raise RuntimeError("a mistake of ours")

    monkeypatch.setattr(store, "delete_all", fails)
    with pytest.raises(NotOwner):
        await after.sweeper.free(OTHER, left["id"])
    assert "a mistake of ours" in caplog.text
    assert len(await leftovers(store, left)) == 2


@pytest.mark.usefixtures("following")
async def test_a_bucket_is_looked_through_once_and_again_where_slots_were_gained(
    store, ask_after, after, monkeypatch
):
    listed = []
    plain = store.list_all

    def counted(bucket, prefix=""):
        listed.append((bucket, prefix))
        return plain(bucket, prefix)

    async def looks(count):
        return len(listed) >= count

    monkeypatch.setattr(store, "list_all", counted)
    await make_group(ask_after)
    await until(lambda: looks(1))
    await make_group(ask_after)
    await asyncio.sleep(0.1)
    assert listed == [(OTHER, NOTES)]
    after.moved(gained=1, lost=0, kept=0)
    await until(lambda: looks(3))
    assert sorted(listed) == [("b", NOTES), (OTHER, NOTES), (OTHER, NOTES)]
