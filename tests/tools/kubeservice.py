"""A double of a Kubernetes Service: passes each new connection to one of its endpoints, at random."""

import asyncio
import random
from contextlib import suppress

_BUFFER = 1 << 18


class KubeService:
    """``endpoints`` are pairs of address and port, changed by whoever knows which pods are ready."""

    def __init__(self, *endpoints: tuple[str, int], host: str = "127.0.0.1"):
        self.endpoints = list(endpoints)
        self.host = host
        self.url = ""
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task] = set()

    async def __aenter__(self):
        self._server = await asyncio.start_server(self._connected, self.host, 0, limit=_BUFFER)
        host, port = self._server.sockets[0].getsockname()
        self.url = f"http://{host}:{port}"
        return self

    async def __aexit__(self, *_):
        self._server.close()
        for task in self._tasks:
            task.cancel()

    async def _connected(self, reader, writer):
        task = asyncio.current_task()
        self._tasks.add(task)
        try:
            there = await asyncio.open_connection(*random.choice(self.endpoints), limit=_BUFFER)
            await asyncio.gather(_pass(reader, there[1]), _pass(there[0], writer))
        except (OSError, IndexError, asyncio.CancelledError):
            writer.transport.abort()
        finally:
            self._tasks.discard(task)


async def _pass(reader, writer):
    """Until the end of one direction, or of the connection; then the other end hears of it."""
    with suppress(ConnectionError):
        while data := await reader.read(_BUFFER):
            writer.write(data)
            await writer.drain()
    with suppress(ConnectionError, RuntimeError):
        writer.close()
