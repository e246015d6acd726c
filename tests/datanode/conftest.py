"""Parts of a data node over a memory store."""

import pytest

from hsds.datanode.state import make_state
from hsds.store.memory import MemoryStore


@pytest.fixture
async def state():
    store = MemoryStore()
    await store.start()
    await store.create_bucket("b")
    state = make_state(store, metadata_cache=1 << 20, chunk_cache=1 << 20, write_budget=1 << 20, threads=2)
    yield state
    state.executor.shutdown()
