"""This service and HSDS 1.0.2 over one S3 server, in turns: domains, groups, and bulk writes until flushed.

    HSDS_TEST_HSDS102=/path/to/env/bin/python python -m benchmarks.s3servers --endpoint http://127.0.0.1:7480

Keys are taken from the environment. Every answer is checked; the table has the median of the rounds.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import numpy as np

from hsds.store.s3 import S3Store
from hsds.store.s3_client import S3Options
from tests.integration.rest import Rest
from tests.integration.service import Service
from tests.tools.hsds102 import Hsds102

CLIENTS = 8
DOMAINS = GROUPS = 16
MIB = 32


async def each(count: int, work: Callable[[int], Awaitable[object]]) -> None:
    async def client(first: int) -> None:
        for i in range(first, count, CLIENTS):
            await work(i)

    await asyncio.gather(*map(client, range(CLIENTS)))


async def measure(rest: Rest, stamp: str) -> dict[str, float]:
    """Seconds of each workload."""
    folder = f"/home/b{stamp}"
    await rest.folder(folder)
    seconds: dict[str, float] = {}

    async def timed(name: str, work: Awaitable[object]) -> None:
        began = time.perf_counter()
        await work
        seconds[name] = time.perf_counter() - began

    await timed(f"create {DOMAINS} domains", each(DOMAINS, lambda i: rest.create(f"{folder}/d{i}.h5")))
    await timed(
        f"delete {DOMAINS} domains",
        each(DOMAINS, lambda i: rest.ask("DELETE", "/", f"{folder}/d{i}.h5")),
    )
    domain = f"{folder}/groups.h5"
    root = await rest.create(domain)
    ids: list[str] = [""] * GROUPS

    async def group(i: int) -> None:
        body = {"link": {"id": root, "name": f"g{i}"}}
        ids[i] = (await rest.ask("POST", "/groups", domain, json=body))["id"]

    async def flushed(work: Awaitable[object]) -> None:
        await work
        await rest.ask("PUT", "/", domain, params={"flush": 1})

    await timed(f"create {GROUPS} linked groups until flushed", flushed(each(GROUPS, group)))
    await timed(
        f"delete {GROUPS} groups until flushed",
        flushed(each(GROUPS, lambda i: rest.ask("DELETE", f"/groups/{ids[i]}", domain))),
    )
    dataset = await rest.dataset(domain, [MIB, 131072], kind="int64", chunks=[4, 131072])
    data = np.arange(4 * 131072, dtype="<i8").reshape(4, -1)

    async def slab(i: int) -> None:
        await rest.write(domain, dataset, data, f"[{4 * i}:{4 * i + 4},0:131072]")

    await timed(f"write {MIB} MiB until flushed", flushed(each(MIB // 4, slab)))
    await rest.ask("DELETE", "/", domain)
    return seconds


async def main(endpoint: str, rounds: int) -> None:
    key, secret = os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"]
    store = S3Store(S3Options(endpoint=endpoint, access_key_id=key, secret_access_key=secret))
    await store.start()
    our_bucket, their_bucket = (f"bench-{int(time.time())}-{name}" for name in ("ours", "theirs"))
    for bucket in (our_bucket, their_bucket):
        await store.create_bucket(bucket)
    flags = ["--s3-endpoint", endpoint, "--bucket", our_bucket]
    flags += ["--aws-access-key-id", key, "--aws-secret-access-key", secret]
    environ = {
        "AWS_S3_GATEWAY": endpoint, "AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": secret,
        "AWS_REGION": "us-east-1", "BUCKET_NAME": their_bucket,
    }  # fmt: skip
    python = os.environ["HSDS_TEST_HSDS102"]
    results: dict[str, list[dict[str, float]]] = {"ours": [], "theirs": []}
    with (
        Service(Path(tempfile.mkdtemp()), *flags) as ours,
        Hsds102(python, **environ) as theirs,
    ):
        await theirs.wait()
        async with Rest(ours.url) as our_rest, theirs.rest() as their_rest:
            await their_rest.folder("/home")
            for i in range(rounds):
                stamp = f"{int(time.time())}-{i}"
                results["ours"].append(await measure(our_rest, stamp))
                results["theirs"].append(await measure(their_rest, stamp))
    await store.close()
    print("| workload | hsds, s | HSDS 1.0.2, s | ratio |\n|---|---|---|---|")
    for name in results["ours"][0]:
        mine = statistics.median(found[name] for found in results["ours"])
        other = statistics.median(found[name] for found in results["theirs"])
        print(f"| {name} | {mine:.2f} | {other:.2f} | {other / mine:.1f} |")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--endpoint", required=True)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    asyncio.run(main(options.endpoint, options.rounds))
