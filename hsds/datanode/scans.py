"""HSDS's scan results of a root, ``.info.json`` and ``.summary.json``: gone with the first change here.

HSDS serves them until it scans again. A bucket that goes back to it after changes made here must not show
old figures and old metadata, so the first change of a root in this process deletes both.
"""

from __future__ import annotations

import asyncio

from hsds.datanode.memory import RecentMemory
from hsds.hdf5 import keys
from hsds.hdf5.ids import root_of
from hsds.store.base import Store


class Scans:
    """Deletes outdated scan results, once a root."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._gone = RecentMemory()
        self._deleting: dict[tuple[str, str], asyncio.Task[None]] = {}

    async def outdated(self, bucket: str, id_: str) -> None:
        """Something of the root of ``id_`` is about to change."""
        root = (bucket, root_of(id_))
        if root in self._gone:
            return
        task = self._deleting.get(root)
        if task is None:
            task = self._deleting[root] = asyncio.create_task(self._delete(*root))
            task.add_done_callback(lambda _: self._deleting.pop(root, None))
        await asyncio.shield(task)

    def none_yet(self, bucket: str, root: str) -> None:
        """The root is being made now: there cannot be a scan of it."""
        self._gone.add([(bucket, root)])

    async def _delete(self, bucket: str, root: str) -> None:
        await asyncio.gather(
            self._store.delete(bucket, keys.info_key(root)),
            self._store.delete(bucket, keys.summary_key(root)),
        )
        self._gone.add([(bucket, root)])
