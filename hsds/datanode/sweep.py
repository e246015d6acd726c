"""Freeing the storage of what was deleted: roots with everything below them, and the chunks of datasets.

What is to be freed is first written down in the bucket under ``.hsds/deleted/``, so that the next process
goes on where a killed one stopped. The note goes only when nothing is left. It holds the domain with which a
root is to go: if a process ends between the two, the next one sees by the domain what was meant.
"""

from __future__ import annotations

import asyncio
import logging

from hsds.datanode.change import Outcome
from hsds.datanode.documents import JSON
from hsds.datanode.state import State
from hsds.errors import HsdsError
from hsds.hdf5 import keys
from hsds.hdf5.ids import is_object_id, is_root

NOTES = ".hsds/deleted/"
_RETRY_SECONDS = 5.0

log = logging.getLogger(__name__)


class Sweeper:
    """Frees storage in the background, one task for each deleted root or dataset."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._running: dict[tuple[str, str], asyncio.Task[None]] = {}

    async def announce(self, bucket: str, id_: str, *, domain: str = "") -> None:
        """Write down that ``id_`` is about to be deleted, maybe with a ``domain`` (a path).

        Call before the tombstone of either is written.
        """
        await self._state.store.put(bucket, NOTES + id_, domain.encode() or b"deleted")

    async def spare(self, bucket: str, root: str) -> None:
        """A domain is about to be deleted without its root: what was once announced otherwise is void."""
        if not await self._is_deleted(bucket, root):
            await self._state.store.delete(bucket, NOTES + root)

    def sweep(self, bucket: str, id_: str) -> None:
        """Free everything that belongs to a deleted root or dataset, and forget what is cached of it."""
        self._state.deleted.add([(bucket, id_)])
        prefix = _prefix(id_)
        self._state.chunks.reader.forget_prefix(bucket, prefix)
        if is_root(id_):
            self._state.objects.reader.forget_prefix(bucket, prefix)
        if (bucket, id_) not in self._running:
            task = asyncio.create_task(self._sweep(bucket, id_))
            self._running[bucket, id_] = task
            task.add_done_callback(lambda _: self._running.pop((bucket, id_), None))

    async def wait_for(self, bucket: str, id_: str) -> None:
        """Wait until the storage of ``id_`` has been freed: only then may the id be used again."""
        task = self._running.get((bucket, id_))
        if task is not None:
            await asyncio.shield(task)

    async def resume(self, bucket: str) -> None:
        """Take up what an earlier process announced.

        A dataset without a tombstone was not deleted. A root was, unless the domain with which it was to go
        is still there.
        """
        async for info in self._state.store.list_all(bucket, NOTES):
            id_ = info.key.removeprefix(NOTES)
            if not is_object_id(id_):
                continue
            if await self._is_deleted(bucket, id_) or await self._should_be(bucket, id_):
                self.sweep(bucket, id_)
            else:
                await self._state.store.delete(bucket, info.key)

    async def close(self) -> None:
        """Stop; what is left is taken up by the next process."""
        tasks = tuple(self._running.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def drain(self) -> None:
        """Wait until all that is deleted has been freed."""
        while self._running:
            await asyncio.wait(tuple(self._running.values()))

    async def _is_deleted(self, bucket: str, id_: str) -> bool:
        try:
            return not (await self._state.store.head(bucket, keys.object_key(id_))).size
        except LookupError:
            return True

    async def _should_be(self, bucket: str, root: str) -> bool:
        """Delete a root to which an earlier process did not get; False if that is not what was meant."""
        if not is_root(root):
            return False
        note = bytes((await self._state.store.get(bucket, NOTES + root)).data).decode()
        if note.startswith("/"):
            domain = await self._state.objects.reader.read((bucket, keys.domain_key(note)), JSON)
            if domain.value is not None and domain.value.get("root") == root:
                return False
        key = (bucket, keys.object_key(root))
        await self._state.objects.committer.change(key, JSON, lambda _: Outcome(None))
        return True

    async def _sweep(self, bucket: str, id_: str) -> None:
        while True:
            try:
                await self._delete_all(bucket, id_)
                await self._state.store.delete(bucket, NOTES + id_)
                return
            except HsdsError as error:
                log.warning("freeing the storage of %s goes on later: %s", id_, error)
                await asyncio.sleep(_RETRY_SECONDS)

    async def _delete_all(self, bucket: str, id_: str) -> None:
        """Delete until a listing shows nothing, once no PUT is under way any more; new ones are refused."""
        store, prefix = self._state.store, _prefix(id_)
        keep = keys.object_key(id_)  # the tombstone goes last: until then it says that the rest is nobody's
        if is_root(id_) and store.conditional_delete:
            keep = ""  # it was deleted outright
        await self._state.scans.watch.settled((bucket, keys.root_prefix(id_)), prefix)
        while await store.delete_all(bucket, prefix, keep=keep):
            pass
        if is_root(id_) and keep:
            await store.delete(bucket, keep)


def _prefix(id_: str) -> str:
    return keys.root_prefix(id_) if is_root(id_) else keys.dataset_prefix(id_)
