"""Who counts what is stored under a root learns here whether anything of it changed meanwhile."""

from __future__ import annotations

import asyncio
from weakref import WeakValueDictionary

from hsds.datanode.gate import Key

_LENGTH = len("db/01234567-01234567/")


def root_prefix_of(key: Key) -> Key | None:
    """Bucket and prefix of the root that a key belongs to; None for domains, which belong to none."""
    bucket, name = key
    return (bucket, name[:_LENGTH]) if name.startswith("db/") else None


class Watch:
    """Stays ``clean`` for as long as nothing under the root changes or is about to."""

    __slots__ = ("__weakref__", "clean")

    def __init__(self, clean: bool) -> None:
        self.clean = clean


class RootWatch:
    """Changes that are under way, by root, and those who watch for them.

    A watch lives as long as somebody holds it. A PUT may reach the store at any moment between its begin and
    its end, so both spoil the watches of its root.
    """

    def __init__(self) -> None:
        self._busy: dict[Key, dict[asyncio.Event, str]] = {}
        """By root: what tells that a change is over, and the name of the key that it changes."""
        self._watches: WeakValueDictionary[Key, Watch] = WeakValueDictionary()

    def __repr__(self) -> str:
        return f"<RootWatch {len(self._busy)} roots under change, {len(self._watches)} watched>"

    def begin(self, root: Key, name: str) -> asyncio.Event:
        """The key ``name`` of the root is going to be changed. Pass what this returns to ``end``."""
        over = asyncio.Event()
        self._busy.setdefault(root, {})[over] = name
        self._spoil(root)
        return over

    def end(self, root: Key, over: asyncio.Event) -> None:
        """That change is over."""
        over.set()
        busy = self._busy[root]
        del busy[over]
        if not busy:
            del self._busy[root]
        self._spoil(root)

    async def settled(self, root: Key, prefix: str) -> None:
        """Return when those changes of keys with ``prefix`` are over that are under way now."""
        for over, name in list(self._busy.get(root, {}).items()):
            if name.startswith(prefix):
                await over.wait()

    def watch(self, root: Key) -> Watch:
        """Watch from now on; not clean to begin with while something is being changed."""
        if root in self._busy:
            return Watch(clean=False)
        watch = self._watches.get(root)
        if watch is None:
            watch = self._watches[root] = Watch(clean=True)
        return watch

    def _spoil(self, root: Key) -> None:
        watch = self._watches.pop(root, None)
        if watch is not None:
            watch.clean = False
