"""HSDS's scan results of a root, ``.info.json`` and ``.summary.json``: gone before anything here changes.

HSDS serves them until it scans again. A bucket that goes back to it after changes made here must not show
old figures and old metadata: so whatever is stored under a root goes through ``begin``, which first
deletes both, once as long as nobody writes them anew.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from hsds.datanode.gate import Key
from hsds.datanode.memory import RecentMemory
from hsds.datanode.rootwatch import RootWatch, Watch, root_prefix_of
from hsds.hdf5 import keys
from hsds.store.base import Store

Begun = tuple[Key, asyncio.Event] | None


class Scans:
    """Deletes outdated scan results, and writes new ones between two changes."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.watch = RootWatch()
        self._gone = RecentMemory()
        self._working: dict[Key, asyncio.Task[None]] = {}

    async def begin(self, key: Key) -> Begun:
        """A key is going to be changed. Pass what this returns to ``end``."""
        root = root_prefix_of(key)
        if root is None:
            return None
        while root not in self._gone:  # between the last look and begin() nothing can come
            await self._one_at_a_time(root, self._delete)
        return root, self.watch.begin(root, key[1])

    def end(self, begun: Begun) -> None:
        """That change is over."""
        if begun is not None:
            self.watch.end(*begun)

    def none_yet(self, bucket: str, root: str) -> None:
        """The root is being made now: there cannot be a scan of it."""
        self._gone.add([(bucket, keys.root_prefix(root))])

    def perhaps(self, bucket: str, root: str) -> None:
        """There may be one after all."""
        self._gone.discard([(bucket, keys.root_prefix(root))])

    def forget(self) -> None:
        """Others may have written some since they were deleted here."""
        self._gone.clear()

    async def publish(self, bucket: str, root: str, info: bytes, watch: Watch) -> bool:
        """Store ``.info.json``, if nothing has changed under ``watch``. Changes wait until it is there.

        Only for a data node that owns every key: what others change does not wait, nor spoil the watch.
        """
        place = (bucket, keys.root_prefix(root))
        while place in self._working:
            await asyncio.wait([self._working[place]])
        if not watch.clean:
            return False
        self._gone.discard([place])

        async def put(_: Key) -> None:
            await self._store.put(bucket, keys.info_key(root), info)

        await self._one_at_a_time(place, put)
        return True

    async def _one_at_a_time(self, root: Key, work: Callable[[Key], Coroutine[Any, Any, None]]) -> None:
        """Join what is being done to the scan results of a root, or begin ``work``."""
        task = self._working.get(root)
        if task is None:
            task = self._working[root] = asyncio.create_task(work(root))
            task.add_done_callback(lambda _: self._working.pop(root, None))
        await asyncio.shield(task)

    async def _delete(self, root: Key) -> None:
        bucket, prefix = root
        await asyncio.gather(
            self._store.delete(bucket, f"{prefix}.info.json"),
            self._store.delete(bucket, f"{prefix}.summary.json"),
        )
        self._gone.add([root])
