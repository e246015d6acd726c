"""Which slots a data node may serve: those that it owns and has taken over.

One node, one state machine, no clock and no I/O of its own. ``adopt`` is told of new views, ``released`` of
what others have let go, ``tick`` of time. A slot is served in a *tenure*, which is named by the epoch at
which this node learned that it had gained the slot. Work begun in an earlier tenure must not end in a later.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from hsds.cluster.slots import SLOTS, Mask, slots_in
from hsds.cluster.view import View

ALL: Mask = (1 << SLOTS) - 1


@dataclass(slots=True)
class Gain:
    """Slots that were gained at one epoch, as far as they are not live because of one earlier epoch."""

    epoch: int
    """Former owners must have released up to here."""
    deadline: float
    """When the leases under which former owners served have run out at the latest."""
    former: dict[str, Mask] = field(default_factory=dict)
    """Former owners that have not released, with what they owned."""
    unknown: Mask = 0
    """Slots whose former owners nobody can name: only time helps."""

    @property
    def waiting(self) -> Mask:
        """Slots that somebody else may still serve."""
        mask = self.unknown
        for owned in self.former.values():
            mask |= owned
        return mask

    def drop(self, slots: Mask) -> None:
        """These slots are ours no more."""
        self.unknown &= ~slots
        self.former = {uid: kept for uid, owned in self.former.items() if (kept := owned & ~slots)}


class Takeover:
    """The slots of one data node process.

    ``wait`` is the longest that anybody else's lease can last after we learned of a view that takes a slot
    from them: lease duration times drift, in seconds. ``born`` is the epoch that the record had when this
    process first read it: what was owned up to there was owned by nobody or by a former process of this pod.
    """

    def __init__(self, uid: str, *, wait: float, born: int = -1) -> None:
        self.uid = uid
        self.born = born
        self.view: View | None = None
        self.changes = 0
        """Views taken in, ever: how often this node has learned that members came or went."""
        self._wait = wait
        self._closed = False
        self._owned: Mask = 0
        self._live: Mask = 0
        self._tenures = np.full(SLOTS, -1, np.int64)
        self._gains: list[Gain] = []
        self._released: dict[str, int] = {}
        self._learned: list[tuple[int, float]] = []

    def __repr__(self) -> str:
        live, owned = self._live.bit_count(), self._owned.bit_count()
        return f"<Takeover {self.uid} at epoch {self.epoch}: {live} of {owned} slots live>"

    @property
    def epoch(self) -> int:
        """Epoch of the newest view known; -1 before the first."""
        return -1 if self.view is None else self.view.epoch

    @property
    def owned(self) -> Mask:
        """Slots owned in the newest view, live or not."""
        return self._owned

    @property
    def live_slots(self) -> Mask:
        """Slots owned and taken over."""
        return self._live

    def live(self, slot: int) -> bool:
        """Whether the slot is owned and taken over. (Whether the node is leased is another question.)"""
        return bool(self._live >> slot & 1)

    def tenure(self, slot: int) -> int:
        """Epoch that names the present or last tenure of a slot; -1 if there was none."""
        return int(self._tenures[slot])

    @property
    def newest_tenure(self) -> int:
        """Epoch that names the latest of all tenures; -1 if there was none."""
        return int(self._tenures.max())

    def awaited(self) -> frozenset[str]:
        """Uids of those whose release would make slots live."""
        return frozenset(uid for gain in self._gains for uid in gain.former)

    def adopt(self, view: View, now: float) -> tuple[Mask, Mask]:
        """Take in a newer view. Returns the slots gained (what is cached of them is void) and those lost.

        Slots that were owned in every epoch in between are kept, live or with their place in the wait. Where
        the history does not reach, none is; a slot that was lost and came back is both lost and gained.
        """
        if view.epoch <= self.epoch:
            return 0, 0
        self._learned = [(epoch, at) for epoch, at in self._learned if now - at < 2 * self._wait]
        self._learned.append((view.epoch, now))
        before = self._owned
        owned = 0 if self._closed or view.epoch <= self.born else view.masks().get(self.uid, 0)
        kept = before & owned & self._held_throughout(view)
        gained, lost = owned & ~kept, before & ~kept
        for gain in self._gains:
            gain.drop(lost)
        self._owned, self.view = owned, view
        self.changes += 1
        if gained:
            self._tenures[slots_in(gained)] = view.epoch
            self._gains += self._gain(view, gained, now)
        self._settle()
        return gained, lost

    def close(self) -> Mask:
        """Own nothing from now on, for good. Returns what was owned."""
        lost, self._closed, self._owned, self._gains = self._owned, True, 0, []
        self._settle()
        return lost

    def released(self, uid: str, epoch: int) -> None:
        """Member ``uid`` serves nothing, and has nothing in flight, but what it owns at ``epoch``."""
        if epoch > self._released.get(uid, -1):
            self._released[uid] = epoch
            self._settle()

    def tick(self, now: float) -> None:
        """Slots whose former owners' leases must have run out become live."""
        if any(now >= gain.deadline for gain in self._gains):
            self._gains = [gain for gain in self._gains if now < gain.deadline]
            self._settle()

    def next_deadline(self) -> float | None:
        """When ``tick`` will have something to do."""
        return min((gain.deadline for gain in self._gains), default=None)

    def _held_throughout(self, view: View) -> Mask:
        """Slots that were ours in every epoch after the one we knew and before this one."""
        held = self._owned
        for epoch in range(self.epoch + 1, view.epoch):
            if not held:
                break
            at = view.masks_at(epoch)
            held &= 0 if at is None else at.get(self.uid, 0)
        return held

    def _gain(self, view: View, gained: Mask, now: float) -> list[Gain]:
        """Whom to wait for: all that owned a slot in an epoch after ``settled`` and before this one.

        Who owned it last in epoch e serves it until T after e was superseded. That may have been long before
        this node gained the slot, e.g. from another that was itself still waiting.
        """
        gains = []
        for epoch in range(view.settled + 1, view.epoch):
            deadline = self._superseded(epoch) + self._wait
            if now >= deadline:
                continue
            at = view.masks_at(epoch)
            if at is None:
                gains.append(Gain(view.epoch, deadline, unknown=gained))
                continue
            former = {uid: owned & gained for uid, owned in at.items() if uid != self.uid and owned & gained}
            gains.append(Gain(view.epoch, deadline, former))
        return gains

    def _superseded(self, epoch: int) -> float:
        """When this node learned that ``epoch`` was over, as far as it remembers."""
        return next(at for newer, at in self._learned if newer > epoch)

    def _settle(self) -> None:
        """End the waits for which everybody has released, and see what is live now."""
        waiting = 0
        for gain in self._gains:
            for uid in [uid for uid in gain.former if self._let_go(uid, gain.epoch)]:
                del gain.former[uid]
            waiting |= gain.waiting
        self._gains = [gain for gain in self._gains if gain.waiting]
        self._live = self._owned & ~waiting

    def _let_go(self, uid: str, epoch: int) -> bool:
        """Whether a former owner serves nothing any more that it does not own at ``epoch``.

        A mark of having left stands for everything owned before, and goes when its member comes again: who
        has one in the newest view has owned nothing since.
        """
        if self._released.get(uid, -1) >= epoch:
            return True
        assert self.view is not None
        return uid in self.view.left and uid not in self.view.uids
