"""Creation times for things made by one request: clients sort by them, so no two of a request are equal."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

MICROSECOND = 1e-6
"""Just above what a float holds of a second count of today (2.4e-7 s)."""


def stamps(now: float) -> Iterator[float]:
    """``now`` (seconds since the epoch), then one microsecond more each time."""
    return (now + index * MICROSECOND for index in count())
