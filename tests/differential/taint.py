"""What a request changes or shows: the consequences of one that only one service did are left out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tests.differential.exchange import Request

_COLLECTIONS = ("/groups", "/datasets", "/datatypes")
_PARTS = ("select", "fields", "append", "query", "points", "start", "regionref")


class Taint:
    """Paths of things that the two services may hold different states of, in one case.

    A thing is the path of its route: ``/groups/{id}`` stands for all that is below, too.
    """

    def __init__(self) -> None:
        self._paths: set[str] = set()

    def touches(self, request: Request) -> bool:
        """Whether a request shows or changes a thing that may differ."""
        return any(
            _below(path, thing) or _below(thing, path) for thing in self._paths for path in _things(request)
        )

    def add(self, request: Request) -> None:
        """Only one service did this."""
        if _changes(request):
            self._paths |= _things(request)

    def cure(self, request: Request) -> None:
        """Both did this: values that are written whole are the same again."""
        body = request.json if isinstance(request.json, dict) else {}
        partial = any(name in request.params or name in body for name in _PARTS)
        if request.method == "PUT" and request.path.endswith("/value") and not partial:
            self._paths.discard(request.path)

    def cures(self, request: Request) -> bool:
        """Whether it would, and is therefore sent."""
        return request.method == "PUT" and request.path in self._paths and request.path.endswith("/value")


def _changes(request: Request) -> bool:
    reads = request.method == "POST" and request.path not in _COLLECTIONS
    return request.method in ("PUT", "POST", "DELETE") and not reads


def _below(path: str, other: str) -> bool:
    return other in ("/", path) or path.startswith(f"{other}/")


def _things(request: Request) -> set[str]:
    path, body = request.path, request.json
    if request.method == "POST" and path in _COLLECTIONS:
        items = body if isinstance(body, list) else [body]
        return {thing for item in items if isinstance(item, dict) for thing in _created(path, item)}
    kind = path.rpartition("/")[2]
    if request.method == "PUT" and kind in ("links", "attributes") and isinstance(body, dict):
        return set(_batch(path, kind, body))
    if request.method == "PUT" and (path.endswith("/shape") or "append" in request.params):
        return {path.rpartition("/")[0]}
    if request.method == "PUT" and isinstance(body, dict) and "append" in body:
        return {path.rpartition("/")[0]}
    return {path}


def _created(path: str, item: dict[str, Any]) -> Iterable[str]:
    if isinstance(item.get("id"), str):
        yield f"{path}/{item['id']}"
    match item.get("link"):
        case {"id": str(parent), "name": str(name)}:
            yield f"/groups/{parent}/links/{name}"
    if "h5path" in item:
        yield "/groups"


def _batch(path: str, kind: str, body: dict[str, Any]) -> Iterable[str]:
    """Each name in a body of many links or attributes, wherever it goes."""
    many = body.get("grp_ids" if kind == "links" else "obj_ids")
    names = body.get(kind)
    for name in names if isinstance(names, dict) else ():
        if many is None:
            yield f"{path}/{name}"
        for id_ in many if isinstance(many, list) else ():
            yield f"/{_collection(id_)}/{id_}/{kind}/{name}"
    for id_, entry in many.items() if isinstance(many, dict) else ():
        inner = entry.get(kind) if isinstance(entry, dict) else None
        for name in inner if isinstance(inner, dict) else ():
            yield f"/{_collection(id_)}/{id_}/{kind}/{name}"


def _collection(id_: Any) -> str:
    return {"g": "groups", "d": "datasets", "t": "datatypes"}.get(str(id_)[:1], "none")
