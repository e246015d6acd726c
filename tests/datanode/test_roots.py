"""Counts of what a root stores, and HSDS's scan results: right at once, never outdated."""

import asyncio
import hashlib

import numpy as np
import pytest

from hsds.hdf5 import keys
from hsds.hdf5.create import new_dataset, new_group
from hsds.hdf5.dataset import DatasetSpec
from hsds.hdf5.ids import new_object_id, new_root_id
from hsds.hdf5.jsontext import loads
from hsds.hdf5.layout import LayoutLimits
from hsds.hdf5.selecttext import parse_select
from hsds.transport import ops
from hsds.transport.base import Trace

TRACE = Trace("test")


@pytest.fixture
def listings(state, monkeypatch):
    """How often the store was asked for a listing."""
    asked = []
    plain = state.store.list

    async def listing(bucket, prefix="", **options):
        asked.append(prefix)
        return await plain(bucket, prefix, **options)

    monkeypatch.setattr(state.store, "list", listing)
    return asked


@pytest.fixture
async def root(ask):
    root = new_root_id()
    await ask(ops.CreateObject("b", root, new_group({}, root, root, 1.0)))
    return root


async def make_dataset(ask, root, shape=(100,), chunks=(10,), type_="H5T_STD_I32LE"):
    body = {"type": type_, "shape": list(shape), "maxdims": [0] * len(shape),
            "creationProperties": {"layout": {"class": "H5D_CHUNKED", "dims": list(chunks)}}}  # fmt: skip
    json = new_dataset(body, root, new_object_id(root, "datasets"), 1.0, limits=LayoutLimits())
    await ask(ops.CreateObject("b", json["id"], json))
    return DatasetSpec.from_json(json)


async def write(ask, spec, select):
    selection = parse_select(select, (100,))
    await ask(ops.WriteChunks("b", spec, selection, np.arange(selection.npoints, dtype="<i4")))


async def test_figures_follow_every_change_and_are_remembered(ask, root, listings):
    spec = await make_dataset(ask, root)
    stats = await ask(ops.GetRootStats("b", root, logical=True))
    assert (stats.num_groups, stats.num_datasets, stats.num_datatypes, stats.num_chunks) == (1, 1, 0, 0)
    assert stats.datasets[spec.id].logical_bytes == 400

    await write(ask, spec, "[0:25]")
    assert (await ask(ops.GetDatasetStats("b", root, spec.id))).num_chunks == 3
    first = await ask(ops.GetRootStats("b", root))
    assert (first.num_chunks, first.allocated_bytes) == (3, 120)
    listings.clear()
    assert await ask(ops.GetRootStats("b", root)) is first
    assert (await ask(ops.GetDatasetStats("b", root, spec.id))).allocated_bytes == 120
    assert not listings, "nothing changed"

    await write(ask, spec, "[2:7]")  # as many chunks as before, but another content
    second = await ask(ops.GetRootStats("b", root))
    assert second.md5_sum != first.md5_sum
    await ask(ops.TrimChunks("b", spec, (100,), (10,)))
    assert (await ask(ops.GetRootStats("b", root))).num_chunks <= 3
    other = new_object_id(root, "groups")
    await ask(ops.CreateObject("b", other, new_group({}, root, other, 1.0)))
    assert (await ask(ops.GetRootStats("b", root))).num_groups == 2
    await ask(ops.DeleteObject("b", spec.id))
    gone = await ask(ops.GetRootStats("b", root))
    assert (gone.num_datasets, gone.num_chunks, gone.allocated_bytes) == (0, 0, 0), "its chunks are waste"


async def test_what_is_counted_during_a_write_is_not_remembered(ask, root, state, monkeypatch):
    spec = await make_dataset(ask, root)
    plain, in_put = state.store.put, asyncio.Event()
    release = asyncio.Event()

    async def slow(bucket, key, data, **conditions):
        in_put.set()
        await release.wait()
        return await plain(bucket, key, data, **conditions)

    monkeypatch.setattr(state.store, "put", slow)
    writing = asyncio.create_task(write(ask, spec, "[0:10]"))
    await in_put.wait()
    assert (await ask(ops.GetRootStats("b", root))).num_chunks == 0
    release.set()
    await writing
    assert (await ask(ops.GetRootStats("b", root))).num_chunks == 1


async def test_the_md5_is_that_of_hsds(ask, root, state):
    """16 characters of each ETag in the order of ids; verified with what HSDS 0.9.4 and 1.0.2 write."""
    spec = await make_dataset(ask, root)
    await write(ask, spec, "[0:20]")
    etags = {}
    async for info in state.store.list_all("b", keys.root_prefix(root)):
        parsed = keys.parse_key(info.key)
        name = parsed.id if parsed.index is None else f"c{parsed.id[1:]}_{parsed.index[0]}"
        etags[name] = info.etag
    slots = b"".join(etags[name].encode()[:16].ljust(16, b"\0") for name in sorted(etags))
    assert (await ask(ops.GetRootStats("b", root))).md5_sum == hashlib.md5(slots).hexdigest()


async def info_of(state, root):
    return loads((await state.store.get("b", keys.info_key(root))).data)


async def test_rescan_writes_what_hsds_would_and_the_next_change_removes_it(ask, root, state):
    spec = await make_dataset(ask, root)
    await write(ask, spec, "[0:25]")
    for _ in range(2):
        await ask(ops.Rescan("b", root))
        info = await info_of(state, root)
        assert set(info) == {
            "lastModified", "num_groups", "num_datatypes", "datasets", "num_chunks", "allocated_bytes",
            "metadata_bytes", "num_linked_chunks", "linked_bytes", "logical_bytes", "bucket", "scan_start",
            "md5_sum", "scan_complete",
        }  # fmt: skip
        assert set(info["datasets"][spec.id]) == {
            "lastModified", "num_chunks", "allocated_bytes", "logical_bytes", "linked_bytes",
            "num_linked_chunks",
        }  # fmt: skip
        assert (info["num_groups"], info["num_chunks"], info["logical_bytes"]) == (1, 3, 400)
        assert info["scan_complete"] >= info["scan_start"]
        await write(ask, spec, "[0:5]")
        with pytest.raises(LookupError):
            await info_of(state, root)


async def test_the_first_change_here_deletes_the_scans_of_hsds(ask, root, state):
    spec = await make_dataset(ask, root)
    for change in (
        write(ask, spec, "[0:1]"),
        ask(ops.UpdateLinks("b", root, {"x": {"class": "H5L_TYPE_SOFT", "h5path": "/y", "created": 1.0}})),
        ask(ops.Resize("b", spec.id, dims=(50,))),
        ask(ops.DeleteObject("b", spec.id)),
        ask(ops.DeleteRoot("b", root)),
    ):
        state.scans.__init__(state.store)  # as a process that has not changed this root yet
        for key in (keys.info_key(root), keys.summary_key(root)):
            await state.store.put("b", key, b"{}")
        assert (await ask(ops.GetRootStats("b", root))).num_groups == 1
        await state.store.head("b", keys.info_key(root))  # reading leaves them
        await change
        for key in (keys.info_key(root), keys.summary_key(root)):
            with pytest.raises(LookupError):
                await state.store.head("b", key)


async def test_no_scan_result_outlives_changes_that_come_while_it_is_written(ask, root, state):
    spec = await make_dataset(ask, root)
    for _ in range(20):
        await asyncio.gather(
            ask(ops.Rescan("b", root)), write(ask, spec, "[0:30]"), ask(ops.Rescan("b", root)),
            write(ask, spec, "[20:60]"), ask(ops.Rescan("b", root)),
        )  # fmt: skip
        try:
            info = await info_of(state, root)
        except LookupError:
            continue
        stats = await ask(ops.GetRootStats("b", root, logical=True))
        assert info["md5_sum"] == stats.md5_sum


async def test_a_refused_create_of_a_root_does_not_hide_its_scan(ask, root, state):
    state.scans.__init__(state.store)
    await ask(ops.Rescan("b", root))
    assert not (await ask(ops.CreateObject("b", root, new_group({}, root, root, 1.0)))).new
    assert (await info_of(state, root))["num_groups"] == 1
