"""Reading keys: caches first, one GET of a key at a time, batches where several are missing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Any, TypeVar

from hsds.budget import ByteBudget
from hsds.datanode.cache import ByteLRU
from hsds.datanode.documents import ABSENT, ABSENT_COST, Codec, Entry
from hsds.datanode.gate import Gate, Hold, Key
from hsds.datanode.rootwatch import root_prefix_of
from hsds.errors import HsdsError, NotOwner, Unavailable
from hsds.store.base import Blob, Store

V = TypeVar("V")
R = TypeVar("R")


Cached = tuple[Entry[Any], int]
"""A state, and the tenure of its slot in which it was found."""


class Reader:
    """The last stored state of keys, cached. The committer tells it what changed.

    A GET that a PUT of the same key overtakes is neither cached nor answered: its waiters look again.
    What was cached in an earlier tenure of a slot is not looked at: others have owned the slot since.
    """

    def __init__(
        self,
        store: Store,
        cache: ByteLRU[Key, Cached],
        executor: Executor,
        gate: Gate,
        *,
        loads: ByteBudget | None = None,
    ) -> None:
        """``loads`` bounds the bytes, decoded, of what is being read from the store."""
        self._store = store
        self._loads = loads
        self._gate = gate
        self._executor = executor
        self.cache = cache
        self.unstored: dict[Key, Entry[Any]] = {}
        """States that were answered for and are not stored yet (``durability: flush``)."""
        self._loading: dict[Key, asyncio.Future[Entry[Any] | None]] = {}
        self._loading_tenures: dict[Key, int] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def peek(self, key: Key) -> Entry[Any] | None:
        """What is cached of a key. Raises ``NotOwner``."""
        return self._valid(key, self.cache.look(key), self._gate.hold(key))

    def known(self, key: Key) -> Entry[Any] | None:
        """The state of a key, if that is in memory. Raises ``NotOwner``."""
        return self.unstored.get(key, self.peek(key))

    def remember(self, key: Key, entry: Entry[Any], cost: int) -> None:
        """A PUT of ``key`` has returned: this is its state. A GET that is under way for it is void."""
        self._void(key)
        self.cache.put(key, (entry, self._gate.hold(key).tenure), cost)

    def forget(self, key: Key) -> None:
        """What is known of ``key`` may be wrong."""
        self._void(key)
        self.cache.pop(key)

    def forget_prefix(self, bucket: str, prefix: str) -> None:
        """What is known of keys that begin with ``prefix``, of one root, may be wrong."""

        def below(key: Key) -> bool:
            return key[0] == bucket and key[1].startswith(prefix)

        for key in [key for key in self._loading if below(key)]:
            self._void(key)
        self.cache.drop_group(root_prefix_of((bucket, prefix)), below)

    async def read(self, key: Key, codec: Codec[V]) -> Entry[V]:
        """The state of one key, from the cache or the store. Raises ``NotOwner``."""
        entry = self.known(key)
        if entry is None:
            (entry,) = await self.read_many((key,), codec)
        return entry

    async def read_many(
        self, keys: Sequence[Key], codec: Codec[V], *, stored: bool = False
    ) -> list[Entry[V]]:
        """The states of several keys of one bucket; the missing ones are read and decoded together.

        ``stored`` asks for what the store has, whatever was answered for since.
        """
        holds = {key: self._gate.hold(key) for key in keys}
        found: dict[Key, Entry[V]] = {}
        missing = list(holds)
        while missing:
            waits: list[tuple[Key, asyncio.Future[Entry[V] | None]]] = []
            load: list[Key] = []
            for key in missing:  # before any future is made, which would be left to nobody
                self._gate.check(holds[key])
            for key in missing:
                entry = self._valid(key, self.cache.get(key), holds[key])
                entry = entry if stored else self.unstored.get(key, entry)
                if entry is not None:
                    found[key] = entry
                    continue
                if self._loading_tenures.get(key) != holds[key].tenure:
                    self._void(key)  # by now somebody else may have changed what it will bring
                future = self._loading.get(key)
                if future is None:
                    self._loading_tenures[key] = holds[key].tenure
                    future = self._loading[key] = asyncio.get_running_loop().create_future()
                    load.append(key)
                waits.append((key, future))
            if load:
                held = [(key, holds[key]) for key in load]
                futures = [self._loading[key] for key in load]  # by the time the task runs one may be void
                task = asyncio.create_task(self._load(held, futures, codec))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
            missing = []
            for key, future in waits:
                state = await asyncio.shield(future)
                if state is None:
                    missing.append(key)  # overtaken by a PUT: look again
                else:
                    found[key] = state
        return [found[key] for key in keys]

    def _valid(self, key: Key, cached: Cached | None, hold: Hold) -> Entry[Any] | None:
        """What was found in the cache, if it is of this tenure."""
        if cached is None:
            return None
        entry, tenure = cached
        if tenure != hold.tenure:
            self.cache.pop(key)
            return None
        return entry

    async def stored(self, key: Key, codec: Codec[V]) -> Entry[V]:
        """The state of one key as the store has it, for those who are about to change it."""
        (entry,) = await self.read_many((key,), codec, stored=True)
        return entry

    async def decode(self, codec: Codec[V], blob: Blob | None) -> Entry[V]:
        """Decode what was read past the cache, here or in the executor if that is heavy."""
        (entry,) = await self._decode(codec, (blob,))
        if isinstance(entry, HsdsError):
            raise entry
        return entry

    async def run(self, function: Callable[[V], R], codec: Codec[V], value: V) -> R:
        """Encode here, or in the executor if that is heavy."""
        nbytes = getattr(value, "nbytes", 0)
        if codec.heavy(nbytes):
            return await asyncio.get_running_loop().run_in_executor(self._executor, function, value)
        return function(value)

    async def _load(
        self,
        held: list[tuple[Key, Hold]],
        futures: list[asyncio.Future[Entry[Any] | None]],
        codec: Codec[Any],
    ) -> None:
        keys = [key for key, _ in held]
        try:
            async with self._room(len(keys) * codec.weight):
                blobs = await self._store.get_many(keys[0][0], [name for _, name in keys])
                entries = await self._decode(codec, blobs)
        except Exception as error:  # noqa: BLE001 - whatever went wrong is for those who wait to be told
            self._fail(keys, futures, error)
            return
        except asyncio.CancelledError:
            self._fail(keys, futures, Unavailable("the node is stopping"))
            raise
        for (key, hold), future, blob, entry in zip(held, futures, blobs, entries, strict=True):
            if self._loading.get(key) is not future:
                continue
            del self._loading[key], self._loading_tenures[key]
            failure: HsdsError | None = entry if isinstance(entry, HsdsError) else None
            if not self._gate.valid(hold):
                failure = NotOwner("the key changed hands while it was being read")
            if failure is not None:
                future.set_exception(failure)
                future.exception()  # whoever waits is told; that nobody waits any more is no fault
                continue
            assert isinstance(entry, Entry)
            stored = len(blob.data) if blob else 0
            cost = ABSENT_COST if entry.value is None else codec.cost(entry.value, stored)
            self.cache.put(key, (entry, hold.tenure), cost)
            future.set_result(entry)

    def _room(self, nbytes: int) -> AbstractAsyncContextManager[None]:
        return nullcontext() if self._loads is None else self._loads.hold(nbytes)

    async def _decode(self, codec: Codec[V], blobs: Sequence[Blob | None]) -> list[Entry[V] | HsdsError]:
        if codec.heavy(sum(len(blob.data) for blob in blobs if blob)):
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._executor, _decode_all, codec, blobs)
        return _decode_all(codec, blobs)

    def _fail(self, keys: list[Key], futures: list[asyncio.Future[Any]], error: Exception) -> None:
        for key, future in zip(keys, futures, strict=True):
            if self._loading.get(key) is future:
                del self._loading[key], self._loading_tenures[key]
                future.set_exception(error)
                future.exception()

    def _void(self, key: Key) -> None:
        future = self._loading.pop(key, None)
        self._loading_tenures.pop(key, None)
        if future is not None:
            future.set_result(None)


def _decode_all(codec: Codec[Any], blobs: Sequence[Blob | None]) -> list[Entry[Any] | HsdsError]:
    return [_decode_one(codec, blob) for blob in blobs]


def _decode_one(codec: Codec[Any], blob: Blob | None) -> Entry[Any] | HsdsError:
    if blob is None:
        return ABSENT
    if not len(blob.data):
        return Entry(None, blob.etag)
    try:
        return Entry(codec.decode(blob.data), blob.etag)
    except HsdsError as error:
        return error
