"""The port for machines that watch: metrics and probes of all roles of the process, off the public port.

Here is also what tells that the event loop is late, which is what everybody waits for when it is.
"""

from __future__ import annotations

import asyncio
import errno
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from hsds.config import Settings
from hsds.errors import InvalidSettings
from hsds.metrics import METRICS_TYPE, Metrics

_BEAT: Final = 0.1
_WINDOW: Final = 15.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Probes:
    """What the process says of itself when it is asked. With several roles: of all of them together."""

    started: Callable[[], bool]
    """Whether start-up is over."""
    ready: Callable[[], bool]
    """Whether to send requests here (a service node), to go on with the rollout (a data node)."""
    render: Callable[[], bytes]
    """The metrics page."""


class LoopLag:
    """How late the event loop is: the worst of the last 15 to 30 seconds, in seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._window = clock()
        self._worst = self._before = 0.0

    @property
    def worst(self) -> float:
        """The longest that something due had to wait."""
        return max(self._worst, self._before)

    def late(self, seconds: float) -> None:
        """Something was done so many seconds after it was due."""
        now = self._clock()
        if now - self._window >= _WINDOW:
            self._before, self._worst, self._window = self._worst, 0.0, now
        self._worst = max(self._worst, seconds)

    async def watch(self) -> None:
        """Measure until cancelled."""
        while True:
            due = self._clock() + _BEAT
            await asyncio.sleep(_BEAT)
            self.late(self._clock() - due)


def make_monitoring_app(probes: Probes) -> web.Application:
    """``/metrics``, ``/livez``, ``/readyz``, ``/startupz``. Open to whoever reaches the port."""

    async def livez(_: web.Request) -> web.Response:
        return web.Response(text="ok")

    async def readyz(_: web.Request) -> web.Response:
        return _said(probes.ready())

    async def startupz(_: web.Request) -> web.Response:
        return _said(probes.started())

    async def metrics(_: web.Request) -> web.Response:
        return web.Response(body=probes.render(), headers={"Content-Type": METRICS_TYPE})

    app = web.Application()
    for path, handler in (
        ("/livez", livez),
        ("/readyz", readyz),
        ("/startupz", startupz),
        ("/metrics", metrics),
    ):
        app.router.add_get(path, handler)
    return app


def _said(good: bool) -> web.Response:
    return web.Response(text="ok") if good else web.Response(status=503, text="not yet")


@asynccontextmanager
async def monitored(settings: Settings, metrics: Metrics, probes: Probes) -> AsyncIterator[int]:
    """Answer on ``metrics_port`` of ``host`` meanwhile, and measure the loop; the port that it is.

    Raises ``InvalidSettings`` for a port that cannot be had.
    """
    lag = LoopLag(asyncio.get_running_loop().time)
    metrics.figures.gauge(
        "hsds_event_loop_lag_seconds", "Worst of the last 15 to 30 seconds", lambda: {(): lag.worst}
    )
    runner = web.AppRunner(make_monitoring_app(probes), access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    watching = asyncio.create_task(lag.watch())
    try:
        try:
            await web.TCPSite(runner, settings.host, settings.metrics_port).start()
        except OSError as error:
            reason = "it is in use" if error.errno == errno.EADDRINUSE else error.strerror
            raise InvalidSettings(
                f"cannot listen on {settings.host} port {settings.metrics_port} (metrics_port): {reason}"
            ) from error
        yield runner.addresses[0][1]
    finally:
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching
        await runner.cleanup()
