"""One connection of a client: when it should end, and how malformed requests on it are answered.

A connection that grows old is closed by an answer that says so, which every client takes well; an idle one is
never closed by us, because a request that is on its way just then would fail, and h5pyd repeats no POST.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable
from typing import Any

from aiohttp import web

from hsds.servicenode.replies import error_reply
from hsds.transport.unixbuffer import enlarge_unix_buffer

_LOG = logging.getLogger(__name__)
_JITTER = 0.2


class Connection(web.RequestHandler):
    """aiohttp's, with an age. ``max_age`` is in seconds, 0 for no limit."""

    def __init__(
        self, manager: web.Server, *, max_age: float = 0.0, server_name: str = "", **arguments: Any
    ) -> None:
        super().__init__(manager, **arguments)
        self.lost: Callable[[], None] = lambda: None
        """Called when the connection has ended, for whatever reason."""
        self._server_name = server_name
        spread = random.uniform(1.0 - _JITTER, 1.0 + _JITTER)  # so that not all come back at once
        self._due = self._loop.time() + max_age * spread if max_age else float("inf")

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        enlarge_unix_buffer(transport)

    def connection_lost(self, exc: BaseException | None) -> None:
        super().connection_lost(exc)
        self.lost()

    @property
    def old(self) -> bool:
        """Whether the next answer should be the last."""
        return self._loop.time() >= self._due

    def close_if_idle(self, seconds: float) -> bool:
        """Close it if it has waited for a request for so long. True if it did."""
        waiter = self._waiter
        if waiter is None or waiter.done():
            return False
        since = self._next_keepalive_close_time - self._keepalive_timeout
        if self._loop.time() - since < seconds:
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
        response.headers["Server"] = self._server_name
        response.force_close()
        return response


def is_old(request: web.Request) -> bool:
    """Whether the connection that a request came by should end with its answer."""
    protocol = request.protocol
    return isinstance(protocol, Connection) and protocol.old
