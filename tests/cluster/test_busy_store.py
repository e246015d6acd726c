"""A data node whose connections to S3 are all taken by writes keeps its lease; in an outage it keeps its
readiness.
"""

import asyncio
import time
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from tests.cluster.processes import Cluster
from tests.cluster.test_processes import FILE, VALUES, make_dataset, read, urls
from tests.integration.test_s3 import flags
from tests.tools.ceph import S3Server
from tests.tools.faultproxy import FaultProxy

NODE = "127.0.0.12"
LEASE = 2.0


def is_chunk(head: bytes) -> bool:
    return head.startswith(b"PUT ") and b"/db/" in head.split(b" ", 2)[1]


@pytest.fixture
async def proxy(s3_server):
    async with FaultProxy(s3_server.endpoint) as proxy:
        yield proxy


@pytest.fixture
def cluster(tmp_path, proxy, s3_server, s3_bucket):
    """One process with both roles and few connections."""
    server = S3Server(proxy.endpoint, s3_server.access_key, s3_server.secret_key)
    lease = ("--lease-time", f"{LEASE:.0f}", "--hold-timeout", "60")
    with Cluster(tmp_path, *urls(NODE), *lease, storage=flags(server, s3_bucket)) as cluster:
        yield cluster


def data_node(cluster):
    """The row of the data node in ``GET /nodes``."""
    (row,) = (row for row in cluster.nodes(NODE)["nodes"] if row["role"] == "dn")
    return row


def probe(name):
    """Status of a probe, and its text."""
    try:
        with urlopen(f"http://{NODE}:9100/{name}", timeout=5) as answer:
            return answer.status, answer.read().decode()
    except HTTPError as error:
        return error.code, ""


@pytest.mark.timeout(120)
async def test_the_lease_is_renewed_while_writes_use_up_the_connections(cluster, proxy):
    run = asyncio.to_thread
    cluster.start("node --roles sn,dn", NODE, AIO_MAX_POOL_CONNECTIONS="2")
    await run(cluster.wait_ready, NODE, 1)
    path = await run(make_dataset, cluster, NODE)
    proxy.holds = is_chunk
    data = (VALUES + 1).tobytes()
    writing = asyncio.create_task(run(cluster.ask, NODE, "PUT", path, data, binary=True))
    await proxy.holding(2)
    until = time.monotonic() + 3 * LEASE
    while time.monotonic() < until:
        row = await run(data_node, cluster)
        assert row["state"] == "RUNNING"
        assert row["live_slots"] == 4096
        await asyncio.sleep(0.2)
    assert proxy.held == 2, "the writes did use up the connections"
    assert (await run(cluster.ask, NODE, "GET", f"/{FILE}"))[0] == 200
    proxy.let_go()
    assert (await writing)[0] == 200
    assert ((await run(read, cluster, path, NODE)) == VALUES + 1).all()


@pytest.mark.timeout(120)
async def test_an_outage_of_the_store_is_no_fault_of_the_node(cluster, proxy):
    """The lease runs out; the pod must stay in the Service all the same, where requests wait."""
    run = asyncio.to_thread
    cluster.start("node --roles sn,dn", NODE)
    await run(cluster.wait_ready, NODE, 1)
    path = await run(make_dataset, cluster, NODE)
    await proxy.down()
    reading = asyncio.create_task(run(read, cluster, path, NODE))
    seen = set()
    until = time.monotonic() + 3 * LEASE
    while time.monotonic() < until:
        seen.add((await run(data_node, cluster))["state"])
        assert (await run(probe, "readyz"))[0] == (await run(probe, "livez"))[0] == 200
        await asyncio.sleep(0.2)
    assert "STARTING" in seen, "the lease did run out"
    row = await run(data_node, cluster)
    told = (await run(cluster.ask, NODE, "GET", "/info"))[1]["store"]
    for state in (row["store"], told):
        assert state["state"] == "FAILING"
        assert "no connection to S3" in state["reason"]
    figures = (await run(probe, "metrics"))[1].splitlines()
    assert any(float(line.split()[1]) > 1 for line in figures if line.startswith("hsds_store_failing_sec"))
    assert "the object store does not answer" in cluster.log(NODE)
    await proxy.up()
    assert (await reading == VALUES).all()
    await run(cluster.wait_ready, NODE, 1)
    assert (await run(data_node, cluster))["store"] == {"state": "READY"}
