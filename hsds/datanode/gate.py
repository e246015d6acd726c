"""Whether this node may serve a key: asked before anything is read, and again after everything is written."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass

from hsds.errors import NotOwner

Key = tuple[str, str]
"""Bucket and key."""

EPOCH: ContextVar[int | None] = ContextVar("epoch", default=None)
"""The epoch that the request now being carried out was sent under; None for the node's own work."""


FINISHING: ContextVar[bool] = ContextVar("finishing", default=False)
"""Whether the work now being done stores what was answered for already (``durability: flush``): it may go on
for a while after its slot was lost."""


@dataclass(frozen=True, slots=True)
class Hold:
    """The right to work on a slot, from one tenure of it. Work begun in an earlier tenure must not go on."""

    slot: int
    tenure: int


class Gate(ABC):
    """Says which keys this node owns at present. The cluster's form follows views, leases and takeovers."""

    alone = False
    """Whether no other data node ever owns anything."""

    @abstractmethod
    def hold(self, key: Key) -> Hold:
        """The right to work on ``key``. Raises ``NotOwner`` where this node is not live in its slot."""

    def admit(self, key: Key) -> Hold:
        """The right to change ``key``: also refused to a request sent before the present tenure began."""
        return self.hold(key)

    @abstractmethod
    def valid(self, hold: Hold) -> bool:
        """Whether the node is leased, and still in the tenure of the slot that ``hold`` is from."""

    def check(self, hold: Hold) -> None:
        """Raise ``NotOwner`` unless ``hold`` is valid."""
        if not self.valid(hold):
            raise NotOwner("this data node does not own the key any more")

    def whole(self) -> Hold | None:
        """The right to speak for all keys together: valid until any is lost. None where others own some."""
        return None

    def cover(self, slots: frozenset[int] | None) -> None:
        """Raise ``NotOwner`` unless this node is live in these slots; None for all."""
        if slots is None and self.whole() is None:
            raise NotOwner("others own some of the keys")

    def waits(self, hold: Hold) -> bool:
        """Whether what was answered for under ``hold`` may be stored, if not now then perhaps later."""
        return self.valid(hold)

    def follow(self, unstored: Callable[[], Iterable[Key]]) -> None:  # noqa: B027 - who loses none waits for none
        """Slots are released when ``unstored`` has no key of them any more: what is answered for, not stored.

        ``stored`` is to be called when that may have become so.
        """

    def stored(self) -> None:  # noqa: B027 - as above
        """Something that was answered for is stored, or given up."""

    def sending(self, hold: Hold) -> AbstractContextManager[None]:
        """Surrounds each write to the store: the slot is not released before it has ended."""
        return nullcontext()


class OpenGate(Gate):
    """For a node that is alone and owns every key."""

    alone = True
    _HOLD = Hold(0, 0)

    def hold(self, key: Key) -> Hold:
        return self._HOLD

    def valid(self, hold: Hold) -> bool:
        return True

    def whole(self) -> Hold | None:
        return self._HOLD
