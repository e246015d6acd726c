"""What surrounds every request: its id, the answers to errors, common headers, CORS, counting, access log.

One layer does it all, because each layer costs every small request.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

from aiohttp import web
from aiohttp.typedefs import Middleware

from hsds.errors import HsdsError, Unavailable
from hsds.logs import Access, log_access
from hsds.servicenode import cors
from hsds.servicenode.connections import is_old
from hsds.servicenode.guard import check_local
from hsds.servicenode.node import ServiceNode
from hsds.servicenode.replies import error_reply, status_of
from hsds.servicenode.requestid import given_id, make_ids

Next = Callable[[web.Request], Awaitable[web.StreamResponse]]

_ACCESS = logging.getLogger("hsds.access")
_LOG = logging.getLogger(__name__)
_CLIENT_LEFT = 499
"""Status in logs and metrics of requests whose client went away; nginx's number for it."""
_LONGEST_ERROR = 500
"""Characters of an error's text in the log: it may quote what the client sent."""


class Exchange:
    """What is known of a request outside its handler."""

    __slots__ = ("answering", "error", "request_id", "started", "trace_parent", "user")

    def __init__(self, request_id: str, trace_parent: str | None) -> None:
        self.request_id = request_id
        self.trace_parent = trace_parent
        self.started = time.perf_counter()
        self.answering = False
        """Whether the head of the answer has been sent: too late then for an error status."""
        self.user: str | None = None
        """Name of who asks, once it is known."""
        self.error: str | None = None
        """What the client is told of why it is refused."""


_EXCHANGE = web.RequestKey("EXCHANGE", Exchange)


def exchange_of(request: web.Request) -> Exchange:
    """What the middleware knows of a request that passed through it."""
    return request[_EXCHANGE]


def make_middleware(node: ServiceNode) -> Middleware:
    """The one middleware of a service node."""
    new_id = make_ids()
    local = node.auth.local
    cors_wanted = node.settings.cors_domain is not None
    metrics = node.metrics

    @web.middleware
    async def surround(request: web.Request, handler: Next) -> web.StreamResponse:
        loop, headers = asyncio.get_running_loop(), request.headers
        exchange = Exchange(given_id(headers) or new_id(), headers.get("traceparent"))
        request[_EXCHANGE] = exchange
        metrics.in_flight.inc()
        status = _CLIENT_LEFT
        size = 0
        try:
            try:
                if local and not _by_socket(request):
                    check_local(headers)
                if cors_wanted and cors.is_preflight(request):
                    response: web.StreamResponse = cors.preflight(request)
                else:
                    response = await handler(request)
            except (HsdsError, web.HTTPException) as error:
                response = _refuse(request, exchange, error)
            except ConnectionError as error:
                if request.transport is None or request.transport.is_closing():
                    raise  # the client left: no error of ours, and nobody to tell
                response = _fail(request, exchange, error)
            except Exception as error:  # noqa: BLE001 - the last line: a fault of ours is logged and told as 500
                response = _fail(request, exchange, error)
            status = response.status
            size = response.body_length or response.content_length or 0
            return response
        finally:
            metrics.in_flight.dec()
            seconds = time.perf_counter() - exchange.started
            # in the next turn of the loop, when a small answer has left: its client need not wait for the log
            loop.call_soon(tell, request, exchange, status, seconds, size)

    def tell(request: web.Request, exchange: Exchange, status: int, seconds: float, size: int) -> None:
        received = request.content.total_bytes or request.content_length or 0
        metrics.observe(
            request.method, _route(request), status, seconds=seconds, bytes_in=received, bytes_out=size
        )
        if _ACCESS.isEnabledFor(logging.INFO):
            _log(request, exchange, status, seconds, size, node.epoch())

    return surround


def make_stamp(node: ServiceNode) -> Callable[[web.Request, web.StreamResponse], Awaitable[None]]:
    """The signal that adds the common headers just before an answer's head is sent, streams included."""
    settings = node.settings
    fixed = {"Server": settings.server_name}
    if settings.xss_protection:
        fixed["X-XSS-Protection"] = settings.xss_protection
    if settings.cors_domain is not None:
        fixed |= {cors.ORIGIN: settings.cors_domain, cors.CREDENTIALS: "true", cors.EXPOSE: "*"}
    echo = settings.cors_domain == "*"

    async def stamp(request: web.Request, response: web.StreamResponse) -> None:
        headers = response.headers
        for name, value in fixed.items():
            headers[name] = value
        if echo and (origin := request.headers.get("Origin")):
            # browsers take no "*" for requests with credentials
            headers[cors.ORIGIN] = origin
            headers["Vary"] = "Origin"
        if node.state == "TERMINATING" or is_old(request):
            response.force_close()
            headers["Connection"] = "close"
        exchange = request.get(_EXCHANGE)
        if exchange is not None:
            exchange.answering = True
            headers["X-Request-ID"] = exchange.request_id
            if exchange.trace_parent is not None and exchange.request_id in exchange.trace_parent:
                headers["traceparent"] = exchange.trace_parent
            headers["Server-Timing"] = f"total;dur={(time.perf_counter() - exchange.started) * 1000:.2f}"

    return stamp


def _refuse(
    request: web.Request, exchange: Exchange, error: HsdsError | web.HTTPException
) -> web.StreamResponse:
    """Answer an error raised on purpose, ours or aiohttp's."""
    if exchange.answering:
        return _drop(request, exchange, error)
    if isinstance(error, web.HTTPException):
        kept = {name: error.headers[name] for name in ("Allow", "Location") if name in error.headers}
        reason = f"No route {request.path}" if error.status == 404 else error.reason
        exchange.error = reason[:_LONGEST_ERROR]
        return error_reply(error.status, reason, kept)
    status = status_of(error)
    if status == 500:
        return _fail(request, exchange, error)
    exchange.error = str(error)[:_LONGEST_ERROR]
    if isinstance(error, Unavailable):
        return error_reply(status, str(error), {"Retry-After": str(max(1, round(error.retry_after)))})
    return error_reply(status, str(error))


def _fail(request: web.Request, exchange: Exchange, error: Exception) -> web.StreamResponse:
    """Answer a fault of ours: the log says what, the client only gets the id to ask about."""
    if exchange.answering:
        return _drop(request, exchange, error)
    _LOG.error(
        "request %s failed: %s %s", exchange.request_id, request.method, request.path, exc_info=error,
        extra={"request_id": exchange.request_id},
    )  # fmt: skip
    return error_reply(500, f"Internal error, see the log of the service for request {exchange.request_id}")


def _drop(request: web.Request, exchange: Exchange, error: Exception) -> web.StreamResponse:
    """End an answer that has begun: the client must not take what it got for whole."""
    _LOG.warning(
        "request %s: answer cut off: %s %s", exchange.request_id, request.method, request.path,
        exc_info=error, extra={"request_id": exchange.request_id},
    )  # fmt: skip
    if request.transport is not None:
        request.transport.abort()
    raise ConnectionResetError("answer cut off") from error


def _route(request: web.Request) -> str:
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else "unknown"


def _by_socket(request: web.Request) -> bool:
    """Whether it came over a Unix socket, which web pages cannot reach, and where ``Host`` means nothing."""
    transport = request.transport
    return transport is not None and isinstance(transport.get_extra_info("sockname"), str)


def _log(
    request: web.Request, exchange: Exchange, status: int, seconds: float, size: int, epoch: int | None
) -> None:
    access = Access(
        request_id=exchange.request_id,
        method=request.method,
        route=_route(request),
        path=request.rel_url.raw_path,
        domain=request.query.get("domain") or request.headers.get("X-Hdf-domain"),
        user=exchange.user,
        status=status,
        bytes=size,
        seconds=seconds,
        epoch=epoch,
        error=exchange.error,
    )
    log_access(_ACCESS, access)
