"""Runs the application on sockets: aiohttp's runner, with this service's answers to what is no proper HTTP.

aiohttp answers malformed requests below the application, with a traceback in the log and its own name as
``Server``; here they get the form of all other errors, and one line.
"""

from __future__ import annotations

import logging
from typing import Any

from aiohttp import web

from hsds.servicenode.app import make_app
from hsds.servicenode.node import ServiceNode
from hsds.servicenode.replies import error_reply

_LOG = logging.getLogger(__name__)


class _Protocol(web.RequestHandler):
    """One connection."""

    server_name = ""

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
        self._server_name = node.settings.server_name

    async def _make_server(self) -> web.Server:
        made = await super()._make_server()
        server = _Server(made.request_handler, request_factory=made.request_factory, **made._kwargs)
        server.server_name = self._server_name
        return server
