"""What is true of a data node in the process is true of it through a socket: its own tests once more."""

import pytest

from hsds.datanode.node import LocalDataNode
from hsds.transport.base import Trace
from hsds.transport.nodes import DataNodes
from tests.datanode import test_chunks
from tests.datanode.conftest import node, state  # noqa: F401 - the fixtures of those tests
from tests.datanode.test_chunks import *  # noqa: F403 - all of them are run again
from tests.datanode.test_node import *  # noqa: F403 - all of them are run again
from tests.transport.serving import served

# they have no fixture that could be another
del test_random_slabs_equal_numpy  # noqa: F821 - imported above
del test_a_batch_that_is_applied_again_begins_with_what_was_written  # noqa: F821 - imported above


@pytest.fixture(params=["tcp", "unix"])
async def remote(request, state, tmp_path):  # noqa: F811 - of this name, for the tests imported above
    there = LocalDataNode(state)
    async with served(there, socket=tmp_path / "dn.sock" if request.param == "unix" else None) as remote:
        yield remote
    await there.close()


@pytest.fixture
def ask(remote):
    nodes = DataNodes(remote)
    return lambda op: nodes.call(op, Trace("test"))


@pytest.fixture(autouse=True)
def through_the_socket(ask, monkeypatch):
    """The parts of a data node, which those tests ask directly, are asked through the socket."""

    class Part:
        def __init__(self, _state):
            self.read = self.write = self.trim = self.query = self.update = ask

    for name in ("ChunkReader", "ChunkWriter", "ChunkQuery"):
        monkeypatch.setattr(test_chunks, name, Part)
