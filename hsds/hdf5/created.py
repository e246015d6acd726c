"""The time at which a link or an attribute was made: the client's where it is believable, else ours."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import Any

PREDATE_MAX_TIME = 10.0
"""Seconds that a client's time may lie in the past (HSDS: ``predate_max_time``)."""
MAX_TIMESTAMP_DRIFT = 300.0
"""Seconds that a client's time may be off at all (HSDS: ``max_timestamp_drift``)."""


@dataclass(frozen=True, slots=True)
class TimeRules:
    """Which times of clients count, in seconds."""

    predate_max_time: float = PREDATE_MAX_TIME
    max_timestamp_drift: float = MAX_TIMESTAMP_DRIFT


def creation_time(
    requested: Any, *, now: float, predate_max_time: float, max_timestamp_drift: float
) -> float:
    """The time to store, in seconds since the epoch: ``requested`` if it is near enough, else ``now``.

    A believable time is kept to the last digit: clients order links and attributes by it.
    """
    if not isinstance(requested, int | float) or isinstance(requested, bool) or not isfinite(requested):
        return now
    if not now - min(predate_max_time, max_timestamp_drift) <= requested <= now + max_timestamp_drift:
        return now
    return float(requested)
