"""One bucket, one cluster: a record that nobody renews is taken over, and one that is renewed is not."""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import asynccontextmanager
from dataclasses import replace

import numpy as np
import orjson
import pytest

from hsds.cluster.agent import RECORD, Agent, Peers
from hsds.cluster.discovery import Discovery, Presence
from hsds.cluster.membership import Membership, Timing
from hsds.cluster.view import Member, View, changed, first_view
from hsds.errors import InvalidSettings, NotReachable
from hsds.store.memory import MemoryStore
from tests.cluster.processes import Cluster
from tests.cluster.test_processes import VALUES, make_dataset, read, urls

TIMING = Timing(lease=2.0, renew=0.1, timeout=2.0, gather=0.1)


class Alone(Discovery, Peers):
    """A data node that sees itself and reaches nobody."""

    def __init__(self, me):
        self._me = me

    async def list(self):
        return Presence(time.monotonic(), {self._me.uid: self._me})

    def hint(self):
        return frozenset({self._me.uid})

    def on_hint(self, changed):
        pass

    async def exchange(self, member, word):
        raise NotReachable("nobody")


@asynccontextmanager
async def running(store, cluster, number):
    """The agent of the only data node of a cluster, and its task."""
    me = Member(f"{cluster}-{number}", f"10.0.0.{number}", 6101)
    membership = Membership(me, cluster, timing=TIMING, first_epoch=lambda: 1)
    outside = Alone(me)
    agent = Agent(membership, store, "b", outside, outside, clock=time.monotonic, lingering=lambda: False)
    agent.start_serving()
    task = asyncio.create_task(agent.run())
    try:
        yield agent, task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(true):
    async with asyncio.timeout(30):
        while not true():  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.01)


def leased(agent):
    return agent.membership.member and agent.membership.lease.held(time.monotonic())


async def test_a_running_cluster_keeps_its_bucket(caplog):
    store = MemoryStore(("b",))
    async with running(store, "first", 1) as (first, _):
        await until(lambda: leased(first))
        epoch = first.membership.view.epoch
        for _ in range(2):
            async with running(store, "second", 2) as (_, task):
                with pytest.raises(ExceptionGroup) as caught:
                    await asyncio.wait_for(task, 30)
                assert caught.group_contains(InvalidSettings, match="belongs to the cluster first, not to se")
        await until(lambda: leased(first))
        record = View.from_json(orjson.loads(bytes((await store.get("b", RECORD)).data)))
        assert (record.cluster, record.epoch, record.claim) == ("first", epoch, "")
    assert "took over" not in caplog.text


async def test_a_bucket_that_was_left_behind_is_taken_over(caplog):
    store = MemoryStore(("b",))
    async with running(store, "first", 1) as (first, _):
        await until(lambda: leased(first))
        old = first.membership.view  # it is killed
    with caplog.at_level(logging.WARNING):
        async with running(store, "second", 2) as (second, _), running(store, "second", 3) as (third, _):
            await until(lambda: leased(second) or leased(third))
            agent = second if leased(second) else third
            assert agent.membership.view.epoch > old.epoch
            assert agent.membership.view.cluster == "second"
    said = [record.getMessage() for record in caplog.records]
    assert said == ["took over the bucket of the cluster first, of which nobody is left"]


def test_processes_take_over_what_was_left_behind(tmp_path):
    sn, dn = "127.0.0.40", "127.0.0.41"
    left = changed(first_view("elsewhere", epoch=7), join=Member("x", "127.0.0.49", 6101))
    path = tmp_path / "data" / "hsdstest" / RECORD
    path.parent.mkdir(parents=True)
    path.write_bytes(orjson.dumps(left.to_json() | {"lease": 2.0}))
    with Cluster(tmp_path, *urls(dn), "--lease-time", "2") as cluster:
        cluster.start("sn", sn)
        cluster.start("dn", dn)
        cluster.wait_ready(sn, 1)
        assert np.array_equal(read(cluster, make_dataset(cluster, sn), sn), VALUES)
        assert cluster.log(dn).count("took over the bucket of the cluster elsewhere") == 1


def test_who_is_refused_says_so_in_one_line(tmp_path):
    dn = "127.0.0.45"
    other = changed(first_view("elsewhere", epoch=7), join=Member("x", "127.0.0.49", 6101))
    path = tmp_path / "data" / "hsdstest" / RECORD
    path.parent.mkdir(parents=True)
    path.write_bytes(orjson.dumps(replace(other, claim="a third").to_json()))
    with Cluster(tmp_path, *urls(dn)) as cluster:
        cluster.start("dn", dn)
        assert cluster.running[dn].wait(30) == 2
        log = cluster.log(dn)
        assert log.splitlines()[-1] == "hsds: the bucket belongs to the cluster elsewhere, not to static"
        assert "Traceback" not in log


def test_a_data_node_that_is_gone_for_long_is_removed(tmp_path):
    """With data nodes from the configuration: after three leases without an answer, and it may come back."""
    sn, first, second = "127.0.0.42", "127.0.0.43", "127.0.0.44"
    with Cluster(tmp_path, *urls(first, second), "--lease-time", "2") as cluster:
        cluster.start("sn", sn)
        cluster.start("dn", first)
        cluster.start("dn", second)
        cluster.wait_ready(sn, 2)
        path = make_dataset(cluster, sn)
        cluster.kill(second)
        assert np.array_equal(read(cluster, path, sn), VALUES), "held, and answered in the end"
        cluster.wait_ready(sn, 1)
        cluster.start("dn", second)
        cluster.wait_ready(sn, 2)
        assert np.array_equal(read(cluster, path, sn), VALUES)
