"""Workloads of links and attributes: one by one and 300 at once, written and read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benchmarks.client import WrongAnswerError, make
from benchmarks.prepared import F32
from benchmarks.target import Target
from benchmarks.workload import Fresh, Work, Workload

LINK = {"h5path": "/x"}
ATTRIBUTE = {"type": F32, "shape": [4], "value": [1, 2, 3, 4]}
COUNT = 300


def _path(root: str, what: str, i: int) -> str:
    return f"/groups/{root}/{what}/n{i:04}"


def _one(what: str) -> dict[str, Any]:
    return LINK if what == "links" else ATTRIBUTE


def _all(what: str) -> dict[str, Any]:
    """The body that puts all at once."""
    return {what: {f"n{i:04}": _one(what) for i in range(COUNT)}}


def _complete(target: Target, domain: str, root: str, what: str) -> Callable[[], None]:
    def check() -> None:
        found = target.json(make("GET", f"/groups/{root}/{what}", {"domain": domain}))[what]
        if len(found) != COUNT:
            raise WrongAnswerError(f"{domain} has {len(found)} {what}, not {COUNT}")

    return check


def written(what: str, at_once: bool) -> Callable[[Target], Fresh]:
    def prepare(target: Target) -> Fresh:
        def fresh() -> Work:
            domain, root = target.domain(what)
            where = {"domain": domain}
            if at_once:
                puts = [make("PUT", f"/groups/{root}/{what}", where, body=_all(what))]
            else:
                puts = [make("PUT", _path(root, what, i), where, body=_one(what)) for i in range(COUNT)]
            return Work(puts, _complete(target, domain, root, what))

        return fresh

    return prepare


def read(what: str, at_once: bool) -> Callable[[Target], Fresh]:
    """Of a group that has 300."""

    def prepare(target: Target) -> Fresh:
        domain, root = target.once(what, lambda: _prepared(target, what))
        where = {"domain": domain}
        if at_once:
            whole = make("GET", f"/groups/{root}/{what}", {**where, "IncludeData": 1})
            whole = target.checked(whole, lambda answer: len(answer[what]) == COUNT)
            return lambda: Work([whole] * 5)
        gets = [make("GET", _path(root, what, i), where) for i in range(COUNT)]
        gets = [target.checked(get, lambda answer: _right(what, answer)) for get in gets]
        return lambda: Work(gets)

    return prepare


def _prepared(target: Target, what: str) -> tuple[str, str]:
    domain, root = target.domain(what)
    target.ask(make("PUT", f"/groups/{root}/{what}", {"domain": domain}, body=_all(what)))
    return domain, root


def _right(what: str, answer: Any) -> bool:
    if what == "links":
        return bool(answer["link"]["h5path"] == "/x")
    return bool(answer["value"] == [1, 2, 3, 4])


def workloads() -> tuple[Workload, ...]:
    return (
        Workload("links inserted", "1/s", COUNT, 1, written("links", at_once=False)),
        Workload("links inserted, 300 at once", "1/s", COUNT, 1, written("links", at_once=True)),
        Workload("links read", "1/s", COUNT, 1, read("links", at_once=False)),
        Workload("links read, 300 at once", "1/s", 5 * COUNT, 1, read("links", at_once=True)),
        Workload("attributes written", "1/s", COUNT, 1, written("attributes", at_once=False)),
        Workload("attributes written, 300 at once", "1/s", COUNT, 1, written("attributes", at_once=True)),
        Workload("attributes read", "1/s", COUNT, 1, read("attributes", at_once=False)),
        Workload("attributes read, 300 at once", "1/s", 5 * COUNT, 1, read("attributes", at_once=True)),
    )
