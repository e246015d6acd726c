"""Eight h5pyd writers and four readers verify every byte while everything happens to the pods of a cluster.

Each scenario prints its row of the table in ``docs/reliability.md``; ``-s`` shows it. One at a time:
``pytest -s tests/long/test_cluster_long.py -k rolled``.
"""

import asyncio
import os
from contextlib import asynccontextmanager

import pytest

from tests.clients.environments import python_of, why_none
from tests.cluster.pods import pods
from tests.integration.test_s3 import flags
from tests.long.load import load

pytestmark = [
    pytest.mark.timeout(240),
    pytest.mark.skipif(python_of("h5pyd1") is None, reason=why_none("h5pyd1")),
]
NET = f"127.0.{100 + os.getpid() % 100}"
"""Not that of others who may run beside."""


@pytest.fixture
def scene(tmp_path, authority, s3_server, s3_bucket, request):
    """A cluster under load: ``async with scene(dns, sns) as pods``; its end is the verdict."""

    @asynccontextmanager
    async def make(dns, sns=1):
        storage = flags(s3_server, s3_bucket)
        async with pods(tmp_path, authority, net=NET, storage=storage) as made:
            await asyncio.gather(made.join(dns), made.join_sn(sns))
            await made.until_all_well()
            async with load(tmp_path / "load", made.service.url, "joe", "joe") as running:
                yield made
                await asyncio.sleep(3)
                await running.end()
                print("\n" + running.outcome.row(request.node.name.removeprefix("test_").replace("_", " ")))
                running.outcome.check()
                await made.until_all_well()

    return make


async def test_nothing_happens(scene):
    async with scene(3, 2):
        await asyncio.sleep(15)


async def test_data_nodes_1_4_2(scene):
    async with scene(1) as pods:
        await pods.join(3)
        await asyncio.sleep(5)
        await asyncio.gather(*map(pods.leave, pods.dns[:2]))


async def test_service_nodes_1_3_1(scene):
    async with scene(2) as pods:
        await pods.join_sn(2)
        await asyncio.sleep(5)
        await asyncio.gather(*map(pods.leave_sn, pods.sns[:2]))


async def test_every_pod_replaced_one_by_one(scene):
    async def data_nodes(pods):
        for address in pods.dns:
            await pods.join()
            await pods.leave(address)

    async def service_nodes(pods):
        for address in list(pods.sns):
            await pods.join_sn()
            await pods.leave_sn(address)

    async with scene(3, 2) as pods:  # two Deployments, each rolled out by itself
        await asyncio.gather(data_nodes(pods), service_nodes(pods))


async def test_kill_9_and_restart_in_place(scene):
    async with scene(3) as pods:
        for address in (*pods.dns, pods.dns[0]):
            await pods.restart(address)
            await asyncio.sleep(4)


async def test_vanished_with_the_node_and_shown_for_40_s(scene):
    async with scene(3) as pods:
        await pods.lose(pods.dns[0], 40)
        await asyncio.sleep(15)


async def test_frozen_for_15_s(scene):
    async with scene(3) as pods:
        await pods.freeze(pods.dns[0], 15)
        await asyncio.sleep(5)


async def test_force_deleted_while_running(scene):
    async with scene(3) as pods:
        pods.force_delete(pods.dns[0])
        await asyncio.sleep(15)
        await pods.join()


async def test_crashed_and_its_pod_lost(scene):
    async with scene(3) as pods:
        await pods.lose(pods.dns[0], 0)
        await asyncio.sleep(15)


async def test_api_server_gone_for_a_minute(scene):
    async with scene(3) as pods:
        await pods.api.stop()
        await asyncio.sleep(20)
        await pods.restart(pods.dns[1])
        await asyncio.sleep(40)
        await pods.api.start()
        await asyncio.gather(pods.join(), pods.leave(pods.dns[0]))
