"""Which slots a data node may serve: those that it owns and has taken over.

One node, one state machine, no clock and no I/O of its own. ``adopt`` is told of new views, ``released`` of
what others have let go, ``tick`` of time. A slot is served in a *tenure*: each gain of a slot starts a new
one, and work begun in an earlier tenure must not end in a later one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from hsds.cluster.slots import SLOTS
from hsds.cluster.view import View


@dataclass(slots=True)
class Waiting:
    """A slot that was gained and is not live yet."""

    epoch: int
    """Epoch of the gain: former owners must have released up to here."""
    deadline: float
    """When their leases have run out at the latest."""
    former: set[str] = field(default_factory=set)
    """Former owners that have not released it."""


class Takeover:
    """The slots of one data node.

    ``wait`` is the longest that anybody else's lease can last after we learned of a view that takes the slot
    from them: lease duration times drift, in seconds.
    """

    def __init__(self, uid: str, *, wait: float) -> None:
        self.uid = uid
        self.view: View | None = None
        self._wait = wait
        self._tenures = [0] * SLOTS
        self._owned: frozenset[int] = frozenset()
        self._waiting: dict[int, Waiting] = {}
        self._released: dict[str, int] = {}

    @property
    def epoch(self) -> int:
        """Epoch of the newest view known; -1 before the first."""
        return -1 if self.view is None else self.view.epoch

    @property
    def owned(self) -> frozenset[int]:
        """Slots owned in the newest view, live or not."""
        return self._owned

    @property
    def waiting(self) -> int:
        """How many owned slots are still being taken over."""
        return len(self._waiting)

    def live(self, slot: int) -> bool:
        """Whether the slot is owned and taken over. (Whether the node is leased is another question.)"""
        return slot in self._owned and slot not in self._waiting

    def tenure(self, slot: int) -> int:
        """Number of the present or last tenure of a slot."""
        return self._tenures[slot]

    def adopt(self, view: View, now: float) -> tuple[frozenset[int], frozenset[int]]:
        """Take in a newer view. Returns the slots gained (what is cached of them is void) and those lost.

        Slots that were owned in every epoch in between are kept; where the history does not reach, none is,
        and a slot that was lost and came back counts as both lost and gained.
        """
        if view.epoch <= self.epoch:
            return frozenset(), frozenset()
        before = self._owned
        owned = _slots_of(view.owners(), self.uid)
        kept = before & owned & self._held_throughout(view)
        gained, lost = owned - kept, before - kept
        for slot in lost:
            self._waiting.pop(slot, None)
        self._owned, self.view = owned, view
        if gained:
            self._begin(view, gained, now)
        self._settle()
        return gained, lost

    def released(self, uid: str, epoch: int) -> None:
        """Member ``uid`` has let go of everything that it does not own at ``epoch``."""
        if epoch > self._released.get(uid, -1):
            self._released[uid] = epoch
            self._settle()

    def tick(self, now: float) -> None:
        """Slots whose former owners' leases must have run out become live."""
        for slot in [slot for slot, waiting in self._waiting.items() if now >= waiting.deadline]:
            del self._waiting[slot]

    def next_deadline(self) -> float | None:
        """When ``tick`` will have something to do."""
        return min((waiting.deadline for waiting in self._waiting.values()), default=None)

    def _held_throughout(self, view: View) -> frozenset[int]:
        """Slots that were ours in every epoch after the one we knew and before this one."""
        held = self._owned
        if self.view is None:
            return frozenset()
        for epoch in range(self.view.epoch + 1, view.epoch):
            at = view.owners_at(epoch)
            if at is None:
                return frozenset()
            held &= _slots_of(at, self.uid)
        return held

    def _begin(self, view: View, gained: Iterable[int], now: float) -> None:
        formers = _former_owners(view, self.uid)
        for slot in gained:
            self._tenures[slot] += 1
            former = formers.get(slot)
            if former is None or former:
                self._waiting[slot] = Waiting(view.epoch, now + self._wait, set(former or ()))
                if former is None:  # the history does not tell: nobody's word is enough
                    self._waiting[slot].former = {""}

    def _settle(self) -> None:
        """End the waits for which everybody has released."""
        view = self.view
        if view is None:
            return
        for slot, waiting in list(self._waiting.items()):
            waiting.former = {uid for uid in waiting.former if not self._let_go(view, uid, waiting.epoch)}
            if not waiting.former:
                del self._waiting[slot]

    def _let_go(self, view: View, uid: str, epoch: int) -> bool:
        if self._released.get(uid, -1) >= epoch:
            return True
        # A mark of having left counts for what was owned before; whoever joined again has none.
        return view.left.get(uid, 1 << 62) <= epoch and uid not in view.uids


def _slots_of(owners: Iterable[str], uid: str) -> frozenset[int]:
    return frozenset(slot for slot, owner in enumerate(owners) if owner == uid)


def _former_owners(view: View, uid: str) -> dict[int, set[str] | None]:
    """Slot -> others that owned it in an epoch after ``settled`` and before this one; None: unknown."""
    lists = [view.owners_at(epoch) for epoch in range(view.settled + 1, view.epoch)]
    if any(owners is None for owners in lists):
        return dict.fromkeys(range(SLOTS))
    known = [owners for owners in lists if owners]
    return {slot: {owners[slot] for owners in known} - {uid} for slot in range(SLOTS)}
