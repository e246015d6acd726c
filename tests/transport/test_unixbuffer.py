"""Which connections get more room."""

import asyncio
import socket

import pytest

from hsds.transport.unixbuffer import enlarge_unix_buffer


@pytest.mark.parametrize("family", ["unix", "tcp"])
async def test_unix_sockets_alone(tmp_path, family):
    rooms = []

    class Accepted(asyncio.Protocol):
        def connection_made(self, transport):
            sock = transport.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8192)
            before = sock.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF)
            enlarge_unix_buffer(transport)
            rooms.append((before, sock.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF)))
            transport.close()

    loop, place = asyncio.get_running_loop(), str(tmp_path / "s")
    if family == "unix":
        server = await loop.create_unix_server(Accepted, place)
        reader, writer = await asyncio.open_unix_connection(place)
    else:
        server = await loop.create_server(Accepted, "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    assert await reader.read() == b""
    writer.close()
    server.close()
    ((before, after),) = rooms
    assert after > before if family == "unix" else after == before


def test_what_is_no_socket_is_left_alone():
    enlarge_unix_buffer(asyncio.Transport())
