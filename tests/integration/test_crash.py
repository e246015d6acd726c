"""``kill -9`` while clients write: what was acknowledged is there, everything else is whole or absent.

``HSDS_TEST_KILLS`` says how often; ``tests/long`` has a run with a hundred, and HSDS 1.0.2 beside it.
"""

from __future__ import annotations

import asyncio
import os
import random

import pytest

from tests.integration.crash import WRITERS, Findings, Site, Writer, compare
from tests.integration.rest import Rest
from tests.integration.service import Service
from tests.integration.test_s3 import flags

KILLS = int(os.environ.get("HSDS_TEST_KILLS", "0"))


async def crash(service: Service, kills: int) -> Findings:
    """Kill the service again and again under its writers; stops at the first finding."""
    seed = random.randrange(1 << 32)
    chance = random.Random(seed)
    print("seed", seed)
    with service:
        async with Rest(service.url) as rest:
            site = await Site.make(rest)
        writers = [Writer(name, site) for name in range(WRITERS)]
        for kill in range(1, kills + 1):
            async with Rest(service.url) as rest:
                tasks = [asyncio.create_task(writer.run(rest)) for writer in writers]
                await asyncio.sleep(chance.uniform(0.3, 1.5))
                service.kill()
                await asyncio.gather(*tasks)
            service.start()
            async with Rest(service.url) as rest:
                found = await compare(rest, site, writers)
            print(f"after {kill} kills", found, flush=True)
            if not found.clean:
                break
    return found


@pytest.mark.timeout(3600)
async def test_nothing_acknowledged_is_lost(tmp_path):
    service = Service(tmp_path)
    found = await crash(service, KILLS or 3)
    assert found.clean
    assert found.acknowledged > 100
    assert "Traceback" not in service.log.read_text()


@pytest.mark.timeout(3600)
async def test_nothing_acknowledged_is_lost_on_s3(tmp_path, s3_server, s3_bucket):
    service = Service(tmp_path, *flags(s3_server, s3_bucket))
    found = await crash(service, KILLS or 10)
    assert found.clean
    assert found.acknowledged > 100
    assert "Traceback" not in service.log.read_text()
