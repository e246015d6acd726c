"""``durability: flush``: answered from memory, stored within a moment, at a flush and at the end."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import numpy as np
import pytest

from hsds.datanode.change import Basis, Outcome
from hsds.datanode.documents import JSON
from hsds.datanode.node import LocalDataNode
from hsds.errors import Conflict, KeyNotFound, StoreRefused, StoreUnavailable
from hsds.hdf5.jsontext import loads
from hsds.hdf5.selecttext import parse_select
from hsds.transport import ops
from tests.datanode.test_attempts import add, grow
from tests.datanode.test_faults import CHUNK, Chunk, Element, World
from tests.tools.scripted import ScriptedStore
from tests.tools.smallstate import small_state

KEY = ("b", "k")


def make(store, max_age=60.0, cache=1 << 20, patience=90.0):
    return small_state(
        store, metadata_cache=cache, chunk_cache=cache, patience=patience, flush_max_age=max_age
    )


@pytest.fixture
def store():
    return ScriptedStore()


async def stored(store):
    return loads(bytes((await store.get(*KEY)).data))


async def test_many_changes_share_one_put_at_the_flush(store):
    objects = make(store).objects
    for i in range(100):
        assert await objects.committer.change(KEY, JSON, add(str(i))) == i + 1
    assert store.count("put") == 0
    assert len((await objects.reader.read(KEY, JSON)).value["n"]) == 100
    await objects.committer.flush("b")
    assert store.count("put") == 1
    assert len((await stored(store))["n"]) == 100
    assert not objects.reader.unstored


async def test_dirty_data_is_stored_within_its_age(store):
    objects = make(store, max_age=0.1).objects
    await objects.committer.change(KEY, JSON, add("a"))
    await asyncio.sleep(0.05)
    assert store.count("put") == 0
    await asyncio.sleep(0.15)
    assert store.count("put") == 1
    await objects.committer.change(KEY, JSON, add("b"))
    await asyncio.sleep(0.2)
    assert (await stored(store))["n"] == {"a": 1, "b": 1}


async def test_changes_during_a_put_are_not_forgotten(store):
    objects = make(store, max_age=0.05).objects
    await objects.committer.change(KEY, JSON, grow)
    late = []
    store.before_put = lambda: (
        late or late.append(asyncio.ensure_future(objects.committer.change(KEY, JSON, grow)))
    )
    await asyncio.sleep(0.3)
    assert await late[0] == 2
    assert (await stored(store))["rows"] == 2


async def test_an_unanswered_put_is_resolved(store):
    objects = make(store).objects
    for word in ("ok", "done", "lost", "busy"):
        store.script.append(word)
        await objects.committer.change(KEY, JSON, grow)
        await objects.committer.flush("b")
    assert (await stored(store))["rows"] == 4


async def is_stored(store, rows):
    with suppress(KeyNotFound):
        return (await stored(store))["rows"] == rows
    return False


async def test_what_the_store_does_not_take_is_tried_again(store):
    objects = make(store, max_age=0.1, patience=0.05).objects
    await objects.committer.change(KEY, JSON, grow)
    store.down = True
    with pytest.raises(StoreUnavailable):
        await objects.committer.flush("b")
    assert await objects.committer.change(KEY, JSON, grow) == 2, "from memory"
    store.down = False
    async with asyncio.timeout(20):
        while not await is_stored(store, rows=2):  # noqa: ASYNC110 - a store tells nobody
            await asyncio.sleep(0.05)


async def test_what_the_store_refuses_is_tried_again(store):
    """Keys may be exchanged, permissions be given back."""
    objects = make(store, max_age=0.1).objects
    store.script.extend(("refused", "refused"))
    await objects.committer.change(KEY, JSON, grow)
    with pytest.raises(StoreRefused):
        await objects.committer.flush("b")
    assert await objects.committer.change(KEY, JSON, grow) == 2, "from memory"
    async with asyncio.timeout(20):
        while store.count("put") < 3:  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.01)
    await objects.committer.flush("b")
    assert (await stored(store))["rows"] == 2
    assert objects.committer._budget.used == 0


async def test_a_fault_of_ours_loses_nothing(store):
    """No memory for the bytes to be sent, say."""
    objects = make(store).objects

    def fails():
        store.before_put = lambda: None
        raise MemoryError("no room")

    store.before_put = fails
    await objects.committer.change(KEY, JSON, grow)
    with pytest.raises(MemoryError):
        await objects.committer.flush("b")
    assert set(objects.committer.unstored()) == {KEY}
    await objects.committer.flush("b")
    assert (await stored(store))["rows"] == 1
    assert not objects.reader.unstored
    assert objects.committer._budget.used == 0


async def test_what_can_never_be_stored_is_given_up(store):
    """A chunk was written between the end of its dataset and that being known: nothing of it is kept."""
    world = World(LocalDataNode(make(store)), "b")
    chunk = Chunk()
    await chunk.begin(world)
    await chunk.write(world, 1)
    state = world.node.state
    state.deleted.add([("b", chunk.spec.id)])
    await state.chunks.committer.flush("b")
    assert not set(state.chunks.committer.unstored())
    assert not state.chunks.reader.unstored
    assert state.chunks.committer._budget.used == 0
    await world.node.close()


async def test_somebody_else_wrote_meanwhile(store):
    one, two = make(store).objects, make(store).objects
    await one.committer.change(KEY, JSON, add("a"))
    await one.committer.flush("b")
    await two.committer.change(KEY, JSON, add("b"))
    await one.committer.change(KEY, JSON, add("c"))
    await two.committer.flush("b")
    await one.committer.flush("b")
    assert (await stored(store))["n"] == {"a": 1, "b": 1, "c": 1}


async def test_refusals_are_told_at_once(store):
    objects = make(store).objects

    def create(value):
        if value is not None:
            raise Conflict("exists")
        return Outcome({"n": {}})

    await objects.committer.change(KEY, JSON, create, Basis.ABSENT)
    with pytest.raises(Conflict):
        await objects.committer.change(KEY, JSON, create, Basis.ABSENT)


async def test_unstored_bytes_are_bounded(store):
    """Writers of more than fits wait for what must be stored first."""
    limit = 16 * CHUNK * 8
    world = World(LocalDataNode(make(store, cache=2 * limit)), "b")
    chunks = []
    for _ in range(40):
        chunk = Chunk()
        await chunk.begin(world)
        chunks.append(chunk)
    committer = world.node.state.chunks.committer
    for i, chunk in enumerate(chunks):
        await chunk.write(world, i + 1)
        assert committer._budget.used <= limit
    assert store.count("put") > 20
    assert [await chunk.read(world) for chunk in chunks] == list(range(1, 41))
    await world.node.close()


async def test_a_data_node_in_flush_mode(store):
    world = World(LocalDataNode(make(store)), "b")
    await world.create("groups")
    element = Element()
    await element.begin(world)
    puts = store.count("put")
    for i in range(1, 30):
        await element.write(world, i)
        assert await element.read(world) == i
    assert store.count("put") == puts
    stats = await world.ask(ops.GetRootStats("b", world.root))
    assert stats.num_chunks == 1, "whoever counts sees what was answered for"
    row = parse_select("[0:2]", (CHUNK,))
    await world.ask(ops.WriteChunks("b", element.spec, row, np.array([7, 8])))
    await world.ask(ops.Flush("b", world.root))
    fresh = World(LocalDataNode(make(store)), "b")
    selection = parse_select("[0:4]", (CHUNK,))
    assert (await fresh.ask(ops.ReadChunks("b", element.spec, selection))).tolist() == [7, 8, 0, 29]
    await element.write(world, 99)
    await world.node.close()
    fresh = World(LocalDataNode(make(store)), "b")
    assert await element.read(fresh) == 99, "an end stores everything"


async def test_domains_and_deletes_are_stored_when_they_are_answered(store):
    world = World(LocalDataNode(make(store)), "b")
    json = {"owner": "joe", "acls": {}, "created": 1.0, "lastModified": 1.0}
    await world.ask(ops.CreateDomain("b", "/home", json))
    assert list(await world.ask(ops.ListDomains("b", "/"))) == ["/home"]
    group = await world.create("groups", links={})
    await world.ask(ops.DeleteObject("b", group))
    assert not world.node.state.objects.reader.unstored
    await world.ask(ops.DeleteDomain("b", "/home"))
    fresh = World(LocalDataNode(make(store)), "b")
    for op in (ops.GetObject("b", group), ops.GetDomain("b", "/home")):
        with pytest.raises(LookupError):
            await fresh.ask(op)
