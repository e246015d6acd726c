"""A budget of bytes: work that holds memory waits for its share, first come, first served."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress


class ByteBudget:
    """Bounds the bytes held at once by everyone who asks. Waiters are served in order; none is refused.

    A single request larger than the whole budget is let in alone, so that it can be served at all.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.used = 0
        self.waited = 0.0
        """Seconds that all who had to wait have waited together."""
        self._waiters: deque[tuple[int, asyncio.Future[None]]] = deque()

    def __repr__(self) -> str:
        return f"<ByteBudget {self.used}/{self.limit} bytes, {len(self._waiters)} waiting>"

    @property
    def waiting(self) -> int:
        """How many wait for their share."""
        return len(self._waiters)

    def try_acquire(self, nbytes: int) -> bool:
        """Take ``nbytes`` if they are free and nobody waits; whether they were. Pair with ``release``."""
        free = not self._waiters and self._fits(nbytes)
        if free:
            self.used += nbytes
        return free

    async def acquire(self, nbytes: int) -> None:
        """Take ``nbytes``; waits until they are free. Pair with ``release``."""
        if self.try_acquire(nbytes):
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.append((nbytes, future))
        began = time.monotonic()
        try:
            await future
        except asyncio.CancelledError:
            if future.done() and not future.cancelled():
                self.release(nbytes)  # granted in the same turn of the loop in which we were cancelled
            else:
                with suppress(ValueError):  # a wake-up in between has passed us over already
                    self._waiters.remove((nbytes, future))
                self._wake()
            raise
        finally:
            self.waited += time.monotonic() - began

    def release(self, nbytes: int) -> None:
        """Give ``nbytes`` back."""
        self.used -= nbytes
        self._wake()

    @asynccontextmanager
    async def hold(self, nbytes: int) -> AsyncIterator[None]:
        """Hold ``nbytes`` for the length of a ``with`` block."""
        await self.acquire(nbytes)
        try:
            yield
        finally:
            self.release(nbytes)

    def _fits(self, nbytes: int) -> bool:
        return self.used == 0 or self.used + nbytes <= self.limit

    def _wake(self) -> None:
        while self._waiters and self._fits(self._waiters[0][0]):
            nbytes, future = self._waiters.popleft()
            if not future.done():
                self.used += nbytes
                future.set_result(None)
