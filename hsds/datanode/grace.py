"""For how long what was answered for may still be stored under slots that were lost (``durability: flush``).

Until this node says that it has released a slot, or the lease has run out under which it owned it, nobody
else serves it. A lease that was renewed when the slot was gone already does not count. A node that leaves
still is in the view, and goes on as long as its lease is renewed at the same epoch.
"""

from __future__ import annotations

from hsds.cluster.lease import Lease
from hsds.cluster.slots import Mask, slots_in
from hsds.cluster.takeover import Takeover


class Grace:
    """The end of the time for each slot that was lost."""

    def __init__(self, takeover: Takeover, lease: Lease) -> None:
        self._takeover = takeover
        self._lease = lease
        self._ends: dict[int, float] = {}
        self._left_at: int | None = None
        """Epoch at which this node began to leave."""

    def __bool__(self) -> bool:
        return bool(self._ends)

    def lost(self, slots: Mask, *, leaving: bool) -> None:
        """These were lost just now, before the lease was renewed by what told of it."""
        self._ends.update(dict.fromkeys(slots_in(slots).tolist(), self._lease.ends))
        if leaving and self._left_at is None:
            self._left_at = self._takeover.epoch

    def over(self) -> None:
        """All is stored."""
        self._ends.clear()

    def holds(self, slot: int, now: float) -> bool:
        """Whether nobody else can be serving the slot."""
        end = self._ends.get(slot)
        if end is None:
            return False
        if self._left_at == self._takeover.epoch:
            end = self._ends[slot] = max(end, self._lease.ends)
        return now < end
