"""Whether the object store answers: what the log, ``/info`` and a metric say of an outage."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

_SURE = 1.0
"""Seconds without a success after which a failure is an outage."""

log = logging.getLogger(__name__)


class StoreHealth:
    """Counts as failing from the first failure on until the next success."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._since: float | None = None
        self._told = False
        self._reason = ""

    def __repr__(self) -> str:
        return f"<StoreHealth {self.to_json()}>"

    @property
    def failing_seconds(self) -> float:
        """How long the store has been failing; 0 where it is not."""
        return 0.0 if self._since is None else max(1e-3, self._clock() - self._since)

    @property
    def reason(self) -> str:
        """Of the last failure; empty where the store is not failing."""
        return self._reason

    def failed(self, error: Exception) -> None:
        """A call was not answered, or was refused for a reason that has nothing to do with its key."""
        if self._since is None:
            self._since = self._clock()
        self._reason = str(error)
        if not self._told and self.failing_seconds >= _SURE:
            self._told = True
            log.error("the object store does not answer; requests wait: %s", self._reason)

    def succeeded(self) -> None:
        """A call was answered."""
        if self._since is None:
            return
        if self._told:
            log.warning("the object store answers again, after %.1f s", self.failing_seconds)
        self._since, self._told, self._reason = None, False, ""

    def to_json(self) -> dict[str, Any]:
        """For ``/info``."""
        if self._since is None:
            return {"state": "READY"}
        return {"state": "FAILING", "seconds": round(self.failing_seconds, 1), "reason": self._reason}
