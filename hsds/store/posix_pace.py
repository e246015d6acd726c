"""Whether small work on files is done in the event loop itself, or in a thread.

A file in the page cache is read or written in 10 to 200 us; by way of a thread the same takes twice that and
more, because each system call of one thread lets another have the interpreter: a domain deleted by way of
threads cost two hundred hand-overs. But a cold disk or a network share may take milliseconds, in which the
loop would serve nobody. So work stays in the loop for as long as it does not wait there.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TypeVar

try:
    import resource

    _THREAD: int | None = resource.RUSAGE_THREAD
except (ImportError, AttributeError):  # only Linux tells waiting from being kept from running
    _THREAD = None

T = TypeVar("T")

_SLOW = 0.004
"""Seconds that no work on a file in the page cache takes."""
_OFTEN = 3
"""How often work has to be slow: once can be chance."""
_FORGIVEN = 64
"""Quick works that make up for a slow one."""
_DISTRUST = 1.0
"""Seconds for which work then goes to threads."""
_AT_ONCE = 0.005
"""Seconds of work in one turn of the loop, before it looks at its sockets."""


class Pace:
    """Does small work in the loop while that is quick."""

    def __init__(self) -> None:
        self._again = 0.0
        """When work may be done in the loop again."""
        self._slow = 0.0
        self._spent = 0.0
        """Seconds in this turn of the loop."""
        self._next = asyncio.Lock()
        """Whose turn it is when the loop has been had for long enough: who came first."""

    @property
    def quick(self) -> bool:
        """Whether work may be done in the loop."""
        return time.perf_counter() >= self._again

    async def run(self, work: Callable[[], T]) -> T:
        """Do it in the loop, after others if they have had the loop for long enough."""
        async with self._next:
            while self._spent > _AT_ONCE:  # noqa: ASYNC110 - the next turn of the loop is what is waited for
                await asyncio.sleep(0)
            return self._run(work)

    def _run(self, work: Callable[[], T]) -> T:
        if not self._spent:
            asyncio.get_running_loop().call_soon(self._turn)
        waits = _waits()
        began = time.perf_counter()
        try:
            return work()
        finally:
            taken = time.perf_counter() - began
            self._spent += taken
            self._judge(taken > _SLOW and (waits is None or _waits() != waits))

    def _judge(self, slow: bool) -> None:
        if not slow:
            self._slow = max(0.0, self._slow - 1 / _FORGIVEN)
            return
        self._slow += 1
        if self._slow >= _OFTEN:
            self._slow = 0.0
            self._again = time.perf_counter() + _DISTRUST

    def _turn(self) -> None:
        self._spent = 0.0


def _waits() -> int | None:
    """How often this thread has waited for something; None where that is not known."""
    return None if _THREAD is None else resource.getrusage(_THREAD).ru_nvcsw
