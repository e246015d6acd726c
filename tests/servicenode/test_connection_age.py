"""Old connections end with an answer that says so, and never while they are idle."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from hsds.servicenode.runner import Runner

REQUEST = b"GET /about HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


@asynccontextmanager
async def connected(service, max_age):
    """A connection to the service, where connections grow so old."""
    node = service.node
    node.settings = node.settings.model_copy(update={"max_connection_age": max_age})
    runner = Runner(node, keepalive_timeout=3600.0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    reader, writer = await asyncio.open_connection(*runner.addresses[0])
    try:
        yield runner, reader, writer
    finally:
        writer.close()
        await runner.cleanup()


async def ask(reader, writer):
    """The head of an answer."""
    writer.write(REQUEST)
    head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
    length = next(line for line in head.splitlines() if line.startswith("content-length"))
    await reader.readexactly(int(length.partition(":")[2]))
    return head


@pytest.mark.parametrize("max_age", [0.0, 3600.0])
async def test_young_ones_stay(service, max_age):
    async with connected(service, max_age) as (_, reader, writer):
        for _ in range(3):
            assert "connection: close" not in await ask(reader, writer)


async def test_old_ones_end_with_an_answer(service):
    async with connected(service, 1e-6) as (runner, reader, writer):
        await asyncio.sleep(0.01)
        assert len(runner.server.connections) == 1, "not while it is idle"
        assert "connection: close" in await ask(reader, writer)
        assert await reader.read() == b"", "and then it is closed"


async def test_draining_ends_them_with_their_answers(service):
    async with connected(service, 3600.0) as (_, reader, writer):
        assert "connection: close" not in await ask(reader, writer)
        service.node.state = "TERMINATING"
        assert "connection: close" in await ask(reader, writer)


async def test_they_grow_old_at_different_times(service):
    async with connected(service, 3600.0) as (runner, *_):
        dues = {runner.server()._due for _ in range(20)}
        now = asyncio.get_running_loop().time()
        assert len(dues) == 20
        assert all(0.75 * 3600 < due - now < 1.25 * 3600 for due in dues)
