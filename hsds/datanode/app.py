"""The data node over HTTP: operations in frames for service nodes, words for peers, and how it is.

What nodes ask one another is answered over links (``LinkServer``), probes and metrics by aiohttp. Whoever
asks for data or sends words signs with the node secret. Probes, ``/info`` and ``/metrics`` are open.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, Final
from urllib.parse import parse_qsl

import orjson
from aiohttp import web

from hsds.budget import ByteBudget
from hsds.datanode.node import LONG
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
from hsds.transport.frames import SMALL, FrameReader, whole_frame
from hsds.transport.linkserver import Exchange
from hsds.transport.ops import Op, ReadChunks
from hsds.transport.remote import EXECUTE, FRAME_TYPE
from hsds.transport.signing import Signer
from hsds.transport.wire import Reply, Wire
from hsds.transport.words import INFO, PING, VIEW, WORD, word_from_json, word_to_json

_BODY_SECONDS: Final = 60.0
"""For a body to arrive: until then it holds a share of the budget."""
_LONGEST_WAIT: Final = 60.0
_TEXT: Final = "text/plain; charset=utf-8"
_TOO_LATE: Final = b"the time for an answer is over"
_LONGEST_JSON: Final = 1 << 20
_NOTHING: Final = nullcontext()
_LOG = logging.getLogger(__name__)
_ACCESS = logging.getLogger("hsds.access")

Json = Any
Answer = Callable[[Exchange], Awaitable[None]]


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
        """The application for whoever is no node."""
        app = web.Application()
        app.router.add_get(INFO, self.info)
        app.router.add_get("/livez", _livez)
        app.router.add_get("/readyz", self.readyz)
        app.router.add_get("/startupz", self.startupz)
        app.router.add_get("/metrics", self.show_metrics)
        return app

    def routes(self) -> dict[str, Answer]:
        """What is answered over links, by method and path."""
        return {
            f"POST {EXECUTE}": self._observed(self.execute),
            f"POST {WORD}": self._observed(self.word),
            f"POST {PING}": self._observed(self.ping),
            f"GET {VIEW}": self._observed(self.view),
        }

    # -- for service nodes ---------------------------------------------------------------------------

    async def execute(self, exchange: Exchange) -> None:
        """Carry out a frame of operations; 421 if any of them is not ours, with the newest view."""
        started, epoch, length = monotonic(), self._check(exchange), self._length(exchange)
        async with self.bodies.hold(length) if length > SMALL else _NOTHING:
            ops, trace = await self._receive(exchange, length, epoch)
            try:
                expected = _expected(ops)
                async with self.answers.hold(expected) if expected > SMALL else _NOTHING:
                    await self._send(exchange, ops, await self._carry_out(ops, trace))
            finally:
                if _ACCESS.isEnabledFor(logging.INFO):
                    _log(ops, trace, exchange.status or 503, monotonic() - started, exchange.sent)

    def _length(self, exchange: Exchange) -> int:
        if exchange.length is None:
            raise InvalidInput("a frame of unknown length")
        if exchange.length > self.body_limit:
            raise TooLarge(f"a frame of {exchange.length} bytes, {self.body_limit} are allowed")
        return exchange.length

    async def _receive(
        self, exchange: Exchange, length: int, epoch: int | None
    ) -> tuple[Sequence[Op[Any]], Trace]:
        whole = exchange.whole()
        if whole is not None:
            return self.wire.get_request(*whole_frame(whole, limit=length), epoch=epoch)
        reader = FrameReader(exchange.read, limit=length, fill=exchange.fill)
        async with asyncio.timeout(_BODY_SECONDS):
            head = await reader.head()
            return self.wire.get_request(head, await reader.buffers(), epoch=epoch)

    async def _carry_out(self, ops: Sequence[Op[Any]], trace: Trace) -> Sequence[Any | HsdsError]:
        """Until the deadline, which data nodes keep but for long operations: afterwards nobody waits."""
        if trace.deadline is None or LONG.isdisjoint(map(type, ops)):
            return await self.node.execute(ops, trace)
        async with asyncio.timeout(max(0.0, trace.deadline - monotonic())):
            return await self.node.execute(ops, trace)

    async def _send(
        self, exchange: Exchange, ops: Sequence[Op[Any]], results: Sequence[Any | HsdsError]
    ) -> None:
        """The results as a frame; large buffers leave as they are."""
        lost = any(isinstance(result, NotOwner) for result in results)
        view = self.standing.view if lost else None
        frame = self.wire.put_reply(ops, Reply(results, None if view is None else view.to_json()))
        await exchange.answer(421 if lost else 200, frame.parts(), content_type=FRAME_TYPE)

    async def view(self, exchange: Exchange) -> None:
        """The newest view if it is newer than ``after``, or as soon as it is; null after ``wait`` seconds."""
        self._check(exchange)
        query = dict(parse_qsl(exchange.query))
        after, wait = _number(query, "after", -1.0), _number(query, "wait", 0.0)
        view = self.standing.view
        if (view is None or view.epoch <= after) and wait > 0:
            try:
                async with asyncio.timeout(min(wait, _LONGEST_WAIT)):
                    view = await self.standing.newer(int(after))
            except TimeoutError:
                view = None
        await _tell(exchange, None if view is None or view.epoch <= after else view.to_json())

    # -- for peers ------------------------------------------------------------

    async def word(self, exchange: Exchange) -> None:
        """A peer's word, answered by ours."""
        self._check(exchange)
        word = word_from_json(await _json_of(exchange))
        await _tell(exchange, word_to_json(self.standing.hear(word)))

    async def ping(self, exchange: Exchange) -> None:
        """A service node says who it is; the answer is what this node says of itself."""
        self._check(exchange)
        sender = await _json_of(exchange)
        if not isinstance(sender, dict):
            raise InvalidInput("not a ping")
        await _tell(exchange, self.standing.pinged(sender))

    # -- for people and Kubernetes -------------------------------------------------------------------

    async def info(self, request: web.Request) -> web.Response:
        """What the node says of itself."""
        return web.Response(body=orjson.dumps(self.standing.info()), content_type="application/json")

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

    def _check(self, exchange: Exchange) -> int | None:
        return self.signer.check(exchange.signature, exchange.method, exchange.target)

    def _observed(self, answer: Answer) -> Answer:
        """Counts the request, and answers with the status of an error and its text."""

        async def observed(exchange: Exchange) -> None:
            started = monotonic()
            try:
                await answer(exchange)
            except HsdsError as error:
                text = str(error).encode()
                await exchange.answer(_status_of(error), (text,), content_type=_TEXT, last=True)
            except TimeoutError:
                if exchange.status:  # who asked does not take the answer
                    raise
                await exchange.answer(503, (_TOO_LATE,), content_type=_TEXT)
            finally:
                self.metrics.observe(
                    exchange.method,
                    exchange.path,
                    exchange.status or 500,
                    seconds=monotonic() - started,
                    bytes_in=exchange.length or 0,
                    bytes_out=exchange.sent,
                )

        return observed


async def _tell(exchange: Exchange, value: Json) -> None:
    await exchange.answer(200, (orjson.dumps(value),), content_type="application/json")


def _log(ops: Sequence[Op[Any]], trace: Trace, status: int, seconds: float, size: int) -> None:
    """The line of a request of a service node, with the id that the client's request has there."""
    first, more = type(ops[0]).__name__ if ops else "nothing", len(ops) - 1
    access = Access(
        request_id=trace.request_id,
        method="POST",
        route=EXECUTE,
        path=EXECUTE,
        domain=None,
        user=None,
        status=status,
        bytes=size,
        seconds=seconds,
        epoch=trace.epoch,
        operations=f"{first} and {more} more" if more > 0 else first,
    )
    log_access(_ACCESS, access)


def _status_of(error: HsdsError) -> int:
    """Of a refusal, which is logged if it is one of those that should not happen."""
    status = next((code for kind, code in _STATUS.items() if isinstance(error, kind)), 503)
    if status in (401, 403):
        _LOG.warning("refused: %s", error)
    return status


def _expected(ops: Sequence[Op[Any]]) -> int:
    """Bytes of the values that reads will answer."""
    return sum(
        op.selection.npoints * op.dataset.datatype.itemsize for op in ops if isinstance(op, ReadChunks)
    )


async def _json_of(exchange: Exchange) -> Json:
    body = b""
    while data := await exchange.read():
        body += data
        if len(body) > _LONGEST_JSON:
            raise TooLarge(f"more than {_LONGEST_JSON} bytes of JSON")
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise InvalidInput(f"not JSON: {error}") from error


def _number(query: Mapping[str, str], name: str, default: float) -> float:
    try:
        return float(query.get(name, default))
    except ValueError as error:
        raise InvalidInput(f"{name}: expected a number") from error


async def _livez(request: web.Request) -> web.Response:
    """The loop turns."""
    return web.Response(text="ok")


def _state(good: bool) -> web.Response:
    return web.Response(text="ok") if good else web.Response(status=503, text="not yet")


_STATUS: Final[dict[type[HsdsError], int]] = {
    NotAuthenticated: 401,
    NotPermitted: 403,
    NotSupported: 501,
    TooLarge: 413,
    InvalidInput: 400,
}
