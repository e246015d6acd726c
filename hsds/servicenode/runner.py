"""Runs the application on sockets: aiohttp's runner, where it falls short of what is wanted here.

Connections are ours (``connections``). And at its end aiohttp stops reading from all connections at once, so
that a request whose body is still arriving could never be finished.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

from aiohttp import web

from hsds.servicenode.app import make_app
from hsds.servicenode.connections import Connection
from hsds.servicenode.node import ServiceNode

_POLL = 0.02
_QUIET_SECONDS = 1.0
"""A connection that has been silent for so long is closed at the end. Who sends one request after another may
have the next one on its way: it is answered, and told with the answer that it was the last.
"""


class _Server(web.Server):
    """Makes the connections."""

    server_name = ""
    max_age = 0.0

    def __call__(self) -> web.RequestHandler:
        return Connection(
            self, loop=self._loop, max_age=self.max_age, server_name=self.server_name, **self._kwargs
        )


class Runner(web.AppRunner):
    """A runner of a service node. Further arguments are those of ``aiohttp.web.AppRunner``."""

    def __init__(self, node: ServiceNode, **arguments: Any) -> None:
        super().__init__(make_app(node), **arguments)
        self._node = node

    async def drain(self, seconds: float) -> None:
        """Take no more connections, and return when all requests that were taken are answered, or after
        ``seconds``. Answers close their connections from now on.
        """
        self._node.state = "TERMINATING"
        for site in list(self.sites):
            await site.stop()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self._close_idle():  # noqa: ASYNC110 - nobody is told when a connection falls idle
                    await asyncio.sleep(_POLL)

    def _close_idle(self) -> int:
        """Close connections without a request; how many are left."""
        assert self.server is not None
        connections = [c for c in self.server.connections if isinstance(c, Connection)]
        return len(connections) - sum(connection.close_if_idle(_QUIET_SECONDS) for connection in connections)

    async def _make_server(self) -> web.Server:
        made = await super()._make_server()
        server = _Server(made.request_handler, request_factory=made.request_factory, **made._kwargs)
        settings = self._node.settings
        server.server_name, server.max_age = settings.server_name, settings.max_connection_age
        return server
