"""Waiting for a store, and what is said of it meanwhile."""

from __future__ import annotations

import asyncio
import logging

import pytest

from hsds.errors import BucketNotFound, KeyNotFound, StoreUnavailable
from hsds.store.health import StoreHealth
from hsds.store.patient import PatientStore
from tests.tools.scripted import ScriptedStore


def patient(inner, seconds=5.0):
    return PatientStore(inner, patience=seconds, bucket="b", health=StoreHealth())


async def test_reads_wait_until_the_store_is_back():
    inner = ScriptedStore()
    await inner.put("b", "k", b"x")
    store = patient(inner)
    inner.down = True
    calls = (store.get("b", "k"), store.head("b", "k"), store.get_many("b", ["k", "no"]))
    tasks = [asyncio.ensure_future(call) for call in calls]
    await asyncio.sleep(0.3)
    assert not any(task.done() for task in tasks)
    assert store._health.to_json()["state"] == "FAILING"
    inner.down = False
    blob, info, many = await asyncio.gather(*tasks)
    assert (blob.data, info.size, many[1]) == (b"x", 1, None)
    assert store._health.to_json() == {"state": "READY"}


async def test_patience_ends():
    inner = ScriptedStore()
    inner.down = True
    with pytest.raises(StoreUnavailable):
        await patient(inner, 0.2).get("b", "k")


@pytest.mark.parametrize("condition", [{"if_match": "e"}, {"if_none_match": True}])
async def test_conditional_writes_are_sent_once(condition):
    inner = ScriptedStore("lost")
    with pytest.raises(StoreUnavailable):
        await patient(inner).put("b", "k", b"x", **condition)
    assert inner.count("put") == 1


async def test_writes_without_condition_are_repeated():
    inner = ScriptedStore("lost", "done", "busy")
    await patient(inner).put("b", "k", b"x")
    assert inner.count("put") == 4


async def test_what_is_not_the_stores_fault_is_no_outage():
    store = patient(ScriptedStore())
    with pytest.raises(KeyNotFound):
        await store.get("b", "k")
    with pytest.raises(BucketNotFound):
        await store.get("somebodys", "k")
    assert store._health.failing_seconds == 0


async def test_the_default_bucket_is_the_stores_fault():
    inner = ScriptedStore()
    del inner._buckets["b"]
    store = patient(inner)
    with pytest.raises(BucketNotFound):
        await store.get("b", "k")
    assert "bucket b does not exist" in store._health.to_json()["reason"]


def test_an_outage_is_logged_once_and_its_end(caplog):
    now = [0.0]
    health = StoreHealth(lambda: now[0])
    with caplog.at_level(logging.WARNING):
        health.failed(StoreUnavailable("reset"))
        health.succeeded()
        assert not caplog.records, "one failure is no outage"
        for now[0] in (10.0, 11.0, 12.0, 40.0):
            health.failed(StoreUnavailable("nobody there"))
        assert health.failing_seconds == 30
        now[0] = 41.0
        health.succeeded()
    texts = [record.getMessage() for record in caplog.records]
    assert texts == [
        "the object store does not answer; requests wait: nobody there",
        "the object store answers again, after 31.0 s",
    ]
