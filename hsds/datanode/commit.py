"""Group commit: changes of one key share conditional PUTs, and are answered by the PUT that carried them.

At most one PUT of a key is in flight. Changes that arrive meanwhile are applied together to a copy of the
last stored state and go out with the next PUT. Readers see the last stored state until a PUT has returned.
A refused condition means that the copy was not what the store holds: it is read again, and the same changes
are applied again. A PUT whose effect is unknown is resolved by reading back.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from typing import Any, TypeVar

from hsds.budget import ByteBudget
from hsds.datanode.change import Apply, Basis, Change, Outcome
from hsds.datanode.documents import ABSENT, Codec, Entry
from hsds.datanode.gate import Gate, Hold, Key
from hsds.datanode.reader import Reader
from hsds.errors import HsdsError, KeyNotFound, NotOwner, PreconditionFailed, StoreUnavailable, Unavailable
from hsds.store.base import Buffer, Store

V = TypeVar("V")

MAX_ATTEMPTS = 8
"""Conditional PUTs of one group of changes before its waiters are told 503."""


class Committer:
    """Carries out changes of keys. One task a key that has changes to carry out."""

    def __init__(self, store: Store, reader: Reader, gate: Gate, *, budget: ByteBudget) -> None:
        self._store = store
        self._gate = gate
        self._reader = reader
        self._budget = budget
        self._pending: dict[Key, list[Change[Any]]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def __repr__(self) -> str:
        return f"<Committer {len(self._pending)} keys under change, {self._budget!r}>"

    async def change(self, key: Key, codec: Codec[V], apply: Apply[V], basis: Basis = Basis.READ) -> Any:
        """Apply a change and return its result once the store holds it.

        Raises what ``apply`` raised, ``NotOwner`` if the key is not this node's any more, or
        ``StoreUnavailable`` when the store could not be brought to answer. A cancelled caller does not take
        the change back.
        """
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        change = Change(apply, basis, self._gate.hold(key), future)
        pending = self._pending.get(key)
        if pending is not None:
            pending.append(change)
        else:
            self._pending[key] = [change]
            task = asyncio.create_task(self._serve(key, codec))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return await future

    async def drain(self) -> None:
        """Wait until every change that was asked for has ended."""
        while self._tasks:
            await asyncio.wait(tuple(self._tasks))

    async def _serve(self, key: Key, codec: Codec[Any]) -> None:
        """Commit what waits for the key until nothing does."""
        try:
            while batch := self._pending[key]:
                self._pending[key] = []
                try:
                    await self._commit(key, codec, batch)
                except Exception as error:  # noqa: BLE001 - a fault in one batch must not leave the key stuck
                    for change in batch:
                        change.fail(error)
        finally:
            for change in self._pending.pop(key):  # none, unless this task was cancelled
                change.fail(Unavailable("the node is stopping"))

    async def _commit(self, key: Key, codec: Codec[V], batch: list[Change[V]]) -> None:
        """Bring the batch into the store, in as many attempts as it takes."""
        known = self._reader.peek(key)
        basis = batch[0].basis
        for attempt in range(MAX_ATTEMPTS):
            if known is None:
                known = await self._assume(key, codec, basis)
            sure = known is not _ASSUMED
            batch = self._still_ours(batch)
            if not batch:
                return
            value, waiting, changed = self._apply(codec, known, batch, sure=sure)
            if not sure and not changed:
                known, basis = None, Basis.READ  # nothing may be decided on an assumption
                continue
            if not changed:
                self._answer(waiting)
                return
            done = await self._store_once(key, codec, value, known, batch[-1].hold)
            if done is not None:
                self._answer(waiting)
                return
            batch = [change for change, _ in waiting]
            known = None
            basis = Basis.NOTHING if basis is Basis.NOTHING and not sure else Basis.READ
            if basis is Basis.NOTHING:
                known = await self._etag_only(key)
            if attempt:
                await asyncio.sleep(random.uniform(0, 0.01 * 2**attempt))
        raise StoreUnavailable("the object keeps changing under this node")

    def _still_ours(self, batch: Sequence[Change[V]]) -> list[Change[V]]:
        """Those changes that were asked for in the present tenure; the others are told, and end here."""
        ours = []
        for change in batch:
            if self._gate.valid(change.hold):
                ours.append(change)
            else:
                change.fail(NotOwner("the key changed hands before the change was stored"))
        return ours

    def _answer(self, waiting: Sequence[tuple[Change[Any], Any]]) -> None:
        """Tell results, to those for whom this node is still the owner: else the answer may be overtaken."""
        for change, result in waiting:
            if self._gate.valid(change.hold):
                change.succeed(result)
            else:
                change.fail(NotOwner("the key changed hands while the change was being stored"))

    async def _assume(self, key: Key, codec: Codec[V], basis: Basis) -> Entry[V]:
        return await self._reader.read(key, codec) if basis is Basis.READ else _ASSUMED

    async def _etag_only(self, key: Key) -> Entry[Any]:
        """What a whole replacement needs of an object that exists: its ETag, not its bytes."""
        try:
            info = await self._store.head(*key)
        except KeyNotFound:
            return ABSENT
        return Entry(None, info.etag)

    def _apply(
        self, codec: Codec[V], known: Entry[V], batch: Sequence[Change[V]], *, sure: bool
    ) -> tuple[V | None, list[tuple[Change[V], Any]], bool]:
        """Apply the changes to a copy, one after another. Refused ones are told at once and take no part."""
        value = None if known.value is None else codec.copy(known.value)
        waiting: list[tuple[Change[V], Any]] = []
        changed = False
        for change in batch:
            try:
                outcome: Outcome[V] = change.apply(value)
            except HsdsError as error:
                if not sure:
                    return value, [(c, None) for c in batch], False
                change.fail(error)
                continue
            value = outcome.value
            changed = changed or outcome.changed
            waiting.append((change, outcome.result))
        return value, waiting, changed

    async def _store_once(
        self, key: Key, codec: Codec[V], value: V | None, known: Entry[V], hold: Hold
    ) -> str | None:
        """One conditional PUT (or delete). The new ETag; None if the condition was refused.

        On return the reader's cache holds the new state, or nothing.
        """
        data: Buffer = b"" if value is None else await self._reader.run(codec.encode, codec, value)
        async with self._budget.hold(len(data)):
            self._gate.check(hold)
            try:
                etag = await self._put(key, data, known)
            except PreconditionFailed:
                self._reader.forget(key)
                return None
            except StoreUnavailable:
                self._reader.forget(key)
                found = await self._read_back(key, data)
                if found is None:
                    return None
                etag = found
        if not self._gate.valid(hold):
            self._reader.forget(key)
        elif value is None:
            self._reader.remember(key, Entry(None, etag or None), 128)
        else:
            self._reader.remember(key, Entry(value, etag), codec.cost(value, len(data)))
        return etag

    async def _put(self, key: Key, data: Buffer, known: Entry[Any]) -> str:
        bucket, name = key
        if not data and known.etag is None:
            return ""  # deleting what is not there
        if not data and self._store.conditional_delete:
            await self._store.delete(bucket, name, if_match=known.etag)
            return ""
        if known.etag is None:
            return await self._store.put(bucket, name, data, if_none_match=True)
        return await self._store.put(bucket, name, data, if_match=known.etag)

    async def _read_back(self, key: Key, data: Buffer) -> str | None:
        """After an unanswered PUT: the ETag if its bytes are there, None if something else is.

        Raises ``StoreUnavailable`` if that cannot be found out; what was asked for may then be stored or not.
        """
        try:
            blob = await self._store.get(*key)
        except KeyNotFound:
            return "" if not data else None
        return blob.etag if blob.data == data else None


_ASSUMED: Entry[Any] = Entry(None, None)
"""Taken for absent without having looked."""
