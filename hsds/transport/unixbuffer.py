"""Room for large messages in Unix sockets."""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress
from typing import Final

_BYTES: Final = 1 << 18


def enlarge_unix_buffer(transport: asyncio.BaseTransport) -> None:
    """Let a connection over a Unix socket have more on its way to the other end; others are left as they are.

    Unlike those of TCP, buffers of Unix sockets stay as small as they begin: 2 MiB were sent in a dozen
    pieces, each with a turn of the loop. More than the system allows (``net.core.wmem_max``) is not given.
    """
    sock = transport.get_extra_info("socket")
    if sock is not None and sock.family == socket.AF_UNIX:
        with suppress(OSError):  # some systems give nothing rather than less
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _BYTES)
