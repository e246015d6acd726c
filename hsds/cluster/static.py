"""Discovery without anybody to ask: the data nodes are those that the configuration names and that answer.

A process started anew at an address is the same data node as the one before. One that nobody has started yet,
or that its machine took with it, does not answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from typing import Final
from urllib.parse import unquote, urlsplit

from hsds.cluster.discovery import Discovery, Presence
from hsds.cluster.view import Member
from hsds.errors import InvalidSettings

_EVERY: Final = 2.0


def member_of_url(url: str) -> Member:
    """The data node at ``http://10.0.0.1:6101``, or at ``http+unix://%2Frun%2Fdn.sock``.

    Its uid is made of the address. Raises ``InvalidSettings``.
    """
    try:
        parts = urlsplit(url)
        if parts.scheme == "http+unix" and parts.netloc:
            path = unquote(parts.netloc)
            return Member(f"static-{path}", path, 0)
        if parts.scheme == "http" and parts.hostname and parts.port and parts.path in ("", "/"):
            return Member(f"static-{parts.hostname}-{parts.port}", parts.hostname, parts.port)
    except ValueError:
        pass
    raise InvalidSettings(f'dn_urls: "{url}" is not like http://10.0.0.1:6101')


async def answers(member: Member, within: float) -> bool:
    """Whether a process at the address of a data node says ``within`` seconds that it lives."""
    try:
        async with asyncio.timeout(within):
            if member.address.startswith("/"):
                reader, writer = await asyncio.open_unix_connection(member.address)
            else:
                reader, writer = await asyncio.open_connection(member.address, member.port)
            try:
                writer.write(b"GET /livez HTTP/1.0\r\nHost: node\r\n\r\n")
                return b" 200 " in await reader.readline()
            finally:
                writer.close()
    except (OSError, TimeoutError, ValueError):
        return False


class StaticDiscovery(Discovery):
    """The data nodes of ``dn_urls``: those are there that answer.

    Who does not may come back; how long it is waited for is ``Timing.patience``. ``reach`` tells of a member
    whether it answers ``within`` so many seconds. Raises ``InvalidSettings`` for URLs that are none, or come
    twice.
    """

    def __init__(
        self,
        urls: Iterable[str],
        *,
        clock: Callable[[], float],
        within: float = 1.0,
        reach: Callable[..., Awaitable[bool]] = answers,
    ) -> None:
        members = [member_of_url(url) for url in urls]
        self._members = {member.uid: member for member in members}
        self._clock = clock
        self._reach = partial(reach, within=within)
        self._changed: Callable[[], None] = lambda: None
        self._seen = frozenset(self._members)
        if not members:
            raise InvalidSettings("discovery: static needs dn_urls")
        if len(self._members) < len(members):
            raise InvalidSettings("dn_urls: a data node is named twice")

    def __repr__(self) -> str:
        return f"<StaticDiscovery of {len(self._members)} data nodes>"

    async def list(self) -> Presence:
        started = self._clock()
        members = list(self._members.values())
        there = await asyncio.gather(*map(self._reach, members))
        return Presence(
            started, {one.uid: one for one, is_there in zip(members, there, strict=True) if is_there}
        )

    def hint(self) -> frozenset[str] | None:
        return self._seen

    def on_hint(self, changed: Callable[[], None]) -> None:
        self._changed = changed

    async def run(self) -> None:
        while True:
            seen = frozenset((await self.list()).members)
            if seen != self._seen:
                self._seen = seen
                self._changed()
            await asyncio.sleep(_EVERY)
