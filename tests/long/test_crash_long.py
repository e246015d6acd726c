"""A hundred kills; and the same writers against HSDS 1.0.2, whose losses ``docs/reliability.md`` records.

HSDS_TEST_HSDS102=/path/to/env/bin/python pytest -s tests/long/test_crash_long.py
"""

from __future__ import annotations

import asyncio
import os
import random

import pytest

from tests.integration.crash import WRITERS, Site, Writer, compare
from tests.integration.service import Service
from tests.integration.test_crash import crash
from tests.integration.test_s3 import flags
from tests.tools.hsds102 import Hsds102, stored_at

pytestmark = pytest.mark.timeout(7200)


async def test_a_hundred_kills_over_s3(tmp_path, s3_server, s3_bucket):
    service = Service(tmp_path, *flags(s3_server, s3_bucket))
    found = await crash(service, int(os.environ.get("HSDS_TEST_KILLS", "100")))
    assert found.clean
    assert "Traceback" not in service.log.read_text()


@pytest.mark.skipif("HSDS_TEST_HSDS102" not in os.environ, reason="HSDS_TEST_HSDS102 is not set")
async def test_hsds_102_over_s3(s3_server, s3_bucket):
    """Two kills within some 25 seconds; it reports what was lost, and asserts only that it could."""
    with Hsds102(os.environ["HSDS_TEST_HSDS102"], **stored_at(s3_server, s3_bucket)) as service:
        await service.wait()
        async with service.rest() as rest:
            await rest.folder("/home")
            site = await Site.make(rest)
            await asyncio.sleep(5)  # until it has written all that
        writers = [Writer(name, site) for name in range(WRITERS)]
        for _ in range(int(os.environ.get("HSDS_TEST_KILLS", "2"))):
            async with service.rest() as rest:
                tasks = [asyncio.create_task(writer.run(rest)) for writer in writers]
                await asyncio.sleep(random.uniform(8, 12))
                service.kill()
                results = await asyncio.gather(*tasks, return_exceptions=True)
            print([result for result in results if result is not None])
            service.start()
            await service.wait()
        async with service.rest() as rest:
            found = await compare(rest, site, writers)
        print(found)
        assert found.acknowledged > 0
