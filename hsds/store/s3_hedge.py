"""GETs that take unusually long are sent a second time; whichever is answered first counts.

A few of a thousand answers of a large store take ten times longer than the rest, mostly for reasons of the
machine that happens to serve them. See "The Tail at Scale" (Dean and Barroso, 2013).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from hsds.errors import StoreUnavailable

T = TypeVar("T")

_SHARE = 0.05
"""Second requests at most, as a part of all."""
_SAVED = 10.0
"""Second requests that may come at once after a quiet time."""
_LEAST, _MOST = 0.1, 5.0
"""Seconds: bounds of what counts as unusually long."""
_WEIGHT = 1 / 32


class Hedge:
    """Knows how long answers take, and sends again what takes longer."""

    def __init__(self) -> None:
        self._mean = 1.0
        self._deviation = 0.5
        self._tokens = _SAVED
        self.sent = 0
        """Second requests so far."""

    def __repr__(self) -> str:
        return f"<Hedge after {self.patience:.3f} s, {self.sent} sent>"

    @property
    def patience(self) -> float:
        """Seconds after which an answer is unusually late."""
        return min(_MOST, max(_LEAST, self._mean + 4 * self._deviation))

    async def run(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """The first answer of one attempt, or of two; an error counts only if both fail.

        The first one runs in the caller's task, for the sake of the many that need no second.
        """
        loop = asyncio.get_running_loop()
        began = loop.time()
        second: list[asyncio.Future[T]] = []
        over = False
        try:
            async with asyncio.timeout(None) as scope:

                def ended(task: asyncio.Future[T]) -> None:
                    won = not task.cancelled() and task.exception() is None
                    if won and not over:
                        scope.reschedule(loop.time())

                def late() -> None:
                    if self._tokens >= 1:
                        self._tokens -= 1
                        self.sent += 1
                        task = asyncio.ensure_future(attempt())
                        second.append(task)
                        task.add_done_callback(ended)

                timer = loop.call_later(self.patience, late)
                try:
                    return await attempt()
                finally:
                    over = True
                    timer.cancel()
        except TimeoutError:
            if not scope.expired():
                raise
            return second[0].result()
        except StoreUnavailable:
            if not second:
                raise
            return await second[0]
        finally:
            for task in second:
                task.cancel()
            self._learn(loop.time() - began)

    def _learn(self, seconds: float) -> None:
        self._deviation += _WEIGHT * (abs(seconds - self._mean) - self._deviation)
        self._mean += _WEIGHT * (seconds - self._mean)
        self._tokens = min(_SAVED, self._tokens + _SHARE)
