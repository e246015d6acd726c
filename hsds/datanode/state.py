"""What the parts of one data node share."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from hsds.budget import ByteBudget
from hsds.datanode.cache import ByteLRU
from hsds.datanode.commit import PATIENCE, Committer
from hsds.datanode.gate import Gate, Key, OpenGate
from hsds.datanode.memory import RecentMemory
from hsds.datanode.reader import Cached, Reader
from hsds.datanode.scans import Scans
from hsds.datanode.watchedstore import WatchedStore
from hsds.store.base import Store


@dataclass(slots=True)
class Shelf:
    """A cache with its reader and committer. JSON objects and chunks have one each, with own limits."""

    reader: Reader
    committer: Committer

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
    clock: Callable[[], float] = time.time
    deleted: RecentMemory = field(default_factory=RecentMemory)
    """Objects, domains, links and attributes that were deleted here and not made again."""
    sparse: RecentMemory = field(default_factory=RecentMemory)
    """Datasets whose chunks, as far as is known here, have not been written yet: bucket and id."""


def make_state(
    store: Store,
    *,
    metadata_cache: int,
    chunk_cache: int,
    write_budget: int,
    threads: int,
    gate: Gate | None = None,
    patience: float = PATIENCE,
    clock: Callable[[], float] = time.time,
) -> State:
    """Build the parts of a data node. Sizes are bytes; without a gate the node owns every key.

    ``patience`` is how many seconds a change waits for a store that does not take it.
    """
    gate = gate or OpenGate()
    executor = ThreadPoolExecutor(threads, thread_name_prefix="chunk")
    budget, scans = ByteBudget(write_budget), Scans(store)
    watched = WatchedStore(store, scans)

    def shelf(limit: int) -> Shelf:
        reader = Reader(store, ByteLRU(limit), executor, gate)
        return Shelf(reader, Committer(watched, reader, gate, budget=budget, patience=patience))

    return State(store, shelf(metadata_cache), shelf(chunk_cache), executor, scans, gate, clock)
