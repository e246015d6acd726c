"""``durability: flush``: changes are answered from memory, and stored within a second or at a flush.

For single writers far from their store, who would rather lose a second of work in a crash than wait for
every answer. Changes of one key that come within that time share one PUT. What was answered for is kept as
the changes themselves, and goes through the same conditional PUTs as everything else: if somebody else wrote
meanwhile the changes are applied to what is there, and one that then does not go any more is dropped.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar
from weakref import WeakValueDictionary

from hsds.budget import ByteBudget
from hsds.datanode.change import Apply, Basis, Outcome
from hsds.datanode.commit import Committer
from hsds.datanode.documents import ABSENT, Codec, Entry
from hsds.datanode.gate import EPOCH, FINISHING, Hold, Key
from hsds.errors import HsdsError, NotOwner, StoreRefused, Unavailable

V = TypeVar("V")

_AGAIN = 0.05
_LOST = "the key changed hands: changes that were answered for are lost"
_CHANGE = 1024
"""Assumed bytes of a change of a JSON object."""

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Unstored:
    """Changes of a key that were answered for."""

    codec: Codec[Any]
    basis: Basis
    hold: Hold
    """Under which they were answered for."""
    applies: list[Apply[Any]] = field(default_factory=list)
    held: int = 0
    """Bytes taken of the budget."""

    def replay(self, value: Any) -> Outcome[Any]:
        """All of them, one after another."""
        changed = False
        for apply in self.applies:
            try:
                outcome = apply(value)
            except HsdsError as error:
                log.error("a change that was answered for was overtaken and is dropped: %s", error)
                continue
            value, changed = outcome.value, changed or outcome.changed
        return Outcome(value, None, changed)


class Writeback:
    """Stands in for a ``Committer``. ``limit`` bounds the bytes that are not stored yet; writers wait."""

    def __init__(self, committer: Committer, *, max_age: float, limit: int) -> None:
        self.stored: Callable[[], None] = lambda: None
        """Called when something has been stored, or given up."""
        self._committer = committer
        self._reader = committer.reader
        self._gate = committer.gate
        self._max_age = max_age
        self._budget = ByteBudget(limit)
        self._unstored: dict[Key, Unstored] = {}
        self._turns: WeakValueDictionary[Key, asyncio.Lock] = WeakValueDictionary()
        self._storing: dict[Key, asyncio.Task[None]] = {}
        self._waiting = 0
        """Changes that wait for a share of the budget."""
        self._serial = itertools.count(1)

    def __repr__(self) -> str:
        return f"<Writeback {len(self._unstored)} keys unstored, {self._budget!r}>"

    async def change(self, key: Key, codec: Codec[V], apply: Apply[V], basis: Basis = Basis.READ) -> Any:
        """Apply a change in memory and return its result. Raises what ``apply`` raises, and ``NotOwner``."""
        hold = self._gate.admit(key)
        turn = self._turns.get(key)
        if turn is None:
            turn = self._turns[key] = asyncio.Lock()
        async with turn:
            present = await self._present(key, codec, basis)
            value = None if present.value is None else codec.copy(present.value)
            outcome: Outcome[V] = apply(value)
            if outcome.changed:
                cost = self._cost(key, codec, outcome.value)
                await self._reserve(cost)
                if not self._gate.valid(hold):
                    self._budget.release(cost)
            self._gate.check(hold)
            if outcome.changed:
                self._keep(key, Unstored(codec, basis, hold), apply, cost)
                self._reader.unstored[key] = Entry(outcome.value, f"unstored-{next(self._serial)}")
            return outcome.result

    async def flush(self, bucket: str, prefix: str = "") -> None:
        """Return when what was answered for is stored, of keys with ``prefix``.

        Raises ``Unavailable`` or ``StoreRefused`` where the store does not take it; it is tried again later.
        """
        for _ in range(2):  # what was being stored at the time of the call, and what has come since
            tasks = [
                self._store_soon(key)
                for key in {*self._unstored, *self._storing}
                if key[0] == bucket and key[1].startswith(prefix)
            ]
            for result in await asyncio.gather(*map(asyncio.shield, tasks), return_exceptions=True):
                if isinstance(result, BaseException):
                    raise result

    def unstored(self) -> Iterator[Key]:
        """Keys of which something was answered for that the store may not have."""
        yield from self._unstored
        yield from self._storing

    def hurry(self, lost: Callable[[Key], bool]) -> None:
        """Begin to store at once what was answered for of these keys."""
        for key in {*self._unstored, *self._storing}:
            if lost(key):
                self._store_soon(key)

    async def drain(self) -> None:
        """Store everything."""
        while self._unstored or self._storing:
            tasks = [self._store_soon(key) for key in {*self._unstored, *self._storing}]
            done = await asyncio.gather(*map(asyncio.shield, tasks), return_exceptions=True)
            if any(done):
                await asyncio.sleep(_AGAIN)
        await self._committer.drain()

    async def abandon(self) -> None:
        """Give up what is not stored."""
        if self._unstored or self._storing:
            log.error("changes of %d keys were answered for and are lost", len(self._unstored))
        tasks = tuple(self._storing.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._committer.abandon()

    async def _present(self, key: Key, codec: Codec[V], basis: Basis) -> Entry[V]:
        unstored = self._reader.unstored.get(key)
        if unstored is not None:
            return unstored
        return ABSENT if basis is Basis.NOTHING else await self._reader.read(key, codec)

    def _cost(self, key: Key, codec: Codec[V], value: V | None) -> int:
        """Bytes that one more change takes: the value once, and of each change what it writes."""
        cost = codec.weight or _CHANGE
        if value is not None and key not in self._unstored:
            cost += codec.cost(value, codec.weight or _CHANGE)
        return cost

    async def _reserve(self, cost: int) -> None:
        """Take a share of the budget; all that is unstored goes out at once where none is left."""
        if self._budget.used + cost > self._budget.limit:
            for key in tuple(self._unstored):
                self._store_soon(key)
        self._waiting += 1
        try:
            await self._budget.acquire(cost)
        finally:
            self._waiting -= 1

    def _keep(self, key: Key, new: Unstored, apply: Apply[V], cost: int) -> None:
        unstored = self._unstored.get(key)
        if unstored is None:
            self._unstored[key] = unstored = new
            self._store_later(key, self._max_age)
        if new.basis is Basis.NOTHING:
            unstored.applies.clear()  # a whole replacement makes what came before it pointless
            unstored.basis = new.basis
        unstored.hold = new.hold
        unstored.applies.append(apply)
        unstored.held += cost

    def _store_later(self, key: Key, seconds: float) -> None:
        asyncio.get_running_loop().call_later(seconds, self._store_soon, key)

    def _store_soon(self, key: Key) -> asyncio.Task[None]:
        """The task that is storing the key; begins one where none is."""
        task = self._storing.get(key)
        if task is None or task.done():
            task = self._storing[key] = asyncio.create_task(self._store(key))
            task.add_done_callback(lambda done: self._ended(key, done))
        return task

    def _ended(self, key: Key, task: asyncio.Task[None]) -> None:
        if self._storing.get(key) is task:
            del self._storing[key]
        self.stored()
        if key in self._unstored:
            self._store_later(key, 0.0 if self._waiting else self._max_age)
        if not task.cancelled() and task.exception() is not None:
            log.error("what was answered for is not stored yet: %s", task.exception())

    async def _store(self, key: Key) -> None:
        unstored = self._unstored.pop(key, None)
        if unstored is None:
            return
        EPOCH.set(None)
        FINISHING.set(True)
        shown = self._reader.unstored.get(key)
        try:
            if self._gate.waits(unstored.hold):
                await self._committer.change(key, unstored.codec, unstored.replay, unstored.basis)
            else:
                log.error(_LOST)
        except (NotOwner, Unavailable, StoreRefused):
            if self._gate.waits(unstored.hold):  # a lapsed lease may be renewed, a store or key may come back
                self._put_back(key, unstored)
                raise
            log.error(_LOST)
        except HsdsError as error:  # e.g. the dataset of a chunk has been deleted since
            log.error("changes that were answered for are lost: %s", error)
        except Exception:  # a fault of ours: what was answered for stays here, and is tried again
            self._put_back(key, unstored)
            raise
        self._budget.release(unstored.held)
        if self._reader.unstored.get(key) is shown:
            self._reader.unstored.pop(key, None)

    def _put_back(self, key: Key, unstored: Unstored) -> None:
        """The store did not take it: it goes before what has come since, and is tried again."""
        since = self._unstored.get(key)
        if since is not None:
            if since.basis is not Basis.NOTHING:
                since.applies[:0] = unstored.applies
                since.basis = unstored.basis
            since.held += unstored.held
        else:
            self._unstored[key] = unstored
