"""What one data node makes of the view record: when it is leased, what it owns, and what it would write.

Pure: it is told of GETs, LISTs and words of peers with their times, and answers what should be done next.
``agent`` does it. Times are seconds of one clock that does not stop while the machine sleeps.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from hsds.cluster.discovery import Presence
from hsds.cluster.lease import DRIFT, Lease
from hsds.cluster.slots import Mask
from hsds.cluster.takeover import Takeover
from hsds.cluster.view import Member, View, changed, first_view, settled
from hsds.errors import InvalidSettings


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds. All nodes of a cluster have the same ``lease``."""

    lease: float = 10.0
    """How long a GET of the record lets its node serve."""
    renew: float = 2.0
    """Between two GETs."""
    timeout: float = 2.0
    """Of a GET or PUT of the record, of a LIST and of a word to a peer."""
    gather: float = 0.5
    """Departures within this time go into one epoch."""
    patience: float = 0.0
    """For how long a member must have been missing to be gone, where those that are missing may come back."""

    @property
    def wait(self) -> float:
        """Longer than any lease that began before we learned of something, by any clock."""
        return self.lease * DRIFT


@dataclass(frozen=True, slots=True)
class Write:
    """A conditional PUT of the record that should be sent. ``etag`` None: only if there is no record."""

    view: View
    etag: str | None


@dataclass(frozen=True, slots=True)
class Word:
    """What nodes tell one another: the newest view they know, and up to where they have let go."""

    uid: str
    view: View | None
    released: int
    """Epoch: nothing is served, or in flight, that is not owned at it. -1 for none."""


class Membership:
    """One process of a data node, from its start to its end.

    ``moved`` is called with each change of what is owned (slots gained, slots lost), while it happens.
    ``first_epoch`` gives the epoch of a record that is written where there is none, e.g. seconds since 1970:
    it must be higher than any epoch of a record that was there before.
    """

    def __init__(
        self,
        me: Member,
        cluster: str,
        *,
        timing: Timing,
        first_epoch: Callable[[], int],
        moved: Callable[[Mask, Mask], None] = lambda gained, lost: None,
        lease: Lease | None = None,
        takeover: Takeover | None = None,
    ) -> None:
        self.me = me
        self.cluster = cluster
        self.timing = timing
        self.lease = lease or Lease(timing.lease)
        self.takeover = takeover or Takeover(me.uid, wait=timing.wait)
        self.ready = False
        """Whether the node could serve, and wants to be a member."""
        self.unused = False
        """Whether the bucket holds nothing: then a record that is missing was never there."""
        self.leaving = False
        self._first_epoch = first_epoch
        self._moved = moved
        self._record: View | None = None
        self._etag: str | None = None
        self._read_at = 0.0
        self._born = False
        self._lost_since: float | None = None
        self._learned: list[tuple[int, float]] = []
        self._presence: Presence | None = None
        self._hint: frozenset[str] | None = None
        self._hinted_at = 0.0
        self._gone_since: dict[str, float] = {}
        self._claimed_at: float | None = None

    def __repr__(self) -> str:
        state = "leaving" if self.leaving else "member" if self.member else "outside"
        return f"<Membership {self.me.uid}, {state}, {self.takeover!r}>"

    @property
    def view(self) -> View | None:
        """The newest view known, by whatever way it came."""
        return self.takeover.view

    @property
    def record(self) -> View | None:
        """The record as it was last read or written by this process."""
        return self._record

    @property
    def etag(self) -> str | None:
        """ETag of ``record``."""
        return self._etag

    @property
    def member(self) -> bool:
        """Whether this process, not a former one, is a member in the newest view that it knows."""
        view = self.view
        return view is not None and self.me.uid in view.uids and view.epoch > self.takeover.born

    # -- what is told --------------------------------------------------------------------------------

    def read(self, view: View, etag: str, *, started: float, now: float) -> None:
        """A GET that started at ``started`` showed the record.

        Raises ``InvalidSettings`` for that of another cluster, unless it may prove to be left behind.
        """
        if view.cluster != self.cluster and (self._born or view.members):
            self._foreign(view, etag, now)
            return
        if not self._born:
            self._born, self.takeover.born = True, view.epoch
        if etag != self._etag:
            self._record, self._etag, self._read_at = view, etag, now
        if self._rolled_back(view, started):
            self._lose(now)
            return
        self._lost_since = None
        self._adopt(view, now)
        if self.me.uid not in view.uids or view.epoch <= self.takeover.born:
            self.lease.lose()
        elif not view.claim:  # who claims the record waits for as long as leases last that began before
            self.lease.renew(started)

    def unchanged(self, *, started: float, now: float) -> None:
        """A GET has shown the record as it was read last."""
        assert self._record is not None
        assert self._etag is not None
        self.read(self._record, self._etag, started=started, now=now)

    def missing(self, *, now: float) -> None:
        """A GET has shown that there is no record."""
        self._record = self._etag = None
        self._lose(now)

    def wrote(self, write: Write, etag: str, *, started: float, now: float) -> None:
        """A PUT of ours that started at ``started`` was taken: as good as a GET that shows what it wrote."""
        self._record, self._etag, self._read_at = write.view, etag, now
        if write.view.cluster != self.cluster:
            self._claimed_at = now
            return
        self._lost_since, self._born, self._claimed_at = None, True, None
        self._adopt(write.view, now)
        if self.me.uid in write.view.uids and write.view.epoch > self.takeover.born:
            self.lease.renew(started)

    def heard(self, word: Word, *, now: float) -> None:
        """A peer has told what it knows."""
        if word.view is not None and self._born and word.view.cluster == self.cluster:
            self._adopt(word.view, now)
        self.takeover.released(word.uid, word.released)

    def listed(self, presence: Presence) -> None:
        """A LIST has ended."""
        if self._presence is None or presence.started > self._presence.started:
            self._presence = presence

    def hinted(self, uids: frozenset[str] | None, *, now: float) -> None:
        """Events tell who is there."""
        self._hint, self._hinted_at = uids, now

    def leave(self) -> Mask:
        """Stop serving, for good. Returns the slots that were owned: what is in flight there must end."""
        self.ready, self.leaving = False, True
        lost = self.takeover.close()
        if lost:
            self._moved(0, lost)
        return lost

    @property
    def left(self) -> bool:
        """Whether nobody will wait for this process, which is leaving."""
        if self.view is None:
            return True
        return self._record is not None and not self._unmarked(self._record)

    # -- what should be done -------------------------------------------------------------------------

    def desire(self, now: float) -> Write | None:
        """The next PUT of the record, if there is reason for one."""
        if self._lost_since is not None:
            return self._anew(now)
        record = self._record
        if record is None:
            return None
        uid = self.me.uid
        if record.cluster != self.cluster and record.members:
            return self._take_over(record, now)
        if self.leaving:
            return Write(changed(record, leave=uid), self._etag) if self._unmarked(record) else None
        if record.claim:
            return Write(replace(record, claim=""), self._etag)
        join = self.ready and (
            record.epoch <= self.takeover.born if uid in record.uids else self._shows_us(self._read_at)
        )
        gone = self._gone(record, now)
        late = self.timing.patience + self.timing.gather
        due = any(now - since >= late for since in self._gone_since.values())
        known = self._superseded(now)
        if join or due:
            view = changed(record, join=self.me if join else None, remove=gone)
            ours = replace(settled(view, known), cluster=self.cluster, lease=self.timing.lease)
            return Write(ours, self._etag)
        if known > record.settled and self._superseded(now - self._stagger(record)) > record.settled:
            return Write(settled(record, known), self._etag)
        return None

    def wants_list(self, now: float) -> bool:
        """Whether a LIST that starts now may show reason for a change, or permit one."""
        if self.leaving:
            return False
        if self._lost_since is not None:
            return self.ready and not self._shows_us(self._lost_since)
        record, presence = self._record, self._presence
        if record is None:
            return False
        if presence is None or presence.started < self._read_at:
            if self.ready and self.me.uid not in record.uids:
                return True
            return self._hint is None or not record.uids <= self._hint
        if self.ready and self.me.uid not in record.uids and self.me.uid not in presence.members:
            return True
        if self._hint is None or self._hinted_at <= presence.started:
            return False
        there = record.uids & frozenset(presence.members)
        back = (record.uids - there) & self._hint if self.timing.patience else frozenset()
        return bool(back) or not there <= self._hint

    def next_time(self, now: float) -> float:
        """When ``desire`` may have an answer that it does not have at ``now``, if nothing is told before."""
        late = self.timing.patience + self.timing.gather
        times = [since + late for since in self._gone_since.values()]
        if self._claimed_at is not None and self._record is not None:
            times.append(self._claimed_at + self._longest_lease(self._record))
        if self._lost_since is not None:
            times.append(self._lost_since + self.timing.wait)
        if self._record is not None:
            late = self.timing.wait + self._stagger(self._record)
            times += [at + late for epoch, at in self._learned if epoch - 1 > self._record.settled]
        return min((at for at in times if at > now), default=now + self.timing.renew)

    # -- how it is found -----------------------------------------------------------------------------

    def _unmarked(self, record: View) -> bool:
        """Whether the record does not say that this process has let go of what it owned, and should.

        Others may have taken it out before it left: its pod was terminating. Who joins afterwards knows only
        that it was a member, and can ask it no more.
        """
        uid = self.me.uid
        past = any(uid in uids for epoch, uids in record.history.items() if epoch > record.settled)
        return uid in record.uids or (past and uid not in record.left)

    def _adopt(self, view: View, now: float) -> None:
        if view.epoch <= self.takeover.epoch:
            return
        self._learned.append((view.epoch, now))
        gained, lost = self.takeover.adopt(view, now)
        if gained or lost:
            self._moved(gained, lost)

    def _foreign(self, view: View, etag: str, now: float) -> None:
        """The record is another cluster's. Nobody renews it visibly, so it is claimed: members object."""
        whose = f"the bucket belongs to the cluster {view.cluster}, not to {self.cluster}"
        if self._born or view.claim not in ("", self.cluster):
            self.lease.lose()
            raise InvalidSettings(whose)
        if self._claimed_at is not None and not view.claim:
            raise InvalidSettings(f"{whose}; its data nodes are running")
        if etag != self._etag:
            self._record, self._etag, self._read_at = view, etag, now
        if view.claim and self._claimed_at is None:
            self._claimed_at = now

    def _take_over(self, record: View, now: float) -> Write | None:
        """Claim the record of another cluster, or make it ours when nobody has objected for long enough."""
        if not self.ready:
            return None
        if not record.claim:
            return Write(replace(record, claim=self.cluster), self._etag)
        if self._claimed_at is None or now - self._claimed_at < self._longest_lease(record):
            return None
        if not self._shows_us(self._read_at):
            return None
        empty = first_view(self.cluster, epoch=max(record.epoch, self._first_epoch()) + 1)
        return Write(replace(changed(empty, join=self.me), lease=self.timing.lease), self._etag)

    def _longest_lease(self, record: View) -> float:
        """Longer than any lease of its members, by any clock, that began before we learned of something."""
        return max(self.timing.lease, record.lease) * DRIFT

    def _rolled_back(self, view: View, started: float) -> bool:
        """Whether the record is older than one that was known before the GET started."""
        return bool(self._learned) and view.epoch < self._learned[-1][0] and started > self._learned[-1][1]

    def _lose(self, now: float) -> None:
        """There is no record that could be believed."""
        if self._lost_since is None:
            self._lost_since = now

    def _anew(self, now: float) -> Write | None:
        """Write the record again: when nobody's lease can rest on the former one."""
        if self.leaving or self._lost_since is None:
            return None
        if now - self._lost_since < self.timing.wait and not (self.unused and self.view is None):
            return None
        if not self.ready or not self._shows_us(self._lost_since):
            return None
        epoch = max(self.takeover.epoch, self.takeover.born, self._first_epoch()) + 1
        view = changed(first_view(self.cluster, epoch=epoch), join=self.me)
        return Write(replace(view, lease=self.timing.lease), self._etag)

    def _shows_us(self, after: float) -> bool:
        presence = self._presence
        return presence is not None and presence.started >= after and self.me.uid in presence.members

    def _gone(self, record: View, now: float) -> frozenset[str]:
        """Members that are gone for good: a LIST that started after the record was read lacks them."""
        presence = self._presence
        missing: frozenset[str] = frozenset()
        if presence is not None and presence.started >= self._read_at:
            missing = record.uids - frozenset(presence.members) - {self.me.uid}
        self._gone_since = {uid: self._gone_since.get(uid, now) for uid in missing}
        since = self._gone_since
        return frozenset(uid for uid in missing if now - since[uid] >= self.timing.patience)

    def _superseded(self, now: float) -> int:
        """The newest epoch under which nobody can be leased any more."""
        old = [epoch for epoch, at in self._learned if now - at >= self.timing.wait]
        if len(old) > 1:
            self._learned = [(epoch, at) for epoch, at in self._learned if epoch >= old[-1]]
        return old[-1] - 1 if old else -1

    def _stagger(self, record: View) -> float:
        """Members move ``settled`` on one after another, so that mostly the first alone has to."""
        number = record.number(self.me.uid)
        return 0.5 * min(10, number if number is not None else 10)
