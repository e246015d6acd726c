"""Two data nodes that both believe to own the same keys of one bucket; one of them freezes now and then.

Leases keep this from happening. Where they fail, the conditions of the PUTs still lose nothing.
"""

from __future__ import annotations

import asyncio
import math
import random
import time
from dataclasses import dataclass

import numpy as np
import pytest

from hsds.datanode.node import LocalDataNode
from hsds.hdf5.selection import whole
from hsds.hdf5.selecttext import parse_select
from hsds.store.memory import MemoryStore
from hsds.store.posix import PosixStore
from hsds.store.s3 import S3Store
from hsds.transport import ops
from tests.datanode.test_faults import CHUNK, Element, World
from tests.tools.smallstate import small_state

SECONDS = 4.0


class Freezing:
    """A store of which every call may stop, before it is sent and before its answer is heard."""

    def __init__(self, inner):
        self._inner = inner
        self.running = asyncio.Event()
        self.running.set()

    def __getattr__(self, name):
        found = getattr(self._inner, name)
        if name not in {"get", "put", "delete", "head", "get_many"}:
            return found

        async def call(*args, **kwargs):
            await self.running.wait()
            result = await found(*args, **kwargs)
            await self.running.wait()
            return result

        return call


@dataclass
class Write:
    value: int
    start: float
    end: float = math.inf


def last_ones(writes):
    """Values that may be the last: those of writes that no other one, begun after their end, has followed."""
    newest = max((w.start for w in writes if w.end < math.inf), default=-math.inf)
    return {write.value for write in writes if write.end >= newest}


def owner(store):
    return LocalDataNode(small_state(store, threads=2))


@pytest.fixture(params=["s3", "posix", "memory"])
async def bucket(request, tmp_path, s3_options, s3_bucket):
    """A bucket as two stores see it, and its name."""
    if request.param == "memory":
        store = MemoryStore((s3_bucket,))
        yield store, store, s3_bucket
        return
    make = {"s3": lambda: S3Store(s3_options), "posix": lambda: PosixStore(tmp_path)}[request.param]
    stores = [make() for _ in range(2)]
    for store in stores:
        await store.start()
        await store.create_bucket(s3_bucket)
    yield *stores, s3_bucket
    for store in stores:
        await store.close()


async def test_nothing_is_lost_and_nothing_comes_back(bucket):
    *stores, name = bucket
    seed = random.randrange(1 << 32)
    print("seed", seed)
    chance = random.Random(seed)
    frozen = [Freezing(store) for store in stores]
    worlds = [World(owner(store), name) for store in frozen]
    chunk = Element()
    await chunk.begin(worlds[0])
    spec, selections = chunk.spec, [parse_select(f"[{i}:{i + 1}]", (CHUNK,)) for i in range(CHUNK)]
    group = await worlds[0].create("groups", links={})
    elements = [[Write(0, 0.0, 0.0)] for _ in range(CHUNK)]
    links = {str(i): [Write(0, 0.0, 0.0)] for i in range(6)}
    until = time.monotonic() + SECONDS
    number = 0

    async def writer(world):
        nonlocal number
        while time.monotonic() < until:
            number += 1
            write = Write(number, time.monotonic())
            match chance.randrange(4):
                case 0:
                    places = elements
                    op = ops.WriteChunks(name, spec, whole((CHUNK,)), np.full(CHUNK, number, "<i8"))
                case 1:
                    at = chance.randrange(CHUNK)
                    places = elements[at : at + 1]
                    op = ops.WriteChunks(name, spec, selections[at], np.full(1, number, "<i8"))
                case 2:
                    title = chance.choice(list(links))
                    places = [links[title]]
                    link = {"class": "H5L_TYPE_SOFT", "h5path": str(number), "created": 1.0}
                    op = ops.UpdateLinks(name, group, {title: link}, replace=True)
                case _:
                    title = chance.choice(list(links))
                    places, write.value = [links[title]], 0
                    op = ops.UpdateLinks(name, group, {}, (title,))
            for place in places:
                place.append(write)
            await world.ask(op)
            write.end = time.monotonic()

    async def freezer():
        while time.monotonic() < until:
            store = chance.choice(frozen)
            store.running.clear()
            await asyncio.sleep(chance.uniform(0.01, 0.3))
            store.running.set()
            await asyncio.sleep(chance.uniform(0.01, 0.1))

    await asyncio.gather(freezer(), *(writer(world) for world in worlds for _ in range(4)))
    print(number, "writes")
    assert number > 50
    reader = World(owner(stores[0]), name)
    row = await reader.ask(ops.ReadChunks(name, spec, whole((CHUNK,))))
    for value, writes in zip(row.tolist(), elements, strict=True):
        assert value in last_ones(writes)
    page = await reader.ask(ops.GetLinks(name, group))
    stored = {title: int(link["h5path"]) for title, link in page.links}
    for title, writes in links.items():
        assert stored.get(title, 0) in last_ones(writes)


async def test_a_deleted_object_does_not_come_back(bucket):
    """One owner is frozen with a change of it in hand, the other deletes it."""
    *stores, name = bucket
    slow = Freezing(stores[0])
    first, second = World(owner(slow), name), World(owner(stores[1]), name)
    group = await first.create("groups", links={})
    await first.ask(ops.GetObject(name, group))
    slow.running.clear()
    link = {"class": "H5L_TYPE_SOFT", "h5path": "/x", "created": 1.0}
    late = asyncio.create_task(first.ask(ops.UpdateLinks(name, group, {"x": link})))
    await asyncio.sleep(0.05)
    await second.ask(ops.DeleteObject(name, group))
    slow.running.set()
    with pytest.raises(LookupError):
        await late
    for world in (first, second, World(owner(stores[0]), name)):
        with pytest.raises(LookupError):
            await world.ask(ops.GetObject(name, group))
