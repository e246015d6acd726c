"""How one batch of changes of a key gets into the store: attempt after attempt, until it is there.

A refused condition means that what the changes were applied to is not what the store holds: it is read
again, and the same changes are applied again. A PUT without an answer may have taken effect, and may yet:
from then on the key is read back and compared with what was sent before anything is sent again.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from hsds.datanode.change import Basis, Change, Outcome
from hsds.datanode.documents import ABSENT, ABSENT_COST, Codec, Entry
from hsds.datanode.gate import Key
from hsds.errors import (
    HsdsError,
    KeyNotFound,
    NotModified,
    NotOwner,
    PreconditionFailed,
    StoreBusy,
    StoreUnavailable,
)
from hsds.store.base import Buffer

if TYPE_CHECKING:
    from hsds.datanode.commit import Committer

V = TypeVar("V")

_REFUSED_PAUSE, _TROUBLE_PAUSE, _LONGEST_PAUSE = 0.01, 0.05, 2.0
"""Seconds, at most, before the second try after a refused condition and after no answer, and before any."""


@dataclass(slots=True)
class Applied(Generic[V]):
    """What a batch made of a value: what to store, and whom to tell what, result or refusal, when it is."""

    value: V | None
    waiting: list[tuple[Change[V], Any]]
    changed: bool


@dataclass(slots=True)
class Sent(Generic[V]):
    """A PUT without an answer. There can be many until one is answered, so their bytes are not kept."""

    digest: bytes
    waiting: list[tuple[Change[V], Any]]


class Attempts(Generic[V]):
    """One batch on its way. ``run`` ends when every change of it has been answered."""

    def __init__(self, committer: Committer, key: Key, codec: Codec[V], batch: list[Change[V]]) -> None:
        self._committer = committer
        self._store, self._reader, self._gate = committer.store, committer.reader, committer.gate
        self._key = key
        self._codec = codec
        self._batch = batch
        self._guess = True
        """Whether something may still be taken for absent without having looked."""
        self._must_read = False
        """Whether the value itself is needed, whatever the changes say."""
        self._sent: list[Sent[V]] = []

    async def run(self) -> None:
        refused = trouble = 0
        while self._ours():
            try:
                await self._attempt()
            except PreconditionFailed:
                self._reader.forget(self._key)
                self._guess = False
                self._give_up(StoreUnavailable("the object keeps changing under this node"))
                if refused:
                    await _pause(_REFUSED_PAUSE, refused)
                refused += 1
            except StoreUnavailable as error:
                self._give_up(error)
                await _pause(_TROUBLE_PAUSE, trouble)
                trouble += 1

    def _ours(self) -> bool:
        """Drop the changes that were asked for in an earlier tenure, telling their requesters; any left?"""
        ours = []
        for change in self._batch:
            if self._gate.valid(change.hold):
                ours.append(change)
            else:
                change.fail(NotOwner("the key changed hands before the change was stored"))
        self._batch = ours
        return bool(ours)

    def _give_up(self, error: StoreUnavailable) -> None:
        """Tell those who have waited long enough."""
        since = asyncio.get_running_loop().time() - self._committer.patience
        for change in self._batch:
            if change.born <= since:
                change.fail(error)
        self._batch = [change for change in self._batch if change.born > since]

    async def _attempt(self) -> None:
        hold = self._batch[0].hold
        cached = not self._sent and self._reader.peek(self._key) is not None
        known, sure = await self._look()
        if known is None:
            return
        budget = self._committer.budget
        held = self._codec.weight
        if held:
            await budget.acquire(held)
        try:
            if not self._ours() or self._batch[0].hold != hold:
                return  # what is known is known from an earlier tenure: nothing may be decided by it
            applied = self._apply(known, sure=sure)
            if applied is None:
                self._must_read = True
            elif not applied.changed:
                if not applied.waiting or not cached or await self._still(known):
                    self._answer(applied)
            else:
                data: Buffer = b""
                if applied.value is not None:
                    data = await self._reader.run(self._encode(known.etag), self._codec, applied.value)
                if not held:
                    await budget.acquire(len(data))
                    held = len(data)
                await self._send(data, known.etag, applied)
        finally:
            if held:
                budget.release(held)

    async def _look(self) -> tuple[Entry[V] | None, bool]:
        """What to apply the changes to, and whether its value is really known.

        None when it turns out that an earlier PUT has brought the changes into the store.
        """
        if self._sent:
            return await self._read_back(), True
        cached = self._reader.peek(self._key)
        if cached is not None:
            return cached, True
        basis = Basis.READ if self._must_read else self._batch[0].basis
        if basis is not Basis.READ and self._guess:
            return ABSENT, False
        if basis is Basis.NOTHING:
            return await self._etag_only(), False
        return await self._reader.stored(self._key, self._codec), True

    async def _etag_only(self) -> Entry[V]:
        """What a whole replacement needs of an object that exists: its ETag, not its bytes."""
        try:
            info = await self._store.head(*self._key)
        except KeyNotFound:
            return ABSENT
        return Entry(None, info.etag)

    async def _still(self, known: Entry[V]) -> bool:
        """Whether the store holds what the cache does: "it is so already" is an acknowledgement, too."""
        try:
            if known.etag is None:
                await self._store.head(*self._key)
            else:
                await self._store.get(*self._key, if_none_match=known.etag)
        except NotModified:
            return True
        except KeyNotFound:
            if known.etag is None:
                return True
        self._reader.forget(self._key)
        return False

    async def _read_back(self) -> Entry[V] | None:
        """What the store holds, read past the cache; None, and all is answered, if it is what was sent.

        Equal bytes are as good as ours: whoever wrote them, the store holds what the changes make.
        """
        try:
            blob = await self._store.get(*self._key)
        except KeyNotFound:
            blob = None
        data: Buffer = b"" if blob is None else blob.data
        digest = _digest(data)
        entry = await self._reader.decode(self._codec, blob)
        for sent in self._sent:
            if sent.digest == digest:
                self._stored(Applied(entry.value, sent.waiting, True), entry.etag or "", len(data))
                self._batch = []
                return None
        return entry

    def _apply(self, known: Entry[V], *, sure: bool) -> Applied[V] | None:
        """Apply the changes to a copy, one after another; None if that takes knowing the value for sure.

        Refused changes take no part: nobody is refused by a guess. They are told at once or, where a change
        before them in the batch may be the reason, with that one: until it is stored nobody sees the reason.
        """
        value = None if known.value is None else self._codec.copy(known.value)
        waiting: list[tuple[Change[V], Any]] = []
        changed = False
        for change in self._batch:
            try:
                outcome: Outcome[V] = change.apply(value)
            except HsdsError as error:
                if not sure:
                    return None
                if changed:
                    waiting.append((change, error))
                else:
                    change.fail(error)
                continue
            except Exception as error:  # noqa: BLE001 - a fault of one change, which may have spoilt the copy
                change.fail(error)
                self._batch = [other for other in self._batch if other is not change]
                return self._apply(known, sure=sure)
            value = outcome.value
            changed = changed or outcome.changed
            waiting.append((change, outcome.result))
        if not sure and (value is None or not changed):
            return None
        self._batch = [change for change, _ in waiting]
        nothing_to_delete = value is None and known.value is None
        return Applied(value, waiting, changed and not nothing_to_delete)

    def _encode(self, before: str | None) -> Callable[[V], Buffer]:
        return lambda value: self._codec.encode(value, before)

    async def _send(self, data: Buffer, etag: str | None, applied: Applied[V]) -> None:
        """One conditional PUT (or delete). On return the reader's cache holds the new state, or nothing."""
        if not self._ours():
            return
        try:
            with self._gate.sending(self._batch[0].hold):
                new = await self._write(data, etag)
        except StoreBusy:
            raise  # it did nothing: what is known still holds
        except StoreUnavailable:
            self._reader.forget(self._key)
            digest = _digest(data)
            if not any(sent.digest == digest for sent in self._sent):
                self._sent.append(Sent(digest, applied.waiting))
            raise
        self._stored(applied, new, len(data))

    async def _write(self, data: Buffer, etag: str | None) -> str:
        bucket, name = self._key
        if not data and self._store.conditional_delete:
            await self._store.delete(bucket, name, if_match=etag)
            return ""
        if etag is None:
            return await self._store.put(bucket, name, data, if_none_match=True)
        return await self._store.put(bucket, name, data, if_match=etag)

    def _stored(self, applied: Applied[V], etag: str, nbytes: int) -> None:
        """The store holds ``applied``."""
        if not self._gate.valid(applied.waiting[0][0].hold):
            self._reader.forget(self._key)
        elif applied.value is None:
            self._reader.remember(self._key, Entry(None, etag or None), ABSENT_COST)
        else:
            cost = self._codec.cost(applied.value, nbytes)
            self._reader.remember(self._key, Entry(applied.value, etag), cost)
        self._answer(applied)

    def _answer(self, applied: Applied[V]) -> None:
        """Tell results, to those for whom this node is still the owner: else the answer may be overtaken."""
        for change, result in applied.waiting:
            if self._gate.valid(change.hold):
                change.fail(result) if isinstance(result, HsdsError) else change.succeed(result)
            else:
                change.fail(NotOwner("the key changed hands while the change was being stored"))
        self._batch = []


def _digest(data: Buffer) -> bytes:
    return blake2b(data, digest_size=16).digest()


async def _pause(first: float, count: int) -> None:
    await asyncio.sleep(random.uniform(0, min(_LONGEST_PAUSE, first * 2 ** min(count, 10))))
