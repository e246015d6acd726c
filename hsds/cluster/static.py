"""Discovery without anybody to ask: the data nodes are those that the configuration names.

All of them are there, always. A process started anew at an address is the same data node as the one before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from urllib.parse import unquote, urlsplit

from hsds.cluster.discovery import Discovery, Presence
from hsds.cluster.view import Member
from hsds.errors import InvalidSettings


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


class StaticDiscovery(Discovery):
    """The data nodes of ``dn_urls``. Raises ``InvalidSettings`` for URLs that are none, or come twice."""

    def __init__(self, urls: Iterable[str], *, clock: Callable[[], float]) -> None:
        members = [member_of_url(url) for url in urls]
        self._members = {member.uid: member for member in members}
        self._clock = clock
        if not members:
            raise InvalidSettings("discovery: static needs dn_urls")
        if len(self._members) < len(members):
            raise InvalidSettings("dn_urls: a data node is named twice")

    def __repr__(self) -> str:
        return f"<StaticDiscovery of {len(self._members)} data nodes>"

    async def list(self) -> Presence:
        return Presence(self._clock(), self._members)

    def hint(self) -> frozenset[str] | None:
        return frozenset(self._members)

    def on_hint(self, changed: Callable[[], None]) -> None:
        pass
