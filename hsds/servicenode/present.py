"""Stored JSON of groups, datasets and committed datatypes as clients see it: the superset for 0.9 and 1.x."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import isnan
from typing import Any

from hsds.hdf5.attribute import present_attribute
from hsds.hdf5.create import present_dataset
from hsds.hdf5.ids import collection_of
from hsds.hdf5.link import present_link
from hsds.hdf5.typejson import present_type
from hsds.servicenode.call import Call, Domain
from hsds.transport.ops import ObjectState

Json = dict[str, Any]

CLASSES = {"groups": "group", "datasets": "dataset", "datatypes": "datatype"}
"""The ``class`` that path lookups add, by collection."""

_GROUP_MEMBERS = ("id", "root", "created", "lastModified", "creationProperties")
_DATATYPE_MEMBERS = ("id", "root", "created", "lastModified", "type")


def object_json(
    domain: Domain,
    state: ObjectState,
    *,
    links: bool = False,
    attributes: bool = False,
    ignore_nan: bool = False,
) -> Json:
    """What GET of an object answers, without ``hrefs``. The maps must have been asked of the data node."""
    stored = state.json
    shown = _described(stored)
    collection = collection_of(stored["id"])
    if collection == "groups":
        shown |= {"linkCount": state.link_count, "bucket": domain.bucket}
        if links:
            shown["links"] = link_map(stored["links"])
    shown |= {"attributeCount": state.attribute_count, "domain": domain.path}
    if attributes:
        shown["attributes"] = attribute_map(stored["attributes"])
    if ignore_nan and _is_nan(shown.get("creationProperties", {}).get("fillValue")):
        shown["creationProperties"] = {**shown["creationProperties"], "fillValue": "nan"}
    return shown


def created_json(stored: Json) -> Json:
    """What POST answers for a new object."""
    shown = _described(stored)
    if collection_of(stored["id"]) == "groups":
        shown.pop("creationProperties", None)
        shown["linkCount"] = len(stored.get("links") or ())
    return shown | {"attributeCount": len(stored.get("attributes") or ())}


def link_map(links: Mapping[str, Json]) -> Json:
    """A group's links by title, in stored form except that external ones name their file under both keys."""
    return {title: _untitled(present_link(title, link)) for title, link in links.items()}


def attribute_map(attributes: Mapping[str, Json]) -> Json:
    """An object's attributes by name. h5pyd 1.x sends these entries back, so they hold nothing derived."""
    return {name: _unnamed(present_attribute(name, attribute)) for name, attribute in attributes.items()}


def object_hrefs(call: Call, object_id: str, root: str, *relations: str) -> list[Json]:
    """``self``, ``root``, ``home`` and, of the object's own, ``relations`` such as ``attributes``."""
    path = f"/{collection_of(object_id)}/{object_id}"
    own = [(relation, f"{path}/{relation}") for relation in relations]
    return call.hrefs([("self", path), *own, ("root", f"/groups/{root}"), ("home", "/")])


def member_relations(owner: str, path: str) -> list[tuple[str, str]]:
    """Relations of something that belongs to object ``owner``: its links, an attribute, ..."""
    own = f"/{collection_of(owner)}/{owner}"
    return [("self", f"{own}/{path}"), ("home", "/"), ("owner", own)]


def _described(stored: Json) -> Json:
    """An object without counts, links and attributes; ``creationProperties`` of types are not shown."""
    match collection_of(stored["id"]):
        case "datasets":
            return present_dataset(stored)
        case "groups":
            members = _GROUP_MEMBERS
        case "datatypes":
            members = _DATATYPE_MEMBERS
    shown = {member: stored[member] for member in members if member in stored}
    return shown | {"type": present_type(shown["type"])} if "type" in shown else shown


def _is_nan(value: Any) -> bool:
    return isinstance(value, float) and isnan(value)


def _untitled(link: Json) -> Json:
    return _without(link, ("title",))


def _unnamed(attribute: Json) -> Json:
    return _without(attribute, ("name",))


def _without(item: Json, members: Iterable[str]) -> Json:
    for member in members:
        item.pop(member, None)
    return item
