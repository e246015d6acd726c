"""Acknowledging at once: what some servers wait for before they send the rest of an answer."""

from __future__ import annotations

import socket
from contextlib import suppress
from typing import Final

import aiohttp

_QUICKACK: Final[int | None] = getattr(socket, "TCP_QUICKACK", None)
"""Linux alone has it."""


def acknowledge(response: aiohttp.ClientResponse) -> None:
    """Have the kernel acknowledge the head of an answer whose body is still to come.

    A server that sends head and body in two pieces, and leaves Nagle's algorithm on, holds the second back
    until the first is acknowledged. The kernel of who asks does that after 40 ms, in the hope of something to
    send along: every GET from a RADOS Gateway took 44 ms, now 2. Source: tcp(7), RFC 1122 4.2.3.2, 4.2.3.4.
    """
    if _QUICKACK is None or response.connection is None or response.connection.transport is None:
        return
    sock = response.connection.transport.get_extra_info("socket")
    if sock is not None:
        with suppress(OSError, ValueError):  # closed in the meantime
            sock.setsockopt(socket.IPPROTO_TCP, _QUICKACK, 1)
