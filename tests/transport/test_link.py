"""A link carries one exchange after another and never mixes them up, whatever ends one early."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from hsds.transport import linkpool
from hsds.transport.link import Link, LinkError
from hsds.transport.linkpool import LinkPool

GET = b"GET / HTTP/1.1\r\nContent-Length: 0\r\n\r\n"


def answer_of(body, *, head=b""):
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n%s\r\n%s" % (len(body), head, body)


@asynccontextmanager
async def links(serve, *, limit=4):
    """A pool of links to a server: ``serve`` gets the reader and writer of each connection."""
    serving = set()

    async def connected(reader, writer):
        serving.add(asyncio.current_task())
        try:
            await serve(reader, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0, limit=1 << 26)
    pool = LinkPool("127.0.0.1", server.sockets[0].getsockname()[1], limit=limit)
    try:
        yield pool
    finally:
        pool.close()
        server.close()
        for task in serving:
            task.cancel()
        await asyncio.gather(*serving)


def scripted(*answers):
    """Answers requests without bodies on one connection, one after another."""

    async def serve(reader, writer):
        for answer in answers:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(answer)
        await reader.read()

    return serve


async def ask(pool, parts=()):
    """One exchange: status and body."""
    async with pool.link() as link:
        length = sum(len(part) for part in parts)
        await link.send(b"POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % length, parts)
        status, body = await link.answer(), b""
        while data := await link.read():
            body += data
        return status, body


async def echo(reader, writer):
    """Answers each request with its number on this connection and its body."""
    number = 0
    while True:
        head = await reader.readuntil(b"\r\n\r\n")
        body = await reader.readexactly(int(head.rpartition(b"Content-Length: ")[2]))
        writer.write(answer_of(b"%d %s" % (number, body)))
        number += 1


async def test_one_link_carries_one_exchange_after_another():
    async with links(echo) as pool:
        sizes = (0, 1, 65_535, 65_536, 3_000_001)
        answers = [await ask(pool, [bytes(size)]) for size in sizes]
        assert answers == [(200, b"%d %s" % (n, bytes(size))) for n, size in enumerate(sizes)]
        assert repr(pool).endswith("1 links, 1 idle>")


async def test_as_many_links_as_are_asked_at_once_up_to_the_limit():
    async with links(echo, limit=2) as pool:
        answers = await asyncio.gather(*(ask(pool, [b"%d" % n]) for n in range(6)))
        assert [body.partition(b" ")[2] for _, body in answers] == [b"%d" % n for n in range(6)]
        assert repr(pool).endswith("2 links, 2 idle>")


@pytest.mark.parametrize("seen", [b"", b"HTTP/1.1 200", answer_of(bytes(9)), answer_of(bytes(9))[:-5]])
async def test_who_gives_up_leaves_no_answer_to_the_next(seen):
    """However much of the answer had arrived: nothing, a part of its head, all, a part of its body."""
    arrived, connections = asyncio.Event(), 0

    async def serve(reader, writer):
        nonlocal connections
        connections += 1
        await reader.readuntil(b"\r\n\r\n")
        if connections > 1:
            writer.write(answer_of(b"mine"))
            await reader.read()
        writer.write(seen)
        await writer.drain()
        arrived.set()
        await reader.read()

    async with links(serve) as pool:

        async def give_up():
            async with pool.link() as link:
                await link.send(GET, ())
                await arrived.wait()
                await asyncio.sleep(0.05)
                raise TimeoutError

        with pytest.raises(TimeoutError):
            await give_up()
        assert repr(pool).endswith("0 links, 0 idle>")
        assert await ask(pool) == (200, b"mine")


async def test_who_is_cancelled_before_the_answer_leaves_none_to_the_next():
    asked, go_on = asyncio.Event(), asyncio.Event()

    async def serve(reader, writer):
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            body = await reader.readexactly(int(head.rpartition(b"Content-Length: ")[2]))
            asked.set()
            await go_on.wait()
            writer.write(answer_of(body))

    async with links(serve) as pool:
        asking = asyncio.create_task(ask(pool, [b"first"]))
        await asked.wait()
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        second = asyncio.create_task(ask(pool, [b"second"]))
        await asyncio.sleep(0.05)
        go_on.set()
        assert await second == (200, b"second")


async def test_who_is_cancelled_while_values_arrive_has_no_more_written_to_its_memory():
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def serve(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\n" + b"a" * 100_000)
        await writer.drain()
        begun.set()
        await go_on.wait()
        writer.write(b"b" * 100_000)
        await writer.drain()

    place = bytearray(200_000)

    async def fill(pool):
        async with pool.link() as link:
            await link.send(GET, ())
            await link.answer()
            await link.fill(memoryview(place))

    async with links(serve) as pool:
        filling = asyncio.create_task(fill(pool))
        await begun.wait()
        await asyncio.sleep(0.05)
        filling.cancel()
        await asyncio.gather(filling, return_exceptions=True)
        go_on.set()
        await asyncio.sleep(0.05)
        assert place == b"a" * 100_000 + bytes(100_000)
        assert repr(pool).endswith("0 links, 0 idle>")


async def test_an_answer_before_the_request_has_been_sent_ends_the_link():
    """What is left of the request would be taken for the next one's beginning."""

    async def serve(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 413 Too Large\r\nContent-Length: 4\r\n\r\nmuch")
        while await reader.read(1 << 16):
            pass

    async with links(serve) as pool:
        parts = [bytes(1 << 20)] * 64
        assert await ask(pool, parts) == (413, b"much")
        assert repr(pool).endswith("0 links, 0 idle>")


async def test_a_link_that_ended_while_it_was_idle_is_not_used():
    async def serve(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer_of(b"x"))

    async with links(serve) as pool:
        for _ in range(3):
            assert await ask(pool) == (200, b"x")
            await asyncio.sleep(0.05)
            assert repr(pool).endswith("1 links, 1 idle>")


@pytest.mark.parametrize("more", [b"z", answer_of(b"another")])
async def test_a_link_that_says_more_than_it_was_asked_is_not_used(more):
    async with links(scripted(answer_of(b"x") + more, answer_of(b"never"))) as pool:
        assert await ask(pool) == (200, b"x")
        assert await ask(pool) == (200, b"x")
        assert "0 idle" in repr(pool)


async def test_who_says_that_it_closes_is_believed():
    async with links(scripted(answer_of(b"x", head=b"Connection: close\r\n"), b"never")) as pool:
        assert await ask(pool) == (200, b"x")
        assert await ask(pool) == (200, b"x")


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (b"", "the connection is closed"),
        (b"HTTP/1.1 200 OK\r\nContent-", "the connection is closed"),
        (answer_of(bytes(10))[:-1], "the connection is closed"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "no answer of a data node"),
        (b"HTTP/1.1 200 OK\r\n\r\n", "no answer of a data node"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "no answer of a data node"),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", "no answer of a data node"),
        (b"HTTP/1.1 two OK\r\nContent-Length: 0\r\n\r\n", "no answer of a data node"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * (1 << 14) + b"\r\n\r\n", "does not end within 8192 bytes"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * (1 << 20), "does not end within 8192 bytes"),
    ],
)
async def test_what_is_no_whole_answer_is_an_error(said, reason):
    async def serve(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(said)

    async with links(serve) as pool:
        with pytest.raises((LinkError, ConnectionError), match=reason):
            await ask(pool)
        assert repr(pool).endswith("0 links, 0 idle>")


async def test_heads_and_bodies_arrive_in_any_pieces():
    answer = answer_of(b"0123456789" * 3, head=b"X: " + b"y" * 100 + b"\r\n")

    async def serve(reader, writer):
        for size in (1, 7, 50):
            await reader.readuntil(b"\r\n\r\n")
            for at in range(0, len(answer), size):
                writer.write(answer[at : at + size])
                await writer.drain()
                await asyncio.sleep(0)
        await reader.read()

    async with links(serve) as pool:
        for _ in range(3):
            assert await ask(pool) == (200, b"0123456789" * 3)


async def test_nobody_reads_and_the_sender_waits():
    """What arrives before it is asked for takes no more memory than there is room for."""
    sent = 0

    async def serve(reader, writer):
        nonlocal sent
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (64 << 20))
        for _ in range(64):
            writer.write(bytes(1 << 20))
            await writer.drain()
            sent += 1
        await reader.read()

    async with links(serve) as pool, pool.link() as link:
        await link.send(GET, ())
        assert await link.answer() == 200
        await asyncio.sleep(0.2)
        assert sent < 32
        place = bytearray(1 << 20)
        await link.fill(memoryview(place))
        while link.left:
            assert await link.read()
        assert link.fit
        assert sent == 64


async def test_more_than_the_body_has_is_not_waited_for():
    async with links(scripted(answer_of(b"abc"))) as pool, pool.link() as link:
        await link.send(GET, ())
        await link.answer()
        with pytest.raises(LinkError, match="ends before the value"):
            await link.fill(memoryview(bytearray(4)))


async def test_a_closed_pool_ends_what_is_under_way_and_asks_nobody():
    asked = asyncio.Event()

    async def serve(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        asked.set()
        await reader.read()

    async with links(serve, limit=1) as pool:
        asking = [asyncio.create_task(ask(pool)) for _ in range(3)]
        await asked.wait()
        pool.close()
        ended = await asyncio.wait_for(asyncio.gather(*asking, return_exceptions=True), 5)
        assert all(isinstance(error, ConnectionError) for error in ended)
        assert repr(pool).endswith("0 links, 0 idle>")


async def test_a_value_that_is_under_way_when_the_pool_closes_is_not_taken_for_whole():
    half = b"HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\n" + bytes(100_000)
    async with links(scripted(half)) as pool, pool.link() as link:
        await link.send(GET, ())
        await link.answer()
        filling = asyncio.create_task(link.fill(memoryview(bytearray(200_000))))
        await asyncio.sleep(0.05)
        pool.close()
        with pytest.raises(LinkError):
            await asyncio.wait_for(filling, 5)


async def test_a_rush_leaves_some_links_and_not_all():
    together = asyncio.Barrier(200)

    async def serve(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        await together.wait()
        writer.write(answer_of(b"x"))
        await reader.read()

    async with links(serve, limit=200) as pool:
        await asyncio.gather(*(ask(pool) for _ in range(200)))
        assert repr(pool).endswith("64 links, 64 idle>")


async def test_old_links_are_closed_though_nobody_asks_again(monkeypatch):
    monkeypatch.setattr(linkpool, "_KEEPALIVE", 0.1)
    ended = asyncio.Event()

    async def serve(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer_of(b"x"))
        await reader.read()
        ended.set()

    async with links(serve) as pool:
        await ask(pool)
        await asyncio.wait_for(ended.wait(), 5)
        assert repr(pool).endswith("0 links, 0 idle>")


async def test_a_link_tells_its_state():
    async with links(scripted(answer_of(b"x"))) as pool, pool.link() as link:
        assert repr(link) == "<Link fit, 0 bytes received>"
        await link.send(GET, ())
        assert repr(link) == "<Link in use, 0 bytes received>"
        await link.answer()
        assert isinstance(link, Link)
        link.close()
        await asyncio.sleep(0)
        assert repr(link).startswith("<Link lost")
