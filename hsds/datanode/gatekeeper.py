"""The gate of a data node that shares the keys with others: leased, owner of the slot, and taken over."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from hsds.cluster.lease import Lease
from hsds.cluster.slots import Mask, key_slot
from hsds.cluster.takeover import ALL, Takeover
from hsds.datanode.gate import EPOCH, FINISHING, Gate, Hold, Key
from hsds.datanode.grace import Grace
from hsds.errors import NotOwner

_GRACE = -2
"""Instead of a tenure, of a slot that was lost and has something left to be stored."""
_WHOLE = -3
"""Instead of a slot: all of them."""


class Gatekeeper(Gate):
    """Asks lease and takeover. ``settled_down`` is called when writes of ended tenures have ended."""

    def __init__(self, takeover: Takeover, lease: Lease, clock: Callable[[], float]) -> None:
        self.settled_down: Callable[[], None] = lambda: None
        self._takeover = takeover
        self._lease = lease
        self._clock = clock
        self._sending: Counter[Hold] = Counter()
        self._grace = Grace(takeover, lease)
        self._unstored: Callable[[], Iterable[Key]] = tuple

    def __repr__(self) -> str:
        return f"<Gatekeeper {self._takeover!r}, {self._sending.total()} writes on their way>"

    def hold(self, key: Key) -> Hold:
        now, slot = self._clock(), key_slot(*key)
        if FINISHING.get() and not self._takeover.live(slot) and self._grace.holds(slot, now):
            return Hold(slot, _GRACE)
        if not self._lease.held(now):
            raise NotOwner("this data node has no lease at present")
        self._takeover.tick(now)
        if not self._takeover.live(slot):
            raise NotOwner("this data node does not own the key, or has not taken it over yet")
        return Hold(slot, self._takeover.tenure(slot))

    def admit(self, key: Key) -> Hold:
        hold, epoch = self.hold(key), EPOCH.get()
        if epoch is not None and epoch < hold.tenure:
            raise NotOwner("the request was sent before this data node took over the key")
        return hold

    def valid(self, hold: Hold) -> bool:
        if hold.tenure == _GRACE:
            return self._grace.holds(hold.slot, self._clock())
        return self._lease.held(self._clock()) and self._current(hold)

    def whole(self) -> Hold | None:
        if self._takeover.live_slots != ALL or not self._lease.held(self._clock()):
            return None
        return Hold(_WHOLE, self._takeover.newest_tenure)

    def cover(self, slots: frozenset[int] | None) -> None:
        now = self._clock()
        self._takeover.tick(now)
        live = self._takeover.live_slots
        if not self._lease.held(now) or not (
            live == ALL if slots is None else all(live >> slot & 1 for slot in slots)
        ):
            raise NotOwner("this data node does not own all the slots, or has not taken them over yet")

    def waits(self, hold: Hold) -> bool:
        return self._current(hold) or self._grace.holds(hold.slot, self._clock())

    def lost(self, slots: Mask, *, leaving: bool) -> None:
        """These slots were lost: what was answered for there may still be stored."""
        if any(True for _ in self._unstored()):
            self._grace.lost(slots, leaving=leaving)

    def follow(self, unstored: Callable[[], Iterable[Key]]) -> None:
        self._unstored = unstored

    def stored(self) -> None:
        if self._grace and not self.lingering():
            self.settled_down()

    @contextmanager
    def sending(self, hold: Hold) -> Iterator[None]:
        self._sending[hold] += 1
        try:
            yield
        finally:
            self._sending[hold] -= 1
            if not self._sending[hold]:
                del self._sending[hold]
                if not self._current(hold) and not self.lingering():
                    self.settled_down()

    def lingering(self) -> bool:
        """Whether something of a tenure that has ended is still on its way to the store, or is to be."""
        if not all(map(self._current, self._sending)):
            return True
        if not self._grace:
            return False
        now = self._clock()
        if any(self._is_left(key_slot(*key), now) for key in self._unstored()):
            return True
        self._grace.over()
        return False

    def _is_left(self, slot: int, now: float) -> bool:
        return not self._takeover.live(slot) and self._grace.holds(slot, now)

    def _current(self, hold: Hold) -> bool:
        if hold.slot == _WHOLE:
            return self._takeover.live_slots == ALL and self._takeover.newest_tenure == hold.tenure
        return self._takeover.live(hold.slot) and self._takeover.tenure(hold.slot) == hold.tenure
