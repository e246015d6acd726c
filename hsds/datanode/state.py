"""What the parts of one data node share."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from hsds.budget import ByteBudget
from hsds.cluster.slots import Mask, key_slot
from hsds.datanode.cache import ByteLRU
from hsds.datanode.commit import PATIENCE, Committer
from hsds.datanode.gate import Gate, Key, OpenGate
from hsds.datanode.memory import RecentMemory
from hsds.datanode.reader import Cached, Reader
from hsds.datanode.rootwatch import root_prefix_of
from hsds.datanode.scans import Scans
from hsds.datanode.watchedstore import WatchedStore
from hsds.datanode.writeback import Writeback
from hsds.store.base import Store


@dataclass(slots=True)
class Shelf:
    """A cache with its reader and committer. JSON objects and chunks have one each, with own limits."""

    reader: Reader
    committer: Committer | Writeback

    @property
    def cache(self) -> ByteLRU[Key, Cached]:
        """What is remembered of the store."""
        return self.reader.cache


@dataclass(slots=True)
class State:
    """The store, the caches, and the small memories of a data node."""

    store: Store
    objects: Shelf
    chunks: Shelf
    executor: ThreadPoolExecutor
    scans: Scans
    gate: Gate
    changes: ByteBudget
    """Bytes of changes under way, and ``loads`` those of chunks that are being read from the store."""
    loads: ByteBudget
    deleted: RecentMemory
    """Objects, domains, links and attributes that were deleted here and not made again."""
    clock: Callable[[], float] = time.time
    sparse: RecentMemory = field(default_factory=RecentMemory)
    """Datasets whose chunks, as far as is known here, have not been written yet: bucket and id."""

    async def flush(self, bucket: str, prefix: str = "") -> None:
        """Return when what was answered for is stored, of keys with ``prefix``."""
        await self.objects.committer.flush(bucket, prefix)
        await self.chunks.committer.flush(bucket, prefix)

    def unstored(self) -> Iterator[Key]:
        """Keys of which something was answered for that the store may not have."""
        yield from self.objects.committer.unstored()
        yield from self.chunks.committer.unstored()

    def moved(self, *, lost: Mask, kept: Mask) -> None:
        """Slots have been lost: others serve them as soon as what was answered for there is stored."""
        for shelf in (self.objects, self.chunks):
            shelf.committer.hurry(lambda key: bool(lost >> key_slot(*key) & 1))
        if lost:
            self.deleted.clear()  # others may make it again
        if not kept:
            self.scans.forget()  # another may have become the only one, and have written some


def make_state(  # noqa: PLR0913 - sizes and times of a node, named by each caller
    store: Store,
    *,
    metadata_cache: int,
    chunk_cache: int,
    write_budget: int,
    threads: int,
    gate: Gate | None = None,
    patience: float = PATIENCE,
    flush_max_age: float | None = None,
    clock: Callable[[], float] = time.time,
) -> State:
    """Build the parts of a data node. Sizes are bytes; without a gate the node owns every key.

    ``write_budget`` is for changes under way, and once more for chunks on their way from the store.

    ``patience`` is how many seconds a change waits for a store that does not take it. With
    ``flush_max_age`` changes are answered from memory and stored within so many seconds; unstored ones take
    at most half of each cache's size besides.
    """
    gate = gate or OpenGate()
    executor = ThreadPoolExecutor(threads, thread_name_prefix="chunk")
    changes, loads, scans = ByteBudget(write_budget), ByteBudget(write_budget), Scans(store)
    deleted = RecentMemory()
    watched = WatchedStore(store, scans, deleted)

    def shelf(limit: int, loads: ByteBudget | None = None) -> Shelf:
        reader = Reader(store, ByteLRU(limit, root_prefix_of), executor, gate, loads=loads)
        committer = Committer(watched, reader, gate, budget=changes, patience=patience)
        if flush_max_age is None:
            return Shelf(reader, committer)
        writeback = Writeback(committer, max_age=flush_max_age, limit=limit // 2)
        writeback.stored = gate.stored
        return Shelf(reader, writeback)

    objects, chunks = shelf(metadata_cache), shelf(chunk_cache, loads)
    state = State(store, objects, chunks, executor, scans, gate, changes, loads, deleted, clock)
    gate.follow(state.unstored)
    return state
