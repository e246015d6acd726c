"""A data node over HTTP: refusals, faults of the network, and what large values cost."""

import asyncio
import time
import tracemalloc
from contextlib import asynccontextmanager

import aiohttp
import numpy as np
import pytest

from hsds.budget import ByteBudget
from hsds.cluster.membership import Word
from hsds.cluster.view import Member, changed, first_view
from hsds.datanode.node import LocalDataNode
from hsds.errors import HsdsError, NotFound, NotOwner, NotReachable, Unavailable
from hsds.hdf5.dataset import DatasetSpec
from hsds.hdf5.ids import new_object_id, new_root_id
from hsds.hdf5.selection import Hyperslab, whole
from hsds.transport import ops
from hsds.transport.base import DataNode, Trace
from hsds.transport.frames import Frame
from hsds.transport.remote import EXECUTE, Connections
from hsds.transport.signing import HEADER, WINDOW
from hsds.transport.words import HttpPeers, newer_view, ping
from tests.datanode.conftest import state  # noqa: F401 - a fixture
from tests.transport.serving import Stand, app_of, running, served, signer

ROOT = new_root_id()
VIEW = changed(first_view("c", epoch=4), join=Member("me", "10.0.0.1", 6101))


def spec(count):
    return DatasetSpec.from_json(
        {
            "id": new_object_id(ROOT, "datasets"),
            "type": "H5T_STD_I32LE",
            "shape": {"class": "H5S_SIMPLE", "dims": [count]},
            "creationProperties": {"layout": {"class": "H5D_CHUNKED", "dims": [1 << 18]}},
        }
    )


class Node(DataNode):
    """Does what a test says with each batch."""

    name = "dn"

    def __init__(self, act):
        self.act = act
        self.traces = []

    async def execute(self, batch, trace):
        self.traces.append(trace)
        return await self.act(batch)


@asynccontextmanager
async def a_client(app):
    """A general HTTP client of a data node."""
    async with running(app) as (host, port), aiohttp.ClientSession(f"http://{host}:{port}") as client:
        yield client


async def refuse(batch):
    return [NotOwner("not here")] * len(batch)


async def nothing(batch):
    return [None] * len(batch)


async def forever(batch):
    await asyncio.Event().wait()


FLUSH = ops.Flush("b", ROOT)


async def test_the_trace_arrives():
    node = Node(nothing)
    async with served(node) as remote:
        await remote.execute((FLUSH,), Trace("r-9", time.monotonic() + 30, 12))
    (trace,) = node.traces
    assert (trace.request_id, trace.epoch) == ("r-9", 12)
    assert 29 < trace.deadline - time.monotonic() < 30


async def test_errors_take_the_places_of_results(state):  # noqa: F811 - the fixture above
    async with served(LocalDataNode(state)) as remote:
        missing = ops.GetObject("b", new_object_id(ROOT, "groups"))
        first, second = await remote.execute((missing, ops.ListDomains("b", "/")), Trace("r"))
    assert isinstance(first, NotFound)
    assert second == []


async def test_who_is_no_owner_answers_421_with_its_view():
    seen, stand = [], Stand()
    stand.view = VIEW
    connections = Connections(signer(), learned=seen.append)
    async with served(Node(refuse), stand, connections=connections) as remote:
        results = await remote.execute((FLUSH, FLUSH), Trace("r"))
    assert [type(result) for result in results] == [NotOwner, NotOwner]
    assert seen == [VIEW]


# -- who is not reached ------------------------------------------------------------------------------


@asynccontextmanager
async def raw_server(answer):
    """A server of bytes: ``answer`` gets the reader and writer of each connection."""

    async def connected(reader, writer):
        await answer(reader, writer)
        writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    connections = Connections(signer())
    try:
        yield connections.node("127.0.0.1", server.sockets[0].getsockname()[1])
    finally:
        await connections.close()
        server.close()


async def read_head(reader):
    await reader.readuntil(b"\r\n\r\n")


async def hang_up(reader, writer):
    await read_head(reader)


async def die_in_the_reply(reader, writer):
    await read_head(reader)
    frame = b"".join(Frame(b'{"results":[{"is":[0,[1000000]]}]}', [bytes(4_000_000)]).parts())
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(frame) + frame[:1_000_000])
    await writer.drain()


async def talk_nonsense(reader, writer):
    await read_head(reader)
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n" + b"x" * 20)


async def speak_another_version(reader, writer):
    await read_head(reader)
    frame = b"".join(Frame(b"{}", version=9).parts())
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(frame) + frame)


async def not_http(reader, writer):
    await read_head(reader)
    writer.write(b"SSH-2.0-OpenSSH\r\n")


async def a_proxy(reader, writer):
    await read_head(reader)
    writer.write(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")


@pytest.mark.parametrize(
    "answer", [hang_up, die_in_the_reply, talk_nonsense, speak_another_version, not_http, a_proxy]
)
@pytest.mark.parametrize("out", [True, False])
async def test_no_answer_is_told_from_an_answer(answer, out):
    target = np.zeros(1_000_000, "<i4") if out else None
    async with raw_server(answer) as remote:
        with pytest.raises(NotReachable, match=r"the data node 127\.0\.0\.1:\d+ "):
            await remote.execute((ops.ReadChunks("b", spec(10**6), whole((10**6,)), target),), Trace("r"))


async def test_nobody_listens():
    connections = Connections(signer())
    for address in (("127.0.0.1", 9), ("/nowhere/x.sock", 0), ("::1", 9)):
        with pytest.raises(NotReachable, match="is not reached"):
            await connections.node(*address).execute((FLUSH,), Trace("r"))
    await connections.close()


async def test_the_deadline_bounds_the_wait():
    async with served(Node(forever)) as remote:
        for left in (0.2, -1.0):
            async with asyncio.timeout(60):  # the node never answers
                with pytest.raises(NotReachable):
                    await remote.execute((FLUSH,), Trace("r", time.monotonic() + left))


async def test_a_cancelled_request_leaves_its_connection():
    gate = asyncio.Event()

    async def wait(batch):
        await gate.wait()
        return [None]

    async with served(Node(wait)) as remote:
        asking = asyncio.create_task(remote.execute((FLUSH,), Trace("r")))
        await asyncio.sleep(0.1)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        gate.set()
        assert list(await remote.execute((FLUSH,), Trace("r"))) == [None]


async def test_who_gives_up_leaves_no_answer_to_others():
    """Each answer says what was asked; many ask at once, and half of them lose their patience."""

    async def say_who(batch):
        await asyncio.sleep(0.01 * (batch[0].selection.start[0] % 5))
        return [np.full(1, batch[0].selection.start[0], "<i4")]

    dataset = spec(1000)

    async def ask(remote, n):
        op = ops.ReadChunks("b", dataset, Hyperslab((n,), (n + 1,), (1,)))
        left = 0.02 if n % 2 else 10.0
        try:
            (found,) = await remote.execute((op,), Trace("r", time.monotonic() + left))
        except NotReachable:
            return n
        return int(found[0])

    connections = Connections(signer(), limit_per_host=4)
    async with served(Node(say_who), connections=connections) as remote:
        for first in range(0, 1000, 100):
            numbers = range(first, first + 100)
            assert await asyncio.gather(*(ask(remote, n) for n in numbers)) == list(numbers)


async def test_questions_for_what_is_cached_pass_those_for_what_is_not():
    release = asyncio.Event()

    async def answer(batch):
        if batch[0].selection.start[0]:
            await release.wait()
        return [np.zeros(1, "<i4")]

    def read(place):
        return ops.ReadChunks("b", spec(10), Hyperslab((place,), (place + 1,), (1,)))

    async with served(Node(answer)) as remote:
        cold = [asyncio.create_task(remote.execute((read(1),), Trace("r"))) for _ in range(300)]
        await asyncio.sleep(0.5)
        await asyncio.wait_for(remote.execute((read(0),), Trace("r")), 5)
        assert not any(task.done() for task in cold)
        release.set()
        await asyncio.gather(*cold)


async def test_a_node_that_restarts_is_found_again():
    connections = Connections(signer())
    async with running(app_of(Node(nothing))) as address:
        await connections.node(*address).execute((FLUSH,), Trace("r"))
    with pytest.raises(NotReachable):
        await connections.node(*address).execute((FLUSH,), Trace("r"))
    await connections.close()


# -- who is not believed, and what is not understood -------------------------------------------------


@pytest.mark.parametrize(
    "other",
    [signer(b"another secret of nodes"), signer(clock=lambda: time.time() - WINDOW - 5)],
)
async def test_wrong_and_old_signatures_are_refused(other):
    node = Node(nothing)
    async with served(node, connections=Connections(other)) as remote:
        with pytest.raises(Unavailable, match="does not believe our signature: the signature is not valid"):
            await remote.execute((FLUSH,), Trace("r"))
    assert node.traces == []


@pytest.mark.parametrize(("method", "path"), [("POST", "/execute"), ("POST", "/word"), ("GET", "/view")])
async def test_without_a_signature_nothing_is_told(method, path):
    data = b"x" if method == "POST" else None
    async with a_client(app_of(Node(nothing))) as client, client.request(method, path, data=data) as response:
        assert response.status == 401
        assert await response.text() == "requests between nodes are signed"


@pytest.mark.parametrize(
    ("body", "status", "text"),
    [
        (b"", 400, "ends before"),
        (b"x" * 100, 400, "not a frame"),
        (b"".join(Frame(b"{}").parts()), 400, "cannot be read"),
        (b"".join(Frame(b"{").parts()), 400, "not JSON"),
        (b"".join(Frame(b"{}").parts()) + b"x", 400, "goes on"),
        (b"".join(Frame(b"{}", version=3).parts()), 501, "version 3 is not spoken here, 1 to 1 are"),
        (b"".join(Frame(b'{"request":"r","ops":[["GetMoon",{}]]}').parts()), 501, "GetMoon"),
        (bytes(3000), 413, "3000 bytes"),
    ],
)
async def test_bad_frames_are_refused_by_what_is_wrong(body, status, text):
    headers = {HEADER: signer().sign("POST", EXECUTE, None)}
    async with (
        a_client(app_of(Node(nothing), body_limit=2000)) as client,
        client.post(EXECUTE, data=body, headers=headers) as response,
    ):
        assert response.status == status
        assert text in await response.text()


async def test_another_version_is_waited_for_and_a_bad_request_is_not(monkeypatch):
    async with served(Node(nothing)) as remote:
        wire = remote._connections.wire
        for frame, kind in ((Frame(b"{}", version=2), Unavailable), (Frame(b"{}"), HsdsError)):
            monkeypatch.setattr(wire, "put_request", lambda *_, frame=frame: frame)
            with pytest.raises(HsdsError) as caught:
                await remote.execute((FLUSH,), Trace("r"))
            assert type(caught.value) is kind


# -- large values ------------------------------------------------------------------------------------


async def test_large_values_both_ways(state):  # noqa: F811 - the fixture above
    count = 3_000_000
    dataset, data = spec(count), np.arange(count, dtype="<i4")
    async with served(LocalDataNode(state)) as remote:
        (written,) = await remote.execute((ops.WriteChunks("b", dataset, whole((count,)), data),), Trace("r"))
        assert written is None
        out = np.empty_like(data)
        (read,) = await remote.execute((ops.ReadChunks("b", dataset, whole((count,)), out),), Trace("r"))
        assert read is out
        assert np.array_equal(out, data)
        (read,) = await remote.execute((ops.ReadChunks("b", dataset, whole((count,))),), Trace("r"))
        assert np.array_equal(read, data)


async def test_a_large_answer_is_not_held_twice():
    data = np.ones(8_000_000, "<i4")

    async def answer(batch):
        return [data]

    op = ops.ReadChunks("b", spec(data.size), whole(data.shape), np.empty_like(data))
    async with served(Node(answer), answers=ByteBudget(1 << 30)) as remote:
        await remote.execute((op,), Trace("r"))
        tracemalloc.start()
        await remote.execute((op,), Trace("r"))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert np.array_equal(op.out, data)
    assert peak < data.nbytes / 2, "both sides together hold windows of it, never the whole"


async def test_small_requests_pass_large_ones_that_wait():
    started, release = asyncio.Event(), asyncio.Event()

    async def answer(batch):
        if batch[0].selection.npoints > 100:
            started.set()
            await release.wait()
        return [np.zeros(batch[0].selection.npoints, "<i4")]

    large = ops.ReadChunks("b", spec(10**6), whole((10**6,)))
    small = ops.ReadChunks("b", spec(100), whole((100,)))
    async with served(Node(answer), answers=ByteBudget(10)) as remote:
        waiting = [asyncio.create_task(remote.execute((large,), Trace("r"))) for _ in range(3)]
        await started.wait()
        await asyncio.wait_for(remote.execute((small,), Trace("r")), 2)
        release.set()
        await asyncio.gather(*waiting)


# -- words, views, probes ----------------------------------------------------------------------------


async def test_words_are_exchanged():
    stand = Stand()
    stand.view = VIEW
    connections = Connections(signer())
    async with served(Node(nothing), stand, connections=connections) as remote:
        address, port = remote.name.split(":")
        member = Member("me", address, int(port))
        word = Word("other", first_view("c", epoch=3), -1)
        assert await HttpPeers(connections).exchange(member, word) == Word("me", VIEW, 7)
        assert stand.heard == [word]
        assert await HttpPeers(connections).exchange(member, Word("x", None, 5)) == Word("me", VIEW, 7)
        assert await ping(connections, member, {"id": "sn"}, within=1) == {"uid": "me"}
        with pytest.raises(NotReachable, match="there is another data node now"):
            await HttpPeers(connections).exchange(Member("former", address, int(port)), word)


async def test_a_view_is_told_as_soon_as_it_is_there():
    stand = Stand()
    connections = Connections(signer())
    async with served(Node(nothing), stand, connections=connections) as remote:
        address, port = remote.name.split(":")
        member = Member("me", address, int(port))
        stand.waiting = asyncio.get_running_loop().create_future()
        assert await newer_view(connections, member, after=-1, wait=0.05, within=1) is None
        stand.waiting = asyncio.get_running_loop().create_future()
        asking = asyncio.create_task(newer_view(connections, member, after=-1, wait=5, within=1))
        await asyncio.sleep(0.1)
        stand.waiting.set_result(VIEW)
        assert await asking == VIEW
        stand.view = VIEW
        assert await newer_view(connections, member, after=4, wait=5, within=1) == VIEW
        assert await newer_view(connections, member, after=5, wait=0, within=1) is None


async def test_probes_and_metrics_need_no_signature():
    stand = Stand()
    async with a_client(app_of(Node(nothing), stand)) as client:

        async def status(path):
            async with client.get(path) as response:
                return response.status

        assert [await status(path) for path in ("/livez", "/readyz", "/startupz", "/info")] == [200] * 4
        stand.ready = stand.started = False
        assert [await status(path) for path in ("/livez", "/readyz", "/startupz")] == [200, 503, 503]
        async with client.get("/metrics") as response:
            assert "hsds_http_requests_total" in await response.text()


async def test_what_nodes_ask_is_counted_by_route_and_status():
    app = app_of(Node(nothing))
    async with served(Node(nothing), app=app) as remote:
        await remote.execute((FLUSH,), Trace("r"))
    async with served(Node(nothing), app=app, connections=Connections(signer(b"another one"))) as remote:
        with pytest.raises(Unavailable):
            await remote.execute((FLUSH,), Trace("r"))
    page = app.metrics.render().decode()
    for status in (200, 403):
        assert f'hsds_http_requests_total{{method="POST",route="/execute",status="{status}"}} 1.0' in page
