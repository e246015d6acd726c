"""What this process remembers of deleted things, to say 410 rather than 404. Bounded; lost on restart."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Iterable


class DeletedMemory:
    """The last ``size`` things that were deleted and not made again."""

    def __init__(self, size: int = 20_000) -> None:
        self._size = size
        self._items: OrderedDict[Hashable, None] = OrderedDict()

    def __contains__(self, item: Hashable) -> bool:
        return item in self._items

    def add(self, items: Iterable[Hashable]) -> None:
        """Remember that ``items`` were deleted."""
        for item in items:
            self._items[item] = None
            self._items.move_to_end(item)
        while len(self._items) > self._size:
            self._items.popitem(last=False)

    def discard(self, items: Iterable[Hashable]) -> None:
        """Forget ``items``: they exist again."""
        for item in items:
            self._items.pop(item, None)
