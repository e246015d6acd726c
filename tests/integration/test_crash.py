"""``kill -9`` while clients write: what was acknowledged is there, everything else is whole or absent.

``HSDS_TEST_KILLS`` says how often; ``tests/long`` has a run with a hundred, and HSDS 1.0.2 beside it.
"""

from __future__ import annotations

import asyncio
import os
import random

import pytest

from hsds.datanode.sweep import NOTES
from hsds.hdf5.keys import root_prefix
from hsds.store.base import Store
from hsds.store.posix import PosixStore
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


async def freed(service: Service, store: Store, bucket: str, roots: set[str]) -> None:
    """Return when nothing is left of the roots of removed domains: the kills have cut the sweeps off."""
    left = {NOTES, *map(root_prefix, roots)}
    with service:
        while left:
            await asyncio.sleep(0.1)
            left = {prefix for prefix in left if (await store.list(bucket, prefix, limit=1)).objects}


@pytest.mark.timeout(3600)
async def test_nothing_acknowledged_is_lost(tmp_path):
    service = Service(tmp_path)
    found = await crash(service, KILLS or 3)
    assert found.clean
    assert found.acknowledged > 100
    assert found.removed
    store = PosixStore(tmp_path / "hsds-data")
    await store.start()
    async with asyncio.timeout(60):
        await freed(service, store, "hsdstest", found.removed)
    await store.close()
    assert "Traceback" not in service.log.read_text()


@pytest.mark.timeout(3600)
async def test_nothing_acknowledged_is_lost_on_s3(tmp_path, s3_server, s3_store, s3_bucket):
    service = Service(tmp_path, *flags(s3_server, s3_bucket))
    found = await crash(service, KILLS or 10)
    assert found.clean
    assert found.acknowledged > 100
    assert found.removed
    async with asyncio.timeout(60):
        await freed(service, s3_store, s3_bucket, found.removed)
    assert "Traceback" not in service.log.read_text()
