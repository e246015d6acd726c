"""How long joins, starts, planned changes and crashes take: printed, for ``docs/ownership.md``, not asserted.

``pytest -s tests/long/test_figures.py`` on a machine that has nothing else to do.
"""

import asyncio
import time

import pytest

from tests.clients.environments import python_of, why_none
from tests.cluster.pods import pods
from tests.integration.test_s3 import flags
from tests.long.load import load

pytestmark = [
    pytest.mark.timeout(240),
    pytest.mark.skipif(python_of("h5pyd1") is None, reason=why_none("h5pyd1")),
]


@pytest.fixture
async def cluster(tmp_path, authority, s3_server, s3_bucket):
    async with pods(tmp_path, authority, net="127.0.51", storage=flags(s3_server, s3_bucket)) as made:
        yield made


async def until(condition, *arguments):
    """Until it holds, asked every 20 ms."""
    while not await asyncio.to_thread(condition, *arguments):  # noqa: ASYNC110
        await asyncio.sleep(0.02)


async def test_start(cluster):
    def serves(sn):
        try:
            return cluster.cluster.ask(sn, "PUT", "/?domain=/home/joe/first.h5", timeout=10)[0] in (201, 409)
        except OSError:
            return False

    for bucket in ("an unused bucket", "a bucket left cleanly"):
        began = time.monotonic()
        dns, sns = cluster.launch(4), cluster.launch_sn()
        await until(serves, sns[0])
        served = time.monotonic() - began
        await asyncio.gather(cluster.ready(dns), cluster.ready_sn(sns))
        ready = time.monotonic() - began
        print(f"\n1 SN and 4 DN started on {bucket}: serve after {served:.2f} s, ready after {ready:.2f} s")
        await cluster.until_all_well()
        await cluster.leave_sn(sns[0])
        await asyncio.gather(*map(cluster.leave, dns))


async def test_join(cluster):
    await asyncio.gather(cluster.join(3), cluster.join_sn())
    await cluster.until_all_well()

    def is_member(uid):
        return uid in {row["uid"] for row in cluster.cluster.nodes(cluster.sns[0])["nodes"]}

    for _ in range(3):
        began = time.monotonic()
        (address,) = cluster.launch()
        await until(is_member, cluster.uids[address])
        member = time.monotonic() - began
        await cluster.ready([address])
        ready = time.monotonic() - began
        print(f"\na data node that is started: member after {member:.2f} s, ready after {ready:.2f} s")


async def test_longest_request(cluster, tmp_path):
    await asyncio.gather(cluster.join(3), cluster.join_sn())
    await cluster.until_all_well()

    async def nothing():
        await asyncio.sleep(8)

    async def leave():
        await cluster.leave(cluster.dns[0])

    async def crash():
        await cluster.lose(cluster.dns[0], 0)
        await asyncio.sleep(14)

    for name, change in (("nothing", nothing), ("join", cluster.join), ("leave", leave), ("crash", crash)):
        folder = tmp_path / name
        async with load(folder, cluster.service.url, "joe", "joe", writers=2, readers=1) as running:
            await change()
            await asyncio.sleep(2)
            outcome = await running.end()
        print("\n" + outcome.row(f"2 writers, 1 reader: {name}"))
        outcome.check()
