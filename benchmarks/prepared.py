"""What workloads are made of: types, data, and datasets that are stored before the clock starts."""

from __future__ import annotations

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


def stored(
    target: Target, data: np.ndarray, type_: Any, chunk: Sequence[int], **props: Any
) -> tuple[str, str]:
    domain, _ = target.domain("read")
    body = {"type": type_, "shape": list(data.shape), "creationProperties": chunked(chunk, **props)}
    dataset = target.dataset(domain, **body)
    target.write(domain, dataset, data, max(1, 4 * MIB // max(1, data[:1].nbytes)))
    target.ask(target.flush(domain))
    return domain, dataset


def reads(target: Target, where: tuple[str, str], selects: Sequence[tuple[str, np.ndarray]]) -> list[Request]:
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


def where_of(target: Target, *args: Any, **props: Any) -> tuple[str, str]:
    return ("/x", "d-bare") if target.bare else stored(target, *args, **props)
