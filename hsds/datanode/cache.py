"""A least-recently-used cache bounded in bytes: what the data node remembers of the store."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class ByteLRU(Generic[K, V]):
    """Keeps the most recently used values whose costs add up to at most ``limit`` bytes.

    A value larger than the whole limit is not kept at all. ``group`` says what belongs together, so that it
    can be dropped without a look at everything else.
    """

    def __init__(self, limit: int, group: Callable[[K], Hashable] = lambda key: None) -> None:
        self.limit = limit
        self._group = group
        self._groups: dict[Hashable, set[K]] = {}
        self.used = 0
        self.hits = 0
        self.misses = 0
        self.evictions = 0
        self._items: OrderedDict[K, tuple[V, int]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._items)

    def __repr__(self) -> str:
        return f"<ByteLRU {len(self)} items, {self.used}/{self.limit} bytes>"

    def get(self, key: K) -> V | None:
        """The value under ``key``, which becomes the most recently used, or None."""
        if key not in self._items:
            self.misses += 1
        return self.look(key)

    def look(self, key: K) -> V | None:
        """As ``get``, for those who look again before they do without: a miss is not counted."""
        item = self._items.get(key)
        if item is None:
            return None
        self.hits += 1
        self._items.move_to_end(key)
        return item[0]

    def put(self, key: K, value: V, cost: int) -> None:
        """Remember ``value`` at ``cost`` bytes, in place of what was there."""
        self.pop(key)
        if cost > self.limit:
            return
        self._items[key] = (value, cost)
        self._groups.setdefault(self._group(key), set()).add(key)
        self.used += cost
        while self.used > self.limit:
            self.pop(next(iter(self._items)))
            self.evictions += 1

    def pop(self, key: K) -> None:
        """Forget what is under ``key``, if anything."""
        item = self._items.pop(key, None)
        if item is not None:
            self.used -= item[1]
            group = self._group(key)
            keys = self._groups[group]
            keys.remove(key)
            if not keys:
                del self._groups[group]

    def drop(self, condition: Callable[[K], bool]) -> None:
        """Forget everything whose key satisfies ``condition``."""
        for key in [key for key in self._items if condition(key)]:
            self.pop(key)

    def drop_group(self, group: Hashable, condition: Callable[[K], bool]) -> None:
        """Forget what satisfies ``condition`` of one group."""
        for key in [key for key in self._groups.get(group, ()) if condition(key)]:
            self.pop(key)
