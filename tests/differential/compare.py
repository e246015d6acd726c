"""What differs between two answers to the same request.

Ids that a service chose, times, and the hosts of hrefs are not differences.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_plus

from tests.differential.draw import CHOSEN, CHOSEN_ROOT
from tests.differential.exchange import ABSENT, Answer, Request

_ID = re.compile(r"\b([gdt])-[0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{6}-[0-9a-f]{6}")
_MINTED = re.compile(_ID.pattern.replace("[0-9a-f]{4}", f"(?!{CHOSEN}|{CHOSEN_ROOT})[0-9a-f]{{4}}"))
_TIMES = {"created", "lastModified", "start_time"}
_HEADERS = ("Content-Type", "X-XSS-Protection", "Access-Control-Allow-Origin")
MISSING = "(missing)"


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference: ``where`` is ``status``, ``header NAME``, ``body``, or ``$.json.path[*]``."""

    request: Request
    where: str
    ours: Any
    theirs: Any
    answers: tuple[Answer, Answer]

    def __str__(self) -> str:
        ours, theirs = (str(value)[:300] for value in (self.ours, self.theirs))
        reasons = " | ".join(f"{answer.status} {answer.reason}" for answer in self.answers)
        return (
            f"{self.request}\n    {self.where}\n      ours: {ours}\n      HSDS: {theirs}\n      ({reasons})"
        )


def compare(
    request: Request, ours: Answer, theirs: Answer, kept: tuple[Mapping[str, str], ...]
) -> list[Difference]:
    """All differences. ``kept`` are the ids that each service chose, by the names that requests use."""
    both = (ours, theirs)

    def difference(where: str, one: Any, other: Any) -> Difference:
        return Difference(request, where, one, other, both)

    if ours.status != theirs.status:
        return [difference("status", ours.status, theirs.status)]
    found = [
        difference(f"header {name}", ours.headers.get(name), theirs.headers.get(name))
        for name in _HEADERS
        if ours.headers.get(name) != theirs.headers.get(name)
    ]
    if not ours.good:
        return found
    if ours.json is ABSENT or theirs.json is ABSENT:
        if ours.body != theirs.body and not ours.content_type.startswith("text/"):
            hits = "query" in request.params and sorted(ours.body) == sorted(theirs.body)
            found.append(difference("order" if hits else "body", ours.body, theirs.body))
        lengths = [answer.headers.get("Content-Length") for answer in both]
        if request.binary and lengths[0] != lengths[1]:
            found.append(difference("header Content-Length", *lengths))
        return found
    names = [{value: name for name, value in each.items()} for each in kept]
    values = [_named(answer.json, known) for answer, known in zip(both, names, strict=True)]
    if "query" in request.params and values[0] != values[1]:
        turned = [_sorted(value) for value in values]
        if _unordered(turned[0]) == _unordered(turned[1]) != ():
            found.append(difference("order", values[0], values[1]))
        values = turned
    seen: dict[str, Difference] = {}
    for where, one, other in _walk(values[0], values[1], "$"):
        seen.setdefault(where, difference(where, one, other))
    return found + list(seen.values())


_LISTS = ("value", "indices")
"""Where the answer to a query has its hits."""


def _sorted(answer: Any) -> Any:
    """The answer to a query with its hits in an order of our own."""
    if not isinstance(answer, dict):
        return answer
    hits = {name: sorted(answer[name], key=repr) for name in _LISTS if isinstance(answer.get(name), list)}
    return answer | hits


def _unordered(answer: Any) -> tuple[Any, ...]:
    return tuple(answer[name] for name in _LISTS if isinstance(answer, dict) and name in answer)


def _named(value: Any, names: Mapping[str, str]) -> Any:
    """JSON with kept ids replaced by their names."""
    match value:
        case dict():
            return {_named(key, names): _named(item, names) for key, item in value.items()}
        case list():
            return [_named(item, names) for item in value]
        case str():
            return _ID.sub(lambda match: f"@{names[match[0]]}@" if match[0] in names else match[0], value)
    return value


def _walk(ours: Any, theirs: Any, path: str) -> Iterator[tuple[str, Any, Any]]:
    match ours, theirs:
        case dict(), dict():
            for key in ours.keys() | theirs.keys():
                where = path + "." + _ID.sub(r"\1-*", key)
                one, other = ours.get(key, MISSING), theirs.get(key, MISSING)
                if key == "hrefs":
                    yield from _hrefs(one, other, where)
                elif key == "href" or key == "target":
                    if not _same(_link(one), _link(other)):
                        yield where, one, other
                elif not (key in _TIMES and _near(one, other)):
                    yield from _walk(one, other, where)
        case list(), list() if len(ours) == len(theirs):
            for one, other in zip(ours, theirs, strict=True):
                yield from _walk(one, other, f"{path}[*]")
        case _:
            if not _same(ours, theirs):
                yield path, ours, theirs


def _hrefs(ours: Any, theirs: Any, where: str) -> Iterator[tuple[str, Any, Any]]:
    if not (isinstance(ours, list) and isinstance(theirs, list)):
        if ours != theirs:
            yield where, ours, theirs
        return
    one, other = ({str(item.get("rel")): _link(item.get("href")) for item in each} for each in (ours, theirs))
    for rel in one.keys() | other.keys():
        if not _same(one.get(rel), other.get(rel)):
            yield f"{where}.{rel}", one.get(rel, MISSING), other.get(rel, MISSING)


def _link(href: Any) -> Any:
    """An href without its scheme and host."""
    return unquote_plus(re.sub(r"^[a-z+]+://[^/]*", "", href)) if isinstance(href, str) else href


def _near(one: Any, other: Any) -> bool:
    """Times that were taken from the clock for the same request."""
    numbers = (int, float)
    return isinstance(one, numbers) and isinstance(other, numbers) and abs(one - other) < 20


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, float) and isinstance(other, float) and math.isnan(one) and math.isnan(other):
        return True
    if isinstance(one, str) and isinstance(other, str):
        return _MINTED.sub(r"\1-*", one) == _MINTED.sub(r"\1-*", other)
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    return bool(one == other)
