"""Parts of a data node over a memory store."""

import pytest

from hsds.datanode.node import LocalDataNode
from hsds.store.memory import MemoryStore
from hsds.transport.base import Trace
from hsds.transport.nodes import DataNodes
from tests.tools.smallstate import small_state


@pytest.fixture
async def state():
    store = MemoryStore()
    await store.start()
    await store.create_bucket("b")
    state = small_state(store, threads=2)
    yield state
    state.executor.shutdown()


@pytest.fixture
async def node(state):
    node = LocalDataNode(state)
    yield node
    await node.close()


@pytest.fixture
def ask(node):
    """Ask ``node`` one operation."""
    nodes = DataNodes(node)
    return lambda op: nodes.call(op, Trace("test"))
