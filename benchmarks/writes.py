"""What writes cost in PUTs and memory, over a real S3 server: figures of ``docs/reliability.md``.

    python -m benchmarks.writes --endpoint http://127.0.0.1:7480 --bucket b   (keys from the environment)

Many links into one group, a batch of new groups, and 2 GiB through a data node of 256 MiB of cache.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import aiohttp
import numpy as np

from hsds.store.s3 import S3Store
from hsds.store.s3_client import S3Options


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Service:
    """``hsds serve`` over the server, and what it says of itself."""

    def __init__(self, options: argparse.Namespace, **environ: str) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="writes-"))
        self.url = f"http://127.0.0.1:{free_port()}"
        flags = ["--s3-endpoint", options.endpoint, "--bucket", options.bucket]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "hsds", "serve", *flags, "--port", self.url.rsplit(":", 1)[1]],
            env={**os.environ, **environ},
            stdout=subprocess.DEVNULL,
            stderr=(self.folder / "log.txt").open("w"),
        )

    async def session(self) -> aiohttp.ClientSession:
        session = aiohttp.ClientSession(
            self.url, connector=aiohttp.TCPConnector(limit=100), timeout=aiohttp.ClientTimeout(None)
        )
        for _ in range(100):
            try:
                async with session.get("/readyz") as answer:
                    if answer.status == 200:
                        return session
            except aiohttp.ClientError:
                await asyncio.sleep(0.1)
        raise RuntimeError((self.folder / "log.txt").read_text())

    def memory(self) -> float:
        """Most MiB so far."""
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmHWM"):
                return int(line.split()[1]) / 1024
        return 0.0

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait()


async def ask(session: aiohttp.ClientSession, method: str, path: str, domain: str, **more: object) -> dict:
    async with session.request(method, path, params={"domain": domain}, **more) as answer:
        assert answer.status < 300, f"{answer.status} {answer.reason}"
        return await answer.json() if answer.content_type == "application/json" else {}


async def calls(session: aiohttp.ClientSession) -> dict[str, float]:
    """Calls and bytes of the store so far, by kind."""
    async with session.get("/metrics") as answer:
        lines = (await answer.text()).splitlines()
    found: dict[str, float] = {}
    for line in lines:
        if line.startswith(("hsds_store_calls_total", "hsds_store_bytes_total")):
            name, value = line.rsplit(" ", 1)
            kind = name.split('call="')[1].split('"')[0] + (" bytes" if "bytes" in name else "")
            found[kind] = found.get(kind, 0) + float(value)
    return found


async def difference(session: aiohttp.ClientSession, before: dict[str, float]) -> str:
    after = await calls(session)
    changed = {kind: int(value - before.get(kind, 0)) for kind, value in after.items()}
    return json.dumps({kind: value for kind, value in changed.items() if value})


async def links(session: aiohttp.ClientSession, domain: str, count: int, clients: int) -> None:
    root = (await ask(session, "PUT", "/", domain))["root"]
    before, began = await calls(session), time.perf_counter()

    async def client(first: int) -> None:
        for i in range(first, count, clients):
            await ask(session, "PUT", f"/groups/{root}/links/l{i}", domain, json={"id": root})

    await asyncio.gather(*map(client, range(clients)))
    seconds = time.perf_counter() - began
    print(f"{count} links by {clients} clients: {seconds:.1f} s, store: {await difference(session, before)}")
    async with session.get(f"/groups/{root}", params={"domain": domain}) as answer:
        assert (await answer.json())["linkCount"] == count


async def batch(session: aiohttp.ClientSession, domain: str, count: int) -> None:
    await ask(session, "PUT", "/", domain)
    await ask(session, "POST", "/groups", domain, json={})
    before, began = await calls(session), time.perf_counter()
    await ask(session, "POST", "/groups", domain, json=[{} for _ in range(count)])
    seconds = time.perf_counter() - began
    print(f"POST /groups of {count}: {1000 * seconds:.0f} ms, store: {await difference(session, before)}")


async def bulk(session: aiohttp.ClientSession, service: Service, domain: str, gib: int) -> None:
    await ask(session, "PUT", "/", domain)
    rows, width = gib * 1024, 131072  # a row of int64 is 1 MiB
    body = {
        "type": "H5T_STD_I64LE",
        "shape": [rows, width],
        "creationProperties": {"layout": {"class": "H5D_CHUNKED", "dims": [4, width]}},
    }
    dataset = (await ask(session, "POST", "/datasets", domain, json=body))["id"]
    data = np.arange(64 * width, dtype="<i8").tobytes()
    idle, began = service.memory(), time.perf_counter()

    async def client(first: int) -> None:
        for start in range(first * 64, rows, 4 * 64):
            params = {"domain": domain, "select": f"[{start}:{start + 64},0:{width}]"}
            headers = {"Content-Type": "application/octet-stream"}
            path = f"/datasets/{dataset}/value"
            async with session.put(path, params=params, headers=headers, data=data) as answer:
                assert answer.status == 200, answer.reason

    await asyncio.gather(*map(client, range(4)))
    seconds = time.perf_counter() - began
    print(
        f"{gib} GiB by 4 clients: {gib * 1024 / seconds:.0f} MiB/s, "
        f"memory {service.memory():.0f} MiB at most, {idle:.0f} MiB before"
    )
    await ask(session, "DELETE", "/", domain)


async def main(options: argparse.Namespace) -> None:
    key, secret = os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"]
    store = S3Store(S3Options(endpoint=options.endpoint, access_key_id=key, secret_access_key=secret))
    await store.start()
    await store.create_bucket(options.bucket)
    await store.close()
    stamp = int(time.time())
    service = Service(options)
    async with await service.session() as session:
        user = (await ask(session, "GET", "/about", "/"))["username"]
        await links(session, f"/home/{user}/links-{stamp}.h5", options.links, 64)
        await batch(session, f"/home/{user}/batch-{stamp}.h5", 300)
    service.stop()
    caches = {"CHUNK_MEM_CACHE_SIZE": "224m", "METADATA_MEM_CACHE_SIZE": "32m"}
    service = Service(options, **caches)
    async with await service.session() as session:
        await bulk(session, service, f"/home/{user}/bulk-{stamp}.h5", options.gib)
    service.stop()
    print(f"the client used {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--endpoint", required=True)
    parser.add_argument("--bucket", default="benchmark")
    parser.add_argument("--links", type=int, default=10_000)
    parser.add_argument("--gib", type=int, default=2)
    asyncio.run(main(parser.parse_args()))
