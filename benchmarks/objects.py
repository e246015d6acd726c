"""Workloads of objects: groups, datasets, domains, attributes, links; see ``values``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from benchmarks.client import Request, make
from benchmarks.prepared import F32, Fresh
from benchmarks.target import Target


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


def _ids(root: str, collection: str, count: int, seed: int) -> list[str]:
    """Ids as clients make them: a letter, the root's own digits, and 16 new ones."""
    stem, letter = root[2:19], collection[0]
    tails = [f"{n:016x}" for n in np.random.default_rng(seed).integers(0, 1 << 62, count).tolist()]
    return [f"{letter}-{stem}-{t[:4]}-{t[4:10]}-{t[10:16]}" for t in tails]


def batch_create(collection: str) -> Callable[[Target], Fresh]:
    """300 objects in one request, with ids made by the client, as h5pyd 1.0 does."""
    more = {"type": F32, "shape": [10]} if collection == "datasets" else {}

    def prepare(target: Target) -> Fresh:
        def fresh() -> Sequence[Request]:
            domain, root = target.domain("batch")
            ids = _ids(root, collection, 300, abs(hash(domain)))
            return [make("POST", f"/{collection}", {"domain": domain}, body=[{"id": i, **more} for i in ids])]

        return fresh

    return prepare


def deletes(collection: str, **body: Any) -> Callable[[Target], Fresh]:
    """One by one."""

    def prepare(target: Target) -> Fresh:
        def fresh() -> Sequence[Request]:
            domain, _ = target.domain("unmake")
            one = make("POST", f"/{collection}", {"domain": domain}, body=body)
            ids = [target.json(one)["id"] for _ in range(200)]
            return [make("DELETE", f"/{collection}/{i}", {"domain": domain}) for i in ids]

        return fresh

    return prepare


def link_inserts(target: Target) -> Fresh:
    """Soft links into one group, one by one."""

    def fresh() -> Sequence[Request]:
        domain, root = target.domain("links")
        return [
            make("PUT", f"/groups/{root}/links/l{i}", {"domain": domain}, body={"h5path": "/x"})
            for i in range(200)
        ]

    return fresh


def _linked(target: Target, count: int) -> tuple[str, str]:
    domain, root = target.domain("linked")
    for first in range(0, count, 1000):
        links = {f"l{i:05}": {"h5path": "/x"} for i in range(first, min(count, first + 1000))}
        target.ask(make("PUT", f"/groups/{root}/links", {"domain": domain}, body={"links": links}))
    return domain, root


def link_reads(target: Target) -> Fresh:
    """One link of a group of 1,000 after another."""
    domain, root = _linked(target, 1000)
    return lambda: [make("GET", f"/groups/{root}/links/l{i:05}", {"domain": domain}) for i in range(300)]


def walk(count: int) -> Callable[[Target], Fresh]:
    """What a client asks walking through a domain: all groups, all links, and every fiftieth group itself."""

    def prepare(target: Target) -> Fresh:
        domain, root = target.domain("walk")
        for first in range(0, count, 500):
            numbers = range(first, min(count, first + 500))
            bodies = [{"link": {"id": root, "name": f"g{i:05}"}} for i in numbers]
            target.ask(make("POST", "/groups", {"domain": domain}, body=bodies))
        groups = make("GET", "/groups", {"domain": domain})
        assert len(target.json(groups)["groups"]) == count
        links = make("GET", f"/groups/{root}/links", {"domain": domain})
        ids = [link["id"] for link in target.json(links)["links"]]
        assert len(ids) == count
        each = [make("GET", f"/groups/{i}", {"domain": domain}) for i in ids[:: count // 200]]
        return lambda: [groups, links, *each]

    return prepare


def folder_list(count: int) -> Callable[[Target], Fresh]:
    """All domains of a folder, with what each is."""

    def prepare(target: Target) -> Fresh:
        folder = target.unique("folder")
        target.ask(make("PUT", "/", {"domain": folder}, body={"folder": True}))
        for i in range(count):
            target.ask(make("PUT", "/", {"domain": f"{folder}/d{i:04}.h5"}, body={}))
        request = make("GET", "/domains", {"domain": f"{folder}/"})
        assert len(target.json(request)["domains"]) == count
        return lambda: [request] * 5

    return prepare


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
