"""Objects as files ``<root_dir>/<bucket>/<key>``: the store of one machine, shared by its processes.

Small work on files is done in the event loop while that is quick, all other in threads: see ``posix_pace``.
Reads of many files make one trip to a thread a batch.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TypeVar

from hsds.errors import InvalidKey, KeyNotFound, StoreError
from hsds.store.base import Blob, Buffer, ObjectInfo, Page, Store
from hsds.store.names import check_delimiter
from hsds.store.posix_files import Files, Fsync
from hsds.store.posix_listing import delete_all, list_folder, list_tree, walk
from hsds.store.posix_pace import Pace
from hsds.store.posix_spares import SMALL

T = TypeVar("T")

_BATCH = 32
"""Fewest keys for which a read of many is worth another thread."""
_FEW = 4
"""Most keys for which a read of many is none."""
_SETTLE_SECONDS = 0.2
"""After which the system is told to write out what replaced other objects."""
_SETTLED_AT_ONCE = 64
_DELETE_AT_ONCE = 1000
_PRUNERS = 8
_PRUNED_AT_ONCE = 512
_PRUNED_TOGETHER = 32
_MOST_PRUNING = 64
"""Batches of directories that are being removed while more is deleted."""
_PRUNE_SECONDS = 0.2
"""Directories are removed when a burst of deletes is over or large: eight threads want their share of the
interpreter, which made a domain's deletion take half as long again."""


class PosixStore(Store):
    """Buckets are the directories below ``root_dir``. Conditions hold across threads and processes.

    Refused as ``InvalidKey``: empty, ``.`` and ``..`` segments, segments of more than 255 bytes, and a key
    that is a directory of another. An ETag never repeats, whatever the bytes. ``start`` opens files, so each
    process starts its own store.
    """

    name = "posix"
    conditional_delete = True

    def __init__(self, root_dir: Path, *, fsync: Fsync = "off", threads: int = 8) -> None:
        self._root_dir = root_dir
        self._fsync = fsync
        self._threads = threads
        self._pace = Pace()
        self._settling: asyncio.TimerHandle | None = None
        self._settled: Future[None] | None = None
        self._wide: tuple[str, str] | None = None
        """Bucket and prefix below which ``delete_all`` found many: a look takes too long for the loop."""
        self._unpruned: list[bytes] = []
        """Paths of deleted objects whose directories may be empty now."""
        self._prune_soon: asyncio.TimerHandle | None = None
        self._pruning: set[asyncio.Future[None]] = set()
        """Directories being removed. On ext4 that is mounted to discard each takes 2 to 4 ms, nearly all of
        it waiting: one thread removes 400 a second, eight thousands. Who would see what is left, waits."""

    def __repr__(self) -> str:
        return f"<PosixStore {self._root_dir} fsync={self._fsync}>"

    async def start(self) -> None:
        self._pool = ThreadPoolExecutor(self._threads, thread_name_prefix="posix-store")
        self._pruner = ThreadPoolExecutor(_PRUNERS, thread_name_prefix="posix-prune")
        try:
            self._files = await self._run(partial(Files, self._root_dir, fsync=self._fsync))
        except StoreError:
            self._pool.shutdown()
            self._pruner.shutdown()
            raise

    async def close(self) -> None:
        if self._settling is not None:
            self._settling.cancel()
        self._prune()
        await asyncio.to_thread(self._pool.shutdown)
        await asyncio.to_thread(self._pruner.shutdown)
        self._files.close()

    async def create_bucket(self, bucket: str) -> None:
        await self._run(partial(self._files.create_bucket, bucket))

    async def get(
        self,
        bucket: str,
        key: str,
        *,
        start: int = 0,
        length: int | None = None,
        if_none_match: str | None = None,
    ) -> Blob:
        if self._pace.quick:
            at_once = partial(self._files.read_at_once, bucket, key, start, length, if_none_match)
            blob = await self._pace.run(at_once)
            if blob is not None:
                return blob
        return await self._run(partial(self._files.read, bucket, key, start, length, if_none_match))

    async def get_many(self, bucket: str, keys: Sequence[str]) -> Sequence[Blob | None]:
        if len(keys) <= _FEW:
            return [await self._get_or_none(bucket, key) for key in keys]
        step = max(_BATCH, -(-len(keys) // self._threads))
        batches = [keys[i : i + step] for i in range(0, len(keys), step)]
        read = await asyncio.gather(
            *(self._run(partial(self._files.read_many, bucket, batch)) for batch in batches)
        )
        return [blob for blobs in read for blob in blobs]

    async def _get_or_none(self, bucket: str, key: str) -> Blob | None:
        try:
            return await self.get(bucket, key)
        except KeyNotFound:
            return None

    async def put(
        self,
        bucket: str,
        key: str,
        data: Buffer,
        *,
        if_match: str | None = None,
        if_none_match: bool = False,
    ) -> str:
        write = partial(self._files.write, bucket, key, data, if_match, if_none_match)
        small = len(data) <= SMALL
        try:
            etag = await self._run(write, small=small)
        except InvalidKey:  # the key was a directory, perhaps one that is being removed
            if not self._pruning and not self._unpruned:
                raise
            await self._pruned()
            etag = await self._run(write)
        unsettled = len(self._files.unsettled)
        if unsettled > _SETTLED_AT_ONCE and (self._settled is None or self._settled.done()):
            self._settle()
        elif unsettled and self._settling is None:
            self._settling = asyncio.get_running_loop().call_later(_SETTLE_SECONDS, self._settle)
        return etag

    async def delete(self, bucket: str, key: str, *, if_match: str | None = None) -> None:
        path = await self._run(partial(self._files.remove, bucket, key, if_match), small=True)
        if path is not None:
            self._leave_to_prune((path,))
            if len(self._pruning) > _MOST_PRUNING:
                await asyncio.wait(tuple(self._pruning), return_when=asyncio.FIRST_COMPLETED)

    async def delete_all(self, bucket: str, prefix: str, *, keep: str = "") -> int:
        def work(most: int) -> Callable[[], tuple[int, list[bytes]]]:
            return partial(delete_all, self._files, bucket, prefix, keep, most)

        here, count, paths = (bucket, prefix), 0, list[bytes]()
        if here != self._wide:
            count, paths = await self._run(work(_FEW), small=True)
            if count < _FEW:
                self._leave_to_prune(paths)
                return count
        more, rest = await self._run(work(_DELETE_AT_ONCE))
        self._wide = here if more == _DELETE_AT_ONCE else None
        self._leave_to_prune(paths + rest)
        return count + more

    async def head(self, bucket: str, key: str) -> ObjectInfo:
        return await self._run(partial(self._files.info, bucket, key), small=True)

    async def list(
        self,
        bucket: str,
        prefix: str = "",
        *,
        delimiter: str = "",
        start_after: str = "",
        limit: int = 1000,
    ) -> Page:
        check_delimiter(delimiter)
        await self._pruned()
        look = list_folder if delimiter else list_tree
        return await self._run(partial(look, self._files, bucket, prefix, start_after, limit))

    async def list_all(self, bucket: str, prefix: str = "") -> AsyncIterator[ObjectInfo]:
        await self._pruned()
        found = walk(self._files, bucket, prefix)  # one walk: pages would read a large directory once a page
        while batch := await self._run(lambda: list(islice(found, 1000))):
            for info in batch:
                yield info

    def _leave_to_prune(self, paths: Sequence[bytes]) -> None:
        self._unpruned += paths
        if len(self._unpruned) >= _PRUNED_AT_ONCE:
            self._prune()
        elif self._unpruned and self._prune_soon is None:
            self._prune_soon = asyncio.get_running_loop().call_later(_PRUNE_SECONDS, self._prune)

    def _prune(self) -> None:
        """Have the directories removed that deleted objects have left empty."""
        if self._prune_soon is not None:
            self._prune_soon.cancel()
            self._prune_soon = None
        paths, self._unpruned = self._unpruned, []
        loop = asyncio.get_running_loop()
        for start in range(0, len(paths), _PRUNED_TOGETHER):
            batch = paths[start : start + _PRUNED_TOGETHER]
            pruning = loop.run_in_executor(self._pruner, self._files.tree.prune_all, batch)
            self._pruning.add(pruning)
            pruning.add_done_callback(self._pruning.discard)

    async def _pruned(self) -> None:
        self._prune()
        if self._pruning:
            await asyncio.wait(tuple(self._pruning))

    def _settle(self) -> None:
        if self._settling is not None:
            self._settling.cancel()
            self._settling = None
        self._settled = self._pool.submit(self._files.unsettled.settle)

    async def _run(self, work: Callable[[], T], *, small: bool = False) -> T:
        if small and self._fsync == "off" and self._pace.quick:
            return await self._pace.run(work)
        return await asyncio.get_running_loop().run_in_executor(self._pool, work)
