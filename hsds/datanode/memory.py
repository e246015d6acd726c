"""What a process remembers of the recent past, e.g. what was deleted, to say 410 rather than 404.

Bounded, and lost on restart: nothing that must be right depends on it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Iterable


class RecentMemory:
    """The last ``size`` things that were added and not discarded."""

    def __init__(self, size: int = 20_000) -> None:
        self._size = size
        self._items: OrderedDict[Hashable, None] = OrderedDict()

    def __contains__(self, item: Hashable) -> bool:
        return item in self._items

    def add(self, items: Iterable[Hashable]) -> None:
        """Remember ``items``."""
        for item in items:
            self._items[item] = None
            self._items.move_to_end(item)
        while len(self._items) > self._size:
            self._items.popitem(last=False)

    def clear(self) -> None:
        """Forget everything."""
        self._items.clear()

    def discard(self, items: Iterable[Hashable]) -> None:
        """Forget ``items``."""
        for item in items:
            self._items.pop(item, None)
