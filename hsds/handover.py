"""Connections of clients, handed by the process that accepts them to the processes that answer them.

One accepts for all, because only who sees all connections can spread the few that last: sockets that share a
port are chosen by a hash, and of processes that accept from one socket mostly the same is first. It keeps
each connection until it is taken, so none is lost with a process that ends just then.

The two ends of the line say one byte at a time; with ``CONNECTION`` comes a file descriptor.
"""

from __future__ import annotations

import asyncio
import socket
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from aiohttp import web

from hsds.servicenode.connections import Connection

CONNECTION: Final = b"c"
"""To the worker: answer this one."""
TAKEN: Final = b"t"
"""To the supervisor: the connection that was handed over first is not needed there any more."""
CLOSED: Final = b"x"
"""To the supervisor: one connection has ended."""
READY: Final = b"r"
"""To the supervisor: hand over connections."""
END: Final = b"e"
"""To the worker: finish what was asked. To the supervisor: no more connections, please."""
DRAINED: Final = b"d"
"""To the supervisor: every request is answered."""
LEAVE: Final = b"l"
"""To the worker: nobody asks any more, end."""

_UNTAKEN: Final = 32
"""Connections on their way to one worker: more would wait there for a process that does nothing."""


class Line:
    """One end of a line. ``heard`` is called with each byte and the file descriptor that came with it, and
    with no byte when the other end is gone.
    """

    def __init__(self, channel: socket.socket, heard: Callable[[bytes, int | None], None]) -> None:
        channel.setblocking(False)
        self._channel = channel
        self._heard = heard
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(channel, self._read)
        self._open = True

    def say(self, word: bytes, connection: socket.socket | None = None) -> bool:
        """Send one byte, maybe with a connection; False if the other end does not take it."""
        with suppress(OSError):
            if connection is None:
                return self._open and self._channel.send(word) == 1
            return self._open and socket.send_fds(self._channel, [word], [connection.fileno()]) == 1
        return False

    def close(self) -> None:
        """Hear and say nothing any more."""
        if self._open:
            self._open = False
            self._loop.remove_reader(self._channel)
            self._channel.close()

    def _read(self) -> None:
        try:
            word, descriptors, _, _ = socket.recv_fds(self._channel, 1, 1)
        except BlockingIOError:
            return
        except OSError:
            word, descriptors = b"", []
        if not word:
            self.close()
        self._heard(word, descriptors[0] if descriptors else None)


class Site(web.BaseSite):
    """Where a runner listens that is handed its connections. ``say`` is how it answers."""

    def __init__(self, runner: web.BaseRunner, say: Callable[[bytes], None]) -> None:
        super().__init__(runner)
        self._say = say
        self._open = False
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def name(self) -> str:
        return "handed over"

    async def start(self) -> None:
        await super().start()
        self._open = True

    async def stop(self) -> None:
        if self._open:
            self._open = False
            self._say(END)
        await super().stop()

    def take(self, descriptor: int) -> None:
        """Answer a connection, or leave it to others."""
        connection = socket.socket(fileno=descriptor)
        if not self._open:
            connection.close()
            return
        self._say(TAKEN)
        task = asyncio.create_task(self._answer(connection))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer(self, connection: socket.socket) -> None:
        connection.setblocking(False)
        server = self._runner.server
        assert server is not None

        def make() -> web.RequestHandler:
            protocol = server()
            assert isinstance(protocol, Connection)
            protocol.lost = lambda: self._say(CLOSED)
            return protocol

        try:
            await asyncio.get_running_loop().connect_accepted_socket(make, connection)
        except OSError:  # the client has left already
            connection.close()
            self._say(CLOSED)


class Desk:
    """A worker as the process that accepts sees it: what it has, and what is on its way to it."""

    def __init__(self, channel: socket.socket, changed: Callable[[], None]) -> None:
        """``changed`` is called when something was heard that may be waited for."""
        self.open = self.ready = self.ending = self.drained = False
        self.connections = 0
        """That it answers, or that are on their way."""
        self.dealt = 0
        self._changed = changed
        self._untaken: deque[socket.socket] = deque()
        self._returned: list[socket.socket] = []
        self._line = Line(channel, self._heard)
        self.open = True

    @property
    def load(self) -> tuple[int, int, int]:
        """Who has the least gets the next connection; one that takes none for a while is passed over."""
        return len(self._untaken), self.connections, self.dealt

    @property
    def taking(self) -> bool:
        """Whether connections may be handed to it."""
        return self.open and self.ready and not self.ending and len(self._untaken) < _UNTAKEN

    def offer(self, connection: socket.socket, turn: int) -> bool:
        """Hand over a connection, the ``turn``-th of all; False if it cannot be."""
        if not self._line.say(CONNECTION, connection):
            return False
        self._untaken.append(connection)
        self.connections += 1
        self.dealt = turn
        return True

    def say(self, word: bytes) -> None:
        """Tell it to end, or to leave."""
        self._line.say(word)

    def returned(self) -> list[socket.socket]:
        """Connections that it will not answer, each once."""
        back, self._returned = self._returned, []
        return back

    def close(self) -> None:
        """It is gone."""
        self._line.close()
        self._heard(b"", None)

    def _heard(self, word: bytes, _descriptor: int | None) -> None:
        if word == TAKEN:
            self._untaken.popleft().close()
        elif word == CLOSED:
            self.connections -= 1
            return
        elif word == READY:
            self.ready = True
        elif word == DRAINED:
            self.drained = True
        else:
            self.ending = True
            self.open = self.open and word == END
            self._returned += self._untaken
            self.connections -= len(self._untaken)
            self._untaken.clear()
        self._changed()
