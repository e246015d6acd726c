"""The writers of the crash test over an S3 server that fails in every way the fault proxy knows.

Requests are given up early, so that clients, too, are left without an answer. ``tests/long`` has minutes of
it.
"""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.integration.crash import WRITERS, Findings, Site, Writer, compare
from tests.integration.rest import Rest
from tests.integration.service import Service
from tests.integration.test_s3 import flags
from tests.tools.ceph import S3Server
from tests.tools.faultproxy import FAULTS, FaultProxy

SECONDS = 15.0
HOLD_TIMEOUT = "0.5"
LANDED = 1.5
"""Seconds after which nothing is on its way any more."""


@dataclass
class Torment:
    """What a run found, and what it went through."""

    found: Findings
    faults: dict[str, int]
    unknown: int
    """PUTs of which the data node was not told what became of them."""
    unanswered: int
    """Requests answered 503."""


async def torment(folder: Path, server: S3Server, bucket: str, seconds: float, rate: float) -> Torment:
    """Write for so long while a part ``rate`` of all requests to the store meets a fault; then compare."""
    seed = random.randrange(1 << 32)
    print("seed", seed)
    async with FaultProxy(server.endpoint, seed=seed) as proxy:
        behind = S3Server(proxy.endpoint, server.access_key, server.secret_key)
        service = Service(folder, *flags(behind, bucket))
        hasty = Service(folder, *flags(behind, bucket), "--hold-timeout", HOLD_TIMEOUT)
        try:
            await asyncio.to_thread(service.start)
            async with Rest(service.url) as rest:
                site = await Site.make(rest)
            service.kill()
            await asyncio.to_thread(hasty.start)
            async with Rest(hasty.url) as rest:
                writers = [Writer(name, site) for name in range(WRITERS)]
                proxy.rate = rate
                until = time.monotonic() + seconds
                await asyncio.gather(*(writer.run(rest, until) for writer in writers))
                proxy.rate = 0.0
                unknown = await unknown_puts(rest)
            hasty.kill()
            await asyncio.sleep(LANDED)
            await asyncio.to_thread(service.start)
            async with Rest(service.url) as rest:
                found = await compare(rest, site, writers)
        finally:
            for each in (service, hasty):
                if each.url:
                    each.kill()
        result = Torment(found, dict(proxy.met), unknown, sum(writer.unanswered for writer in writers))
    print(result)
    assert "Traceback" not in service.log.read_text()
    return result


async def unknown_puts(rest: Rest) -> int:
    """PUTs without an answer, or with one that tells nothing, as the service counts them."""
    _, _, body = await rest.send("GET", "/metrics")
    wanted = ("hsds_store_calls_total{", 'call="put"', 'status="StoreUnavailable"')
    lines = [line for line in body.decode().splitlines() if all(word in line for word in wanted)]
    return sum(int(float(line.rsplit(" ", 1)[1])) for line in lines)


@pytest.mark.timeout(SECONDS + 200)
async def test_nothing_is_lost_or_doubled(tmp_path, s3_server, s3_bucket):
    result = await torment(tmp_path, s3_server, s3_bucket, SECONDS, rate=0.25)
    assert result.found.clean
    assert result.found.acknowledged > 100
    assert result.faults.keys() == FAULTS.keys(), "every kind was met"
    assert result.unknown > 20
