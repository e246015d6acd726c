"""The data node behind its one interface: objects, domains and roots over a memory store."""

import asyncio
import time

import numpy as np
import pytest

from hsds.datanode.node import LocalDataNode
from hsds.datanode.sweep import NOTES
from hsds.errors import Conflict, Deleted, HsdsError, InvalidInput, NotFound, Unavailable
from hsds.hdf5 import keys
from hsds.hdf5.dataset import DatasetSpec
from hsds.hdf5.ids import new_object_id, new_root_id
from hsds.hdf5.selection import Hyperslab, whole
from hsds.store.memory import MemoryStore
from hsds.transport import ops
from hsds.transport.base import Attempt, Trace
from hsds.transport.nodes import DataNodes
from tests.tools.smallstate import small_state

ACL = {"create": True, "read": True, "update": True, "delete": True, "readACL": True, "updateACL": True}
TRACE = Trace("test")


def group(id_, root, **members):
    stamp = {"created": 1.0, "lastModified": 1.0}
    return {"id": id_, "root": root, **stamp, "links": {}, "attributes": {}, **members}


def hard(id_):
    return {"class": "H5L_TYPE_HARD", "id": id_, "created": 1.0}


def attribute(value):
    return {"type": {"class": "H5T_FLOAT", "base": "H5T_IEEE_F64LE"}, "shape": {"class": "H5S_SCALAR"},
            "value": value, "created": 1.0}  # fmt: skip


@pytest.fixture
async def root(ask):
    root = new_root_id()
    await ask(ops.CreateObject("b", root, group(root, root)))
    return root


async def test_create_is_idempotent(ask, root):
    id_ = new_object_id(root, "datasets")
    json = group(
        id_, root, type={"class": "H5T_INTEGER", "base": "H5T_STD_I8LE"}, shape={"class": "H5S_SCALAR"}
    )
    assert (await ask(ops.CreateObject("b", id_, json))).new
    assert not (await ask(ops.CreateObject("b", id_, json | {"created": 5.0}))).new
    with pytest.raises(Conflict):
        await ask(ops.CreateObject("b", id_, json | {"shape": {"class": "H5S_NULL"}}))


async def test_an_error_stands_in_its_place_and_leaves_others_alone(node, root):
    present, absent = ops.GetObject("b", root), ops.GetObject("b", new_object_id(root, "groups"))
    first, second, third = await node.execute((present, absent, present), TRACE)
    assert first.json["id"] == third.json["id"] == root
    assert isinstance(second, NotFound)


async def test_a_fault_of_ours_is_an_answer(ask, caplog):
    for wrong in (ops.ListDomains("b", [0]), ops.GetDomain("b", {})):
        with pytest.raises(HsdsError, match=r"the data node failed: \w+Error"):
            await ask(wrong)
        assert f"{type(wrong).__name__} failed" in caplog.text


async def test_what_is_in_memory_and_what_is_not_come_back_in_order(node, root):
    ids = [root, *(new_object_id(root, "groups") for _ in range(3))]
    for id_ in ids[1:]:
        await node.execute([ops.CreateObject("b", id_, group(id_, root))], TRACE)
    for id_ in ids[::2]:
        node.state.objects.reader.forget(("b", keys.object_key(id_)))
    states = await node.execute([ops.GetObject("b", id_) for id_ in ids], TRACE)
    assert [state.json["id"] for state in states] == ids


async def test_links(ask, root):
    child = new_object_id(root, "groups")
    assert await ask(ops.UpdateLinks("b", root, {"a": hard(child)}))
    assert not await ask(ops.UpdateLinks("b", root, {"a": hard(child) | {"created": 2.0}})), (
        "equal is no change"
    )
    other = hard(new_object_id(root, "groups"))
    with pytest.raises(Conflict):
        await ask(ops.UpdateLinks("b", root, {"b": other, "a": other}))
    assert [t for t, _ in (await ask(ops.GetLinks("b", root))).links] == ["a"], "all or nothing"
    assert await ask(ops.UpdateLinks("b", root, {"a": other}, replace=True))
    assert not await ask(ops.UpdateLinks("b", root, {}, delete=("zz",)))
    assert await ask(ops.UpdateLinks("b", root, {}, delete=("a",)))
    with pytest.raises(Deleted):
        await ask(ops.GetLinks("b", root, titles=("a",)))
    with pytest.raises(NotFound) as caught:
        await ask(ops.GetLinks("b", root, titles=("never",)))
    assert not isinstance(caught.value, Deleted)


async def test_link_pages(ask, root):
    put = {f"n{9 - i}": hard(root) | {"created": float(i)} for i in range(10)}
    await ask(ops.UpdateLinks("b", root, put))

    async def titles(**how):
        return [title for title, _ in (await ask(ops.GetLinks("b", root, **how))).links]

    assert await titles(limit=3) == ["n0", "n1", "n2"]
    assert await titles(marker="n7") == ["n8", "n9"]
    assert await titles(creation_order=True, limit=2, marker="n9") == ["n8", "n7"]
    assert await titles(pattern="n[35]") == ["n3", "n5"]
    with pytest.raises(NotFound):
        await titles(marker="nope")


async def test_attributes_replace_and_nan(ask, root):
    assert await ask(ops.UpdateAttributes("b", root, {"x": attribute(float("nan"))}))
    assert not await ask(ops.UpdateAttributes("b", root, {"x": attribute(float("nan"))})), "NaN equals NaN"
    with pytest.raises(Conflict):
        await ask(ops.UpdateAttributes("b", root, {"x": attribute(1)}))
    assert await ask(ops.UpdateAttributes("b", root, {"x": attribute(1) | {"created": 9.0}}, replace=True))
    ((_, now),) = (await ask(ops.GetAttributes("b", root))).attributes
    assert (now["value"], now["created"]) == (1, 1.0), "a replaced attribute keeps its time of creation"


async def test_last_modified_always_moves_on(ask, root, state):
    state.clock = lambda: 0.0
    before = (await ask(ops.GetObject("b", root))).json["lastModified"]
    await ask(ops.UpdateAttributes("b", root, {"x": attribute(1)}))
    await ask(ops.UpdateAttributes("b", root, {}, delete=("x",)))
    assert (await ask(ops.GetObject("b", root))).json["lastModified"] > before


async def test_what_was_read_does_not_change(ask, root):
    before = await ask(ops.GetObject("b", root, links=True, attributes=True))
    await ask(ops.UpdateLinks("b", root, {"a": hard(root)}))
    await ask(ops.UpdateAttributes("b", root, {"x": attribute(1)}))
    assert before.json["links"] == before.json["attributes"] == {}


async def test_resize(ask, root):
    id_ = new_object_id(root, "datasets")
    shape = {"class": "H5S_SIMPLE", "dims": [4, 4], "maxdims": ["H5S_UNLIMITED", 6]}
    await ask(ops.CreateObject("b", id_, group(id_, root, type={}, shape=shape)))
    assert (await ask(ops.Resize("b", id_, dims=(9, 6)))).after == (9, 6)
    assert (await ask(ops.Resize("b", id_, extend=3))) == ops.Resized((9, 6), (12, 6))
    with pytest.raises(Conflict):
        await ask(ops.Resize("b", id_, extend=1, extend_dim=1))
    for bad in ({"dims": (1,)}, {"dims": (-1, 2)}, {"extend": 1, "extend_dim": 2}):
        with pytest.raises(InvalidInput):
            await ask(ops.Resize("b", id_, **bad))
    reserved = await asyncio.gather(*(ask(ops.Resize("b", id_, extend=1)) for _ in range(50)))
    assert {r.before[0] for r in reserved} == set(range(12, 62)), "each append reserves rows of its own"


async def test_domains(ask):
    json = {"owner": "joe", "acls": {"joe": ACL}, "created": 1.0, "lastModified": 1.0}
    for path in ("/home", "/home/joe", "/home/joe/x.h5", "/home/joe-2", "/other"):
        await ask(ops.CreateDomain("b", path, json))
    await ask(ops.CreateDomain("b", "/home", json))  # the same request again, whose answer was lost
    with pytest.raises(Conflict):
        await ask(ops.CreateDomain("b", "/home", json | {"created": 2.0}))
    root = new_root_id()
    await ask(ops.CreateObject("b", root, group(root, root)))
    assert await ask(ops.ListDomains("b", "/")) == ["/home", "/other"]
    assert list(await ask(ops.ListDomains("b", "/home"))) == ["/home/joe-2", "/home/joe"], (
        "in the order of keys"
    )
    assert await ask(ops.ListDomains("b", "/home/joe/x.h5")) == []
    assert await ask(ops.ListDomains("b", "/", limit=1)) == ["/home"]
    assert await ask(ops.ListDomains("b", "/", marker="/home")) == ["/other"]
    await ask(ops.UpdateAcl("b", "/home", "ann", {"read": True}))
    await ask(ops.UpdateAcl("b", "/home", "ann", {"update": True}))
    acls = (await ask(ops.GetDomain("b", "/home"))).json["acls"]
    assert [name for name, allowed in acls["ann"].items() if allowed] == ["read", "update"]
    await ask(ops.DeleteDomain("b", "/other"))
    with pytest.raises(Deleted):
        await ask(ops.GetDomain("b", "/other"))
    await ask(ops.CreateDomain("b", "/other", json))
    assert (await ask(ops.GetDomain("b", "/other"))).json["owner"] == "joe"


async def listing(state):
    return [info.key async for info in state.store.list_all("b")]


async def test_a_deleted_root_leaves_nothing(ask, root, state, node):
    id_ = new_object_id(root, "groups")
    await ask(ops.CreateObject("b", id_, group(id_, root)))
    await ask(ops.DeleteRoot("b", root))
    with pytest.raises(Deleted):
        await ask(ops.GetObject("b", root))
    await node.sweeper.drain()
    assert await listing(state) == []


async def test_a_sweep_that_was_cut_off_is_taken_up(ask, root, state):
    id_ = new_object_id(root, "groups")
    await ask(ops.CreateObject("b", id_, group(id_, root)))
    kept = new_root_id()
    await ask(ops.CreateObject("b", kept, group(kept, kept)))
    await state.store.put("b", f".hsds/deleted/{root}", b"deleted")
    await state.store.put("b", f".hsds/deleted/{kept}", b"/home/kept.h5")
    domain = {"root": kept, "owner": "joe", "acls": {}, "created": 1.0}
    await ask(ops.CreateDomain("b", "/home/kept.h5", domain))
    await state.store.delete("b", keys.object_key(root))  # the process died here; `kept` was only announced
    second = LocalDataNode(state)
    await second.start("b")
    await second.sweeper.drain()
    assert await listing(state) == [keys.object_key(kept), keys.domain_key("/home/kept.h5")]


@pytest.mark.parametrize("note", [b"deleted", b"/home/gone.h5"])
async def test_a_root_whose_domain_is_gone_goes_too(ask, root, state, note):
    await state.store.put("b", f".hsds/deleted/{root}", note)
    second = LocalDataNode(state)
    await second.start("b")
    with pytest.raises(Deleted):
        await ask(ops.CreateObject("b", new_object_id(root, "groups"), group(root, root)))
    await second.sweeper.drain()
    assert await listing(state) == []


async def test_a_domain_deleted_without_its_root(ask, root, state):
    json = {"root": root, "owner": "joe", "acls": {}, "created": 1.0}
    await ask(ops.CreateDomain("b", "/home/joe.h5", json))
    with pytest.raises(NotFound):
        await ask(ops.DeleteDomain("b", "/home/joe.h5", new_root_id()))
    await state.store.put("b", f".hsds/deleted/{root}", b"/home/joe.h5")  # of an attempt that came to nothing
    await ask(ops.DeleteDomain("b", "/home/joe.h5"))
    second = LocalDataNode(state)
    await second.start("b")
    assert (await ask(ops.GetObject("b", root))).json["id"] == root


async def test_stats_and_scan_results_of_others(ask, root, state):
    await state.store.put("b", keys.info_key(root), b"{}")
    await state.store.put("b", keys.summary_key(root), b"{}")
    for _ in range(3):
        id_ = new_object_id(root, "groups")
        json = group(id_, root)
        await state.store.put("b", keys.object_key(id_), b"x" * 100)
    stats = await ask(ops.GetRootStats("b", root))
    assert (stats.num_groups, stats.num_chunks, stats.num_datasets) == (4, 0, 0)
    id_ = new_object_id(root, "groups")
    state.scans.__init__(state.store)  # a process that did not make the root
    await ask(ops.CreateObject("b", id_, json))
    assert not [key for key in await listing(state) if key.endswith(("info.json", "summary.json"))]


class Silent(MemoryStore):
    """Takes calls and does not answer them until ``answers`` is set."""

    def __init__(self):
        super().__init__(("b",))
        self.answers = asyncio.Event()
        self.answers.set()

    async def get(self, *args, **kwargs):
        await self.answers.wait()
        return await super().get(*args, **kwargs)

    async def put(self, *args, **kwargs):
        await self.answers.wait()
        return await super().put(*args, **kwargs)

    async def list(self, *args, **kwargs):
        await self.answers.wait()
        return await super().list(*args, **kwargs)


async def test_an_answer_comes_by_the_deadline():
    store, reason = Silent(), "the cable is cut"
    node = LocalDataNode(small_state(store), trouble=lambda: reason)
    root = new_root_id()
    await node.execute((ops.CreateObject("b", root, group(root, root)),), TRACE)
    store.answers.clear()
    operations = (
        ops.GetObject("b", new_object_id(root, "groups")),
        ops.UpdateAttributes("b", root, {"a": attribute(1.0)}),
    )
    for attempts in ((), tuple(Attempt(str(i), 1) for i in range(2))):
        async with asyncio.timeout(60):  # the store never answers
            results = await node.execute(operations, Trace("r", time.monotonic() + 0.05, attempts=attempts))
        assert [type(result) for result in results] == [Unavailable, Unavailable]
        assert all(reason in str(result) for result in results)
    long = asyncio.create_task(node.execute((ops.GetRootStats("b", root),), Trace("s", time.monotonic())))
    await asyncio.sleep(0.1)
    store.answers.set()
    (stats,) = await long
    assert stats.num_groups == 1, "what takes as long as there are keys is not cut short"
    await node.close()
    (page,) = await node.execute((ops.GetAttributes("b", root),), TRACE)
    assert [name for name, _ in page.attributes] == ["a"], "what was sent may still take effect"


@pytest.fixture
async def written(ask, root):
    """A dataset with a chunk of ones, as clients make it again: its JSON and what it is to chunks."""
    id_ = new_object_id(root, "datasets")
    json = group(
        id_,
        root,
        type={"class": "H5T_INTEGER", "base": "H5T_STD_I32LE"},
        shape={"class": "H5S_SIMPLE", "dims": [4]},
        layout={"class": "H5D_CHUNKED", "dims": [4]},
        creationProperties={},
    )
    await ask(ops.CreateObject("b", id_, json))
    spec = DatasetSpec.from_json(json)
    await ask(ops.WriteChunks("b", spec, whole((4,)), np.ones(4, "<i4")))
    return json, spec


async def values(ask, spec):
    return (await ask(ops.ReadChunks("b", spec, whole((4,))))).tolist()


@pytest.fixture
def go(written, state, monkeypatch):
    """Set to let the store delete the dataset."""
    go, real = asyncio.Event(), state.store.delete

    async def slow(bucket, key, **more):
        if key == keys.object_key(written[1].id):
            await go.wait()
        await real(bucket, key, **more)

    monkeypatch.setattr(state.store, "delete", slow)
    return go


async def test_a_deletion_that_nobody_waits_for_any_more_takes_the_chunks_along(node, ask, written, go):
    json, spec = written
    (late,) = await node.execute((ops.DeleteObject("b", spec.id),), Trace("r", time.monotonic() + 0.05))
    assert isinstance(late, Unavailable)
    go.set()
    await ask(ops.CreateObject("b", spec.id, json))
    assert await values(ask, spec) == [0] * 4


async def test_a_deletion_of_what_an_earlier_one_deleted_takes_the_chunks_along(ask, written, state):
    json, spec = written
    await state.store.delete("b", keys.object_key(spec.id))  # the attempt of which nobody heard
    second = LocalDataNode(state)
    state.objects.reader.forget_prefix("b", keys.root_prefix(json["root"]))
    again = DataNodes(second)
    with pytest.raises(NotFound):
        await again.call(ops.DeleteObject("b", spec.id), TRACE)
    await again.call(ops.CreateObject("b", spec.id, json), TRACE)
    assert await values(ask, spec) == [0] * 4
    await second.sweeper.drain()
    assert not [key for key in await listing(state) if key.startswith(NOTES)]
    with pytest.raises(NotFound):
        await again.call(ops.DeleteObject("b", new_object_id(json["root"], "datasets")), TRACE)
    assert not [key for key in await listing(state) if key.startswith(NOTES)], "no note of what never was"
    await second.close()


async def test_who_makes_it_again_at_once_keeps_what_is_written_then(
    node, ask, written, go, state, monkeypatch
):
    json, spec = written
    real = state.store.delete_all

    async def slow(*args, **more):
        await asyncio.sleep(0.1)
        return await real(*args, **more)

    monkeypatch.setattr(state.store, "delete_all", slow)
    deleting = asyncio.create_task(ask(ops.DeleteObject("b", spec.id)))
    await asyncio.sleep(0.05)
    making = asyncio.create_task(ask(ops.CreateObject("b", spec.id, json)))
    await asyncio.sleep(0.05)
    go.set()
    await asyncio.gather(deleting, making)
    assert await values(ask, spec) == [0] * 4
    await ask(ops.WriteChunks("b", spec, whole((4,)), np.full(4, 2, "<i4")))
    await node.sweeper.drain()
    state.chunks.reader.forget_prefix("b", keys.dataset_prefix(spec.id))
    assert await values(ask, spec) == [2] * 4


async def test_reads_of_what_is_cached_pass_those_that_wait_for_the_store():
    store = Silent()
    node = LocalDataNode(small_state(store, write_budget=1 << 14))
    dataset = DatasetSpec.from_json(
        {
            "id": new_object_id(new_root_id(), "datasets"),
            "type": "H5T_STD_I32LE",
            "shape": {"class": "H5S_SIMPLE", "dims": [1 << 20]},
            "creationProperties": {"layout": {"class": "H5D_CHUNKED", "dims": [1024]}},
        }
    )

    async def read(chunk):
        selection = Hyperslab((chunk * 1024,), (chunk * 1024 + 1024,), (1,))
        (found,) = await node.execute((ops.ReadChunks("b", dataset, selection),), TRACE)
        return found

    values = np.arange(1024, dtype="<i4")
    await node.execute((ops.WriteChunks("b", dataset, Hyperslab((0,), (1024,), (1,)), values),), TRACE)
    store.answers.clear()
    cold = [asyncio.create_task(read(chunk)) for chunk in range(1, 500)]  # far more than the budget of loads
    await asyncio.sleep(0.05)
    assert np.array_equal(await asyncio.wait_for(read(0), 5), values)
    assert not any(task.done() for task in cold)
    store.answers.set()
    assert not np.concatenate(await asyncio.gather(*cold)).any()
    await node.close()
