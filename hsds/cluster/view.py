"""The agreed member list: one small record in the store, changed only by conditional PUTs.

A view says who the data nodes are at one epoch, and enough of the past to tell what a newcomer must wait
for. Everything here is a pure function of records; who writes them when is in ``membership``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property, lru_cache
from ipaddress import ip_address
from typing import Any

from hsds.cluster.slots import Mask, owner_masks, owners
from hsds.errors import InvalidInput

HISTORY = 16
"""Epochs whose member lists are always kept; those after ``settled`` are kept beyond that."""

Json = dict[str, Any]


@dataclass(frozen=True, slots=True, order=True)
class Member:
    """A data node: its pod's uid, which no other pod will ever have, and where it is reached."""

    uid: str
    address: str
    """IP, without port."""
    port: int
    version: str = ""


@dataclass(frozen=True)
class View:
    """The members at one epoch. Epochs count up by one; equal epochs mean equal members."""

    cluster: str
    """Id of the cluster that the record belongs to: one bucket, one cluster."""
    epoch: int
    members: tuple[Member, ...]
    """Sorted by numeric IP, IPv4 before IPv6: a member's place is its node number."""
    left: Mapping[str, int] = field(default_factory=dict)
    """Uid -> epoch at which it left, for members that released all they owned when they left."""
    history: Mapping[int, frozenset[str]] = field(default_factory=dict)
    """Epoch -> uids of its members, this epoch included."""
    settled: int = 0
    """The newest epoch that some member has known to be superseded for longer than any lease lasts."""
    lease: float = 10.0
    """Seconds of a lease of these members."""
    claim: str = ""
    """Another cluster, which will take the record over unless a member takes this out again."""

    @cached_property
    def uids(self) -> frozenset[str]:
        return frozenset(member.uid for member in self.members)

    def member(self, uid: str) -> Member | None:
        """The member with that uid, if it is one."""
        return next((member for member in self.members if member.uid == uid), None)

    def number(self, uid: str) -> int | None:
        """Node number of a member, from 0."""
        return next((n for n, member in enumerate(self.members) if member.uid == uid), None)

    def owners(self) -> tuple[str, ...]:
        """Uid of the owner of every slot; empty without members."""
        return owners_of(self.uids)

    def masks(self) -> Mapping[str, Mask]:
        """Uid -> the slots that the member owns."""
        return masks_of(self.uids)

    def masks_at(self, epoch: int) -> Mapping[str, Mask] | None:
        """As ``masks`` for an epoch of the past; None where the history does not reach."""
        uids = self.history.get(epoch)
        return None if uids is None else masks_of(uids)

    def to_json(self) -> Json:
        """The record as stored."""
        return {
            "cluster": self.cluster,
            "epoch": self.epoch,
            "members": [asdict(member) for member in self.members],
            "left": dict(self.left),
            "history": {str(epoch): sorted(uids) for epoch, uids in self.history.items()},
            "settled": self.settled,
            "lease": self.lease,
            **({"claim": self.claim} if self.claim else {}),
        }

    @classmethod
    def from_json(cls, json: Any) -> View:
        """Parse a record. Raises ``InvalidInput`` for what is none."""
        try:
            return cls(
                cluster=json["cluster"],
                epoch=int(json["epoch"]),
                members=_ordered(
                    Member(m["uid"], m["address"], int(m["port"]), m.get("version", ""))
                    for m in json["members"]
                ),
                left={uid: int(epoch) for uid, epoch in json["left"].items()},
                history={int(epoch): frozenset(uids) for epoch, uids in json["history"].items()},
                settled=int(json["settled"]),
                lease=float(json.get("lease", 10.0)),
                claim=str(json.get("claim", "")),
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise InvalidInput(f"the view record cannot be read: {error!r}") from error


@lru_cache(maxsize=256)
def owners_of(uids: frozenset[str]) -> tuple[str, ...]:
    """Uid of the owner of every slot among members with these uids; empty without members."""
    return owners(uids) if uids else ()


@lru_cache(maxsize=256)
def masks_of(uids: frozenset[str]) -> Mapping[str, Mask]:
    """Uid -> the slots that it owns among members with these uids."""
    return owner_masks(owners_of(uids)) if uids else {}


def first_view(cluster: str, *, epoch: int) -> View:
    """The record of a cluster of which no member is leased. ``epoch`` is higher than any that was ever used.

    Whoever knows an older epoch finds the history too short and keeps nothing; nobody needs to be waited for.
    """
    return View(cluster, epoch, (), history={epoch: frozenset()}, settled=epoch)


def changed(
    view: View, *, join: Member | None = None, remove: Iterable[str] = (), leave: str | None = None
) -> View:
    """The next view: one epoch later, whatever changes. Without arguments only the epoch is raised.

    ``join`` is a member that comes, or comes again: its mark of having left is gone. ``remove`` are uids that
    are no more there; what they owned is not released. ``leave`` has released everything and will never
    serve again.
    """
    gone = {*remove, leave} if leave is not None else set(remove)
    members = [m for m in view.members if m.uid not in gone]
    marks = dict(view.left)
    epoch = view.epoch + 1
    if join is not None:
        members = [*(m for m in members if m.uid != join.uid), join]
        marks.pop(join.uid, None)
    if leave is not None:
        marks[leave] = epoch
    ordered = _ordered(members)
    history = {**view.history, epoch: frozenset(m.uid for m in ordered)}
    return _pruned(replace(view, epoch=epoch, members=ordered, left=marks, history=history, claim=""))


def settled(view: View, epoch: int) -> View:
    """The same view, which says that every lease under ``epoch`` and earlier has run out."""
    return _pruned(replace(view, settled=max(view.settled, min(epoch, view.epoch - 1)), claim=""))


def _pruned(view: View) -> View:
    """Forget epochs that nobody will ask about, and who left before them."""
    keep = {e: u for e, u in view.history.items() if e > view.epoch - HISTORY or e > view.settled}
    oldest = min(keep)
    return replace(
        view, history=keep, left={uid: epoch for uid, epoch in view.left.items() if epoch >= oldest}
    )


def _ordered(members: Iterable[Member]) -> tuple[Member, ...]:
    return tuple(sorted(members, key=_numeric))


def _numeric(member: Member) -> tuple[int, int, int, str]:
    try:
        ip = ip_address(member.address)
    except ValueError:  # a socket of this machine: no IP, but an order all the same
        return (9, 0, member.port, member.uid)
    return (ip.version, int(ip), member.port, member.uid)
