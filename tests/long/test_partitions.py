"""True partitions of a data node, made with network namespaces, under the clients of ``test_cluster_long``.

Needs root. The API server and the store have an address each, so that a data node can be cut off from one.
"""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace
from urllib.parse import urlsplit

import pytest

from tests.clients.environments import python_of, why_none
from tests.cluster.namespaces import Network, why_not
from tests.cluster.pods import pods
from tests.integration.test_s3 import flags
from tests.long.load import load
from tests.tools.kubeaccount import Authority
from tests.tools.kubeservice import KubeService

pytestmark = [
    pytest.mark.timeout(240),
    pytest.mark.skipif(python_of("h5pyd1") is None, reason=why_none("h5pyd1")),
    pytest.mark.skipif(why_not() is not None, reason=f"network namespaces: {why_not()}"),
]
NET = 77
STORE, API = 251, 252


@pytest.fixture
def scene(tmp_path, s3_server, s3_bucket, request):
    """Three data nodes in namespaces of their own, under load; the end is the verdict."""

    @asynccontextmanager
    async def make():
        with Network(NET, own=(STORE, API, 101, 102, 103, 104, 105)) as network:
            store, api = network.address(STORE), network.address(API)
            authority = Authority(tmp_path / "authority", address=api)
            there = urlsplit(s3_server.endpoint)
            async with KubeService((there.hostname, there.port), host=store) as gateway:
                server = replace(s3_server, endpoint=gateway.url)
                net = network.address("").removesuffix(".")
                storage = flags(server, s3_bucket)
                async with pods(tmp_path, authority, net=net, storage=storage, api_host=api) as made:
                    made.network = network
                    await made.join(3)
                    await made.join_sn()
                    await made.until_all_well()
                    async with load(tmp_path / "load", made.service.url, "joe", "joe") as running:
                        yield made, network
                        await asyncio.sleep(3)
                        outcome = await running.end()
                        print("\n" + outcome.row(request.node.name.removeprefix("test_").replace("_", " ")))
                        outcome.check()
                        await made.until_all_well()

    return make


async def cut(network, address, others, seconds):
    network.cut(address, others)
    await asyncio.sleep(seconds)
    network.mend(address, others)
    await asyncio.sleep(5)


async def test_cut_off_from_the_api_server(scene):
    async with scene() as (pods, network):
        await cut(network, pods.dns[0], [pods.network.address(API)], 20)


async def test_cut_off_from_the_store(scene):
    async with scene() as (pods, network):
        await cut(network, pods.dns[0], [pods.network.address(STORE)], 20)


async def test_cut_off_from_its_peers_while_one_joins(scene):
    async with scene() as (pods, network):
        first, *others = pods.dns
        cutting = asyncio.create_task(cut(network, first, [*others, f"{pods.net}.{pods.started + 1}"], 20))
        await asyncio.gather(pods.join(), cutting)


async def test_cut_off_from_all_but_service_nodes_while_its_pod_is_deleted(scene):
    """The node goes on serving those who reach it, until its lease has run out."""
    async with scene() as (pods, network):
        first, *others = pods.dns
        network.cut(first, [*others, network.address(API), network.address(STORE)])
        pods.force_delete(first)
        await asyncio.sleep(20)
