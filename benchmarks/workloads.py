"""What is measured: one small function each, which makes requests and the answers that must come back.

A workload is prepared once a server (``prepare``), and asked for fresh requests before each run.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.client import Request, make
from benchmarks.target import Target

F32 = {"class": "H5T_FLOAT", "base": "H5T_IEEE_F32LE"}
I32 = {"class": "H5T_INTEGER", "base": "H5T_STD_I32LE"}
TEXT = {
    "class": "H5T_STRING",
    "charSet": "H5T_CSET_UTF8",
    "strPad": "H5T_STR_NULLTERM",
    "length": "H5T_VARIABLE",
}
GZIP = [
    {"class": "H5Z_FILTER_SHUFFLE", "id": 2, "name": "shuffle"},
    {"class": "H5Z_FILTER_DEFLATE", "id": 1, "name": "gzip", "level": 4},
]
MIB = 1 << 20

Fresh = Callable[[], Sequence[Request]]
"""Requests for one run; made while no clock runs."""


@dataclass(frozen=True)
class Workload:
    """``prepare(target)`` returns what makes the requests; ``amount`` is the work in a run, in ``unit``."""

    name: str
    unit: str
    amount: float
    clients: int
    prepare: Callable[[Target], Fresh]
    bare: bool = False


def chunked(dims: Sequence[int], **more: Any) -> dict[str, Any]:
    return {"layout": {"class": "H5D_CHUNKED", "dims": list(dims)}, **more}


class Bulk:
    """64 MiB of float32, 16384 x 1024, in chunks of 256 x 1024."""

    data = np.random.default_rng(1).random((16384, 1024), dtype=np.float32)
    dims, chunk = [16384, 1024], [256, 1024]


def _stored(
    target: Target, data: np.ndarray, type_: Any, chunk: Sequence[int], **props: Any
) -> tuple[str, str]:
    domain, _ = target.domain("read")
    body = {"type": type_, "shape": list(data.shape), "creationProperties": chunked(chunk, **props)}
    dataset = target.dataset(domain, **body)
    target.write(domain, dataset, data, max(1, 4 * MIB // max(1, data[:1].nbytes)))
    target.ask(target.flush(domain))
    return domain, dataset


def _reads(
    target: Target, where: tuple[str, str], selects: Sequence[tuple[str, np.ndarray]]
) -> list[Request]:
    domain, dataset = where
    requests = [
        make(
            "GET",
            f"/datasets/{dataset}/value",
            {"domain": domain, "select": select},
            expect=np.ascontiguousarray(expect).tobytes(),
            binary=True,
        )
        for select, expect in selects
    ]
    for request in requests:
        target.offer(request) if target.bare else target.ask(request)
    return requests


def _where(target: Target, *args: Any, **props: Any) -> tuple[str, str]:
    return ("/x", "d-bare") if target.bare else _stored(target, *args, **props)


def bulk_read(target: Target) -> Fresh:
    where = _where(target, Bulk.data, F32, Bulk.chunk)
    slabs = [(f"[{i}:{i + 512},0:1024]", Bulk.data[i : i + 512]) for i in range(0, 16384, 512)]
    requests = _reads(target, where, slabs)
    return lambda: requests * 2


def gzip_read(target: Target) -> Fresh:
    data = (np.arange(8 * MIB, dtype=np.int32) // 7).reshape(8192, 1024)
    where = _where(target, data, I32, [256, 1024], filters=GZIP)
    requests = _reads(
        target, where, [(f"[{i}:{i + 512},0:1024]", data[i : i + 512]) for i in range(0, 8192, 512)]
    )
    return lambda: requests * 2


def small_reads(count: int) -> Callable[[Target], Fresh]:
    def prepare(target: Target) -> Fresh:
        where = _where(target, Bulk.data[:2048], F32, Bulk.chunk)
        spots = np.random.default_rng(2).integers(0, 1000, (50, 2)).tolist()
        slabs = [(f"[{i}:{i + 10},{j}:{j + 10}]", Bulk.data[i : i + 10, j : j + 10]) for i, j in spots]
        requests = _reads(target, where, slabs)
        return lambda: requests * (count // 50)

    return prepare


def strided_read(target: Target) -> Fresh:
    where = _where(target, Bulk.data, F32, Bulk.chunk)
    request = _reads(target, where, [("[0:16384:7,0:1024:5]", Bulk.data[::7, ::5])])
    return lambda: request


def points_read(target: Target) -> Fresh:
    where = _where(target, Bulk.data, F32, Bulk.chunk)
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
    where = _where(target, data, I32, [32, 32])
    requests = _reads(target, where, [("[0:3200,0:3200]", data)])
    return lambda: requests


def json_read(target: Target) -> Fresh:
    domain, dataset = _stored(target, np.arange(200_000, dtype=np.int32), I32, [50_000])
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
        domain, dataset = _stored(target, Bulk.data[:2048], F32, Bulk.chunk)
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


def creates(collection: str, count: int, **body: Any) -> Callable[[Target], Fresh]:
    """One by one, each linked into the root group."""

    def prepare(target: Target) -> Fresh:
        def fresh() -> Sequence[Request]:
            domain, root = target.domain("make")
            return [
                make(
                    "POST",
                    f"/{collection}",
                    {"domain": domain},
                    body={**body, "link": {"id": root, "name": f"n{i}"}},
                )
                for i in range(count)
            ]

        return fresh

    return prepare


def batch_create(target: Target) -> Fresh:
    """300 groups in one request, with ids made by the client, as h5pyd 1.0 does."""

    def fresh() -> Sequence[Request]:
        domain, root = target.domain("batch")
        tail = np.random.default_rng(abs(hash(domain))).integers(0, 1 << 62, 300)
        ids = [f"{root[:20]}{n:016x}" for n in tail.tolist()]
        ids = [f"{i[:20]}{i[20:24]}-{i[24:30]}-{i[30:36]}" for i in ids]
        return [make("POST", "/groups", {"domain": domain}, body=[{"id": i} for i in ids])]

    return fresh


def domain_creates(target: Target) -> Fresh:
    return lambda: [make("PUT", "/", {"domain": target.unique("d")}, body={}) for _ in range(100)]


def domain_deletes(target: Target) -> Fresh:
    return lambda: [make("DELETE", "/", {"domain": target.domain("gone")[0]}) for _ in range(100)]


def domain_opens(target: Target) -> Fresh:
    domain, _ = target.domain("open")
    return lambda: [make("GET", "/", {"domain": domain})] * 300


def attribute_writes(target: Target) -> Fresh:
    def fresh() -> Sequence[Request]:
        domain, root = target.domain("attr")
        body = {"type": F32, "shape": [4], "value": [1, 2, 3, 4]}
        return [
            make("PUT", f"/groups/{root}/attributes/a{i}", {"domain": domain}, body=body) for i in range(200)
        ]

    return fresh


def attribute_reads(target: Target) -> Fresh:
    domain, root = target.domain("attr")
    body = {"type": F32, "shape": [4], "value": [1, 2, 3, 4]}
    for i in range(20):
        target.ask(make("PUT", f"/groups/{root}/attributes/a{i}", {"domain": domain}, body=body))
    return lambda: [
        make("GET", f"/groups/{root}/attributes/a{i % 20}", {"domain": domain}) for i in range(300)
    ]


def _strings() -> tuple[list[str], bytes]:
    texts = [f"string number {i} " + "x" * (i % 23) for i in range(20_000)]
    encoded = [text.encode() for text in texts]
    return texts, b"".join(len(e).to_bytes(4, "little") + e for e in encoded)


def _string_dataset(target: Target) -> tuple[str, str]:
    domain, _ = target.domain("vlen")
    return domain, target.dataset(domain, type=TEXT, shape=[20_000], creationProperties=chunked([5_000]))


def vlen_read(binary: bool) -> Callable[[Target], Fresh]:
    def prepare(target: Target) -> Fresh:
        texts, packed = _strings()
        domain, dataset = _string_dataset(target)
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
    _, packed = _strings()

    def fresh() -> Sequence[Request]:
        domain, dataset = _string_dataset(target)
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
    domain, dataset = _stored(target, rows, type_, [50_000])
    expect = rows[(rows["a"] > 995) & (rows["b"] < 60_000)].tobytes()
    query = {"domain": domain, "query": "a>995+AND+b<60000"}
    request = make("GET", f"/datasets/{dataset}/value", query, expect=expect, binary=True)
    head = request.head.replace(b"%2B", b"+")
    return lambda: [Request(head, b"", expect)]


WORKLOADS = (
    Workload("bulk read, warm, 1 client", "MiB/s", 128, 1, bulk_read, bare=True),
    Workload("bulk read, warm, 4 clients", "MiB/s", 128, 4, bulk_read, bare=True),
    Workload("gzip read, warm", "MiB/s", 64, 1, gzip_read, bare=True),
    Workload("small reads, 1 client", "1/s", 500, 1, small_reads(500), bare=True),
    Workload("small reads, 32 clients", "1/s", 2000, 32, small_reads(2000), bare=True),
    Workload("strided read", "1/s", 1, 1, strided_read, bare=True),
    Workload("scattered points read", "points/s", 50_000, 1, points_read),
    Workload("10,000 chunks of 4 KiB read", "MiB/s", 39, 1, many_chunks_read, bare=True),
    Workload("JSON read", "values/s", 200_000, 1, json_read),
    Workload("bulk write until flushed", "MiB/s", 64, 1, bulk_write(flush=True)),
    Workload("gzip write until flushed", "MiB/s", 32, 1, bulk_write(flush=True, filters=GZIP)),
    Workload("small writes, 1 client", "1/s", 200, 1, small_writes(200)),
    Workload("small writes, 32 clients", "1/s", 400, 32, small_writes(400)),
    Workload("groups created", "1/s", 200, 1, creates("groups", 200)),
    Workload("datasets created", "1/s", 200, 1, creates("datasets", 200, type=F32, shape=[10])),
    Workload("groups created, 300 at once", "1/s", 300, 1, batch_create),
    Workload("domains created", "1/s", 100, 1, domain_creates),
    Workload("domains opened", "1/s", 300, 1, domain_opens),
    Workload("domains deleted", "1/s", 100, 1, domain_deletes),
    Workload("attributes written", "1/s", 200, 1, attribute_writes),
    Workload("attributes read", "1/s", 300, 1, attribute_reads),
    Workload("vlen strings read, binary", "strings/s", 20_000, 1, vlen_read(binary=True)),
    Workload("vlen strings read, JSON", "strings/s", 20_000, 1, vlen_read(binary=False)),
    Workload("vlen strings written until flushed", "strings/s", 20_000, 1, vlen_write),
    Workload("compound query", "rows/s", 500_000, 1, compound_query),
)
