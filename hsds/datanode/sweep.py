"""Freeing the storage of what was deleted: roots with everything below them, and the chunks of datasets.

What is to be freed is first written down in the bucket under ``.hsds/deleted/``, so that the next process
goes on where a killed one stopped. The note goes only when nothing is left. It holds the domain with which a
root is to go: if a process ends between the two, the next one sees by the domain what was meant.

Among several data nodes the owner of the root, or of the dataset, sweeps. One that gains slots looks for
notes of what is its own now; one that loses them stops. It looks in the default bucket, and in others once it
has changed something there. Others may still be storing chunks that were written while the dataset was
deleted: what they leave is swept when no such request can be under way any more.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress

from hsds.datanode.change import Outcome
from hsds.datanode.documents import JSON
from hsds.datanode.gate import Hold
from hsds.datanode.memory import RecentMemory
from hsds.datanode.state import State
from hsds.errors import BucketNotFound, HsdsError, NotOwner
from hsds.hdf5 import keys
from hsds.hdf5.ids import is_object_id, is_root

NOTES = ".hsds/deleted/"
_RETRY_SECONDS = 5.0

log = logging.getLogger(__name__)


class Sweeper:
    """Frees storage in the background, one task for each deleted root or dataset.

    ``again`` is for how many seconds others may still be storing what was written before the deletion.
    """

    def __init__(self, state: State, *, again: float = 180.0) -> None:
        self._state = state
        self._again = again
        self._running: dict[tuple[str, str], asyncio.Task[None]] = {}
        self._swept: dict[tuple[str, str], asyncio.Future[None]] = {}
        """Done when nothing is left that was there; ``NotOwner`` if the sweep ended before."""
        self._buckets: set[str] = set()
        """Those that are known."""
        self._looked: set[str] = set()
        """Those in which notes have been looked for since slots were gained."""
        self._gains = 0
        """How often slots were gained."""
        self._unlooked = asyncio.Event()
        self._announced = RecentMemory()
        """What there is a note of, where no other data node could have removed it."""

    async def announce(self, bucket: str, id_: str, *, domain: str = "") -> None:
        """Write down that ``id_`` is about to be deleted, maybe with a ``domain`` (a path).

        Call before the tombstone of either is written. Once is enough: a note with a domain counts for the
        root as well when that is gone.
        """
        if domain or (bucket, id_) not in self._announced:
            await self._state.store.put(bucket, NOTES + id_, domain.encode() or b"deleted")
            if self._state.gate.alone:
                self._announced.add([(bucket, id_)])

    async def spare(self, bucket: str, root: str) -> None:
        """A domain is about to be deleted without its root: what was once announced otherwise is void."""
        if not await self._is_deleted(bucket, root):
            await self._forget_note(bucket, root)

    async def recall(self, bucket: str, id_: str) -> None:
        """The dataset that was announced is not there. If an attempt that nobody heard of has deleted it, its
        chunks go now.
        """
        if (bucket, id_) in self._running:
            return
        page = await self._state.store.list(bucket, _prefix(id_), limit=2)
        if any(info.key != keys.object_key(id_) for info in page.objects):
            self.sweep(bucket, id_)
        else:
            await self._forget_note(bucket, id_)

    async def _forget_note(self, bucket: str, id_: str) -> None:
        self._announced.discard([(bucket, id_)])
        await self._state.store.delete(bucket, NOTES + id_)

    def sweep(self, bucket: str, id_: str) -> None:
        """Free everything that belongs to a deleted root or dataset, and forget what is cached of it."""
        self._state.deleted.add([(bucket, id_)])
        prefix = _prefix(id_)
        self._state.chunks.reader.forget_prefix(bucket, prefix)
        if is_root(id_):
            self._state.objects.reader.forget_prefix(bucket, prefix)
        if (bucket, id_) in self._running:
            return
        with suppress(NotOwner):  # who owns it now finds the note
            hold = self._state.gate.hold((bucket, keys.object_key(id_)))
            swept = self._swept[bucket, id_] = asyncio.get_running_loop().create_future()
            task = asyncio.create_task(self._sweep(bucket, id_, hold, swept))
            self._running[bucket, id_] = task
            task.add_done_callback(lambda task: self._ended((bucket, id_), task))

    def _ended(self, what: tuple[str, str], task: asyncio.Task[None]) -> None:
        del self._running[what]
        swept = self._swept.pop(what)
        if not swept.done():
            swept.set_exception(NotOwner(f"the storage of {what[1]} was not freed by this data node"))
            swept.exception()  # maybe nobody waits
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("freeing the storage of %s ended", what[1], exc_info=error)

    async def free(self, bucket: str, id_: str) -> None:
        """Return when the id may be used again: nothing of what had it is left, and no sweep goes on.

        Raises ``NotOwner`` if the sweep ends before: who owns the id then finds the note.
        """
        hold = self._state.gate.hold((bucket, keys.object_key(id_)))
        if bucket not in self._looked and await self._is_noted(bucket, id_):
            await self._take_up(bucket, id_)
        task = self._running.get((bucket, id_))
        if task is not None:
            await asyncio.shield(self._swept[bucket, id_])
            task.cancel()
            await asyncio.wait((task,))
            self._state.gate.check(hold)
            await self._forget_note(bucket, id_)

    def look_again(self) -> None:
        """There may be notes of what has become this node's to sweep."""
        self._gains += 1
        self._looked.clear()
        self._unlooked.set()

    def know(self, bucket: str) -> None:
        """The bucket is there and can be changed: notes in it are worth looking for."""
        if bucket not in self._buckets:
            self._buckets.add(bucket)
            self._unlooked.set()

    async def follow(self, ready: Callable[[], bool] = lambda: True) -> None:
        """Take up what is noted, for ever: soon after there may be something, when this node is ``ready``."""
        while True:
            await self._unlooked.wait()
            await asyncio.sleep(_RETRY_SECONDS)
            if ready():
                self._unlooked.clear()
                for bucket in self._buckets - self._looked:
                    await self._look(bucket)

    async def _look(self, bucket: str) -> None:
        try:
            await self.resume(bucket)
        except BucketNotFound:
            self._buckets.discard(bucket)
        except HsdsError as error:
            log.info("what is left of deleted objects in %s is looked for later: %s", bucket, error)

    async def wanted(self) -> None:
        """Wait until there is something to look for."""
        await self._unlooked.wait()

    async def resume(self, bucket: str) -> None:
        """Take up what an earlier process announced, or another owner, as far as it is ours now."""
        self._buckets.add(bucket)
        gains = self._gains
        try:
            async for info in self._state.store.list_all(bucket, NOTES):
                id_ = info.key.removeprefix(NOTES)
                if is_object_id(id_):
                    with suppress(NotOwner):
                        await self._take_up(bucket, id_)
        except HsdsError:
            self._unlooked.set()
            raise
        if gains == self._gains:
            self._looked.add(bucket)

    async def _take_up(self, bucket: str, id_: str) -> None:
        """Sweep, or find that nothing is to be swept. Raises ``NotOwner``.

        A dataset without a tombstone was not deleted. A root was, unless the domain with which it was to go
        is still there.
        """
        hold = self._state.gate.hold((bucket, keys.object_key(id_)))
        if (bucket, id_) in self._running:
            return
        if await self._is_deleted(bucket, id_) or await self._should_be(bucket, id_):
            self._state.gate.check(hold)
            self.sweep(bucket, id_)
        else:
            self._state.gate.check(hold)
            await self._forget_note(bucket, id_)

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

    async def _is_noted(self, bucket: str, id_: str) -> bool:
        try:
            await self._state.store.head(bucket, NOTES + id_)
        except LookupError:
            return False
        return True

    async def _should_be(self, bucket: str, root: str) -> bool:
        """Delete a root to which an earlier process did not get; False if that is not what was meant."""
        if not is_root(root):
            return False
        note = bytes((await self._state.store.get(bucket, NOTES + root)).data).decode()
        if note.startswith("/"):
            try:  # whoever owns it
                blob = await self._state.store.get(bucket, keys.domain_key(note))
            except LookupError:
                blob = None
            if blob is not None and len(blob.data) and JSON.decode(blob.data).get("root") == root:
                return False
        key = (bucket, keys.object_key(root))
        await self._state.objects.committer.change(key, JSON, lambda _: Outcome(None))
        return True

    async def _sweep(self, bucket: str, id_: str, hold: Hold, swept: asyncio.Future[None]) -> None:
        gate = self._state.gate
        whole = gate.whole()
        while True:
            try:
                await self._delete_all(bucket, id_, hold)
                if not swept.done():
                    swept.set_result(None)
                    if whole is None or not gate.valid(whole):
                        await asyncio.sleep(self._again)
                        continue
                gate.check(hold)
                await self._forget_note(bucket, id_)
                return
            except NotOwner:
                if not gate.waits(hold):
                    return  # who owns it now finds the note
                await asyncio.sleep(_RETRY_SECONDS)
            except HsdsError as error:
                log.warning("freeing the storage of %s goes on later: %s", id_, error)
                await asyncio.sleep(_RETRY_SECONDS)

    async def _delete_all(self, bucket: str, id_: str, hold: Hold) -> None:
        """Delete until a listing shows nothing, once no PUT is under way any more; new ones are refused."""
        store, prefix = self._state.store, _prefix(id_)
        keep = keys.object_key(id_)  # the tombstone goes last: until then it says that the rest is nobody's
        if is_root(id_) and store.conditional_delete:
            keep = ""  # it was deleted outright
        await self._state.scans.watch.settled((bucket, keys.root_prefix(id_)), prefix)
        self._state.gate.check(hold)
        while await store.delete_all(bucket, prefix, keep=keep):
            self._state.gate.check(hold)
        if is_root(id_) and keep:
            self._state.gate.check(hold)
            await store.delete(bucket, keep)


def _prefix(id_: str) -> str:
    return keys.root_prefix(id_) if is_root(id_) else keys.dataset_prefix(id_)
