"""The gate of a data node that shares the keys with others: leased, owner of the slot, and taken over."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from hsds.cluster.lease import Lease
from hsds.cluster.slots import key_slot
from hsds.cluster.takeover import Takeover
from hsds.datanode.gate import EPOCH, Gate, Hold, Key
from hsds.errors import NotOwner


class Gatekeeper(Gate):
    """Asks lease and takeover. ``settled_down`` is called when writes of ended tenures have ended."""

    def __init__(self, takeover: Takeover, lease: Lease, clock: Callable[[], float]) -> None:
        self.settled_down: Callable[[], None] = lambda: None
        self._takeover = takeover
        self._lease = lease
        self._clock = clock
        self._sending: Counter[Hold] = Counter()

    def __repr__(self) -> str:
        return f"<Gatekeeper {self._takeover!r}, {self._sending.total()} writes on their way>"

    def hold(self, key: Key) -> Hold:
        now, slot = self._clock(), key_slot(*key)
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
        return self._lease.held(self._clock()) and self._current(hold)

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
        """Whether a write that was begun in a tenure that has ended is still on its way."""
        return not all(map(self._current, self._sending))

    def _current(self, hold: Hold) -> bool:
        return self._takeover.live(hold.slot) and self._takeover.tenure(hold.slot) == hold.tenure
