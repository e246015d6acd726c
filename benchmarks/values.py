"""Workloads of values: one small function each, which makes requests and the answers that must come back.

A workload is prepared once a server (``prepare``), and asked for fresh requests before each run.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from benchmarks.client import Request, make
from benchmarks.prepared import F32, GZIP, I32, MIB, TEXT, Bulk, Fresh, chunked, reads, stored, where_of
from benchmarks.target import Target


def bulk_read(target: Target) -> Fresh:
    where = where_of(target, Bulk.data, F32, Bulk.chunk)
    slabs = [(f"[{i}:{i + 512},0:1024]", Bulk.data[i : i + 512]) for i in range(0, 16384, 512)]
    requests = reads(target, where, slabs)
    return lambda: requests * 2


def gzip_read(target: Target) -> Fresh:
    data = (np.arange(8 * MIB, dtype=np.int32) // 7).reshape(8192, 1024)
    where = where_of(target, data, I32, [256, 1024], filters=GZIP)
    requests = reads(
        target, where, [(f"[{i}:{i + 512},0:1024]", data[i : i + 512]) for i in range(0, 8192, 512)]
    )
    return lambda: requests * 2


def lz4() -> list[dict[str, Any]]:
    """Shuffle and LZ4, which both services store as Blosc frames."""
    return [GZIP[0], {"class": "H5Z_FILTER_LZ4", "id": 32004, "name": "lz4"}]


def filtered_read(name: str, number: int) -> Callable[[Target], Fresh]:
    """32 MiB of int32 behind a shuffle and the compressor ``name``."""

    def prepare(target: Target) -> Fresh:
        data = (np.arange(8 * MIB, dtype=np.int32) // 7).reshape(8192, 1024)
        compressor = {"class": f"H5Z_FILTER_{name.upper()}", "id": number, "name": name}
        where = stored(target, data, I32, [256, 1024], filters=[GZIP[0], compressor])
        slabs = [(f"[{i}:{i + 512},0:1024]", data[i : i + 512]) for i in range(0, 8192, 512)]
        requests = reads(target, where, slabs)
        return lambda: requests * 2

    return prepare


def cold_read(target: Target) -> Fresh:
    """256 MiB, twice what either service caches: when a chunk's turn comes again it has been evicted."""
    data = np.random.default_rng(7).random((65_536, 1024), dtype=np.float32)
    where = stored(target, data, F32, Bulk.chunk)
    slabs = [(f"[{i}:{i + 512},0:1024]", data[i : i + 512]) for i in range(0, len(data), 512)]
    requests = reads(target, where, slabs)
    return lambda: requests


def fancy_read(target: Target) -> Fresh:
    """200 rows, scattered over all chunks."""
    where = where_of(target, Bulk.data, F32, Bulk.chunk)
    rows = np.sort(np.random.default_rng(8).choice(16384, 200, replace=False))
    text = ",".join(map(str, rows.tolist()))
    requests = reads(target, where, [(f"[[{text}],0:1024]", Bulk.data[rows])])
    return lambda: requests


def small_reads(count: int) -> Callable[[Target], Fresh]:
    def prepare(target: Target) -> Fresh:
        where = where_of(target, Bulk.data[:2048], F32, Bulk.chunk)
        spots = np.random.default_rng(2).integers(0, 1000, (50, 2)).tolist()
        slabs = [(f"[{i}:{i + 10},{j}:{j + 10}]", Bulk.data[i : i + 10, j : j + 10]) for i, j in spots]
        requests = reads(target, where, slabs)
        return lambda: requests * (count // 50)

    return prepare


def strided_read(target: Target) -> Fresh:
    where = where_of(target, Bulk.data, F32, Bulk.chunk)
    request = reads(target, where, [("[0:16384:7,0:1024:5]", Bulk.data[::7, ::5])])
    return lambda: request


def points_read(target: Target) -> Fresh:
    where = where_of(target, Bulk.data, F32, Bulk.chunk)
    points = np.random.default_rng(3).integers(0, [16384, 1024], (50_000, 2))
    expect = Bulk.data[points[:, 0], points[:, 1]].tobytes()
    domain, dataset = where
    body = memoryview(points.astype("<u8")).cast("B")
    request = make(
        "POST", f"/datasets/{dataset}/value", {"domain": domain}, body=body, expect=expect, binary=True
    )
    return lambda: [request]


def many_chunks_read(target: Target) -> Fresh:
    data = np.random.default_rng(4).integers(0, 1 << 30, (3200, 3200), dtype=np.int32)
    where = where_of(target, data, I32, [32, 32])
    requests = reads(target, where, [("[0:3200,0:3200]", data)])
    return lambda: requests


def json_read(target: Target) -> Fresh:
    domain, dataset = stored(target, np.arange(200_000, dtype=np.int32), I32, [50_000])
    request = make("GET", f"/datasets/{dataset}/value", {"domain": domain})
    assert target.json(request)["value"] == list(range(200_000))
    return lambda: [request]


def bulk_write(flush: bool, **props: Any) -> Callable[[Target], Fresh]:
    gzip = "filters" in props
    ints = (np.arange(8 * MIB, dtype=np.int32) // 7).reshape(8192, 1024)
    data, type_ = (ints, I32) if gzip else (Bulk.data, F32)

    def prepare(target: Target) -> Fresh:
        def fresh() -> Sequence[Request]:
            domain, _ = target.domain("write")
            creation = chunked(Bulk.chunk, **props)
            dataset = target.dataset(domain, type=type_, shape=list(data.shape), creationProperties=creation)
            puts = [
                make(
                    "PUT",
                    f"/datasets/{dataset}/value",
                    {"domain": domain, "select": f"[{i}:{i + 512},0:1024]"},
                    body=memoryview(data[i : i + 512]).cast("B"),
                )
                for i in range(0, len(data), 512)
            ]
            return [*puts, target.flush(domain)] if flush else puts

        return fresh

    return prepare


def small_writes(count: int) -> Callable[[Target], Fresh]:
    def prepare(target: Target) -> Fresh:
        domain, dataset = stored(target, Bulk.data[:2048], F32, Bulk.chunk)
        spots = np.random.default_rng(5).integers(0, 1000, (count, 2)).tolist()
        body = Bulk.data[:10, :10].tobytes()
        requests = [
            make(
                "PUT",
                f"/datasets/{dataset}/value",
                {"domain": domain, "select": f"[{i}:{i + 10},{j}:{j + 10}]"},
                body=body,
            )
            for i, j in spots
        ]
        return lambda: requests

    return prepare


def strings() -> tuple[list[str], bytes]:
    texts = [f"string number {i} " + "x" * (i % 23) for i in range(20_000)]
    encoded = [text.encode() for text in texts]
    return texts, b"".join(len(e).to_bytes(4, "little") + e for e in encoded)


def string_dataset(target: Target) -> tuple[str, str]:
    domain, _ = target.domain("vlen")
    return domain, target.dataset(domain, type=TEXT, shape=[20_000], creationProperties=chunked([5_000]))


def vlen_read(binary: bool) -> Callable[[Target], Fresh]:
    def prepare(target: Target) -> Fresh:
        texts, packed = strings()
        domain, dataset = string_dataset(target)
        target.ask(make("PUT", f"/datasets/{dataset}/value", {"domain": domain}, body=packed))
        target.ask(target.flush(domain))
        request = make(
            "GET",
            f"/datasets/{dataset}/value",
            {"domain": domain},
            binary=binary,
            expect=packed if binary else None,
        )
        if not binary:
            assert json.loads(bytes(target.ask(request)))["value"] == texts
        return lambda: [request]

    return prepare


def vlen_write(target: Target) -> Fresh:
    _, packed = strings()

    def fresh() -> Sequence[Request]:
        domain, dataset = string_dataset(target)
        return [
            make("PUT", f"/datasets/{dataset}/value", {"domain": domain}, body=packed),
            target.flush(domain),
        ]

    return fresh


def compound_query(target: Target) -> Fresh:
    rows = np.zeros(500_000, [("a", "<i4"), ("b", "<f8"), ("s", "S4")])
    rows["a"] = np.arange(500_000) % 1000
    rows["b"] = np.arange(500_000) / 7
    type_ = {
        "class": "H5T_COMPOUND",
        "fields": [
            {"name": "a", "type": I32},
            {"name": "b", "type": {"class": "H5T_FLOAT", "base": "H5T_IEEE_F64LE"}},
            {
                "name": "s",
                "type": {
                    "class": "H5T_STRING",
                    "charSet": "H5T_CSET_ASCII",
                    "strPad": "H5T_STR_NULLPAD",
                    "length": 4,
                },
            },
        ],
    }
    domain, dataset = stored(target, rows, type_, [50_000])
    expect = rows[(rows["a"] > 995) & (rows["b"] < 60_000)].tobytes()
    query = {"domain": domain, "query": "a>995+AND+b<60000"}
    request = make("GET", f"/datasets/{dataset}/value", query, expect=expect, binary=True)
    head = request.head.replace(b"%2B", b"+")
    return lambda: [Request(head, b"", expect)]
