"""What workloads of values are made of: types, filters, and datasets stored before the clock starts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from benchmarks.client import Request, make
from benchmarks.data import MIB, SLAB, floats, ints
from benchmarks.target import Target

F32 = {"class": "H5T_FLOAT", "base": "H5T_IEEE_F32LE"}
F64 = {"class": "H5T_FLOAT", "base": "H5T_IEEE_F64LE"}
I32 = {"class": "H5T_INTEGER", "base": "H5T_STD_I32LE"}
SHUFFLE = {"class": "H5Z_FILTER_SHUFFLE", "id": 2, "name": "shuffle"}
GZIP = [SHUFFLE, {"class": "H5Z_FILTER_DEFLATE", "id": 1, "name": "gzip", "level": 4}]
LZ4 = [SHUFFLE, {"class": "H5Z_FILTER_LZ4", "id": 32004, "name": "lz4"}]
"""Which both services store as Blosc frames; zstd too."""
ZSTD = [SHUFFLE, {"class": "H5Z_FILTER_ZSTD", "id": 32015, "name": "zstd"}]
CHUNK = (256, 1024)

Where = tuple[str, str]
"""A domain and a dataset in it."""


def chunked(dims: Sequence[int], **more: Any) -> dict[str, Any]:
    return {"layout": {"class": "H5D_CHUNKED", "dims": list(dims)}, **more}


def stored(target: Target, data: np.ndarray, type_: Any, chunk: Sequence[int], **props: Any) -> Where:
    """A new domain with one dataset, written and flushed. The bare server needs none."""
    if target.bare:
        return "/x", "d-bare"
    domain, _ = target.domain("read")
    body = {"type": type_, "shape": list(data.shape), "creationProperties": chunked(chunk, **props)}
    dataset = target.dataset(domain, **body)
    target.write(domain, dataset, data, max(1, 4 * MIB // max(1, data[:1].nbytes)))
    target.ask(target.flush(domain))
    return domain, dataset


def stored_floats(target: Target) -> Where:
    """``floats``, stored once for all workloads that only read them."""
    return target.once("floats", lambda: stored(target, floats(), F32, CHUNK))


def stored_ints(target: Target, filters: list[dict[str, Any]]) -> Where:
    """``ints`` behind filters, stored once."""
    return target.once(f"ints {filters}", lambda: stored(target, ints(), I32, CHUNK, filters=filters))


def slabs(data: np.ndarray) -> list[tuple[str, np.ndarray]]:
    """Selections of whole rows, and their values."""
    return [(f"[{i}:{i + SLAB},0:1024]", data[i : i + SLAB]) for i in range(0, len(data), SLAB)]


def read(where: Where, select: str, expect: np.ndarray) -> Request:
    """A request for a selection, whose values must come back."""
    domain, dataset = where
    return make(
        "GET",
        f"/datasets/{dataset}/value",
        {"domain": domain, "select": select},
        expect=np.ascontiguousarray(expect).tobytes(),
        binary=True,
    )


def write(where: Where, select: str, values: np.ndarray) -> Request:
    """A request that writes a selection."""
    domain, dataset = where
    body = memoryview(np.ascontiguousarray(values)).cast("B")
    return make("PUT", f"/datasets/{dataset}/value", {"domain": domain, "select": select}, body=body)


def warmed(target: Target, requests: list[Request]) -> list[Request]:
    """The requests, asked once; the bare server learns what it is to answer."""
    for request in requests:
        if target.bare:
            target.offer(request)
        else:
            target.ask(request)
    return requests


def read_again(target: Target, requests: list[Request]) -> list[Request]:
    """The requests, asked off the clock just before they are asked on it: what nobody has touched for seconds
    is not warm where the machine's host takes idle memory, however full the caches are.
    """
    for request in requests:
        target.ask(request)
    return requests


def still_there(target: Target, requests: Sequence[Request]) -> Callable[[], None]:
    """A check that reads what was written, all of it."""

    def check() -> None:
        for request in requests:
            target.ask(request)

    return check
