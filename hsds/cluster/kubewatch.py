"""The loop that follows the pods of a label: LIST, then WATCH from its version, as long as the process lives.

The library's own loop reconnects silently for ever, and gives up on a second 410. Here whatever ends a stream
ends in a new LIST, after a pause that grows with each failure. A stream that is silent for long is given up
and asked for again from where it was, and every few minutes there is a LIST all the same: silence of the
cluster looks no different from that of a connection that has died, and a LIST at each would cost too much.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hsds.cluster.kubeclient import (
    ExpiredError,
    KubeClient,
    KubeError,
    Listing,
    SilentError,
    ThrottledError,
    error_of,
)

Json = dict[str, Any]
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class WatchTiming:
    """Seconds."""

    silence: float = 30.0
    """Without an event or bookmark a stream is given up and asked for again."""
    relist: float = 150.0
    """Between two LISTs at most, and half of it at least while all is well: nodes should not ask in step."""
    answer: float = 10.0
    """For a LIST to be answered."""
    first_pause: float = 0.2
    longest_pause: float = 10.0
    """After a failure, and after many."""


class PodWatch:
    """Follows pods. ``listed`` gets every LIST with the time it was asked for, ``event`` every event."""

    def __init__(
        self,
        client: KubeClient,
        selector: str,
        *,
        listed: Callable[[Listing, float], object],
        event: Callable[[str, Json], None],
        clock: Callable[[], float],
        timing: WatchTiming = WatchTiming(),
    ) -> None:
        self._client = client
        self._selector = selector
        self._listed = listed
        self._event = event
        self._clock = clock
        self._timing = timing
        self._failures = 0
        self.problem: str | None = None
        """Why there is no news at present; None while there is."""

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                await self._round()
            except ExpiredError as error:
                await self._pause(error, quick=self._failures == 0)
            except KubeError as error:
                await self._pause(error)

    async def _round(self) -> None:
        """One LIST and what follows it, until it is time for the next."""
        started = self._clock()
        listing = await self._client.list_pods(self._selector, seconds=self._timing.answer)
        self._listed(listing, started)
        due = started + self._timing.relist * random.uniform(0.5, 1.0)
        version = listing.version
        while (left := due - self._clock()) > 0:
            version = await self._follow(version, left)

    async def _follow(self, version: str, seconds: float) -> str:
        """Take in events after ``version``, for ``seconds`` or until silence; the version of the last."""
        timing, opened = self._timing, self._clock()
        silence = min(timing.silence, seconds)
        watch = self._client.watch_pods(self._selector, version, silence=silence, seconds=seconds + silence)
        try:
            async with asyncio.timeout(seconds), watch as events:
                self._recovered()
                async for event in events:
                    version = self._take(event)
        except (TimeoutError, SilentError):
            self._failures = 0
            return version
        finally:
            if self._clock() - opened > timing.longest_pause:
                self._failures = 0
        raise KubeError("the API server has ended the stream of events", retry_after=0.0)

    def _take(self, event: Json) -> str:
        """Pass an event on; its version."""
        try:
            kind, item = event["type"], event["object"]
            if kind == "ERROR":
                raise error_of(item, "watch", self._client.namespace)
            version = str(item["metadata"]["resourceVersion"])
            if kind != "BOOKMARK":
                self._event(kind, item)
        except (KeyError, TypeError) as error:
            raise KubeError(f"the API server sends what is no event: {error!r}") from error
        return version

    def _recovered(self) -> None:
        if self.problem is not None:
            _LOG.info("discovery: the API server answers again")
        self.problem = None

    async def _pause(self, error: KubeError, *, quick: bool = False) -> None:
        """Wait before the next LIST: longer each time, and as long as the server asks for."""
        if str(error) != self.problem:
            _LOG.warning("discovery: %s", error)
        self.problem = str(error)
        seconds = min(self._timing.longest_pause, self._timing.first_pause * 2 ** min(self._failures, 10))
        self._failures += 1
        if not quick:
            asked = (
                min(error.retry_after, self._timing.longest_pause)
                if isinstance(error, ThrottledError)
                else 0.0
            )
            await asyncio.sleep(max(asked, seconds * random.uniform(0.5, 1.0)))
