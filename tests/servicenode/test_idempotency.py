"""``Idempotency-Key``: appends and limited updates that are repeated take effect once."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from hsds.hdf5.jsontext import dumps, loads
from hsds.hdf5.keys import object_key
from tests.servicenode.valuetools import DOMAIN, make_values


def key(text: str) -> dict[str, str]:
    return {"Idempotency-Key": text}


async def append(values, numbers, headers, **options):
    body = {"value": numbers, "append": len(numbers), **options}
    return await values.service.put(f"{values.path}/value", domain=DOMAIN, json=body, headers=headers)


@pytest.fixture
async def log(service):
    return await make_values(service, [0], "<i4", maxdims=[0], chunks=[4])


async def test_a_repeated_append_gets_the_same_rows(log):
    for _ in range(3):
        assert (await append(log, [1, 2], key("one"))).status == 200
    await append(log, [3], key("two"))
    await append(log, [1, 2], key('"one"'))
    assert await log.value() == [1, 2, 3]


async def test_without_a_key_each_append_is_another(log):
    await append(log, [1], {})
    await append(log, [1], {})
    assert await log.value() == [1, 1]


async def test_concurrent_repeats(log):
    replies = await asyncio.gather(*(append(log, [i, i], key(f"k{i}")) for i in range(8) for _ in range(3)))
    assert {reply.status for reply in replies} == {200}
    pairs = np.array(await log.value()).reshape(-1, 2)
    assert sorted(pairs[:, 0].tolist()) == list(range(8))
    assert (pairs[:, 0] == pairs[:, 1]).all()


async def test_the_last_64_are_remembered_and_nobody_sees_them(log):
    for i in range(66):
        await append(log, [i], key(str(i)))
    await append(log, [65], key("65"))
    await append(log, [2], key("2"))
    await append(log, [0], key("0"))
    assert await log.value() == [*range(66), 0]
    for path in (log.path, f"{log.path}/shape"):
        reply = await log.service.get(path, domain=DOMAIN)
        assert "operations" not in reply.json
        assert "key 65" not in reply.body.decode()


async def test_one_key_for_two_requests_is_a_conflict(log):
    await append(log, [1, 2], key("k"))
    assert (await append(log, [1], key("k"))).status == 409


async def test_reservations_by_shape(log):
    body = {"extend": 5}
    for _ in range(2):
        reply = await log.service.put(f"{log.path}/shape", domain=DOMAIN, json=body, headers=key("r"))
        assert reply.json["selection"] == "[0:5]"


@pytest.mark.parametrize("bad", ["", '""', "x" * 129])
async def test_keys_that_cannot_be_kept(log, bad):
    reply = await append(log, [1], key(bad))
    assert reply.status == 400
    assert "Idempotency-Key" in reply.reason


@pytest.fixture
async def queue(service):
    """Ten numbers: 0 is free."""
    values = await make_values(service, [10], "<i4", maxdims=[10], chunks=[3])
    await values.write(np.zeros(10, "<i4"))
    return values


async def claim(values, worker, headers, limit=1, **options):
    return await values.service.put(
        f"{values.path}/value",
        domain=DOMAIN,
        query="_ == 0",
        Limit=limit,
        json={"value": worker},
        headers=headers,
        **options,
    )


async def test_a_repeated_update_takes_no_further_rows(queue):
    first = await claim(queue, 7, key("a"), limit=2)
    again = await claim(queue, 7, key("a"), limit=2)
    assert first.json["indices"] == again.json["indices"] == [[0], [1]]
    assert again.json["value"] == [[0, 7], [1, 7]]
    assert await queue.value() == [7, 7] + [0] * 8
    other = await claim(queue, 8, key("b"), limit=3)
    assert other.json["indices"] == [[2], [3], [4]]


async def test_a_repeat_after_the_rows_are_free_again_touches_nothing(queue):
    await claim(queue, 7, key("a"))
    await queue.write(np.zeros(10, "<i4"))
    assert (await claim(queue, 7, key("a"))).json["indices"] == [[0]]
    assert await queue.value() == [0] * 10


async def test_fewer_matches_than_the_limit(queue):
    for _ in range(2):
        assert len((await claim(queue, 7, key("all"), limit=100)).json["indices"]) == 10
        assert (await claim(queue, 8, key("none"), limit=3)).json["indices"] == []


async def test_claims_at_once_with_repeats(queue):
    async def work(worker):
        replies = [await claim(queue, worker, key(f"w{worker}")) for _ in range(2)]
        (first,), (again,) = (reply.json["indices"] for reply in replies)
        assert first == again
        return first[0]

    rows = await asyncio.gather(*(work(worker) for worker in range(1, 11)))
    assert sorted(rows) == list(range(10))
    assert [(await queue.value())[row] for row in rows] == list(range(1, 11))


async def test_an_update_that_died_in_the_middle_is_finished_by_its_repeat(queue):
    """The rows are kept, one of them is updated, and the service is gone."""
    await claim(queue, 7, key("a"), limit=2)
    nodes = queue.service.node.nodes
    state = nodes._node.state
    store, dataset = state.store, object_key(queue.id)
    blob = await store.get("hsdstest", dataset)
    json = loads(bytes(blob.data))
    json["operations"]["key a"]["done"] = False
    await store.put("hsdstest", dataset, dumps(json))
    state.objects.cache.drop(lambda _: True)
    await queue.write(np.array([7, 0] + [0] * 8, "<i4"))
    assert (await claim(queue, 7, key("a"), limit=2)).json["indices"] == [[0], [1]]
    assert await queue.value() == [7, 7] + [0] * 8


async def test_limits_of_keyed_updates(queue):
    assert (await claim(queue, 7, key("a"), limit=5000)).status == 400
    await claim(queue, 7, key("a"))
    assert (await claim(queue, 8, key("a"))).status == 409
