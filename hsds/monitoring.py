"""The port for machines that watch: metrics and probes of all roles of the process, off the public port.

Probes are answered by a process of their own: in the loop of the node, and in any thread of it, they would
wait behind what clients have asked for, and full load would look like death. Whether that loop turns is what
``/livez`` says. ``/metrics`` is passed on to a thread of the node with an event loop of its own.
"""

from __future__ import annotations

import asyncio
import errno
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from typing import Final

from aiohttp import web

from hsds.config import Settings
from hsds.errors import InvalidSettings
from hsds.metrics import METRICS_TYPE, Metrics
from hsds.probing import answer
from hsds.responder import ProbeResponder

_BEAT: Final = 0.1
_WINDOW: Final = 15.0
_RENDER_SECONDS: Final = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Probes:
    """What the process says of itself when it is asked. With several roles: of all of them together."""

    started: Callable[[], bool]
    """Whether start-up is over."""
    ready: Callable[[], bool]
    """Whether to send requests here (a service node), to go on with the rollout (a data node)."""
    render: Callable[[], bytes]
    """The metrics page; made in the node's own loop."""
    silence: Callable[[], float] = lambda: 0.0
    """Seconds since the node's loop was last seen to turn."""


class LoopLag:
    """How late the event loop is: the worst of the last 15 to 30 seconds, in seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._window = self._beat = clock()
        self._worst = self._before = 0.0

    @property
    def silence(self) -> float:
        """Seconds since the loop was last seen to turn."""
        return self._clock() - self._beat

    @property
    def worst(self) -> float:
        """The longest that something due had to wait."""
        return max(self._worst, self._before)

    def late(self, seconds: float) -> None:
        """Something was done so many seconds after it was due."""
        now = self._beat = self._clock()
        if now - self._window >= _WINDOW:
            self._before, self._worst, self._window = self._worst, 0.0, now
        self._worst = max(self._worst, seconds)

    async def watch(self, turned: Callable[[], None] = lambda: None) -> None:
        """Measure until cancelled, and call ``turned`` each time."""
        while True:
            turned()
            due = self._clock() + _BEAT
            await asyncio.sleep(_BEAT)
            self.late(self._clock() - due)


def make_monitoring_app(probes: Probes, *, loop: asyncio.AbstractEventLoop | None = None) -> web.Application:
    """``/metrics``, ``/livez``, ``/readyz``, ``/startupz``. Open to whoever reaches the port.

    The page is made in ``loop``, that of the node. The rest are plain reads, from whichever thread.
    """

    async def probe(request: web.Request) -> web.Response:
        said = answer(request.path, silence=probes.silence(), started=probes.started(), ready=probes.ready())
        assert said is not None
        return web.Response(status=said[0], text=said[1])

    async def metrics(_: web.Request) -> web.Response:
        body = probes.render() if loop is None else await _render_in(loop, probes)
        return web.Response(body=body, headers={"Content-Type": METRICS_TYPE})

    app = web.Application()
    for path in ("/livez", "/readyz", "/startupz"):
        app.router.add_get(path, probe)
    app.router.add_get("/metrics", metrics)
    return app


async def _render_in(loop: asyncio.AbstractEventLoop, probes: Probes) -> bytes:
    async def render() -> bytes:
        return probes.render()

    page = asyncio.run_coroutine_threadsafe(render(), loop)
    return await asyncio.wait_for(asyncio.wrap_future(page), _RENDER_SECONDS)


@asynccontextmanager
async def monitored(settings: Settings, metrics: Metrics, probes: Probes) -> AsyncIterator[int]:
    """Answer on ``metrics_port`` of ``host`` meanwhile, and measure the loop; the port that it is.

    Raises ``InvalidSettings`` for a port that cannot be had.
    """
    lag = LoopLag(time.monotonic)
    metrics.figures.gauge(
        "hsds_event_loop_lag_seconds", "Worst of the last 15 to 30 seconds", lambda: {(): lag.worst}
    )
    asked = replace(probes, silence=lambda: lag.silence)
    server = _Server(make_monitoring_app(asked, loop=asyncio.get_running_loop()))
    backend = await asyncio.to_thread(server.start)
    try:
        try:
            responder = ProbeResponder(settings.host, settings.metrics_port, backend)
        except OSError as error:
            reason = "it is in use" if error.errno == errno.EADDRINUSE else error.strerror
            raise InvalidSettings(
                f"cannot listen on {settings.host} port {settings.metrics_port} (metrics_port): {reason}"
            ) from error

        def tell() -> None:
            responder.tell(started=probes.started(), ready=probes.ready())
            responder.keep()

        watching = asyncio.create_task(lag.watch(tell))
        try:
            yield responder.port
        finally:
            watching.cancel()
            with suppress(asyncio.CancelledError):
                await watching
            responder.close()
    finally:
        await asyncio.to_thread(server.stop)


class _Server:
    """Serves an application in a thread of its own."""

    def __init__(self, app: web.Application) -> None:
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="monitoring", daemon=True)

    def start(self) -> int:
        """The port of this machine that it listens on."""
        self._thread.start()
        return asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result()

    def stop(self) -> None:
        """Close all connections, and end the thread."""
        asyncio.run_coroutine_threadsafe(self._runner.cleanup(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _listen(self) -> int:
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        found: int = self._runner.addresses[0][1]
        return found
