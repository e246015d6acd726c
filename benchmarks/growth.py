"""Time against size: what opening, listing, linking and chunks cost when there are many of them.

What exists is written straight into the stores beforehand (``grown``), so every first request is a cold one.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks import grown
from benchmarks.client import Request, WrongAnswerError, make
from benchmarks.prepared import Where, read, write
from benchmarks.target import Target

REPEATS = 10
PAGE = 100
"""Domains in one page of a listing."""


@dataclass(frozen=True, slots=True)
class Point:
    """Milliseconds of one request where there are ``size`` things: the first, and the median of later ones.

    ``stored`` is the bytes that the store was sent by each, where the server tells.
    """

    what: str
    size: int
    contestant: str
    first: float
    later: float
    stored: float | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """Requests, of which the first is the cold one, and a text that every answer must hold."""

    requests: Sequence[Request]
    holding: bytes = b""


@dataclass(frozen=True, slots=True)
class Subject:
    """What is measured at each size."""

    what: str
    prepare: Callable[[Target, int], Asked]


def measure(targets: Sequence[Target], sizes: Sequence[int], words: Sequence[str]) -> Iterator[Point]:
    """Every subject whose name holds one of the words, at every size, on every server."""
    for subject in SUBJECTS:
        if words and not any(word in subject.what for word in words):
            continue
        for size in sizes:
            for target in targets:
                yield _point(target, subject, size)


def _point(target: Target, subject: Subject, size: int) -> Point:
    asked = subject.prepare(target, size)
    before, times, requests = _stored_bytes(target), [], asked.requests
    for request in requests:
        began = time.perf_counter()
        answer = target.ask(request)
        times.append(1000 * (time.perf_counter() - began))
        if asked.holding not in answer:
            raise WrongAnswerError(f"{request.line}: {bytes(answer[:200])!r}")
    after, stored = _stored_bytes(target), None
    if before is not None and after is not None and requests[0].head.startswith(b"PUT"):
        stored = (after - before) / len(requests)
    return Point(subject.what, size, target.name, times[0], statistics.median(times[1:]), stored)


def _stored_bytes(target: Target) -> float | None:
    """Bytes that our server sent to its store so far."""
    if target.name != "hsds":
        return None
    text = bytes(target.ask(make("GET", "/metrics", {}))).decode()
    lines = [line for line in text.splitlines() if line.startswith("hsds_store_bytes_total")]
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines if 'call="put"' in line)


def _tree(target: Target, size: int) -> tuple[str, str]:
    """A domain of so many groups, and its root id."""

    def make_() -> tuple[str, str]:
        path = target.unique("grown")
        root, objects = grown.groups(path, size)
        target.server.keys.put(objects)
        return path, root

    return target.once(f"tree {size}", make_)


def _domain_opened(target: Target, size: int) -> Asked:
    path, root = _tree(target, size)
    request = make("GET", "/", {"domain": path})
    return Asked([request] * (REPEATS + 1), root.encode())


def _root_opened(target: Target, size: int) -> Asked:
    """As h5pyd does: the root group with its links and attributes."""
    path, root = _tree(target, size)
    params = {"domain": path, "include_links": 1, "include_attrs": 1}
    return Asked([make("GET", f"/groups/{root}", params)] * (REPEATS + 1), root.encode())


def _page_listed(target: Target, size: int) -> Asked:
    """One page from the middle of a folder; the folder is new, so the first looks at the store."""
    path = target.unique("folder")
    target.ask(make("PUT", "/", {"domain": path}, body={"folder": True}))
    target.server.keys.put(grown.folder(path, size))
    marker = f"{path}/d{size // 2 - 1:06}.h5"
    page = make("GET", "/domains", {"domain": f"{path}/", "Limit": PAGE, "Marker": marker})
    first = f"{path}/d{size // 2:06}.h5"
    return Asked([page] * (REPEATS // 2 + 1), first.encode())


def _link_put(target: Target, size: int) -> Asked:
    path = target.unique("grown")
    root, objects = grown.links(path, size)
    target.server.keys.put(objects)
    stem, where, body = f"/groups/{root}/links/new", {"domain": path}, {"h5path": "/y"}
    return Asked([make("PUT", f"{stem}{i}", where, body=body) for i in range(REPEATS + 1)])


def _link_got(target: Target, size: int) -> Asked:
    path = target.unique("grown")
    root, objects = grown.links(path, size)
    target.server.keys.put(objects)
    request = make("GET", f"/groups/{root}/links/l0000003", {"domain": path})
    return Asked([request] * (REPEATS + 1), b"/x")


def _chunks(target: Target, size: int) -> tuple[Where, list[str]]:
    """A dataset of ``size`` chunks, and selections of some, each one chunk."""

    def make_() -> Where:
        path = target.unique("grown")
        dataset, objects = grown.chunks(path, size, _values().tobytes())
        target.server.keys.put(objects)
        return path, dataset

    numbers = [i * size // (REPEATS + 1) for i in range(REPEATS + 1)]
    return target.once(f"chunks {size}", make_), [f"[{100 * i}:{100 * i + 100}]" for i in numbers]


def _values() -> np.ndarray:
    return np.arange(100, dtype="<i4")


def _chunk_read(target: Target, size: int) -> Asked:
    where, selects = _chunks(target, size)
    return Asked([read(where, select, _values()) for select in selects])


def _chunk_written(target: Target, size: int) -> Asked:
    where, selects = _chunks(target, size)
    return Asked([write(where, select, _values() + 1) for select in selects])


SUBJECTS = (
    Subject("a domain of so many groups opened", _domain_opened),
    Subject("its root group read", _root_opened),
    Subject("100 of so many domains of a folder listed", _page_listed),
    Subject("a link put into a group of so many", _link_put),
    Subject("a link read from a group of so many", _link_got),
    Subject("a chunk read of so many", _chunk_read),
    Subject("a chunk written of so many", _chunk_written),
)
