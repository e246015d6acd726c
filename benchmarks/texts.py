"""Workloads of JSON, of strings of any length, and of a table that is queried."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from benchmarks.client import make
from benchmarks.data import matching, table, texts
from benchmarks.prepared import F64, I32, Where, chunked, still_there, stored
from benchmarks.target import Target
from benchmarks.workload import Fresh, Work, Workload

TEXT = {
    "class": "H5T_STRING",
    "charSet": "H5T_CSET_UTF8",
    "strPad": "H5T_STR_NULLTERM",
    "length": "H5T_VARIABLE",
}
FOUR = {**TEXT, "charSet": "H5T_CSET_ASCII", "strPad": "H5T_STR_NULLPAD", "length": 4}
ROW = {
    "class": "H5T_COMPOUND",
    "fields": [{"name": "a", "type": I32}, {"name": "b", "type": F64}, {"name": "s", "type": FOUR}],
}


def json_read(target: Target) -> Fresh:
    values = np.arange(200_000, dtype=np.int32)
    domain, dataset = stored(target, values, I32, [50_000])
    request = make("GET", f"/datasets/{dataset}/value", {"domain": domain})
    request = target.checked(request, lambda answer: answer["value"] == values.tolist())
    return lambda: Work([request])


def packed() -> bytes:
    """``texts`` as they go over the wire: each after its length."""
    encoded = [text.encode() for text in texts()]
    return b"".join(len(e).to_bytes(4, "little") + e for e in encoded)


def _dataset(target: Target) -> Where:
    domain, _ = target.domain("vlen")
    return domain, target.dataset(domain, type=TEXT, shape=[20_000], creationProperties=chunked([5_000]))


def _stored(target: Target) -> Where:
    domain, dataset = _dataset(target)
    target.ask(make("PUT", f"/datasets/{dataset}/value", {"domain": domain}, body=packed()))
    target.ask(target.flush(domain))
    return domain, dataset


def strings_read(binary: bool) -> Callable[[Target], Fresh]:
    def prepare(target: Target) -> Fresh:
        domain, dataset = target.once("texts", lambda: _stored(target))
        path = f"/datasets/{dataset}/value"
        if binary:
            request = make("GET", path, {"domain": domain}, binary=True, expect=packed())
        else:
            request = make("GET", path, {"domain": domain})
            request = target.checked(request, lambda answer: answer["value"] == texts())
        return lambda: Work([request])

    return prepare


def strings_written(target: Target) -> Fresh:
    def fresh() -> Work:
        domain, dataset = _dataset(target)
        path, body = f"/datasets/{dataset}/value", packed()
        put = make("PUT", path, {"domain": domain}, body=body)
        get = make("GET", path, {"domain": domain}, binary=True, expect=body)
        return Work([put, target.flush(domain)], still_there(target, [get]))

    return fresh


def query(target: Target) -> Fresh:
    domain, dataset = stored(target, table(), ROW, [50_000])
    expect = matching(table()).tobytes()
    params = {"domain": domain, "query": "a>995 AND b<60000"}
    request = make("GET", f"/datasets/{dataset}/value", params, expect=expect, binary=True)
    return lambda: Work([request] * 2)


def workloads() -> tuple[Workload, ...]:
    return (
        Workload("JSON read", "values/s", 200_000, 1, json_read),
        Workload("vlen strings read, JSON", "strings/s", 20_000, 1, strings_read(binary=False)),
        Workload("vlen strings read, binary", "strings/s", 20_000, 1, strings_read(binary=True)),
        Workload("vlen strings written until flushed", "strings/s", 20_000, 1, strings_written),
        Workload("compound query", "rows/s", 1_000_000, 1, query),
    )
