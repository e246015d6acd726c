"""How often something happens at present: counted by the second, told over the last ten."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

_SPAN: Final = 10


class Rate:
    """Events per second over the last ten seconds, or since the start if that is shorter."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._began = clock()
        self._counts = [0] * _SPAN
        self._second = int(self._began)

    def count(self) -> None:
        """One more."""
        self._advance()
        self._counts[self._second % _SPAN] += 1

    def per_second(self) -> float:
        """The rate, to a tenth."""
        self._advance()
        now = self._clock()
        whole = _SPAN - 1 + now % 1  # the present second has only begun
        return round(sum(self._counts) / max(1.0, min(whole, now - self._began)), 1)

    def _advance(self) -> None:
        """Forget seconds that are over since the last look."""
        now = int(self._clock())
        for second in range(max(self._second + 1, now - _SPAN + 1), now + 1):
            self._counts[second % _SPAN] = 0
        self._second = now
