"""Where questions are trips, what will be asked is asked at once; answers are as they would be otherwise."""

import asyncio

import numpy as np
import pytest

from hsds.servicenode.guesses import Guesses
from hsds.transport import ops
from hsds.transport.base import DataNode, Trace
from hsds.transport.nodes import DataNodes
from tests.servicenode.conftest import HOME
from tests.servicenode.valuetools import BINARY, DOMAIN, make_values


class Far(DataNode):
    """A data node that counts the trips to it."""

    distant = True

    def __init__(self, node):
        self._node = node
        self.trips = []
        self.held = None
        """Nothing is answered before that happens."""

    @property
    def name(self):
        return "far"

    async def execute(self, batch, trace):
        self.trips.append([type(op).__name__ for op in batch])
        await asyncio.sleep(0)  # a trip takes a turn of the loop at least
        if self.held is not None:
            await self.held.wait()
        return await self._node.execute(batch, trace)


@pytest.fixture
def far(service, data_node):
    far = Far(data_node)
    service.node.nodes = DataNodes(far)
    return far


@pytest.fixture
async def values(service):
    values = await make_values(service, (20,), "<i4", chunks=[10], maxdims=[100])
    await values.write(np.arange(20, dtype="<i4"))
    return values


def url(values):
    return f"/datasets/{values.id}/value"


async def read(service, values, **options):
    return await service.get(url(values), domain=DOMAIN, headers=BINARY, **options)


async def test_values_that_were_read_before_take_one_trip(service, values, far):
    service.node.guesses = Guesses()  # the write has left one
    for expected in (["ReadChunks"], None):
        far.trips.clear()
        reply = await read(service, values, select="[3:7]")
        assert reply.body == np.arange(3, 7, dtype="<i4").tobytes()
        assert far.trips[1:] == ([expected] if expected else [])
    assert far.trips == [["GetDomain", "GetObject", "ReadChunks"]]


async def test_a_null_dataspace_is_asked_for_no_values(service, far):
    nothing = await make_values(service, "H5S_NULL", "<i4")
    for _ in range(2):
        far.trips.clear()
        reply = await service.get(url(nothing), domain=DOMAIN)
        assert reply.status == 400
        assert "null dataspace" in reply.reason
        assert far.trips == [["GetDomain", "GetObject"]], "no node owns what is in no chunk"


async def until(done):
    async with asyncio.timeout(10):
        while not done():  # noqa: ASYNC110 - what is waited for is counted, not told
            await asyncio.sleep(0)


class TestLargeReads:
    """Their first pages are asked for along with the domain and the dataset, each by itself."""

    DATA = np.arange(12 << 18, dtype="<i4")
    """12 MiB."""

    @pytest.fixture
    async def large(self, service):
        values = await make_values(service, (len(self.DATA),), "<i4", chunks=[1 << 18], maxdims=[1 << 30])
        await values.write(self.DATA)
        await read(service, values)
        return values

    @pytest.fixture(autouse=True)
    async def all_is_given_back(self, service):
        yield
        await until(lambda: service.node.budget.used == 0)

    async def test_first_pages_come_early_and_all_once(self, service, large, far):
        reply = await read(service, large)
        assert reply.body == self.DATA.tobytes()
        assert far.trips[0] == ["GetDomain", "GetObject"]
        assert far.trips[1:] == [["ReadChunks"]] * 12

    async def test_pages_are_under_way_before_the_dataset_is_known(self, service, large, far):
        far.held = asyncio.Event()
        reading = asyncio.create_task(read(service, large))
        await until(lambda: len(far.trips) == 6)
        assert service.node.budget.used == 5 << 20
        far.held.set()
        assert (await reading).body == self.DATA.tobytes()

    async def test_what_has_no_room_is_asked_for_later(self, service, large, far):
        budget = service.node.budget
        await budget.acquire(budget.limit - (3 << 20))
        far.held = asyncio.Event()
        reading = asyncio.create_task(read(service, large))
        await until(lambda: len(far.trips) == 4)
        assert budget.used == budget.limit
        far.held.set()
        assert (await reading).body == self.DATA.tobytes()
        budget.release(budget.limit - (3 << 20))

    async def test_a_dataset_that_changed_is_read_as_it_is(self, service, large, far):
        shape = {"shape": [len(self.DATA) + 1]}
        assert (await service.put(f"/datasets/{large.id}/shape", domain=DOMAIN, json=shape)).status == 201
        assert (await read(service, large)).body == self.DATA.tobytes() + bytes(4)
        assert (await service.delete(f"/datasets/{large.id}", domain=DOMAIN)).status == 200
        assert (await read(service, large)).status == 410

    async def test_a_dataset_made_anew_is_read_as_it_is(self, service, large, far, data_node):
        """Its chunks are others, so nothing that was asked for early is of use."""
        bucket, layout = service.node.settings.bucket_name, {"class": "H5D_CHUNKED", "dims": [1 << 19]}
        (state,) = await data_node.execute([ops.GetObject(bucket, large.id)], Trace("t"))
        assert (await service.delete(f"/datasets/{large.id}", domain=DOMAIN)).status == 200
        others = {"layout": layout, "creationProperties": {"layout": layout}, "links": {}, "attributes": {}}
        await data_node.execute([ops.CreateObject(bucket, large.id, state.json | others)], Trace("t"))
        far.trips.clear()
        reply = await read(service, large)
        assert reply.status == 200
        assert not np.frombuffer(reply.body, "<i4").any()
        assert len(reply.body) == self.DATA.nbytes
        assert far.trips.count(["ReadChunks"]) > 6, "some of them in vain"

    async def test_who_may_not_read_gets_nothing(self, service, large, far):
        assert (await service.get(url(large), domain=DOMAIN, user="test_user2", headers=BINARY)).status == 403
        assert far.trips == [["GetDomain", "GetObject"]], "nor is anything read for them"

    async def test_who_may_read_no_more_gets_nothing(self, service, large, far):
        acl = dict.fromkeys(("create", "read", "update", "delete", "readACL", "updateACL"), False)
        path = "/acls/test_user2"
        for read_allowed, status in ((True, 200), (False, 403)):
            body = acl | {"read": read_allowed}
            assert (await service.put(path, domain=DOMAIN, json=body)).status == 201
            reply = await service.get(url(large), domain=DOMAIN, user="test_user2", headers=BINARY)
            assert reply.status == status

    async def test_a_client_that_leaves(self, service, large, far):
        far.held = asyncio.Event()
        reading = asyncio.create_task(read(service, large))
        await until(lambda: len(far.trips) == 6)
        reading.cancel()
        await asyncio.wait([reading])
        far.held.set()


@pytest.mark.parametrize("limit", [{}, {"Limit": "2"}])
async def test_a_query_takes_one_trip(service, values, far, limit):
    await read(service, values)
    far.trips.clear()
    reply = await read(service, values, query="_ > 12", select="[5:18]", **limit)
    assert np.frombuffer(reply.body, "<i4").tolist() == list(range(13, 18))[: int(limit.get("Limit", 5))]
    assert far.trips == [["GetDomain", "GetObject", "QueryChunks"]]


@pytest.mark.parametrize("wrong", [{"query": "nothing > 3"}, {"query": "_ > 3", "Limit": "-1"}])
async def test_a_query_that_is_none_is_refused_as_ever(service, values, far, wrong):
    await read(service, values)
    far.trips.clear()
    assert (await read(service, values, **wrong)).status == 400
    assert far.trips == [["GetDomain", "GetObject"]]


async def test_a_dataset_that_changed_is_seen_as_it_is(service, values, far):
    await read(service, values)
    assert (
        await service.put(f"/datasets/{values.id}/shape", domain=DOMAIN, json={"shape": [25]})
    ).status == 201
    reply = await read(service, values)
    assert np.frombuffer(reply.body, "<i4").tolist() == [*range(20), 0, 0, 0, 0, 0]
    assert (await service.delete(f"/datasets/{values.id}", domain=DOMAIN)).status == 200
    assert (await read(service, values)).status == 410


async def test_who_may_not_read_is_told_nothing(service, values, far):
    await read(service, values)
    for path in (url(values), f"/datasets/{values.id}", f"/datasets/{values.id}/attributes/a"):
        assert (await service.get(path, domain=DOMAIN, user="test_user2")).status == 403
        assert (await service.get(path, domain=f"{HOME}/other.h5")).status == 404
    other = f"{HOME}/second.h5"
    await service.make_domain(other)
    assert (await service.get(url(values), domain=other)).status == 400


async def test_objects_and_attributes_take_one_trip(service, values, far):
    attribute = {"type": "H5T_STD_I32LE", "value": 7}
    path = f"/datasets/{values.id}/attributes/a"
    assert (await service.put(path, domain=DOMAIN, json=attribute)).status == 201
    far.trips.clear()
    assert (await service.get(path, domain=DOMAIN)).json["value"] == 7
    assert (await service.get(f"/datasets/{values.id}", domain=DOMAIN)).json["id"] == values.id
    assert far.trips == [["GetDomain", "GetAttributes"], ["GetDomain", "GetObject"]]


@pytest.mark.parametrize("id_", ["d-nonsense", "g-nonsense"])
async def test_what_is_no_id_is_refused_as_ever(service, values, far, id_):
    assert (await service.get(f"/datasets/{id_}/value", domain=DOMAIN)).status == 400
    assert far.trips == [["GetDomain"]]


async def test_nothing_is_asked_early_where_the_data_node_is_at_hand(service, values, data_node, monkeypatch):
    far = Far(data_node)
    monkeypatch.setattr(far, "distant", False, raising=False)
    service.node.nodes = DataNodes(far)
    await read(service, values)
    assert far.trips == [["GetDomain"], ["GetObject"], ["ReadChunks"]]


def test_an_answer_is_for_the_same_question_only():
    assert ops.GetObject("b", "g-1") != ops.GetObject("b", "g-1", links=True)
