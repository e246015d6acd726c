"""The data node over HTTP: operations in frames for service nodes, words for peers, and how it is.

Whoever asks for data or sends words signs with the node secret. Probes, ``/info`` and ``/metrics`` are open.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, Final

import orjson
from aiohttp import web

from hsds.budget import ByteBudget
from hsds.datanode.standing import Standing
from hsds.errors import (
    HsdsError,
    InvalidInput,
    NotAuthenticated,
    NotOwner,
    NotPermitted,
    NotSupported,
    TooLarge,
)
from hsds.logs import Access, log_access
from hsds.metrics import METRICS_TYPE, Metrics
from hsds.transport.base import DataNode, Trace
from hsds.transport.frames import SMALL, Frame, FrameReader
from hsds.transport.ops import Op, ReadChunks
from hsds.transport.remote import EXECUTE, FRAME_TYPE, slices
from hsds.transport.signing import HEADER, Signer
from hsds.transport.wire import Reply, Wire
from hsds.transport.words import INFO, PING, VIEW, WORD, word_from_json, word_to_json

_BODY_SECONDS: Final = 60.0
"""For a body to arrive: until then it holds a share of the budget."""
_LONGEST_WAIT: Final = 60.0
_LOG = logging.getLogger(__name__)
_ACCESS = logging.getLogger("hsds.access")

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Asked:
    """What a service node asks for."""

    trace: Trace
    ops: Sequence[Op[Any]]


_ASKED = web.RequestKey("ASKED", Asked)


@dataclass(slots=True, kw_only=True)
class DataNodeApp:
    """What the handlers share."""

    node: DataNode
    standing: Standing
    signer: Signer
    metrics: Metrics
    bodies: ByteBudget
    """Bytes of requests, and ``answers`` those of replies; apart, so that two requests never wait for one
    another. Small ones do not wait."""
    answers: ByteBudget
    body_limit: int = 1 << 31
    """Bytes of one request."""
    wire: Wire = field(default_factory=Wire)

    def make(self) -> web.Application:
        """The application with its routes."""
        app = web.Application()
        app.router.add_post(EXECUTE, self._observed(self.execute))
        app.router.add_post(WORD, self._observed(self.word))
        app.router.add_post(PING, self._observed(self.ping))
        app.router.add_get(VIEW, self._observed(self.view))
        app.router.add_get(INFO, self._observed(self.info))
        app.router.add_get("/livez", _livez)
        app.router.add_get("/readyz", self.readyz)
        app.router.add_get("/startupz", self.startupz)
        app.router.add_get("/metrics", self.show_metrics)
        return app

    # -- for service nodes ---------------------------------------------------------------------------

    async def execute(self, request: web.Request) -> web.StreamResponse:
        """Carry out a frame of operations; 421 if any of them is not ours, with the newest view."""
        epoch = self._check(request)
        async with AsyncExitStack() as stack:
            ops, trace = await self._receive(request, epoch, stack)
            request[_ASKED] = Asked(trace, ops)
            expected = _expected(ops)
            if expected > SMALL:
                await stack.enter_async_context(self.answers.hold(expected))
            results = await self._carry_out(ops, trace)
            lost = any(isinstance(result, NotOwner) for result in results)
            view = self.standing.view if lost else None
            reply = Reply(results, None if view is None else view.to_json())
            return await _send(request, self.wire.put_reply(ops, reply), 421 if lost else 200)

    async def _receive(
        self, request: web.Request, epoch: int | None, stack: AsyncExitStack
    ) -> tuple[list[Op[Any]], Trace]:
        length = request.content_length
        if length is None:
            raise InvalidInput("a frame of unknown length")
        if length > self.body_limit:
            raise TooLarge(f"a frame of {length} bytes, {self.body_limit} are allowed")
        if length <= SMALL:
            return await self._read(request, length, epoch)
        await stack.enter_async_context(self.bodies.hold(length))
        async with asyncio.timeout(_BODY_SECONDS):
            return await self._read(request, length, epoch)

    async def _read(
        self, request: web.Request, length: int, epoch: int | None
    ) -> tuple[list[Op[Any]], Trace]:
        reader = FrameReader(request.content.readany, limit=length)
        head = await reader.head()
        return self.wire.get_request(head, await reader.buffers(), epoch=epoch)

    async def _carry_out(self, ops: Sequence[Op[Any]], trace: Trace) -> Sequence[Any | HsdsError]:
        """Until the deadline: afterwards nobody waits for the answer."""
        if trace.deadline is None:
            return await self.node.execute(ops, trace)
        async with asyncio.timeout(max(0.0, trace.deadline - monotonic())):
            return await self.node.execute(ops, trace)

    async def view(self, request: web.Request) -> web.StreamResponse:
        """The newest view if it is newer than ``after``, or as soon as it is; null after ``wait`` seconds."""
        self._check(request)
        after, wait = _number(request, "after", -1.0), _number(request, "wait", 0.0)
        view = self.standing.view
        if (view is None or view.epoch <= after) and wait > 0:
            try:
                async with asyncio.timeout(min(wait, _LONGEST_WAIT)):
                    view = await self.standing.newer(int(after))
            except TimeoutError:
                view = None
        return _json(None if view is None or view.epoch <= after else view.to_json())

    # -- for peers, people and Kubernetes ------------------------------------------------------------

    async def word(self, request: web.Request) -> web.StreamResponse:
        """A peer's word, answered by ours."""
        self._check(request)
        return _json(word_to_json(self.standing.hear(word_from_json(await _json_of(request)))))

    async def ping(self, request: web.Request) -> web.StreamResponse:
        """A service node says who it is; the answer is what this node says of itself."""
        self._check(request)
        sender = await _json_of(request)
        if not isinstance(sender, dict):
            raise InvalidInput("not a ping")
        return _json(self.standing.pinged(sender))

    async def info(self, request: web.Request) -> web.StreamResponse:
        """What the node says of itself."""
        return _json(self.standing.info())

    async def readyz(self, request: web.Request) -> web.Response:
        """Whether it is a member and has taken over: paces rollouts."""
        return _state(self.standing.ready)

    async def startupz(self, request: web.Request) -> web.Response:
        """Whether start-up is over."""
        return _state(self.standing.started)

    async def show_metrics(self, request: web.Request) -> web.Response:
        """Counters for Prometheus."""
        return web.Response(body=self.metrics.render(), headers={"Content-Type": METRICS_TYPE})

    # -- around all of them --------------------------------------------------------------------------

    def _check(self, request: web.Request) -> int | None:
        return self.signer.check(request.headers.get(HEADER), request.method, request.raw_path)

    def _observed(self, handler: Handler) -> Handler:
        """Counts the request, and answers with the status of an error and its text."""
        route = "/" + handler.__name__

        async def observed(request: web.Request) -> web.StreamResponse:
            started = monotonic()
            response: web.StreamResponse | None = None
            try:
                response = await handler(request)
                return response
            except HsdsError as error:
                response = _refusal(error)
                return response
            except TimeoutError:
                response = web.Response(status=503, text="the time for an answer is over")
                return response
            finally:
                status = 500 if response is None else response.status
                sent = _length(response)
                self.metrics.observe(
                    request.method,
                    route,
                    status,
                    seconds=monotonic() - started,
                    bytes_in=request.content_length or 0,
                    bytes_out=sent,
                )
                asked = request.get(_ASKED)
                if asked is not None and _ACCESS.isEnabledFor(logging.INFO):
                    _log(asked, status, monotonic() - started, sent)

        return observed


def _length(response: web.StreamResponse | None) -> int:
    """Bytes of the body: of what was streamed, or of what is still to be sent whole."""
    if response is None:
        return 0
    return response.body_length if response.prepared else response.content_length or 0


def _log(asked: Asked, status: int, seconds: float, size: int) -> None:
    """The line of a request of a service node, with the id that the client's request has there."""
    first, more = type(asked.ops[0]).__name__ if asked.ops else "nothing", len(asked.ops) - 1
    access = Access(
        request_id=asked.trace.request_id,
        method="POST",
        route=EXECUTE,
        path=EXECUTE,
        domain=None,
        user=None,
        status=status,
        bytes=size,
        seconds=seconds,
        epoch=asked.trace.epoch,
        operations=f"{first} and {more} more" if more > 0 else first,
    )
    log_access(_ACCESS, access)


def _refusal(error: HsdsError) -> web.Response:
    status = next((code for kind, code in _STATUS.items() if isinstance(error, kind)), 503)
    if status in (401, 403):
        _LOG.warning("refused: %s", error)
    response = web.Response(status=status, text=str(error))
    response.force_close()  # what is left of the body is not read
    return response


async def _send(request: web.Request, frame: Frame, status: int) -> web.StreamResponse:
    """The frame as an answer; large buffers leave as they are."""
    parts = frame.parts()
    headers = {"Content-Type": FRAME_TYPE}
    if len(parts) == 1:
        return web.Response(body=parts[0], status=status, headers=headers)
    response = web.StreamResponse(status=status, headers=headers)
    response.content_length = frame.nbytes
    await response.prepare(request)
    for piece in slices(parts):
        await response.write(piece)
    await response.write_eof()
    return response


def _expected(ops: Sequence[Op[Any]]) -> int:
    """Bytes of the values that reads will answer."""
    return sum(
        op.selection.npoints * op.dataset.datatype.itemsize for op in ops if isinstance(op, ReadChunks)
    )


async def _json_of(request: web.Request) -> Any:
    try:
        return orjson.loads(await request.read())
    except orjson.JSONDecodeError as error:
        raise InvalidInput(f"not JSON: {error}") from error


def _number(request: web.Request, name: str, default: float) -> float:
    try:
        return float(request.query.get(name, default))
    except ValueError as error:
        raise InvalidInput(f"{name}: expected a number") from error


async def _livez(request: web.Request) -> web.Response:
    """The loop turns."""
    return web.Response(text="ok")


def _state(good: bool) -> web.Response:
    return web.Response(text="ok") if good else web.Response(status=503, text="not yet")


def _json(value: Any) -> web.Response:
    return web.Response(body=orjson.dumps(value), content_type="application/json")


_STATUS: Final[dict[type[HsdsError], int]] = {
    NotAuthenticated: 401,
    NotPermitted: 403,
    NotSupported: 501,
    TooLarge: 413,
    InvalidInput: 400,
}
