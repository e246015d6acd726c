"""Answers probes in a process of its own, which no load of the node holds up.

    python probing.py LISTENER STATE BACKEND

The node says how it is in memory that both see (file descriptor STATE), ten times a second. What is no
probe is passed on to it, at port BACKEND of this machine. Ends with its standard input, which the node holds.
Imports the standard library only, so that it is there at once and small.
"""

from __future__ import annotations

import mmap
import os
import socket
import struct
import sys
import threading
import time
from contextlib import suppress

STATE = struct.Struct("<d??")
"""When the node's loop turned last, by ``time.monotonic``; whether it has started; whether it is ready."""
STUCK_SECONDS = 10.0
"""A loop that has not turned for so long is taken for stuck: many times what any request holds it up."""
_HEAD_BYTES = 65_536
_HEAD_SECONDS = 10.0
_IDLE_SECONDS = 120.0
_REASONS = {200: "OK", 503: "Service Unavailable"}


def answer(path: str, *, silence: float, started: bool, ready: bool) -> tuple[int, str] | None:
    """Status and text of a probe; None for what is none. ``silence``: seconds since the loop turned."""
    match path:
        case "/livez":
            stuck = silence > STUCK_SECONDS
            return (503, f"the event loop has not turned for {silence:.0f} s") if stuck else (200, "ok")
        case "/startupz":
            return (200, "ok") if started else (503, "not yet")
        case "/readyz":
            return (200, "ok") if ready else (503, "not yet")
    return None


class Responder:
    """What answers the connections of one listener."""

    def __init__(self, listener: socket.socket, state: mmap.mmap, backend: int) -> None:
        self._listener = listener
        self._state = state
        self._backend = backend

    def run(self) -> None:
        """For ever."""
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:  # no descriptors are left, or the client is gone already
                time.sleep(0.05)
                continue
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            connection.settimeout(_HEAD_SECONDS)
            head = b""
            while b"\r\n\r\n" not in head:
                data = connection.recv(8192)
                if not data or len(head) > _HEAD_BYTES:
                    return
                head += data
            method, _, rest = head.partition(b" ")
            path = rest.partition(b" ")[0].partition(b"?")[0].decode("latin-1")
            beat, started, ready = STATE.unpack_from(self._state)
            said = answer(path, silence=time.monotonic() - beat, started=started, ready=ready)
            if said is None or method != b"GET":
                self._pass_on(connection, head)
                return
            status, text = said
            connection.sendall(
                f"HTTP/1.1 {status} {_REASONS[status]}\r\nContent-Type: text/plain; charset=utf-8\r\n"
                f"Content-Length: {len(text)}\r\nConnection: close\r\n\r\n{text}".encode()
            )

    def _pass_on(self, connection: socket.socket, head: bytes) -> None:
        """Let the node answer this connection to its end."""
        connection.settimeout(_IDLE_SECONDS)
        with socket.create_connection(("127.0.0.1", self._backend), _HEAD_SECONDS) as node:
            node.settimeout(_IDLE_SECONDS)
            node.sendall(head)
            asking = threading.Thread(target=_copy, args=(connection, node), daemon=True)
            asking.start()
            _copy(node, connection)
            asking.join()


def _copy(source: socket.socket, target: socket.socket) -> None:
    """Bytes as they come, until there are no more."""
    with suppress(OSError):
        while data := source.recv(65_536):
            target.sendall(data)
    for end in (source, target):  # wakes who copies the other way
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


def _end_with_node() -> None:
    sys.stdin.buffer.read()
    os._exit(0)


def main(listener: int, state: int, backend: int) -> None:
    """Serve until the node ends."""
    threading.Thread(target=_end_with_node, daemon=True).start()
    shared = mmap.mmap(state, STATE.size, prot=mmap.PROT_READ)
    Responder(socket.socket(fileno=listener), shared, backend).run()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:4]))
