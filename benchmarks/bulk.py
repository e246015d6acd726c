"""Workloads of many values: read warm and cold, written, behind filters, in many small chunks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.client import Request
from benchmarks.data import floats, grid, ints
from benchmarks.prepared import (
    CHUNK,
    F32,
    GZIP,
    I32,
    LZ4,
    ZSTD,
    Where,
    chunked,
    read,
    read_again,
    slabs,
    still_there,
    stored,
    stored_floats,
    stored_ints,
    warmed,
    write,
)
from benchmarks.target import Target
from benchmarks.workload import Fresh, Work, Workload
from hsds.hdf5.keys import chunk_key

Filters = list[dict[str, Any]]


def warm(target: Target) -> Fresh:
    requests = warmed(target, [read(stored_floats(target), *slab) for slab in slabs(floats())])
    return lambda: Work(read_again(target, requests) * 2)


def warm_filtered(filters: Filters) -> Callable[[Target], Fresh]:
    def prepare(target: Target) -> Fresh:
        requests = warmed(target, [read(stored_ints(target, filters), *slab) for slab in slabs(ints())])
        return lambda: Work(read_again(target, requests) * 4)

    return prepare


def cold(target: Target) -> Fresh:
    """A domain that no cache knows: the keys of a stored one, copied in the store."""
    domain, dataset = stored_floats(target)
    root = target.root(domain)

    def fresh() -> Work:
        other = target.unique("cold")
        stem = target.server.keys.clone_domain(domain, other, root)[2:19]
        where = other, dataset.replace(root[2:19], stem)
        return Work([read(where, *slab) for slab in slabs(floats())])

    return fresh


def written(data: np.ndarray, type_: Any, filters: Filters | None = None) -> Callable[[Target], Fresh]:
    """All slabs, then a flush; read afterwards, off the clock."""
    props = {} if filters is None else {"filters": filters}

    def prepare(target: Target) -> Fresh:
        def fresh() -> Work:
            domain, _ = target.domain("write")
            creation = chunked(CHUNK, **props)
            body = {"type": type_, "shape": list(data.shape), "creationProperties": creation}
            where = domain, target.dataset(domain, **body)
            puts = [write(where, *slab) for slab in slabs(data)]
            return Work([*puts, target.flush(domain)], still_there(target, _some(where, data)))

        return fresh

    return prepare


def _some(where: tuple[str, str], data: np.ndarray) -> list[Request]:
    """Every fourth slab."""
    return [read(where, *slab) for slab in slabs(data)[::4]]


def many_chunks(target: Target) -> Fresh:
    where = _stored_grid(target)
    requests = warmed(target, [read(where, "[0:3200,0:3200]", grid())])
    return lambda: Work(requests)


def _stored_grid(target: Target) -> Where:
    """Its chunks are written into the store: HSDS takes half a minute for them."""
    if target.bare:
        return stored(target, grid(), I32, [32, 32])
    domain, _ = target.domain("grid")
    creation = chunked([32, 32])
    dataset = target.dataset(domain, type=I32, shape=[3200, 3200], creationProperties=creation)
    target.ask(target.flush(domain))
    target.server.keys.put(
        (chunk_key(dataset, (i, j)), grid()[32 * i : 32 * i + 32, 32 * j : 32 * j + 32].tobytes())
        for i in range(100)
        for j in range(100)
    )
    return domain, dataset


def workloads() -> tuple[Workload, ...]:
    return (
        Workload("bulk read, warm, 1 client", "MiB/s", 128, 1, warm, bare=True),
        Workload("bulk read, warm, 4 clients", "MiB/s", 128, 4, warm, bare=True),
        Workload("bulk read, cold, 1 client", "MiB/s", 64, 1, cold),
        Workload("bulk read, cold, 4 clients", "MiB/s", 64, 4, cold),
        Workload("gzip read, warm", "MiB/s", 128, 1, warm_filtered(GZIP), bare=True),
        Workload("lz4 (Blosc) read, warm", "MiB/s", 128, 1, warm_filtered(LZ4)),
        Workload("zstd (Blosc) read, warm", "MiB/s", 128, 1, warm_filtered(ZSTD)),
        Workload("10,000 chunks of 4 KiB read", "MiB/s", 39, 1, many_chunks, bare=True),
        Workload("bulk write until flushed, 1 client", "MiB/s", 64, 1, written(floats(), F32)),
        Workload("bulk write until flushed, 4 clients", "MiB/s", 64, 4, written(floats(), F32)),
        Workload("gzip write until flushed", "MiB/s", 32, 1, written(ints(), I32, GZIP)),
        Workload("lz4 (Blosc) write until flushed", "MiB/s", 32, 1, written(ints(), I32, LZ4)),
        Workload("zstd (Blosc) write until flushed", "MiB/s", 32, 1, written(ints(), I32, ZSTD)),
    )


def gibibyte() -> tuple[Workload, ...]:
    """The same with 1 GiB, on demand: it takes long, and more memory than some machines have."""

    def one(target: Target) -> Fresh:
        data = floats(1024)
        where = stored(target, data, F32, CHUNK)
        requests = warmed(target, [read(where, *slab) for slab in slabs(data)])
        return lambda: Work(requests)

    def writes(target: Target) -> Fresh:
        return written(floats(1024), F32)(target)

    return (
        Workload("1 GiB read, 1 client", "MiB/s", 1024, 1, one),
        Workload("1 GiB read, 4 clients", "MiB/s", 1024, 4, one),
        Workload("1 GiB written until flushed, 4 clients", "MiB/s", 1024, 4, writes),
    )
