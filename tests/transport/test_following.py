"""How service nodes learn views: asked, told, and when nobody they know is there any more."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import pytest

from hsds.cluster.discovery import Discovery, Presence
from hsds.cluster.view import Member, changed, first_view
from hsds.errors import NotReachable, Unavailable
from hsds.transport import following
from hsds.transport.following import Follower

A, B, C, D = (Member(uid, f"10.0.0.{n}", 6101) for n, uid in enumerate("abcd", 1))
ONE = changed(first_view("c", epoch=1), join=A)
TWO = changed(ONE, join=B)
THREE = changed(TWO, remove=["a"])


class Answering:
    """A data node that knows a view. Stands in for its connection, too."""

    name = "a data node"

    def __init__(self, view):
        self.view = view
        self.gone = False
        self.asked = 0
        self._news = asyncio.Event()

    def learn(self, view):
        self.view = view
        self._news.set()
        self._news = asyncio.Event()

    async def ask_json(self, method, path, *, within, **_):
        self.asked += 1
        assert (method, path.partition("?")[0]) == ("GET", "/view")
        query = dict(part.split("=") for part in path.partition("?")[2].split("&"))
        if self.gone:
            raise NotReachable("gone")
        while self.view.epoch <= float(query["after"]):
            if not float(query["wait"]):
                return None
            await self._news.wait()
        return self.view.to_json()


class Gone:
    """Nobody is there."""

    name = "nobody"

    async def ask_json(self, *_, **__):
        raise NotReachable("gone")


class Nodes(Discovery):
    """All data nodes, as connections and as discovery."""

    def __init__(self, **nodes):
        self.nodes = {member: nodes.get(member.uid) for member in (A, B, C, D)}
        self.lists = 0
        self.silent = False

    def node(self, address, port):
        return next(node for member, node in self.nodes.items() if member.address == address) or Gone()

    async def list(self):
        self.lists += 1
        if self.silent:
            raise Unavailable("no answer")
        return Presence(0.0, {member.uid: member for member, node in self.nodes.items() if node is not None})

    def hint(self):
        return None

    def on_hint(self, changed):
        pass


def follower(nodes, **arguments):
    return Follower(nodes, nodes, **arguments)


@asynccontextmanager
async def running(one):
    task = asyncio.create_task(one.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def epoch_of(one, view):
    """Wait until a view is known."""
    async with asyncio.timeout(10):
        return (await one.newer(view.epoch - 1)).epoch


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(following, "_PAUSE", 0.001)
    monkeypatch.setattr(following, "_ALONE_PAUSE", 0.001)


async def test_the_first_data_node_is_found_by_discovery():
    nodes = Nodes(a=Answering(ONE))
    one = follower(nodes)
    assert one.view is None
    await one.refresh()
    assert one.view == ONE
    assert nodes.lists == 1


async def test_known_ones_are_asked_before_discovery():
    nodes = Nodes(a=Answering(TWO), b=Answering(TWO))
    one = follower(nodes)
    one.learn(ONE)
    await one.refresh()
    assert one.view == TWO
    assert nodes.lists == 0


async def test_discovery_helps_when_all_that_are_known_are_gone():
    nodes = Nodes(a=Answering(ONE), b=Answering(THREE))
    nodes.nodes[A].gone = True
    one = follower(nodes)
    one.learn(ONE)
    await one.refresh()
    assert one.view == THREE


async def test_no_answer_is_no_error():
    nodes = Nodes()
    nodes.silent = True
    one = follower(nodes)
    await one.refresh()
    assert one.view is None


async def test_an_older_view_is_not_learned():
    one = follower(Nodes())
    one.learn(TWO)
    one.learn(ONE)
    assert one.view == TWO


async def test_many_who_ask_share_one_question():
    nodes = Nodes(a=Answering(ONE))
    one = follower(nodes)
    await asyncio.gather(*(one.refresh() for _ in range(20)))
    assert (nodes.lists, nodes.nodes[A].asked) == (1, 1)
    await one.refresh()
    assert nodes.nodes[A].asked == 2


async def test_one_who_asked_and_left_takes_the_answer_from_nobody():
    nodes = Nodes(a=Answering(ONE))
    one = follower(nodes)
    first = asyncio.create_task(one.refresh())
    second = asyncio.create_task(one.refresh())
    await asyncio.sleep(0)
    first.cancel()
    await second
    assert one.view == ONE


async def test_what_a_data_node_of_the_process_knows_is_known():
    one = follower(Nodes(a=Answering(ONE)), own=lambda: TWO)
    await one.refresh()
    assert one.view == TWO


async def test_new_views_are_told_while_it_listens():
    nodes = Nodes(a=Answering(ONE), b=Answering(ONE))
    one = follower(nodes)
    async with running(one):
        assert await epoch_of(one, ONE) == ONE.epoch
        nodes.nodes[A].learn(TWO)
        assert await epoch_of(one, TWO) == TWO.epoch
        nodes.nodes[B].learn(THREE)  # by now it listens to this one, too
        assert await epoch_of(one, THREE) == THREE.epoch


async def test_it_waits_for_the_first_data_node():
    nodes = Nodes()
    one = follower(nodes)
    async with running(one):
        while nodes.lists < 3:  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.001)
        nodes.nodes[A] = Answering(ONE)
        assert await epoch_of(one, ONE) == ONE.epoch


async def test_a_view_without_members_is_not_the_end():
    """As a cluster leaves it that ended well: who comes next is found by discovery."""
    empty = changed(ONE, leave="a")
    nodes = Nodes(a=Answering(empty))
    one = follower(nodes)
    async with running(one):
        assert await epoch_of(one, empty) == empty.epoch
        nodes.nodes[A].gone = True
        again = changed(empty, join=C)
        nodes.nodes[C] = Answering(again)
        assert await epoch_of(one, again) == again.epoch


async def test_who_waits_for_a_newer_view_is_woken():
    one = follower(Nodes())
    one.learn(ONE)
    waiting = asyncio.create_task(one.newer(ONE.epoch))
    await asyncio.sleep(0)
    one.learn(ONE)
    assert not waiting.done()
    one.learn(TWO)
    assert await waiting == TWO
    assert repr(one) == f"<Follower at epoch {TWO.epoch}>"
