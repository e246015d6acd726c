"""Who accepts links: one request after another, strangers handed over, and an end of everything."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from hsds.transport import linkserver
from hsds.transport.linkserver import LinkServer

HEAD = b"POST /execute HTTP/1.1\r\nHost: x\r\nAuthorization: signed\r\nContent-Length: %d\r\n\r\n"


class Stranger(asyncio.Protocol):
    """Says what it got."""

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.transport.write(b"got " + data)


async def echo(exchange):
    body = b""
    while data := await exchange.read():
        body += data
    await exchange.answer(200, (b"%d " % exchange.length, body), content_type="x/y")


async def told(exchange):
    text = f"{exchange.method} {exchange.path} {exchange.query} {exchange.signature}".encode()
    await exchange.answer(200, (text,), content_type="text/plain")


@asynccontextmanager
async def serving(handler=echo):
    """The server, and a reader and a writer to it."""
    routes = {"POST /execute": handler, "GET /view": told}
    server = LinkServer(routes, Stranger)
    listener = await asyncio.get_running_loop().create_server(server, "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*listener.sockets[0].getsockname()[:2])
    try:
        yield server, reader, writer
    finally:
        writer.close()
        listener.close()
        await server.close(1.0)


async def answered(reader):
    """Status line, headers and body of one answer."""
    first, *lines = (await reader.readuntil(b"\r\n\r\n"))[:-4].split(b"\r\n")
    headers = dict(line.split(b": ") for line in lines)
    return first, headers, await reader.readexactly(int(headers[b"Content-Length"]))


async def test_one_request_after_another_and_several_at_once():
    async with serving() as (_, reader, writer):
        sizes = (0, 1, 70_000, 3_000_000)
        for size in sizes:
            writer.write(HEAD % size + bytes(size))
            first, _, body = await answered(reader)
            assert (first, body) == (b"HTTP/1.1 200 OK", b"%d " % size + bytes(size))
        writer.writelines(HEAD % 2 + b"%02d" % n for n in range(50))
        assert [(await answered(reader))[2] for _ in range(50)] == [b"2 %02d" % n for n in range(50)]


async def test_a_question_without_a_body():
    async with serving() as (_, reader, writer):
        for line in (b"GET /view?after=3&wait=1 HTTP/1.1\r\n", b"GET /view HTTP/1.1\r\n"):
            writer.write(line + b"authorization: me\r\n\r\n")
        assert [(await answered(reader))[2] for _ in range(2)] == [
            b"GET /view after=3&wait=1 me",
            b"GET /view  me",
        ]


async def test_many_questions_in_one_piece():
    async with serving() as (_, reader, writer):
        writer.write(b"GET /view HTTP/1.1\r\nHost: x\r\n\r\n" * 2000)
        answers = [(await asyncio.wait_for(answered(reader), 10))[2] for _ in range(2000)]
        assert set(answers) == {b"GET /view  None"}


async def test_a_request_that_comes_byte_by_byte():
    async with serving() as (_, reader, writer):
        for byte in HEAD % 3 + b"abc":
            writer.write(bytes((byte,)))
            await asyncio.sleep(0.001)
        assert (await answered(reader))[2] == b"3 abc"


@pytest.mark.parametrize(
    "sent",
    [
        b"GET /execute HTTP/1.1\r\n\r\n",
        b"POST /execute HTTP/1.0\r\n\r\n",
        b"POST /executed HTTP/1.1\r\n",
        b"POST /exec\r\n",
        b"POST /execute\r\n\r\n",
        b"P\r\n",
        b"\x00",
        b"GET /view" + b"x" * 3000,
    ],
)
async def test_whoever_does_not_send_frames_is_handed_over_with_all_that_came(sent):
    async with serving() as (server, reader, writer):
        writer.write(sent[:1])
        await asyncio.sleep(0.01)
        writer.write(sent[1:])
        if sent == b"POST /exec":
            writer.write(b"\r\n")
            sent += b"\r\n"
        got = b""
        while got.replace(b"got ", b"") != sent:
            got += await reader.read(10_000)
        assert repr(server).endswith("of 0 connections>")


async def test_a_link_may_turn_to_the_general_server_and_stays_with_it():
    async with serving() as (_, reader, writer):
        writer.write(HEAD % 1 + b"a")
        assert (await answered(reader))[2] == b"1 a"
        writer.write(b"GET /info")
        assert await reader.readexactly(13) == b"got GET /info"


@pytest.mark.parametrize(
    "line",
    [
        b"Transfer-Encoding: chunked\r\n",
        b"Content-Length: 5\r\n",  # twice
        b"Expect: 100-continue\r\n",
        b"Upgrade: websocket\r\n",
    ],
)
async def test_a_length_that_is_in_doubt_is_none_and_the_connection_ends(line):
    async def handler(exchange):
        await exchange.answer(400, (str(exchange.length).encode(),), content_type="text/plain")

    async with serving(handler) as (_, reader, writer):
        writer.write((HEAD % 3).replace(b"\r\n\r\n", b"\r\n" + line + b"\r\n"))
        _, headers, body = await answered(reader)
        assert body == b"None"
        assert headers[b"Connection"] == b"close"
        assert await reader.read() == b""


async def test_a_head_without_end_and_one_that_never_comes(monkeypatch):
    monkeypatch.setattr(linkserver, "_HEAD_SECONDS", 0.05)
    for begun in (HEAD[:40], (HEAD % 1)[:-2] + b"X: " + bytes(b"y" * 9_000)):
        async with serving() as (_, reader, writer):
            writer.write(begun)
            assert await reader.read() == b""


async def test_a_refusal_reaches_who_is_still_sending():
    async def handler(exchange):
        await exchange.answer(413, (b"too much",), content_type="text/plain", last=True)

    async with serving(handler) as (_, reader, writer):
        writer.write(HEAD % 20_000_000 + bytes(20_000_000))
        first, headers, body = await answered(reader)
        assert (first[9:12], headers[b"Connection"], body) == (b"413", b"close", b"too much")
        assert await reader.read() == b""


async def test_who_stops_sending_is_refused_and_its_memory_given_back():
    exchanges = []

    async def handler(exchange):
        exchanges.append(exchange)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await exchange.fill(memoryview(bytearray(1_000_000)))
        await exchange.answer(503, (b"too late",), content_type="text/plain")

    async with serving(handler) as (_, reader, writer):
        writer.write(HEAD % 1_000_000 + bytes(300_000))
        first, headers, body = await answered(reader)
        assert (first[9:12], headers[b"Connection"], body) == (b"503", b"close", b"too late")
        assert exchanges[0].left == 700_000
        assert exchanges[0].get_buffer(-1).nbytes < 1_000_000, "what comes now goes elsewhere"
        writer.write(bytes(700_000))
        assert await reader.read() == b""


async def test_a_handler_that_fails_is_logged_and_ends_its_connection_alone(caplog):
    async def handler(exchange):
        if exchange.length:
            raise RuntimeError("a mistake of ours")
        await exchange.answer(200, (), content_type="x/y")

    async with serving(handler) as (server, reader, writer):
        writer.write(HEAD % 1 + b"x")
        assert await reader.read() == b""
        assert "a mistake of ours" in caplog.text
        assert repr(server).endswith("of 0 connections>")


async def test_at_the_end_what_is_being_answered_is_finished_and_the_rest_is_closed():
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def handler(exchange):
        begun.set()
        await go_on.wait()
        await exchange.answer(200, (b"late",), content_type="x/y")

    async with serving(handler) as (server, reader, writer):
        address = writer.get_extra_info("peername")
        idle, _writer = await asyncio.open_connection(*address)
        writer.write(HEAD % 0)
        await begun.wait()
        closing = asyncio.create_task(server.close(5.0))
        assert await idle.read() == b""
        go_on.set()
        assert (await answered(reader))[2] == b"late"
        await closing
        assert await reader.read() == b""


async def test_at_the_end_nobody_is_waited_for_longer_than_that():
    cancelled = asyncio.Event()

    async def handler(exchange):
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    async with serving(handler) as (server, reader, writer):
        writer.write(HEAD % 0)
        await asyncio.sleep(0.05)
        await server.close(0.05)
        assert await reader.read() == b""
        assert cancelled.is_set()


async def test_who_is_silent_for_too_long_is_closed(monkeypatch):
    monkeypatch.setattr(linkserver, "_IDLE_SECONDS", 0.1)
    async with serving() as (server, reader, writer):
        writer.write(HEAD % 0)
        assert (await answered(reader))[2] == b"0 "
        assert await reader.read() == b""
        assert repr(server).endswith("of 0 connections>")
