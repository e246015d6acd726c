"""Workloads of groups and datasets: created one by one and 300 at once, deleted, walked through."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks import grown
from benchmarks.client import Request, WrongAnswerError, make
from benchmarks.prepared import F32
from benchmarks.target import Target
from benchmarks.workload import Fresh, Work, Workload

DATASET = {"type": F32, "shape": [10]}


def counted(target: Target, domain: str, collection: str, count: int) -> Callable[[], None]:
    """A check that the domain has that many groups or datasets."""

    def check() -> None:
        answer = target.json(make("GET", f"/{collection}", {"domain": domain}))
        if len(answer[collection]) != count:
            raise WrongAnswerError(f"{domain} has {len(answer[collection])} {collection}, not {count}")

    return check


def created(collection: str, count: int, body: dict[str, Any]) -> Callable[[Target], Fresh]:
    """One by one, each linked into the root group."""

    def prepare(target: Target) -> Fresh:
        def fresh() -> Work:
            domain, root = target.domain("make")
            posts = [
                make(
                    "POST",
                    f"/{collection}",
                    {"domain": domain},
                    body={**body, "link": {"id": root, "name": f"n{i}"}},
                )
                for i in range(count)
            ]
            return Work(posts, counted(target, domain, collection, count))

        return fresh

    return prepare


def created_at_once(collection: str, body: dict[str, Any]) -> Callable[[Target], Fresh]:
    """300 objects in one request with ids made by the client, then their links in another, as h5pyd does."""

    def prepare(target: Target) -> Fresh:
        def fresh() -> Work:
            domain, root = target.domain("batch")
            ids = _ids(root, collection, 300)
            objects = [{"id": i, **body} for i in ids]
            links = {f"n{n}": {"id": i} for n, i in enumerate(ids)}
            post = make("POST", f"/{collection}", {"domain": domain}, body=objects)
            put = make("PUT", f"/groups/{root}/links", {"domain": domain}, body={"links": links})
            return Work([post, put], counted(target, domain, collection, 300))

        return fresh

    return prepare


def _ids(root: str, collection: str, count: int) -> list[str]:
    """Ids as clients make them: a letter, the root's own digits, and 16 new ones."""
    stem, letter = root[2:19], collection[0]
    tails = [f"{n:016x}" for n in np.random.default_rng().integers(0, 1 << 62, count).tolist()]
    return [f"{letter}-{stem}-{t[:4]}-{t[4:10]}-{t[10:16]}" for t in tails]


def deleted(collection: str, count: int, body: dict[str, Any]) -> Callable[[Target], Fresh]:
    """One by one."""

    def prepare(target: Target) -> Fresh:
        def fresh() -> Work:
            domain, root = target.domain("unmake")
            ids = _ids(root, collection, count)
            objects = [{"id": i, **body} for i in ids]
            target.ask(make("POST", f"/{collection}", {"domain": domain}, body=objects))
            deletes = [make("DELETE", f"/{collection}/{i}", {"domain": domain}) for i in ids]
            return Work(deletes, gone(target, domain, [f"/{collection}/{i}" for i in ids[::50]]))

        return fresh

    return prepare


def gone(target: Target, domain: str, paths: list[str]) -> Callable[[], None]:
    """A check that nothing is found at the paths."""
    requests = [make("GET", path, {"domain": domain}) for path in paths]

    def check() -> None:
        for request in requests:
            target.ask(Request(request.head, b"", None, (404, 410)))

    return check


def walked(count: int) -> Callable[[Target], Fresh]:
    """What a client asks walking through a domain: all groups, all links, and every fiftieth group itself."""

    def prepare(target: Target) -> Fresh:
        domain = target.unique("walk")
        root, stored = grown.flat(domain, count)
        target.server.keys.put(stored)
        groups = make("GET", "/groups", {"domain": domain})
        groups = target.checked(groups, lambda answer: len(answer["groups"]) == count)
        links = make("GET", f"/groups/{root}/links", {"domain": domain})
        links = target.checked(links, lambda answer: len(answer["links"]) == count)
        ids = [link["id"] for link in target.json(links)["links"]]
        each = [make("GET", f"/groups/{i}", {"domain": domain}) for i in ids[:: count // 200]]
        each = [target.checked(get, lambda answer: answer["attributeCount"] == 0) for get in each]
        return lambda: Work([groups, links, *each])

    return prepare


def workloads(count: int = 200, clients: int = 1) -> tuple[Workload, ...]:
    """``count``: how many are created and deleted one by one, by so many clients."""
    after = "" if clients == 1 else f", {clients} clients"

    def workload(name: str, prepare: Callable[[Target], Fresh]) -> Workload:
        return Workload(name + after, "1/s", count, clients, prepare)

    return (
        workload("groups created", created("groups", count, {})),
        workload("datasets created", created("datasets", count, DATASET)),
        workload("groups deleted", deleted("groups", count, {})),
        workload("datasets deleted", deleted("datasets", count, DATASET)),
    )


def batches() -> tuple[Workload, ...]:
    return (
        Workload("groups created, 300 at once", "1/s", 300, 1, created_at_once("groups", {})),
        Workload("datasets created, 300 at once", "1/s", 300, 1, created_at_once("datasets", DATASET)),
    )


def walks() -> tuple[Workload, ...]:
    return (Workload("a domain of 10,000 groups walked", "objects/s", 10_000, 1, walked(10_000)),)
