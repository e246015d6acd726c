"""The asking end of a connection to a data node."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from hsds.transport.channel import Buffer, Channel, LinkError

_ROOM: Final = 1 << 16
"""Bytes: most answers come whole in one read."""


class Link(Channel):
    """An open connection, for one exchange at a time: ``send``, ``answer``, then ``read`` or ``fill``.

    After a fault, or an exchange that was given up before its end, it is not ``fit`` for another: what is
    still to come would be taken for the next answer, or the next request for the rest of this one.
    """

    def __init__(self) -> None:
        super().__init__(_ROOM)
        self._keep = True
        self._sent = True
        """Whether the whole of the request is on its way."""
        self._answered = True
        """Whether the answer to it has begun to arrive."""
        self.idle_since = 0.0

    def __repr__(self) -> str:
        state = "lost" if self._lost is not None else "fit" if self.fit else "in use"
        return f"<Link {state}, {self._stop - self._start} bytes received>"

    @property
    def fit(self) -> bool:
        """Whether it can carry another exchange."""
        unread = self.left or self._stop != self._start
        done = self._sent and self._answered and not unread
        return done and self._keep and self._lost is None and self._writable

    def close(self) -> None:
        """End the connection at once."""
        self._keep = False
        self._transport.abort()

    async def send(self, head: bytes, parts: Sequence[Buffer]) -> None:
        """Send a request. Ends early if the answer comes before all has been sent."""
        self._check()
        self._sent = self._answered = False
        self._sent = await self._put(head, parts)
        if self._sent and not self._writable:
            await self._drained()

    async def answer(self) -> int:
        """The status of the answer; its body is ``left`` bytes. Raises ``LinkError``."""
        first, *lines = await self._head()
        length = None
        for line in lines:
            name, _, value = line.partition(b":")
            match name.lower():
                case b"content-length" if value.strip().isdigit():
                    length = int(value)
                case b"connection" if value.strip().lower() == b"close":
                    self._keep = False
        status = first[9:12]
        if not first.startswith(b"HTTP/1.1 ") or not status.isdigit() or length is None:
            raise LinkError(f"no answer of a data node: {first[:80]!r}")
        self.left = length
        self._answered = True
        return int(status)

    def _in_vain(self) -> bool:
        """The answer is there before all has been sent: a refusal."""
        return self._start != self._stop
