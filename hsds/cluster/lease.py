"""The lease: for how long a member may believe the view that it knows."""

from __future__ import annotations

DRIFT = 1.02
"""Clocks of two machines differ in speed by less than this; who waits for another's lease waits longer."""


class Lease:
    """Held while a GET of the view record that *started* less than ``duration`` ago showed us as a member.

    Times are seconds of a clock that does not stop when the machine sleeps (CLOCK_BOOTTIME). Counting from
    the start is what makes it safe: whoever changed the record after our GET started may count on our lease
    ending ``duration`` after that change at the latest.
    """

    def __init__(self, duration: float) -> None:
        self.duration = duration
        self._started: float | None = None

    def renew(self, started: float) -> None:
        """A GET that started at ``started`` showed the record with us in it (or unchanged)."""
        if self._started is None or started > self._started:
            self._started = started

    def lose(self) -> None:
        """The record has us no more."""
        self._started = None

    def held(self, now: float) -> bool:
        """Whether the node may serve, and acknowledge, at ``now``."""
        return self._started is not None and now - self._started < self.duration

    @property
    def ends(self) -> float:
        """When it ends unless it is renewed."""
        return float("-inf") if self._started is None else self._started + self.duration

    def age(self, now: float) -> float | None:
        """Seconds since the start of the GET that the lease rests on."""
        return None if self._started is None else now - self._started
