"""Where new objects go: their ``link`` or ``h5path`` becomes links to put and groups to make on the way."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from hsds.errors import Conflict, HsdsError, InvalidInput, NotFound, Unavailable
from hsds.hdf5.create import new_group
from hsds.hdf5.ids import collection_of, new_object_id
from hsds.hdf5.link import check_title, normalize_link
from hsds.servicenode.call import Call, Domain
from hsds.servicenode.crawl import hard_target
from hsds.servicenode.inputs import json_object
from hsds.servicenode.paths import find_link, path_names
from hsds.transport.ops import CreateObject, DeleteObject, UpdateLinks

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Unplaced:
    """Links that could not be put."""

    error: HsdsError
    ids: frozenset[str]
    """What those that were refused, and links below them, were to lead to."""


class Placement:
    """The links of one POST. Items may lie in one another: paths of earlier items count for later ones."""

    def __init__(self, call: Call, domain: Domain, *, implicit: bool) -> None:
        self._call = call
        self._domain = domain
        self._implicit = implicit
        self._groups: dict[str, Json] = {}
        self._links: dict[str, dict[str, str]] = defaultdict(dict)

    @property
    def makes_groups(self) -> bool:
        """Whether intermediate groups are to be made."""
        return bool(self._groups)

    async def add(self, item: Json, object_id: str, created: Iterator[float]) -> None:
        """Plan the link of a body item, if it asks for one."""
        link, h5path = item.get("link"), item.get("h5path")
        if link is not None and h5path is not None:
            raise InvalidInput("link and h5path do not go together")
        if link is not None:
            link = json_object(link, "link")
            self._put(self._call.member(self._domain, link.get("id"), "groups"), link.get("name"), object_id)
        elif h5path is not None:
            parent, title = await self._parent(h5path, item.get("parent_id"), created)
            self._put(parent, title, object_id)

    async def apply(self, created: Iterator[float]) -> Unplaced | None:
        """Make the groups, then put the links, all or nothing within a group that gets some.

        Groups that were refused a link, and those in them, are deleted again. Where it is unknown whether
        there is a link now, what it leads to stays.
        """
        bucket = self._domain.bucket
        await self._call.ask_all([CreateObject(bucket, id_, json) for id_, json in self._groups.items()])
        updates = [
            UpdateLinks(bucket, parent, {title: _hard(id_, next(created)) for title, id_ in links.items()})
            for parent, links in self._links.items()
        ]
        results = await self._call.node.nodes.settle(updates, self._call.trace)
        failed = {
            update.id: result
            for update, result in zip(updates, results, strict=True)
            if isinstance(result, HsdsError)
        }
        if not failed:
            return None
        refused = [id_ for id_, error in failed.items() if not isinstance(error, Unavailable)]
        unplaced = self._below(refused)
        await self._call.ask_all([DeleteObject(bucket, id_) for id_ in unplaced if id_ in self._groups])
        return Unplaced(next(iter(failed.values())), unplaced)

    def _below(self, groups: Iterable[str]) -> frozenset[str]:
        """What the planned links lead to from ``groups``."""
        found: set[str] = set()
        below = [child for group in groups for child in self._links[group].values()]
        while below:
            child = below.pop()
            if child not in found:
                found.add(child)
                below.extend(self._links[child].values() if child in self._links else ())
        return frozenset(found)

    async def _parent(self, h5path: Any, parent_id: Any, created: Iterator[float]) -> tuple[str, str]:
        """The group that is to hold the last link of a path, and that link's title."""
        place = (
            self._domain.root if parent_id is None else self._call.member(self._domain, parent_id, "groups")
        )
        names = path_names(h5path) if isinstance(h5path, str) else []
        if not names:
            raise InvalidInput("h5path must be a path with at least one name")
        if h5path.startswith("/") and place != self._domain.root:
            raise InvalidInput(f"h5path {h5path} is absolute, so parent_id must be the root group")
        for name in names[:-1]:
            place = await self._child(place, name, created)
        return place, names[-1]

    async def _child(self, group: str, name: str, created: Iterator[float]) -> str:
        """The group that ``name`` leads to, made if it is missing and that was asked for."""
        planned = self._links[group].get(name) if group in self._links else None
        child = planned or await self._stored_child(group, name)
        if child is None:
            if not self._implicit:
                raise NotFound(f"no link {name} in {group}")
            root = self._domain.root
            child = new_object_id(root, "groups")
            self._groups[child] = new_group({}, root, child, next(created))
            self._put(group, name, child)
        if collection_of(child) != "groups":
            raise InvalidInput(f"{name} is on the path, but is one of the {collection_of(child)}")
        return child

    async def _stored_child(self, group: str, name: str) -> str | None:
        if group in self._groups:
            return None
        try:
            link = await find_link(self._call, self._domain, group, name)
        except NotFound:
            return None
        child = hard_target(self._domain, link)
        if child is None:
            raise InvalidInput(f"{name} is on the path, but is a link of class {link.get('class')}")
        return child

    def _put(self, parent: str, title: Any, object_id: str) -> None:
        title = check_title(title)
        if self._links[parent].setdefault(title, object_id) != object_id:
            raise Conflict(f"two links {title} for group {parent} in one request")


def _hard(object_id: str, now: float) -> Json:
    return normalize_link({"id": object_id}, now=now)
