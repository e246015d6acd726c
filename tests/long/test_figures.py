"""How long joins, starts, planned changes and crashes take, printed for ``docs/reliability.md``.

``pytest -s tests/long/test_figures.py`` on a machine that has nothing else to do.
"""

import asyncio
import time

import numpy as np
import pytest

from tests.clients.environments import python_of, why_none
from tests.cluster.pods import pods
from tests.cluster.test_caches import chunks
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
    while not await asyncio.to_thread(condition, *arguments):  # noqa: ASYNC110 - nothing tells
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
        return uid in {row.get("uid") for row in cluster.cluster.nodes(cluster.sns[0])["nodes"]}

    for _ in range(3):
        began = time.monotonic()
        (address,) = cluster.launch()
        await until(is_member, cluster.uids[address])
        member = time.monotonic() - began
        await cluster.ready([address])
        ready = time.monotonic() - began
        print(f"\na data node that is started: member after {member:.2f} s, ready after {ready:.2f} s")


async def test_ten_and_one_more(cluster):
    """What moves when an eleventh joins, by the counters of ten processes."""
    await asyncio.gather(cluster.join(10), cluster.join_sn())
    await cluster.until_all_well()
    sn, ten = cluster.sns[0], list(cluster.dns)

    def looks():
        found = [chunks(address) for address in ten]
        return sum(hits for hits, _ in found), sum(misses for _, misses in found)

    def all_values():
        status, values = cluster.cluster.ask(sn, "GET", path, binary=True)
        assert (status, values) == (200, data)

    path, data = await asyncio.to_thread(make_chunks, cluster.cluster, sn)
    await asyncio.to_thread(all_values)
    before = await asyncio.to_thread(looks)
    await cluster.join()
    rows = await asyncio.to_thread(cluster.cluster.wait_ready, sn, 11)
    await asyncio.to_thread(all_values)
    after = await asyncio.to_thread(looks)
    (moved,) = (row["owned_slots"] for row in rows if row["address"] not in ten)
    found, missed = after[0] - before[0], after[1] - before[1]
    print(f"\n10 -> 11: {moved} of 4096 slots moved, {100 * moved / 4096:.1f} %")
    print(f"of {CHUNKS} cached chunks the ten found {found:.0f}, and missed {missed:.0f}")
    assert moved < 0.12 * 4096
    assert after[1] == before[1], "who kept a slot has read nothing again"


CHUNKS = 2000


def make_chunks(cluster, sn):
    """A dataset of many chunks, written: the path of its values, and these."""
    file = "?domain=/home/joe/eleven.h5"
    assert cluster.ask(sn, "PUT", f"/{file}")[0] == 201
    layout = {"class": "H5D_CHUNKED", "dims": [256]}
    body = {"type": "H5T_STD_I32LE", "shape": [256 * CHUNKS], "creationProperties": {"layout": layout}}
    status, dataset = cluster.ask(sn, "POST", f"/datasets{file}", body)
    assert status == 201
    path = f"/datasets/{dataset['id']}/value{file}"
    data = np.arange(256 * CHUNKS, dtype="<i4").tobytes()
    assert cluster.ask(sn, "PUT", path, data, binary=True, timeout=120)[0] == 200
    return path, data


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
