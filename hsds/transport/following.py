"""How a service node knows the view: data nodes tell it, as soon as it changes and whenever it asks.

Data nodes keep no list of service nodes. Each service node keeps a question open at a few of them, which is
answered when there is a newer view: that is as quick as being told. Who is refused learns by that as well.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterable
from typing import Final

from hsds.cluster.discovery import Discovery
from hsds.cluster.view import Member, View
from hsds.errors import Unavailable
from hsds.transport.remote import Connections
from hsds.transport.routing import Views
from hsds.transport.words import newer_view

_ASKED: Final = 5
"""Data nodes that are asked at once: any one knows."""
_LISTENED: Final = 3
_ANSWER_SECONDS: Final = 1.0
_LISTEN_SECONDS: Final = 20.0
_PAUSE: Final = 0.2
_ALONE_PAUSE: Final = 0.5


class Follower(Views):
    """The newest view that a service node knows. ``own`` is what a data node in this process knows."""

    def __init__(
        self, connections: Connections, discovery: Discovery, *, own: Callable[[], View | None] = lambda: None
    ) -> None:
        self._connections = connections
        self._discovery = discovery
        self._own = own
        self._view: View | None = None
        self._changed = asyncio.Event()
        self._asking: asyncio.Task[None] | None = None

    def __repr__(self) -> str:
        epoch = "nothing" if self._view is None else f"epoch {self._view.epoch}"
        return f"<Follower at {epoch}>"

    @property
    def view(self) -> View | None:
        return self._view

    def learn(self, view: View) -> None:
        """Somebody has told of a view."""
        if self._view is None or view.epoch > self._view.epoch:
            self._view = view
            self._changed.set()
            self._changed = asyncio.Event()

    async def newer(self, epoch: int) -> View:
        while self._view is None or self._view.epoch <= epoch:
            await self._changed.wait()
        return self._view

    async def refresh(self) -> None:
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._ask())
        await asyncio.shield(self._asking)

    async def run(self) -> None:
        """Find the first data node, then listen. Until cancelled."""
        while self._view is None:
            await self.refresh()
            if self._view is None:
                await asyncio.sleep(_PAUSE)
        async with asyncio.TaskGroup() as group:
            for place in range(_LISTENED):
                group.create_task(self._listen(place))

    async def _ask(self) -> None:
        own = self._own()
        if own is not None:
            self.learn(own)
        known = () if self._view is None else self._view.members
        if await self._ask_some(known):
            return
        try:
            async with asyncio.timeout(2 * _ANSWER_SECONDS):
                presence = await self._discovery.list()
        except (TimeoutError, Unavailable):
            return
        await self._ask_some(presence.members.values())

    async def _ask_some(self, members: Iterable[Member]) -> bool:
        """Ask some of these; whether any of them has answered."""
        members = list(members)
        chosen = random.sample(members, min(_ASKED, len(members)))
        answers = await asyncio.gather(*(self._ask_one(member, wait=0.0) for member in chosen))
        return any(answers)

    async def _ask_one(self, member: Member, *, wait: float) -> bool:
        """Whether it has answered."""
        after = -1 if self._view is None else self._view.epoch
        try:
            view = await newer_view(self._connections, member, after=after, wait=wait, within=_ANSWER_SECONDS)
        except Unavailable:
            return False
        if view is not None:
            self.learn(view)
        return True

    async def _listen(self, place: int) -> None:
        """Keep a question open at one of the members: each ``place`` asks others."""
        while True:
            members = () if self._view is None else self._view.members
            mine = members[place::_LISTENED]
            if not members and not place:  # who comes next is in no view that we know
                await asyncio.sleep(_ALONE_PAUSE)
                await self.refresh()
            if not mine or not await self._ask_one(random.choice(mine), wait=_LISTEN_SECONDS):
                await asyncio.sleep(_PAUSE)
