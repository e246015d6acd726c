"""How all nodes are: every service node asks every data node each second, and tells it of itself.

From the answers follow READY, which is told and gates nothing, and the table of nodes that people see.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from hsds.cluster.view import Member, View
from hsds.errors import Unavailable
from hsds.transport.following import Follower
from hsds.transport.remote import Connections
from hsds.transport.words import ping

Json = dict[str, Any]
State = Literal["INITIALIZING", "WAITING", "READY"]
_EVERY: Final = 1.0
_OLD: Final = 3.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What a data node said of itself, and when; ``info`` None: nothing."""

    at: float
    info: Json | None
    rate: float = 0.0
    """Requests per second since the answer before."""


class Pinger:
    """Asks. ``me`` is what this node says of itself."""

    def __init__(
        self,
        connections: Connections,
        follower: Follower,
        *,
        me: Callable[[], Json],
        clock: Callable[[], float],
        answered: Callable[[], None] = lambda: None,
    ) -> None:
        """``answered`` is called after each round."""
        self._connections = connections
        self._follower = follower
        self._me = me
        self._clock = clock
        self._answered = answered
        self.answers: Mapping[str, Answer] = {}
        """By uid of the data node."""

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            started = self._clock()
            view = self._follower.view
            if view is not None:
                await self._round(view)
            self._answered()
            await asyncio.sleep(max(0.05, _EVERY - (self._clock() - started)))

    def state(self) -> tuple[State, str]:
        """INITIALIZING, WAITING or READY, and why not READY."""
        view = self._follower.view
        if view is None:
            return "INITIALIZING", "no data node has told of the view yet"
        reason = missing(view, self.answers, now=self._clock())
        return ("WAITING", reason) if reason else ("READY", "")

    async def _round(self, view: View) -> None:
        me = self._me()
        answers = await asyncio.gather(*(self._ask(member, me) for member in view.members))
        self.answers = dict(zip((member.uid for member in view.members), answers, strict=True))
        newest = max((a.info.get("epoch", -1) for a in answers if a.info is not None), default=-1)
        if newest > view.epoch:
            await self._follower.refresh()

    async def _ask(self, member: Member, me: Json) -> Answer:
        try:
            info = await ping(self._connections, member, me, within=_EVERY)
        except Unavailable:
            return Answer(self._clock(), None)
        if info.get("uid") != member.uid:
            return Answer(self._clock(), None)
        now, before = self._clock(), self.answers.get(member.uid)
        rate = 0.0
        if before is not None and before.info is not None and now > before.at:
            rate = max(0.0, (info.get("requests", 0) - before.info.get("requests", 0)) / (now - before.at))
        return Answer(now, info, rate)


def missing(view: View, answers: Mapping[str, Answer], *, now: float) -> str:
    """What is missing for READY: all members leased, live in all their slots, and at one epoch."""
    if not view.members:
        return "there is no data node"
    for number, member in enumerate(view.members):
        answer = answers.get(member.uid)
        who = f"data node {number} at {member.address}"
        if answer is None or answer.info is None or now - answer.at > _OLD:
            return f"{who} does not answer"
        info = answer.info
        if not info.get("leased"):
            return f"{who} has no lease"
        if info.get("epoch") != view.epoch:
            return f"{who} is at epoch {info.get('epoch')}, not {view.epoch}"
        if info.get("live_slots") != info.get("owned_slots"):
            return f"{who} has taken over {info.get('live_slots')} of {info.get('owned_slots')} slots"
    return ""
