"""Which pods are data nodes that are there: from their JSON, in listings and in events that may be late.

A pod counts if a container of it declares a port named ``dn``. It is *present* when its phase is Running, it
has an IP and is not terminating. A uid comes once and goes once: a late event brings nobody back, and who is
there stays until a sign that is final (terminating, ended, deleted), or a listing, says otherwise.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum, auto
from typing import Any, Final

from hsds.cluster.view import Member

PORT_NAME: Final = "dn"

Json = Mapping[str, Any]


class Sign(Enum):
    """What one look at a pod tells."""

    COMING = auto()
    PRESENT = auto()
    GONE = auto()


def sign_of(pod: Json) -> Sign:
    """What a pod's JSON says of its presence."""
    status = pod.get("status") or {}
    phase = status.get("phase")
    if "deletionTimestamp" in (pod.get("metadata") or {}) or phase in ("Succeeded", "Failed"):
        return Sign.GONE
    return Sign.PRESENT if phase == "Running" and status.get("podIP") else Sign.COMING


def member_of(pod: Json) -> Member | None:
    """The data node in a pod, at the pod's primary IP; None without an IP, or without a port for one."""
    port = port_of(pod)
    address = (pod.get("status") or {}).get("podIP")
    return None if port is None or not address else Member(pod["metadata"]["uid"], address, port)


def port_of(pod: Json) -> int | None:
    """The number of the container port named ``dn``."""
    for container in (pod.get("spec") or {}).get("containers") or ():
        for port in container.get("ports") or ():
            if port.get("name") == PORT_NAME:
                return int(port["containerPort"])
    return None


def why_unseen(pod: Json | None, uid: str) -> str | None:
    """Why a listing has no data node in this pod, which is its own and has that uid; None if it will soon.

    ``pod`` is None if there is none of that name. Labels are left: only the server knows all selectors.
    """
    if pod is None:
        return "the API server knows no pod of that name in this namespace"
    found = str((pod.get("metadata") or {}).get("uid"))
    if found != uid:
        return f"POD_UID is {uid}, but the pod's uid is {found}"
    if sign_of(pod) is not Sign.PRESENT:
        return None
    if port_of(pod) is None:
        return f"no container of it declares a port named {PORT_NAME}"
    labels = ",".join(f"{name}={value}" for name, value in sorted(pod["metadata"].get("labels", {}).items()))
    return f"its labels are {labels}"


class Roster:
    """Who is there, from listings and events in any order. Times are seconds of one clock."""

    def __init__(self) -> None:
        self._present: dict[str, tuple[Member, float]] = {}
        self._gone: dict[str, float] = {}
        self.changes = 0
        """Counts up whenever who is there has changed."""

    def __repr__(self) -> str:
        return f"<Roster of {len(self._present)} data nodes>"

    @property
    def uids(self) -> frozenset[str]:
        """Who is there."""
        return frozenset(self._present)

    def event(self, kind: str, pod: Json, *, now: float) -> None:
        """An ADDED, MODIFIED or DELETED event that came at ``now``."""
        if kind == "DELETED" or sign_of(pod) is Sign.GONE:
            self._leave(pod["metadata"]["uid"], now)
        else:
            self._come(pod, now)

    def listing(self, pods: Iterable[Json], *, started: float, now: float) -> Mapping[str, Member]:
        """A complete listing that was asked for at ``started``: who was there then, by uid."""
        there: dict[str, Member] = {}
        for pod in pods:
            uid = pod["metadata"]["uid"]
            if sign_of(pod) is Sign.GONE:
                self._leave(uid, now)
            else:
                self._come(pod, now)
                if uid in self._present and sign_of(pod) is Sign.PRESENT:
                    there[uid] = self._present[uid][0]
        for uid, (_, since) in list(self._present.items()):
            if uid not in there and since < started:  # who came later need not be in it
                self._leave(uid, now)
        self._forget(started)
        return there

    def _come(self, pod: Json, now: float) -> None:
        uid = pod["metadata"]["uid"]
        if uid in self._present or uid in self._gone or sign_of(pod) is not Sign.PRESENT:
            return
        member = member_of(pod)
        if member is not None:
            self._present[uid] = member, now
            self.changes += 1

    def _leave(self, uid: str, now: float) -> None:
        self._gone.setdefault(uid, now)
        if self._present.pop(uid, None) is not None:
            self.changes += 1

    def _forget(self, started: float) -> None:
        """Events are at most minutes late; who left hours ago cannot be brought back by one."""
        self._gone = {uid: at for uid, at in self._gone.items() if started - at < _REMEMBERED}


_REMEMBERED: Final = 6 * 3600.0
