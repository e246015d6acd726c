"""SIGTERM under load: no request breaks, and the process ends by itself, with status 0."""

import asyncio
import time

import aiohttp
import numpy as np
import pytest

from tests.cluster.processes import Cluster
from tests.integration.rest import Rest

SNS, DNS = ("127.0.45.1", "127.0.45.2"), ("127.0.45.3", "127.0.45.4")
CLIENTS, ROWS, ROW = 16, 4, 250_000


async def client(number, connections, counts, stop):
    """Writes and reads its own file until the end, over kept-alive connections. A refused connection means
    another node, as with a Service; everything else is a failure.
    """
    domain = f"/home/joe/leaving-{number}.h5"
    at = number % len(connections)
    await connections[at].create(domain)
    dataset = await connections[at].dataset(domain, [ROWS, ROW], chunks=[1, ROW], gzip=number % 2 == 0)
    serial = 0
    while not stop.is_set():
        serial += 1
        data = np.full((ROWS, ROW), serial, "<i4")
        for act in (
            lambda rest, data=data: rest.write(domain, dataset, data),
            lambda rest: rest.read(domain, dataset),
            lambda rest: rest.ask("GET", f"/datasets/{dataset}", domain),
        ):
            try:
                found = await act(connections[at])
            except aiohttp.ClientConnectorError:
                at = (at + 1) % len(connections)
                found = await act(connections[at])
            if isinstance(found, bytes):
                assert found == data.tobytes()
            counts[at] += 1


async def ended(cluster, address, counts):
    """SIGTERM, and wait for the end."""
    began, before = time.monotonic(), sum(counts)
    assert await asyncio.to_thread(cluster.stop, address, 60) == 0
    seconds = time.monotonic() - began
    print(f"{address} ended in {seconds:.1f} s, {sum(counts) - before} requests were answered meanwhile")


@pytest.mark.timeout(200)
@pytest.mark.parametrize("both", [False, True], ids=["two kinds of pods", "both roles in each pod"])
async def test_no_request_breaks(tmp_path, both):
    data_nodes = SNS if both else DNS
    urls = ",".join(f"http://{address}:6101" for address in data_nodes)
    with Cluster(tmp_path, "--discovery", "static", "--dn-urls", urls) as cluster:
        for address in SNS:
            cluster.start("node --roles sn,dn" if both else "sn", address)
        for address in () if both else DNS:
            cluster.start("dn", address)
        for address in SNS:
            await asyncio.to_thread(cluster.wait_ready, address, 2)
        counts, stop = [0, 0], asyncio.Event()
        async with (
            Rest(f"http://{SNS[0]}:5101", user="joe", password="joe") as first,
            Rest(f"http://{SNS[1]}:5101", user="joe", password="joe") as second,
        ):
            async with asyncio.TaskGroup() as group:
                for number in range(CLIENTS):
                    group.create_task(client(number, (first, second), counts, stop))
                async with asyncio.timeout(60):
                    while min(counts) < CLIENTS:  # noqa: ASYNC110 - nothing tells
                        await asyncio.sleep(0.1)
                await ended(cluster, SNS[0], counts)
                other = counts[1]
                await asyncio.sleep(2)
                if not both:
                    await ended(cluster, DNS[0], counts)
                    await asyncio.sleep(1)
                stop.set()
            assert counts[1] > other
        assert await asyncio.to_thread(cluster.stop, SNS[1], 60) == 0
