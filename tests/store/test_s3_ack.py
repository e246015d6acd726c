"""Heads of answers are acknowledged while their bodies are still to come."""

import asyncio
import socket

import aiohttp
import pytest

from hsds.store.s3_ack import acknowledge

pytestmark = pytest.mark.skipif(not hasattr(socket, "TCP_QUICKACK"), reason="only Linux has TCP_QUICKACK")


async def test_the_kernel_acknowledges_at_once():
    go_on = asyncio.Event()

    async def answer(reader, writer):
        while await reader.readuntil(b"\r\n\r\n"):
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n")
            await go_on.wait()
            writer.write(b"body")

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    async with aiohttp.ClientSession() as session:
        for _ in range(3):  # a connection on which questions follow answers delays its acknowledgements
            go_on.clear()
            async with session.get(url) as response:
                acknowledge(response)
                sock = response.connection.transport.get_extra_info("socket")
                assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK) == 1
                go_on.set()
                assert await response.read() == b"body"
                acknowledge(response)  # nothing to acknowledge, and no connection any more
    server.close()
