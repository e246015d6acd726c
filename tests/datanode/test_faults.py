"""A data node whose way to S3 is bad: resets, delays, errors, cut answers, effects without an answer.

Clients read and write registers: an attribute, an element of a chunk, a whole chunk, a link that comes and
goes. The history of each must be one of operations that took effect at one moment between question and
answer. ``HSDS_TEST_SECONDS`` makes it longer.
"""

from __future__ import annotations

import asyncio
import itertools
import math
import os
import random
import time
from dataclasses import replace

import numpy as np
import pytest

from hsds.datanode.node import LocalDataNode
from hsds.errors import NotFound, StoreError, Unavailable
from hsds.hdf5.dataset import DatasetSpec
from hsds.hdf5.ids import new_object_id, new_root_id
from hsds.hdf5.selection import whole
from hsds.hdf5.selecttext import parse_select
from hsds.store.health import StoreHealth
from hsds.store.patient import PatientStore
from hsds.store.s3 import S3Store
from hsds.transport import ops
from hsds.transport.base import Trace
from tests.tools.faultproxy import FAULTS, FaultProxy
from tests.tools.linearizable import Event, linearizable
from tests.tools.smallstate import small_state

SECONDS = float(os.environ.get("HSDS_TEST_SECONDS", "12"))
CLIENTS = 4
OPERATIONS = 30
"""Of all clients together on one register: histories stay short enough to be searched."""
CHUNK = 16


class World:
    """A data node behind the proxy, and the objects that clients use."""

    def __init__(self, node, bucket):
        self.node = node
        self.bucket = bucket
        self.number = itertools.count(1)
        self.root = new_root_id()

    async def ask(self, op):
        (result,) = await self.node.execute((op,), Trace("test"))
        if isinstance(result, Exception):
            raise result
        return result

    async def surely(self, op):
        """Ask until it is answered; what is asked may be repeated."""
        while True:
            try:
                return await self.ask(op)
            except Unavailable:
                await asyncio.sleep(0.1)

    async def create(self, collection, **json):
        id_ = new_object_id(self.root, collection)
        json = {"id": id_, "root": self.root, "created": 1.0, "lastModified": 1.0, "attributes": {}, **json}
        await self.surely(ops.CreateObject(self.bucket, id_, json))
        return id_


class Attribute:
    async def begin(self, world):
        self.id = await world.create("groups", links={})

    async def write(self, world, value):
        attribute = {
            "type": "H5T_STD_I64LE",
            "shape": {"class": "H5S_SCALAR"},
            "value": value,
            "created": 1.0,
        }
        await world.ask(ops.UpdateAttributes(world.bucket, self.id, {"x": attribute}, replace=True))

    async def read(self, world):
        try:
            page = await world.ask(ops.GetAttributes(world.bucket, self.id, ("x",)))
        except NotFound:
            return 0
        return page.attributes[0][1]["value"]


class Link:
    """A link that is there, or is not: 0. Deleted ones must not come back."""

    async def begin(self, world):
        self.id = await world.create("groups", links={})

    async def write(self, world, value):
        if value % 3 == 0:
            await world.ask(ops.UpdateLinks(world.bucket, self.id, {}, ("x",)))
            return 0
        link = {"class": "H5L_TYPE_SOFT", "h5path": str(value), "created": 1.0}
        await world.ask(ops.UpdateLinks(world.bucket, self.id, {"x": link}, replace=True))
        return value

    async def read(self, world):
        try:
            page = await world.ask(ops.GetLinks(world.bucket, self.id, ("x",)))
        except NotFound:
            return 0
        return int(page.links[0][1]["h5path"])


class Element:
    select = "[3:4]"

    async def begin(self, world):
        type_ = {"class": "H5T_INTEGER", "base": "H5T_STD_I64LE"}
        shape = {"class": "H5S_SIMPLE", "dims": [CHUNK]}
        layout = {"class": "H5D_CHUNKED", "dims": [CHUNK]}
        properties = {"layout": layout, "filters": [{"class": "H5Z_FILTER_DEFLATE", "id": 1, "level": 1}]}
        json = {"type": type_, "shape": shape, "layout": layout, "creationProperties": properties}
        self.id = await world.create("datasets", **json)
        self.spec = DatasetSpec.from_json({"id": self.id, **json})

    async def write(self, world, value):
        selection = parse_select(self.select, (CHUNK,))
        data = np.full(selection.shape, value, "<i8")
        await world.ask(ops.WriteChunks(world.bucket, self.spec, selection, data))

    async def read(self, world):
        row = await world.ask(ops.ReadChunks(world.bucket, self.spec, whole((CHUNK,))))
        if self.select == "[:]":
            assert (row == row[0]).all(), "a chunk is written whole or not at all"
        return int(row[3])


class Chunk(Element):
    select = "[:]"


async def history(world, register, until):
    """What clients did to one register, and saw."""
    await register.begin(world)
    events = []

    async def client(chance):
        for _ in range(OPERATIONS // CLIENTS):
            start = time.monotonic()
            if chance.random() < 0.5:
                value = next(world.number)
                written = 0 if isinstance(register, Link) and value % 3 == 0 else value
                try:
                    await register.write(world, value)
                except StoreError:
                    events.append(Event("write", written, start, math.inf))
                else:
                    events.append(Event("write", written, start, time.monotonic()))
            else:
                try:
                    value = await register.read(world)
                except StoreError:
                    continue
                events.append(Event("read", value, start, time.monotonic()))
            if chance.random() < 0.1:  # what is cached hides what is stored
                world.node.state.objects.cache.drop(lambda _: True)
                world.node.state.chunks.cache.drop(lambda _: True)
            if time.monotonic() > until:
                return

    await asyncio.gather(*(client(random.Random(random.random())) for _ in range(CLIENTS)))
    return events


@pytest.mark.timeout(SECONDS + 300)
@pytest.mark.parametrize("register", [Attribute, Link, Element, Chunk])
async def test_every_register_is_linearizable(s3_options, s3_bucket, register):
    seed = random.randrange(1 << 32)
    print("seed", seed)
    async with FaultProxy(s3_options.endpoint, rate=0.25, seed=seed) as proxy:
        store = S3Store(replace(s3_options, endpoint=proxy.endpoint, read_timeout=2.0))
        await store.start()
        patient = PatientStore(store, patience=3.0, bucket=s3_bucket, health=StoreHealth())
        state = small_state(patient, threads=2, patience=1.5)
        node = LocalDataNode(state)
        until = time.monotonic() + SECONDS / 4
        count = unknown = 0
        while time.monotonic() < until:
            histories = await asyncio.gather(
                *(history(World(node, s3_bucket), register(), until) for _ in range(4))
            )
            for events in histories:
                assert linearizable(events, 0), "\n".join(map(str, sorted(events, key=lambda e: e.start)))
                count += len(events)
                unknown += sum(event.unknown for event in events)
        print(f"{count} operations, {unknown} without an answer; faults: {dict(proxy.met)}")
        assert proxy.met.keys() <= FAULTS.keys()
        assert sum(proxy.met.values()) > 10
        assert count > 50
        proxy.rate = 0.0
        await node.close()
        await store.close()


@pytest.mark.parametrize(
    ("events", "right"),
    [
        ([Event("write", 1, 0, 1), Event("read", 1, 2, 3)], True),
        ([Event("write", 1, 0, 1), Event("read", 0, 2, 3)], False),
        ([Event("write", 1, 0, 3), Event("read", 0, 1, 2)], True),
        ([Event("write", 1, 0), Event("read", 0, 1, 2), Event("read", 1, 3, 4)], True),
        ([Event("write", 1, 0), Event("read", 1, 1, 2), Event("read", 0, 3, 4)], False),
        ([Event("write", 1, 0, 1), Event("write", 2, 2, 3), Event("read", 1, 4, 5)], False),
        (
            [
                Event("write", 1, 0, 9),
                Event("write", 2, 1, 8),
                Event("read", 1, 2, 3),
                Event("read", 2, 4, 5),
            ],
            True,
        ),
    ],
)
def test_the_judge(events, right):
    assert linearizable(events, 0) is right


async def test_appends_are_neither_lost_nor_doubled(s3_options, s3_bucket):
    """Extents grow by what was asked for once, although half of the PUTs are not answered."""
    async with FaultProxy(s3_options.endpoint, rate=0.4, seed=random.randrange(1 << 32)) as proxy:
        store = S3Store(replace(s3_options, endpoint=proxy.endpoint, read_timeout=2.0))
        await store.start()
        state = small_state(
            PatientStore(store, patience=20.0, bucket=s3_bucket, health=StoreHealth()), threads=2
        )
        world = World(LocalDataNode(state), s3_bucket)
        shape = {"class": "H5S_SIMPLE", "dims": [0], "maxdims": [0]}
        id_ = await world.create("datasets", type={}, shape=shape)

        async def appender(name):
            rows = []
            for i in range(12):
                resize = ops.Resize(s3_bucket, id_, extend=1, operation=f"{name}-{i}")
                rows.append((await world.surely(resize)).before[0])
                assert (await world.surely(resize)).before[0] == rows[-1]
            return rows

        found = await asyncio.gather(*(appender(name) for name in range(4)))
        assert sorted(itertools.chain(*found)) == list(range(48))
        json = (await world.surely(ops.GetObject(s3_bucket, id_))).json
        assert json["shape"]["dims"] == [48]
        proxy.rate = 0.0
        await world.node.close()
        await store.close()
