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

from hsds.cluster.slots import owners
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

    def owners_at(self, epoch: int) -> tuple[str, ...] | None:
        """As ``owners`` for an epoch of the past; None where the history does not reach."""
        uids = self.history.get(epoch)
        return None if uids is None else owners_of(uids)

    def to_json(self) -> Json:
        """The record as stored."""
        return {
            "cluster": self.cluster,
            "epoch": self.epoch,
            "members": [asdict(member) for member in self.members],
            "left": dict(self.left),
            "history": {str(epoch): sorted(uids) for epoch, uids in self.history.items()},
            "settled": self.settled,
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
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise InvalidInput(f"the view record cannot be read: {error!r}") from error


@lru_cache(maxsize=256)
def owners_of(uids: frozenset[str]) -> tuple[str, ...]:
    """Uid of the owner of every slot among members with these uids; empty without members."""
    return owners(uids) if uids else ()


def first_view(cluster: str, *, epoch: int = 0) -> View:
    """The record of a cluster without members. ``epoch`` is higher than any that is known of."""
    return View(cluster, epoch, (), history={epoch: frozenset()}, settled=0)


def joined(view: View, member: Member) -> View:
    """The next view, with ``member`` in it (again). Its released mark is gone: that was the past."""
    others = [m for m in view.members if m.uid != member.uid]
    left = {uid: epoch for uid, epoch in view.left.items() if uid != member.uid}
    return _next(view, [*others, member], left)


def removed(view: View, uids: Iterable[str]) -> View:
    """The next view without members that are gone. What they owned is not released."""
    gone = frozenset(uids)
    return _next(view, [m for m in view.members if m.uid not in gone], dict(view.left))


def left(view: View, uid: str) -> View:
    """The next view without a member that has released everything and will never serve again."""
    after = _next(view, [m for m in view.members if m.uid != uid], dict(view.left))
    return replace(after, left={**after.left, uid: after.epoch})


def raised(view: View) -> View:
    """The next view with the same members: the conditional PUTs of a former process fail from here on."""
    return _next(view, view.members, dict(view.left))


def settled(view: View, epoch: int) -> View:
    """The same view, which says that every lease under ``epoch`` and earlier has run out."""
    return _pruned(replace(view, settled=max(view.settled, min(epoch, view.epoch - 1))))


def _next(view: View, members: Iterable[Member], left_: Mapping[str, int]) -> View:
    ordered = _ordered(members)
    epoch = view.epoch + 1
    history = {**view.history, epoch: frozenset(m.uid for m in ordered)}
    return _pruned(replace(view, epoch=epoch, members=ordered, left=left_, history=history))


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
