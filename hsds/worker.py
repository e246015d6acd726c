"""One of several processes of ``hsds serve --workers N``: a node with both roles, at sockets of one machine.

``python -m hsds.worker N`` is started by the supervisor, which says the rest on standard input and is told
how things go by the line with file descriptor N.
"""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from collections.abc import Callable
from dataclasses import replace

import hsds
from hsds.cluster.static import member_of_url
from hsds.configsources import Loaded
from hsds.errors import InvalidSettings
from hsds.handover import CONNECTION, DRAINED, END, READY, Line, Site
from hsds.node import run_worker
from hsds.post import Orders, Post
from hsds.servicenode.runner import Runner


class _WorkerPost(Post):
    """The post of a worker: told by its supervisor, and heard by it."""

    def __init__(self, orders: Orders, channel: socket.socket) -> None:
        self.cluster = orders.cluster
        self.me = replace(member_of_url(orders.url), version=hsds.__version__)
        self.name = f"sn-{orders.number:03d}"
        self._public = orders.public
        self._channel = channel
        self._line: Line | None = None
        self._site: Site | None = None
        self._stop: Callable[[], None] = lambda: None
        self._leave = asyncio.Event()

    def take_up(self, stop: Callable[[], None]) -> None:
        self._stop = stop
        self._line = Line(self._channel, self._heard)

    async def open_site(self, runner: Runner) -> list[str]:
        self._site = Site(runner, self._say)
        await self._site.start()
        return list(self._public)

    def ready(self) -> None:
        self._say(READY)

    async def drained(self) -> None:
        self._say(DRAINED)
        await self._leave.wait()

    def _say(self, word: bytes) -> None:
        if self._line is not None:
            self._line.say(word)

    def _heard(self, word: bytes, descriptor: int | None) -> None:
        if word == CONNECTION and descriptor is not None:
            if self._site is None:
                os.close(descriptor)
            else:
                self._site.take(descriptor)
            return
        if word != END:  # told to leave, or the supervisor is gone
            self._leave.set()
        self._stop()


def main(descriptor: int) -> int:
    """Work until told to end. The exit status: 2 for what prevents the start."""
    orders = Orders.from_bytes(sys.stdin.buffer.read())
    loaded = Loaded(orders.settings, ())
    try:
        run_worker(loaded, _WorkerPost(orders, socket.socket(fileno=descriptor)))
    except InvalidSettings as error:
        print(f"hsds: worker {orders.number}: {error}", file=sys.stderr)  # noqa: T201 - for who started it
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
