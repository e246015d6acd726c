"""A data node behind a real socket, and connections to it."""

import asyncio
from contextlib import asynccontextmanager

from aiohttp import web

from hsds.budget import ByteBudget
from hsds.cluster.membership import Word
from hsds.datanode.app import DataNodeApp
from hsds.datanode.standing import Standing
from hsds.metrics import Metrics
from hsds.transport.linkserver import LinkServer
from hsds.transport.remote import Connections
from hsds.transport.signing import Signer

SECRET = b"a secret of the nodes"


class Stand(Standing):
    """A standing that tests set."""

    started = True
    ready = True
    view = None

    def __init__(self):
        self.heard = []
        self.waiting = None

    async def newer(self, epoch):
        return await self.waiting

    def hear(self, word):
        self.heard.append(word)
        return Word("me", self.view, 7)

    def info(self):
        return {"uid": "me"}


def signer(secret=SECRET, clock=None):
    return Signer(lambda: (secret,)) if clock is None else Signer(lambda: (secret,), clock)


@asynccontextmanager
async def running(app, socket=None):
    """The data node's application on a free port or a socket: its address and port."""
    runner = web.AppRunner(app.make(), access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    links, loop = LinkServer(app.routes(), runner.server), asyncio.get_running_loop()
    if socket:
        listener = await loop.create_unix_server(links, socket)
    else:
        listener = await loop.create_server(links, "127.0.0.1", 0)
    try:
        yield (str(socket), 0) if socket else listener.sockets[0].getsockname()[:2]
    finally:
        listener.close()
        await links.close(0.1)
        await runner.cleanup()


def app_of(node, standing=None, **arguments):
    arguments = {
        "bodies": ByteBudget(1 << 24),
        "answers": ByteBudget(1 << 24),
        "signer": signer(),
    } | arguments
    return DataNodeApp(node=node, standing=standing or Stand(), metrics=Metrics(), **arguments)


@asynccontextmanager
async def served(node, standing=None, *, socket=None, connections=None, app=None, **arguments):
    """A remote form of ``node``."""
    connections = connections or Connections(signer())
    async with running(app or app_of(node, standing, **arguments), socket) as address:
        try:
            yield connections.node(*address)
        finally:
            await connections.close()
