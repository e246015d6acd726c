"""Values written, read, trimmed and queried through the data node equal numpy's."""

import asyncio

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hsds.datanode.chunkquery import ChunkQuery
from hsds.datanode.chunkread import ChunkReader
from hsds.datanode.chunkwrite import ChunkWriter
from hsds.hdf5.dataset import DatasetSpec
from hsds.hdf5.ids import new_object_id, new_root_id
from hsds.hdf5.query import parse_query
from hsds.hdf5.selection import Hyperslab, Points, numpy_index, whole
from hsds.hdf5.selecttext import parse_select
from hsds.store.memory import MemoryStore
from hsds.transport.ops import QueryChunks, ReadChunks, TrimChunks, UpdateWhere, WriteChunks
from tests.tools.scripted import ScriptedStore
from tests.tools.smallstate import small_state

INT32 = {"class": "H5T_INTEGER", "base": "H5T_STD_I32LE"}
TABLE = {
    "class": "H5T_COMPOUND",
    "fields": [
        {"name": "a", "type": INT32},
        {"name": "b", "type": {"class": "H5T_FLOAT", "base": "H5T_IEEE_F64LE"}},
    ],
}
GZIP = [{"class": "H5Z_FILTER_SHUFFLE", "id": 2}, {"class": "H5Z_FILTER_DEFLATE", "id": 1, "level": 4}]


def spec(dims, chunk, type_=INT32, **props):
    return DatasetSpec.from_json(
        {
            "id": new_object_id(new_root_id(), "datasets"),
            "type": type_,
            "shape": {"class": "H5S_SIMPLE", "dims": list(dims)},
            "creationProperties": {"layout": {"class": "H5D_CHUNKED", "dims": list(chunk)}, **props},
        }
    )


def write(state, dataset, selection, data, fields=None):
    return ChunkWriter(state).write(WriteChunks("b", dataset, selection, data, fields))


def read(state, dataset, selection):
    return ChunkReader(state).read(ReadChunks("b", dataset, selection))


@pytest.mark.parametrize("props", [{}, {"filters": GZIP}, {"fillValue": 7}])
async def test_what_is_written_is_read(state, props):
    dataset, dims = spec((20, 30), (7, 8), **props), (20, 30)
    model = np.full(dims, props.get("fillValue", 0), "<i4")
    assert np.array_equal(await read(state, dataset, whole(dims)), model)
    for text in ("[3:9,4:25]", "[0:20:3,1:30:4]", "[[1,5,19],2:30]", "[[1,5],[29,0]]", "[5,:]", "[0:7,0:8]"):
        selection = parse_select(text, dims)
        data = np.random.default_rng(1).integers(0, 1 << 30, selection.shape, dtype="<i4")
        await write(state, dataset, selection, data)
        model[numpy_index(selection)] = data
        assert np.array_equal(await read(state, dataset, selection), data)
        assert np.array_equal(await read(state, dataset, whole(dims)), model)
    state.chunks.cache.drop(lambda _: True)
    assert np.array_equal(await read(state, dataset, whole(dims)), model), "also from the store"


@st.composite
def slabs(draw, dims):
    axes = []
    for extent in dims:
        start = draw(st.integers(0, extent - 1))
        stop = draw(st.integers(start + 1, extent))
        axes.append((start, stop, draw(st.integers(1, 5))))
    return Hyperslab(*(tuple(part) for part in zip(*axes, strict=True)))


@settings(max_examples=40, deadline=None)
@given(st.lists(slabs((13, 9, 5)), min_size=1, max_size=5), st.tuples(*[st.integers(1, 6)] * 3))
def test_random_slabs_equal_numpy(selections, chunk):
    async def run():
        store = MemoryStore()
        await store.start()
        await store.create_bucket("b")
        state = small_state(store, chunk_cache=2000, write_budget=5000)
        dataset, model = spec((13, 9, 5), chunk), np.zeros((13, 9, 5), "<i4")
        await asyncio.gather(*(write(state, dataset, s, np.full(s.shape, 3, "<i4")) for s in selections))
        for number, selection in enumerate(selections):
            model[numpy_index(selection)] = 3
            await write(state, dataset, selection, np.full(selection.shape, number, "<i4"))
            model[numpy_index(selection)] = number
        await write(state, dataset, selections[0], np.int32(-1))
        model[numpy_index(selections[0])] = -1
        assert np.array_equal(await read(state, dataset, whole(model.shape)), model)
        state.executor.shutdown()

    asyncio.run(run())


async def test_points_keep_their_order(state):
    dataset = spec((50,), (8,))
    await write(state, dataset, whole((50,)), np.arange(50, dtype="<i4"))
    points = Points(np.array([[40], [3], [40], [17]]))
    assert (await read(state, dataset, points)).tolist() == [40, 3, 40, 17]
    await write(state, dataset, points, np.array([1, 2, 3, 4], "<i4"))
    assert (await read(state, dataset, points)).tolist() == [3, 2, 3, 4], (
        "of repeated points the last one stays"
    )


async def test_fields_leave_other_members(state):
    dataset = spec((10,), (4,), TABLE)
    rows = np.array([(i, i / 2) for i in range(10)], dataset.datatype.dtype)
    await write(state, dataset, whole((10,)), rows)
    only = np.array([(9.5,)] * 3, [("b", "<f8")])
    await write(state, dataset, parse_select("[2:5]", (10,)), only, fields=("b",))
    rows["b"][2:5] = 9.5
    assert np.array_equal(await read(state, dataset, whole((10,))), rows)


async def test_a_whole_chunk_write_reads_nothing(state):
    dataset = spec((16,), (8,))
    await write(state, dataset, whole((16,)), np.ones(16, "<i4"))
    state.chunks.cache.drop(lambda _: True)

    async def no_get(*_args, **_kwargs):
        raise AssertionError("a whole-chunk write has nothing to read")

    state.store.get = state.store.get_many = no_get
    await write(state, dataset, whole((16,)), np.full(16, 2, "<i4"))
    assert (await read(state, dataset, whole((16,)))).tolist() == [2] * 16


async def test_concurrent_writers_of_one_chunk_lose_nothing(state):
    dataset = spec((1000,), (1000,))
    await asyncio.gather(
        *(
            write(state, dataset, parse_select(f"[{i}:{i + 1}]", (1000,)), np.array([i], "<i4"))
            for i in range(1000)
        )
    )
    state.chunks.cache.drop(lambda _: True)
    assert np.array_equal(await read(state, dataset, whole((1000,))), np.arange(1000))


async def test_a_body_that_is_one_chunk_is_taken_as_it_is(state):
    dataset = spec((20, 30), (4, 5))
    data = np.frombuffer(np.arange(20, dtype="<i4").tobytes(), "<i4").reshape(4, 5)
    expect = data.copy()
    await asyncio.gather(
        write(state, dataset, parse_select("[0:4,0:5]", (20, 30)), data),
        write(state, dataset, parse_select("[0:1,0:1]", (20, 30)), np.array([[7]], "<i4")),
    )
    assert np.array_equal(data, expect), "what came is left alone"
    expect[0, 0] = 7
    assert np.array_equal(await read(state, dataset, parse_select("[0:4,0:5]", (20, 30))), expect)


class HeldStore(ScriptedStore):
    """PUTs wait for ``go_on``."""

    def __init__(self):
        super().__init__()
        self.go_on = asyncio.Event()
        self.go_on.set()

    async def put(self, *args, **kwargs):
        await self.go_on.wait()
        return await super().put(*args, **kwargs)


@pytest.mark.parametrize("refusals", [0, 1, 2])
@pytest.mark.parametrize("more", [{}, {"flush_max_age": 60.0}], ids=["stored", "flush"])
async def test_a_batch_that_is_applied_again_begins_with_what_was_written(refusals, more):
    store = HeldStore()
    state = small_state(store, **more)
    dataset, selection = spec((4,), (4,), TABLE), whole((4,))
    rows = np.zeros(8, dataset.datatype.dtype)[:4]
    await write(state, dataset, selection, rows)
    await state.flush("b")

    store.go_on.clear()
    op = UpdateWhere("b", dataset, selection, parse_query("a == 0", dataset.datatype), {"a": 5}, limit=1)
    changes = []
    for change in (
        write(state, dataset, selection, rows),  # of which the PUT is under way,
        write(state, dataset, selection, rows),  # while these two wait for the next
        ChunkQuery(state).update(op),
    ):
        changes.append(asyncio.create_task(change))
        await asyncio.sleep(0.01)
    store.script.extend(["busy"] * refusals if more else ["ok", *["busy"] * refusals])
    store.go_on.set()
    *_, hits = await asyncio.gather(*changes)
    await state.flush("b")
    assert not store.script
    assert hits.indices.tolist() == [[0]]
    assert (await read(state, dataset, selection))["a"].tolist() == [5, 0, 0, 0]
    state.chunks.cache.drop(lambda _: True)
    assert (await read(state, dataset, selection))["a"].tolist() == [5, 0, 0, 0]


async def test_a_part_of_a_frame_is_copied(state):
    dataset = spec((20, 30), (4, 5))
    frame = bytearray(np.arange(30, dtype="<i4").tobytes())
    data = np.frombuffer(memoryview(frame)[40:], "<i4").reshape(4, 5)
    expect = data.copy()
    await write(state, dataset, parse_select("[0:4,0:5]", (20, 30)), data)
    frame[:] = bytes(120)
    assert np.array_equal(await read(state, dataset, parse_select("[0:4,0:5]", (20, 30))), expect)


async def test_cached_chunks_are_never_changed_in_place(state):
    dataset = spec((8,), (8,))
    await write(state, dataset, whole((8,)), np.zeros(8, "<i4"))
    view = await read(state, dataset, whole((8,)))
    await write(state, dataset, parse_select("[0:1]", (8,)), np.array([5], "<i4"))
    assert view.tolist() == [0] * 8


@pytest.mark.parametrize("dims", [(20, 30), (7, 8), (3, 30), (20, 1), (0, 30)])
async def test_trim_leaves_fill_outside(state, dims):
    before = (20, 30)
    dataset = spec(before, (7, 8), fillValue=9)
    model = np.arange(600, dtype="<i4").reshape(before)
    await write(state, dataset, whole(before), model)
    await ChunkWriter(state).trim(TrimChunks("b", dataset, before, dims))
    expected = np.full(before, 9, "<i4")
    expected[: dims[0], : dims[1]] = model[: dims[0], : dims[1]]
    assert np.array_equal(await read(state, dataset, whole(before)), expected)
    keys = [info.key async for info in state.store.list_all("b")]
    assert len(keys) == -(-dims[0] // 7) * -(-dims[1] // 8), "chunks outside are gone"


@pytest.mark.parametrize("text", ["[:]", "[5:90:7]", "[[3,80,80,20]]"])
@pytest.mark.parametrize("limit", [0, 1, 4])
async def test_query_finds_absolute_rows_in_order(state, text, limit):
    dataset, dims = spec((100,), (9,), TABLE), (100,)
    rows = np.array([(i % 10, i) for i in range(100)], dataset.datatype.dtype)
    await write(state, dataset, whole(dims), rows)
    selection = parse_select(text, dims)
    query = parse_query("a > 2 AND a < 9", dataset.datatype)
    hits = await ChunkQuery(state).query(QueryChunks("b", dataset, selection, query, limit))
    chosen = np.arange(100)[numpy_index(selection)]
    expected = sorted(i for i in chosen if 2 < i % 10 < 9)[: limit or None]
    assert hits.indices[:, 0].tolist() == expected
    assert np.array_equal(hits.values, rows[expected])


async def test_query_in_two_dimensions_and_unwritten_chunks(state):
    dataset, dims = spec((9, 9), (4, 4)), (9, 9)
    model = np.zeros(dims, "<i4")
    model[1:6, 1:6] = np.arange(25).reshape(5, 5)
    await write(state, dataset, parse_select("[1:6,1:6]", dims), model[1:6, 1:6])
    query = parse_query("_ < 20", dataset.datatype)
    hits = await ChunkQuery(state).query(QueryChunks("b", dataset, whole(dims), query))
    expected = [[i, j] for i in range(8) for j in range(8) if model[i, j] < 20]
    assert hits.indices.tolist() == expected, "chunks never written do not match"


async def test_update_where_with_a_limit_is_exact(state):
    dataset, dims = spec((40,), (7,), TABLE), (40,)
    rows = np.array([(i % 4, i) for i in range(40)], dataset.datatype.dtype)
    await write(state, dataset, whole(dims), rows)
    op = UpdateWhere(
        "b", dataset, parse_select("[3:40]", dims), parse_query("a == 1", dataset.datatype), {"b": -1.0}, 5
    )
    hits = await ChunkQuery(state).update(op)
    assert hits.indices[:, 0].tolist() == [5, 9, 13, 17, 21]
    rows["b"][[5, 9, 13, 17, 21]] = -1
    assert np.array_equal(await read(state, dataset, whole(dims)), rows)
