"""Whether a history of one register could have come from operations that each took effect at one moment.

The search of Wing and Gong ("Testing and Verifying Concurrent Objects", 1993), with states remembered.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Event:
    """An operation on the register, from ``start`` to ``end``.

    A write whose answer never came has ``end`` infinity: it may take effect at any time, or never.
    """

    kind: str
    """``read`` or ``write``."""
    value: Hashable
    start: float
    end: float = math.inf

    @property
    def unknown(self) -> bool:
        return self.end == math.inf


def linearizable(events: Sequence[Event], initial: Hashable) -> bool:
    """Whether in some order of the events, within their times, each read gives the last write."""
    events = sorted((e for e in events if e.kind == "write" or not e.unknown), key=lambda e: e.start)
    needed = sum(1 << i for i, event in enumerate(events) if not event.unknown)
    seen: set[tuple[int, Hashable]] = set()
    stack: list[tuple[int, Hashable]] = [(0, initial)]
    while stack:
        done, value = stack.pop()
        if done & needed == needed:
            return True
        if (done, value) in seen:
            continue
        seen.add((done, value))
        left = [i for i in range(len(events)) if not done >> i & 1]
        first_end = min(events[i].end for i in left)
        for i in left:
            event = events[i]
            if event.start > first_end:
                break
            if event.kind == "write":
                stack.append((done | 1 << i, event.value))
            elif event.value == value:
                stack.append((done | 1 << i, value))
    return False
