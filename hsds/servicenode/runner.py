"""Runs the application on sockets: aiohttp's runner, where it falls short of what is wanted here.

aiohttp answers malformed requests below the application, with a traceback in the log and its own name as
``Server``; here they get the form of all other errors, and one line. And at its end aiohttp stops reading
from all connections at once, so that a request whose body is still arriving could never be finished.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import Any

from aiohttp import web

from hsds.servicenode.app import make_app
from hsds.servicenode.node import ServiceNode
from hsds.servicenode.replies import error_reply

_LOG = logging.getLogger(__name__)
_POLL = 0.02
_QUIET_SECONDS = 1.0
"""A connection that has been silent for so long is closed at the end. Who sends one request after another may
have the next one on its way: it is answered, and told with the answer that it was the last.
"""


class _Protocol(web.RequestHandler):
    """One connection."""

    server_name = ""

    def close_if_idle(self, seconds: float) -> bool:
        """Close it if it has waited for a request for so long. True if it did."""
        waiter = self._waiter
        if waiter is None or waiter.done():
            return False
        since = self._next_keepalive_close_time - self._keepalive_timeout
        if asyncio.get_running_loop().time() - since < seconds:
            return False
        self.force_close()
        return True

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        if isinstance(exc, ConnectionError):
            raise exc  # the client left, or the answer was cut off on purpose
        if request.writer.output_size > 0:
            raise ConnectionError("Too late for an error answer") from exc
        first_line = (message or str(exc) or "").partition("\n")[0].rstrip(": ")
        _LOG.info("malformed request from %s: %s", request.remote, first_line)
        response = error_reply(status, first_line)
        response.headers["Server"] = self.server_name
        response.force_close()
        return response


class _Server(web.Server):
    """Makes the connections."""

    server_name = ""

    def __call__(self) -> web.RequestHandler:
        protocol = _Protocol(self, loop=self._loop, **self._kwargs)
        protocol.server_name = self.server_name
        return protocol


class Runner(web.AppRunner):
    """A runner of a service node. Further arguments are those of ``aiohttp.web.AppRunner``."""

    def __init__(self, node: ServiceNode, **arguments: Any) -> None:
        super().__init__(make_app(node), **arguments)
        self._node = node
        self._server_name = node.settings.server_name

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
        connections = [c for c in self.server.connections if isinstance(c, _Protocol)]
        return len(connections) - sum(connection.close_if_idle(_QUIET_SECONDS) for connection in connections)

    async def _make_server(self) -> web.Server:
        made = await super()._make_server()
        server = _Server(made.request_handler, request_factory=made.request_factory, **made._kwargs)
        server.server_name = self._server_name
        return server
