"""The object store is gone for a while: requests wait, or are told to come back; then all goes on.

``HSDS_TEST_OUTAGE`` is its length in seconds (30 in the long run).
"""

from __future__ import annotations

import asyncio
import os
import time

import numpy as np
import pytest

from hsds.process import GRACE_SECONDS
from tests.integration.rest import Rest
from tests.integration.service import Service
from tests.integration.test_s3 import flags
from tests.tools.ceph import S3Server
from tests.tools.faultproxy import FaultProxy

OUTAGE = float(os.environ.get("HSDS_TEST_OUTAGE", "6"))
DOMAIN = "/home/outage.h5"
CLIENTS = 32


@pytest.fixture
async def proxy(s3_server):
    async with FaultProxy(s3_server.endpoint) as proxy:
        yield proxy


def behind(proxy: FaultProxy, server: S3Server, bucket: str) -> tuple[str, ...]:
    return flags(S3Server(proxy.endpoint, server.access_key, server.secret_key), bucket)


async def metric(rest: Rest, name: str) -> float:
    status, _, body = await rest.send("GET", "/metrics")
    assert status == 200
    return next(float(line.split()[1]) for line in body.decode().splitlines() if line.startswith(f"{name} "))


@pytest.mark.timeout(OUTAGE + 200)
async def test_requests_wait_out_an_outage(tmp_path, proxy, s3_server, s3_bucket):
    async with Service(tmp_path, *behind(proxy, s3_server, s3_bucket)) as service:
        async with Rest(service.url) as rest:
            root = await rest.create(DOMAIN)
            dataset = await rest.dataset(DOMAIN, [CLIENTS, 1000], chunks=[1, 1000])
            memory = service.peak_memory
            await proxy.down()

            async def client(i: int) -> None:
                body = {"type": "H5T_STD_I32LE", "shape": [1], "value": [i]}
                await rest.ask("PUT", f"/groups/{root}/attributes/a{i}", DOMAIN, json=body)
                await rest.write(DOMAIN, dataset, np.full(1000, i, "<i4"), f"[{i}:{i + 1},0:1000]")
                await rest.create(f"/home/outage-{i}.h5")

            tasks = [asyncio.create_task(client(i)) for i in range(CLIENTS)]
            until = time.monotonic() + OUTAGE
            while time.monotonic() < until:
                await asyncio.sleep(0.5)
                for path in ("/livez", "/readyz"):
                    assert (await rest.send("GET", path))[0] == 200
            assert not any(task.done() for task in tasks)
            store = (await rest.ask("GET", "/info"))["store"]
            assert store["state"] == "FAILING"
            assert store["seconds"] > OUTAGE / 2
            assert "no connection to S3" in store["reason"]
            assert await metric(rest, "hsds_store_failing_seconds") > OUTAGE / 2
            await proxy.up()
            await asyncio.gather(*tasks)
            rows = np.frombuffer(await rest.read(DOMAIN, dataset), "<i4").reshape(CLIENTS, 1000)
            assert (rows == np.arange(CLIENTS)[:, np.newaxis]).all()
            assert (await rest.ask("GET", "/info"))["store"] == {"state": "READY"}
            assert await metric(rest, "hsds_store_failing_seconds") == 0
            assert service.peak_memory < memory + 100 * 2**20
        text = service.log.read_text()
        assert text.count("the object store does not answer") == 1
        assert "the object store answers again" in text
        assert await asyncio.to_thread(service.stop) == 0


async def test_a_store_that_takes_requests_and_is_silent(tmp_path, proxy, s3_server, s3_bucket):
    """No connection is refused and none is closed: time-outs of single calls are longer than the patience."""
    where = behind(proxy, s3_server, s3_bucket)
    async with Service(tmp_path, *where, "--hold-timeout", "3") as service, Rest(service.url) as rest:
        root = await rest.create(DOMAIN)
        dataset = await rest.dataset(DOMAIN, [1000], chunks=[100])
        doomed = await rest.dataset(DOMAIN, [10])
        proxy.holds = lambda _head: True
        body = {"type": "H5T_STD_I32LE", "shape": [1], "value": [1]}
        attribute, values = f"/groups/{root}/attributes/a", f"/datasets/{dataset}/value"
        calls = [
            rest.send("PUT", attribute, DOMAIN, json=body),
            rest.send("PUT", values, DOMAIN, json={"value": [1] * 1000}),
            rest.send("GET", values, DOMAIN),
            rest.send("GET", "/", "/home/unknown.h5"),
            rest.send("PUT", "/", "/home/new.h5"),
            rest.send("DELETE", f"/datasets/{doomed}", DOMAIN),
        ]
        began = time.monotonic()
        async with asyncio.timeout(29):  # a single call is given up after 30 s
            answers = await asyncio.gather(*calls)
        assert [status for status, _, _ in answers] == [503] * len(calls)
        assert time.monotonic() - began > 2.5
        assert all("no answer" in reason for _, reason, _ in answers)
        assert (await rest.send("GET", "/", DOMAIN))[0] == 200, "what is cached is served"
        proxy.let_go()
        await rest.ask("PUT", attribute, DOMAIN, json=body)
        await rest.write(DOMAIN, dataset, np.ones(1000, "<i4"))
        assert np.frombuffer(await rest.read(DOMAIN, dataset), "<i4").sum() == 1000


async def test_patience_has_an_end(tmp_path, proxy, s3_server, s3_bucket):
    async with Service(tmp_path, *behind(proxy, s3_server, s3_bucket), "--hold-timeout", "2") as service:
        async with Rest(service.url) as rest:
            root = await rest.create(DOMAIN)
            await proxy.down()
            body = {"type": "H5T_STD_I32LE", "shape": [1], "value": [1]}
            path = f"/groups/{root}/attributes/a"
            began = time.monotonic()
            async with rest.session.put(path, params={"domain": DOMAIN}, json=body) as answer:
                assert answer.status == 503
                assert int(answer.headers["Retry-After"]) >= 1
                assert "no connection to S3" in (answer.reason or "")
            assert time.monotonic() - began > 1.5
            assert (await rest.send("GET", "/", "/home/unknown.h5"))[0] == 503
            assert (await rest.send("GET", "/", DOMAIN))[0] == 200, "what is cached is served"
            await proxy.up()
            await rest.ask("PUT", path, DOMAIN, json=body)
            await proxy.down()
        status = await asyncio.to_thread(service.stop, seconds=GRACE_SECONDS)
        assert status == 0, "an end does not wait for the store"
