"""Workloads of few values at a time: squares, strides, rows, points."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from benchmarks.client import make
from benchmarks.data import floats, points, rows, spots
from benchmarks.prepared import CHUNK, F32, read, still_there, stored, stored_floats, warmed, write
from benchmarks.target import Target
from benchmarks.workload import Fresh, Work, Workload

TIMES = 8
"""Requests of a run that one answers in milliseconds: as long as a client takes to connect."""


def small_reads(count: int) -> Callable[[Target], Fresh]:
    def prepare(target: Target) -> Fresh:
        where, data = stored_floats(target), floats()
        squares = [(f"[{i}:{i + 10},{j}:{j + 10}]", data[i : i + 10, j : j + 10]) for i, j in spots()]
        requests = warmed(target, [read(where, *square) for square in squares])
        return lambda: Work(requests * (count // len(requests)))

    return prepare


def small_writes(count: int) -> Callable[[Target], Fresh]:
    """Squares beside one another, so that what must be there afterwards does not depend on their order."""
    corners = [(16 * i, 16 * j) for i in range(64) for j in range(64)]
    np.random.default_rng(5).shuffle(corners)

    def prepare(target: Target) -> Fresh:
        where, data = stored(target, floats()[:1024], F32, CHUNK), floats()

        def fresh() -> Work:
            values = np.random.default_rng().random((10, 10), dtype=np.float32)
            expect = data[:1024].copy()
            puts = []
            for i, j in corners[:count]:
                puts.append(write(where, f"[{i}:{i + 10},{j}:{j + 10}]", values))
                expect[i : i + 10, j : j + 10] = values
            data_now = read(where, "[0:1024,0:1024]", expect)
            return Work(puts, still_there(target, [data_now]))

        return fresh

    return prepare


def fancy(target: Target) -> Fresh:
    text = ",".join(map(str, rows().tolist()))
    requests = warmed(target, [read(stored_floats(target), f"[[{text}],0:1024]", floats()[rows()])])
    return lambda: Work(requests * TIMES)


def strided(target: Target) -> Fresh:
    requests = warmed(target, [read(stored_floats(target), "[0:16384:7,0:1024:5]", floats()[::7, ::5])])
    return lambda: Work(requests * TIMES)


def scattered(target: Target) -> Fresh:
    domain, dataset = stored_floats(target)
    expect = floats()[points()[:, 0], points()[:, 1]].tobytes()
    body = memoryview(points().astype("<u8")).cast("B")
    request = make(
        "POST", f"/datasets/{dataset}/value", {"domain": domain}, body=body, expect=expect, binary=True
    )
    return lambda: Work([request])


def workloads() -> tuple[Workload, ...]:
    one, many = small_writes(200), small_writes(400)
    return (
        Workload("small reads, 1 client", "1/s", 500, 1, small_reads(500), bare=True),
        Workload("small reads, 32 clients", "1/s", 1000, 32, small_reads(1000), bare=True),
        Workload("small writes, stored, 1 client", "1/s", 200, 1, one),
        Workload("small writes, stored, 32 clients", "1/s", 400, 32, many),
        Workload("small writes, flush, 1 client", "1/s", 200, 1, one, durability="flush"),
        Workload("small writes, flush, 32 clients", "1/s", 400, 32, many, durability="flush"),
        Workload("fancy read", "rows/s", 200 * TIMES, 1, fancy, bare=True),
        Workload("strided read", "values/s", floats()[::7, ::5].size * TIMES, 1, strided, bare=True),
        Workload("scattered points read", "points/s", 50_000, 1, scattered),
    )
