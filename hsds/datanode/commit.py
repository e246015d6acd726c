"""Group commit: changes of one key share conditional PUTs, and are answered by the PUT that carried them.

At most one PUT of a key is in flight. Changes that arrive meanwhile are applied together to a copy of the
last stored state and go out with the next PUT; how a batch of them gets there is in ``attempts``. Readers
see the last stored state until a PUT has returned.

Writers that wait for each answer would fall into two halves, one waiting while the other's PUT is in flight,
and every PUT would carry half of what it could. So the next one is held back for as long as those who were
just answered need to come back, and no longer than a part of the time that the last one took.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeVar

from hsds.budget import ByteBudget
from hsds.datanode.attempts import Attempts
from hsds.datanode.change import Apply, Basis, Change
from hsds.datanode.documents import Codec
from hsds.datanode.gate import Gate, Key
from hsds.datanode.reader import Reader
from hsds.errors import Unavailable
from hsds.store.base import Store

V = TypeVar("V")

_GATHER_SHARE, _GATHER_MOST = 0.5, 0.1
"""What the next PUT of a key waits for others at most: a part of the last one's time, and seconds."""
PATIENCE = 90.0
"""Seconds that a change waits for a store that does not take it."""


@dataclass(frozen=True, slots=True)
class Gathering:
    """A PUT that is held back until as many changes wait for it as are expected."""

    expected: int
    complete: asyncio.Event


class Committer:
    """Carries out changes of keys. One task a key that has changes to carry out.

    Keys do not wait for one another except for their share of ``budget``, which is given out first come,
    first served, and for the store's connections, which are too.
    """

    attempts = Attempts
    """How a batch gets into the store."""

    def __init__(
        self, store: Store, reader: Reader, gate: Gate, *, budget: ByteBudget, patience: float = PATIENCE
    ) -> None:
        self.store = store
        self.gate = gate
        self.reader = reader
        self.budget = budget
        self.patience = patience
        self._pending: dict[Key, list[Change[Any]]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._gathering: dict[Key, Gathering] = {}

    def __repr__(self) -> str:
        return f"<Committer {len(self._pending)} keys under change, {self.budget!r}>"

    async def change(self, key: Key, codec: Codec[V], apply: Apply[V], basis: Basis = Basis.READ) -> Any:
        """Apply a change and return its result once the store holds it.

        Raises what ``apply`` raised, ``NotOwner`` if the key is not this node's any more, or
        ``StoreUnavailable`` when the store could not be brought to answer; the change may then be stored or
        not, and if it is, it is whole. A cancelled caller does not take the change back.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()
        change = Change(apply, basis, self.gate.admit(key), loop.time(), future)
        pending = self._pending.get(key)
        if pending is not None:
            pending.append(change)
            if key in self._gathering and len(pending) >= self._gathering[key].expected:
                self._gathering[key].complete.set()
        else:
            self._pending[key] = [change]
            task = asyncio.create_task(self._serve(key, codec))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return await future

    async def flush(self, bucket: str, prefix: str = "") -> None:
        """Return when what was answered for is stored, of keys with ``prefix``: it is already."""

    def unstored(self) -> Iterable[Key]:
        """Keys of which something was answered for that is not stored: none."""
        return ()

    def hurry(self, lost: Callable[[Key], bool]) -> None:
        """Store at once what was answered for of these keys: it is stored."""

    async def drain(self) -> None:
        """Wait until every change that was asked for has ended."""
        while self._tasks:
            await asyncio.wait(tuple(self._tasks))

    async def abandon(self) -> None:
        """Give up what has not ended: its requesters are told that the node stops."""
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _serve(self, key: Key, codec: Codec[Any]) -> None:
        """Commit what waits for the key until nothing does."""
        batch: list[Change[Any]] = []
        loop = asyncio.get_running_loop()
        try:
            while batch := self._pending[key]:
                self._pending[key] = []
                began, count = loop.time(), len(batch)
                try:
                    await self.attempts(self, key, codec, batch).run()
                except Exception as error:  # noqa: BLE001 - a fault in one batch must not leave the key stuck
                    for change in batch:
                        change.fail(error)
                if self._pending[key]:
                    await self._gather(key, count, loop.time() - began)
        finally:
            for change in (*batch, *self._pending.pop(key)):  # none, unless this task was cancelled
                change.fail(Unavailable("the node is stopping"))

    async def _gather(self, key: Key, answered: int, seconds: float) -> None:
        """Wait for those who were answered by a PUT that took so long, to join those who wait already."""
        gathering = Gathering(answered + len(self._pending[key]), asyncio.Event())
        self._gathering[key] = gathering
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(min(_GATHER_MOST, _GATHER_SHARE * seconds)):
                    await gathering.complete.wait()
        finally:
            del self._gathering[key]
