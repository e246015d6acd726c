"""What memory holds of one chunk is read without waiting."""

import asyncio

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hsds.datanode.chunkread import ChunkReader
from hsds.datanode.node import LocalDataNode
from hsds.hdf5.chunking import pieces
from hsds.hdf5.selection import whole
from hsds.hdf5.selecttext import parse_select
from hsds.store.memory import MemoryStore
from hsds.transport.base import Trace
from hsds.transport.ops import ReadChunks
from tests.datanode.test_chunks import read, slabs, spec, write
from tests.tools.smallstate import small_state


async def test_what_is_in_memory_of_one_chunk_is_known_at_once(state):
    dataset = spec((20, 30), (10, 30))
    await write(state, dataset, whole((20, 30)), np.arange(600, dtype="<i4").reshape(20, 30))

    def known(text):
        values = ChunkReader(state).known(ReadChunks("b", dataset, parse_select(text, (20, 30))))
        return None if values is None else values.tolist()

    state.chunks.cache.drop(lambda _: True)
    assert known("[0:2,0:2]") is None, "not in memory"
    await read(state, dataset, whole((20, 30)))
    assert known("[0:2,0:2]") == [[0, 1], [30, 31]]
    assert known("[10:20:9,0:1]") == [[300], [570]]
    assert known("[9:11,0:1]") is None, "two chunks"
    assert known("[[1,3],0:1]") is None, "no hyperslab"


async def test_large_copies_from_one_chunk_are_not_made_at_once():
    store = MemoryStore()
    await store.create_bucket("b")
    state = small_state(store, chunk_cache=8 << 20, write_budget=64 << 20)
    dataset = spec((1024, 1024), (1024, 1024))
    data = np.arange(1 << 20, dtype="<i4").reshape(1024, 1024)
    await write(state, dataset, whole((1024, 1024)), data)
    await read(state, dataset, whole((1024, 1024)))
    strided = ReadChunks("b", dataset, parse_select("[:,0:1000]", (1024, 1024)))
    assert ChunkReader(state).known(strided) is None
    assert np.array_equal(await read(state, dataset, strided.selection), data[:, :1000])
    rows = ReadChunks("b", dataset, parse_select("[1:1024,:]", (1024, 1024)))
    known = ChunkReader(state).known(rows)
    assert known is not None, "but what lies in one piece needs no copy"
    assert np.array_equal(known, data[1:])


async def test_a_chunk_larger_than_the_cache_is_read_once():
    store = MemoryStore()
    await store.create_bucket("b")
    state = small_state(store, chunk_cache=1000, write_budget=64 << 20)
    dataset = spec((100, 100), (100, 100))
    await write(state, dataset, whole((100, 100)), np.arange(10_000, dtype="<i4").reshape(100, 100))
    asked, get_many = [], store.get_many

    async def counted(bucket, names):
        asked.append(names)
        return await get_many(bucket, names)

    store.get_many = counted
    values = await read(state, dataset, parse_select("[0:2,0:2]", (100, 100)))
    assert values.tolist() == [[0, 1], [100, 101]]
    assert len(asked) == 1


@pytest.mark.parametrize("times", [1, 2])
async def test_a_look_for_what_is_not_there_is_counted_once(state, times):
    dataset = spec((20,), (20,))
    await write(state, dataset, whole((20,)), np.arange(20, dtype="<i4"))
    state.chunks.cache.drop(lambda _: True)
    before = state.chunks.cache.misses
    node = LocalDataNode(state)
    for _ in range(times):
        await node.execute([ReadChunks("b", dataset, whole((20,)))], Trace("t"))
    assert state.chunks.cache.misses == before + 1
    await node.close()


@settings(max_examples=60, deadline=None)
@given(slabs((13, 9, 5)), st.tuples(*[st.integers(1, 9)] * 3), st.booleans())
def test_what_is_known_is_what_is_read(selection, chunk, filled):
    async def run():
        store = MemoryStore()
        await store.create_bucket("b")
        state, dims = small_state(store), (13, 9, 5)
        dataset = spec(dims, chunk, fillValue=7)
        if filled:
            await write(state, dataset, whole(dims), np.arange(13 * 9 * 5, dtype="<i4").reshape(dims))
        values = await read(state, dataset, selection)
        known = ChunkReader(state).known(ReadChunks("b", dataset, selection))
        one_chunk = len(pieces(selection, dataset.chunk_shape)) == 1
        if known is None:  # a stop behind the last element may lie in the next chunk
            assert not one_chunk or max(selection.step) > 1
        else:
            assert one_chunk
            assert known.dtype == values.dtype
            assert np.array_equal(known, values)
        state.executor.shutdown()

    asyncio.run(run())
