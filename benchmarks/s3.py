"""The S3 server of a suite, and its own rates: what no service over it can exceed."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

from benchmarks.storage import S3Keys, S3Place
from benchmarks.workload import Contestant, Figures, Turn, Workload
from hsds.store.s3 import S3Store
from tests.tools.ceph import Guard, missing_programs, shared_gateway


@contextmanager
def s3_server(place: S3Place | None) -> Iterator[S3Place]:
    """The given one, or a Ceph gateway for as long as this lasts."""
    if place is not None:
        yield place
        return
    if missing := missing_programs():
        raise SystemExit(f"benchmarks: no --s3-endpoint, and not installed: {', '.join(missing)}")
    folder = Path(mkdtemp(prefix="bench-s3-"))
    guard = Guard(folder)
    try:
        server = shared_gateway(folder)
        yield S3Place(server.endpoint, server.access_key, server.secret_key)
    finally:
        guard.close()


class Direct(Contestant):
    """The S3 server asked by the service's own client, with no service between."""

    name = "S3 server"

    def __init__(self, keys: S3Keys) -> None:
        self._keys = keys

    def takes(self, workload: Workload) -> bool:
        return workload.name in _ALONE

    def prepare(self, workload: Workload) -> Turn:
        method, size, count, clients = _ALONE[workload.name]
        prefix, body = f"alone/{workload.name}/", os.urandom(size)
        if method == "GET":
            self._keys.put((f"{prefix}{i}", body) for i in range(count))

        def turn() -> Figures:
            cpu = time.process_time()
            seconds = asyncio.run(self._run(method, prefix, body, count, clients))
            return Figures(seconds, time.process_time() - cpu, 0.0)

        return turn

    async def _run(self, method: str, prefix: str, body: bytes, count: int, clients: int) -> float:
        store, bucket, waiting = S3Store(self._keys.place.options), self._keys.bucket, iter(range(count))
        await store.start()

        async def client() -> None:
            for i in waiting:
                if method == "PUT":
                    await store.put(bucket, f"{prefix}{i}", body)
                else:
                    assert (await store.get(bucket, f"{prefix}{i}")).data == body

        began = time.perf_counter()
        await asyncio.gather(*(client() for _ in range(clients)))
        seconds = time.perf_counter() - began
        await store.close()
        return seconds

    def memory(self) -> tuple[str, float]:
        return "(the S3 server is asked by the benchmark itself)", 0.0


_ALONE = {
    "S3 alone: PUT of 1 KiB, 1 client": ("PUT", 1 << 10, 100, 1),
    "S3 alone: PUT of 1 KiB, 8 clients": ("PUT", 1 << 10, 400, 8),
    "S3 alone: PUT of 1 MiB, 8 clients": ("PUT", 1 << 20, 64, 8),
    "S3 alone: GET of 1 KiB, 8 clients": ("GET", 1 << 10, 400, 8),
    "S3 alone: GET of 1 MiB, 8 clients": ("GET", 1 << 20, 64, 8),
}


def workloads() -> tuple[Workload, ...]:
    """In which only the S3 server takes part."""
    return tuple(
        Workload(name, *(("MiB/s", count) if size == 1 << 20 else ("1/s", count)), clients, None)
        for name, (_, size, count, clients) in _ALONE.items()
    )
