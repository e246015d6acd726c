"""In a container with little memory: large reads and writes, far more data than that, all at once."""

import asyncio
import re
import time
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from hsds.memorylimit import sizes_for
from tests.cluster.processes import Cluster
from tests.integration.rest import Rest
from tests.tools.memorygroup import memory_group

MIB = 1 << 20
LIMIT = 512 * MIB
SN_LIMIT = 1024 * MIB
"""That of the manifests."""
SN, DN = "127.0.43.1", "127.0.43.2"
FILES, ROWS, ROW = 10, 64, 256 * 1024
"""Files of 64 MiB, with chunks of one row of 1 MiB, or of 4."""


def values(number):
    base = np.arange(ROWS * ROW, dtype="<i4").reshape(ROWS, ROW)
    return base % (1009 + number)


async def load(rest, number):
    """Write a file in one request, read it in one, and a few elements of every chunk."""
    domain, data = f"/home/joe/{number}.h5", values(number)
    await rest.create(domain)
    rows = 1 if number % 2 else 4
    dataset = await rest.dataset(domain, [ROWS, ROW], chunks=[rows, ROW], gzip=number % 3 == 0)
    await rest.write(domain, dataset, data)
    for _ in range(2):
        found = np.frombuffer(await rest.read(domain, dataset), "<i4").reshape(ROWS, ROW)
        assert np.array_equal(found, data)
        del found
    points = [
        np.frombuffer(await rest.read(domain, dataset, f"[0:{ROWS},{at}:{at + 1}]"), "<i4")
        for at in range(0, ROW, ROW // 2)
    ]
    assert np.array_equal(np.stack(points, axis=1), data[:, :: ROW // 2])


def resident(pid, name):
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:"))


@pytest.mark.timeout(280)
async def test_a_data_node_lives_within_512_mib(tmp_path):
    with (
        memory_group(LIMIT) as group,
        memory_group(SN_LIMIT) as roomy,
        Cluster(tmp_path, "--discovery", "static", "--dn-urls", f"http://{DN}:6101") as cluster,
    ):
        if group is None:  # what its file would have said is said by flags, and its memory is watched
            flags, before = sizes_of(LIMIT), ()
        else:
            flags, before = (), group.before
        print("limited by", "flags, and watched" if group is None else group.kind.name)
        if roomy is not None:
            cluster.prefixes[SN] = roomy.before
        cluster.start("sn", SN)
        cluster.prefixes[DN] = before
        cluster.start("dn", DN, *flags)
        await asyncio.to_thread(cluster.wait_ready, SN, 1)
        if group is not None:
            assert "the container may take 512 MiB" in cluster.log(DN)
        if roomy is not None:
            assert "the container may take 1024 MiB: request_memory_size" in cluster.log(SN)
        pid = cluster.running[DN].pid
        async with Rest(f"http://{SN}:5101", user="joe", password="joe") as rest:
            began = time.monotonic()
            await asyncio.gather(*(load(rest, number) for number in range(FILES)))
            print(
                f"{FILES} files in {time.monotonic() - began:.0f} s, peak",
                resident(pid, "VmHWM") // MIB,
                "MiB",
            )
            assert resident(pid, "VmHWM") < LIMIT
        assert cluster.running[DN].poll() is None
        for limited in (group, roomy):
            assert limited is None or limited.killed == 0
        print("afterwards", resident(pid, "VmRSS") // MIB, "MiB")
        assert cluster.stop(DN) == 0
        assert not re.search(r"ERROR|Traceback", cluster.log(DN) + cluster.log(SN))


WORKERS, ROOM = 4, 1024 * MIB


@pytest.mark.timeout(280)
async def test_workers_share_what_one_container_may_take(tmp_path):
    with memory_group(ROOM) as group, Cluster(tmp_path) as cluster:
        if group is None:
            pytest.skip("no control group can be made here")
        cluster.prefixes[SN] = group.before
        cluster.start(f"serve --workers {WORKERS}", SN)
        await asyncio.to_thread(cluster.wait_ready, SN, WORKERS)
        said = cluster.log(SN)
        assert "the container may take 1024 MiB" in said
        assert f"for each of {WORKERS} processes" in said
        pids = [cluster.running[SN].pid, *children(cluster.running[SN].pid)]
        assert len(pids) == 1 + WORKERS
        idle = sum(resident(pid, "VmRSS") for pid in pids)
        async with Rest(f"http://{SN}:5101", user="joe", password="joe") as rest:
            await asyncio.gather(*(load(rest, number) for number in range(FILES)))
        peak = sum(resident(pid, "VmHWM") for pid in pids)
        print(f"{len(pids)} processes: {idle // MIB} MiB before, {peak // MIB} MiB if all peaks were at once")
        assert [cluster.running[SN].pid, *children(cluster.running[SN].pid)] == pids, cluster.log(SN)
        assert group.killed == 0
        assert cluster.stop(SN, 60) == 0


def children(pid):
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def sizes_of(limit):
    """The flags that stand for the limit."""
    pairs = asdict(sizes_for(limit, ("dn",))).items()
    return [word for key, size in pairs for word in (f"--{key}", str(size))]
