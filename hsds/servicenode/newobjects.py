"""Body items of POST /groups, /datasets and /datatypes, checked and turned into what is to be stored."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from hsds.config import Settings
from hsds.errors import InvalidInput
from hsds.hdf5.create import new_dataset, new_datatype, new_group
from hsds.hdf5.created import TimeRules
from hsds.hdf5.dataset import DatasetSpec
from hsds.hdf5.dataspace import Dataspace
from hsds.hdf5.ids import Collection, new_object_id
from hsds.hdf5.jsonvalue import from_json
from hsds.hdf5.layout import LayoutLimits
from hsds.hdf5.link import check_title
from hsds.hdf5.paging import check_chunks
from hsds.hdf5.selection import whole
from hsds.servicenode.call import Call, Domain
from hsds.servicenode.committed import committed_types, with_full_type
from hsds.servicenode.inputs import json_object
from hsds.transport.ops import WriteChunks

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class NewObject:
    """A body item and what becomes of it."""

    item: Json
    json: Json
    """As it is to be stored."""
    minted: bool
    """Whether the server chose the id: then nobody can know of the object before the answer."""

    @property
    def id(self) -> str:
        return str(self.json["id"])


async def new_objects(
    call: Call, domain: Domain, collection: Collection, body: Any, created: Iterator[float]
) -> list[NewObject]:
    """The objects of a body: an object, a list of them, or nothing (an empty group).

    Raises ``InvalidInput`` for the first item that cannot be, ``NotFound`` for an unknown committed type.
    """
    listed = isinstance(body, list)
    items = body if listed else [{} if body is None else body]
    if not items:
        if collection != "groups":
            raise InvalidInput(f"the list of {collection} to create is empty")
        items = [{}]
    items = [json_object(item, "what to create") for item in items]
    committed = await committed_types(call, domain, (type_ for item in items for type_ in _types(item)))
    make = _maker(collection, call.settings, listed=listed)
    new = []
    for item in items:
        minted = item.get("id") is None
        id_ = (
            new_object_id(domain.root, collection) if minted else call.member(domain, item["id"], collection)
        )
        complete = {
            **with_full_type(item, committed),
            "attributes": _attributes(item, committed, created),
            "links": _stamped(item.get("links"), created),
        }
        json = make(complete, domain.root, id_, next(created))
        for title, link in json.get("links", {}).items():
            check_title(title)
            if "id" in link:
                call.member(domain, link["id"])
        new.append(NewObject(item, json, minted))
    twice = [id_ for id_, count in Counter(each.id for each in new).items() if count > 1]
    if twice:
        raise InvalidInput(f"id {twice[0]} stands twice in the list")
    return new


def initial_value(domain: Domain, new: NewObject) -> WriteChunks | None:
    """The write of a dataset's initial ``value``, if its body has one (an empty list counts as none)."""
    value = new.item.get("value")
    if value is None or value == [] or "shape" not in new.json:
        return None
    space = Dataspace.from_json(new.json["shape"])
    if space.kind == "null":
        raise InvalidInput("a dataset with a null dataspace has no value")
    spec = DatasetSpec.from_json(new.json)
    spec.check_values()
    check_chunks(whole(space.extents), spec.chunk_shape)
    data = from_json(value, spec.datatype, space.extents)
    return WriteChunks(domain.bucket, spec, whole(space.extents), data)


def _maker(
    collection: Collection, settings: Settings, *, listed: bool
) -> Callable[[Json, str, str, float], Json]:
    """What makes stored JSON of an item, the root's id, the object's id and the time."""
    times = time_rules(settings)
    match collection:
        case "groups":
            return partial(new_group, times=times)
        case "datatypes":
            return partial(new_datatype, times=times)
        case "datasets":
            limits = LayoutLimits(
                min_chunk_size=settings.min_chunk_size,
                max_chunk_size=settings.max_chunk_size,
                max_compact_size=settings.max_compact_dset_size,
                max_chunk_memory=settings.chunk_mem_cache_size,
                max_chunks_per_folder=settings.max_chunks_per_folder,
            )
            # h5pyd 1.x, which spells null dataspaces by leaving out shape and layout, sends nothing but lists
            infer = listed and settings.infer_null_space
            return partial(new_dataset, limits=limits, infer_null_space=infer, times=times)


def time_rules(settings: Settings) -> TimeRules:
    """Which creation times of clients count for what comes with a new object."""
    return TimeRules(settings.predate_max_time, settings.max_timestamp_drift)


def _types(item: Json) -> Iterator[Any]:
    """The item's own type and those of its attributes, as sent."""
    yield item.get("type")
    attributes = item.get("attributes")
    if isinstance(attributes, dict):
        yield from (attribute.get("type") for attribute in attributes.values() if isinstance(attribute, dict))


def _attributes(item: Json, committed: Mapping[str, Json], created: Iterator[float]) -> Any:
    """Initial attributes with their types in full; ``hdf5.create`` is to refuse what is malformed."""
    attributes = _stamped(item.get("attributes"), created)
    if not committed or not isinstance(attributes, dict):
        return attributes
    return {
        name: with_full_type(attribute, committed) if isinstance(attribute, dict) else attribute
        for name, attribute in attributes.items()
    }


def _stamped(members: Any, created: Iterator[float]) -> Any:
    """Initial attributes or links, each with a creation time of its own where the client gave none."""
    if not isinstance(members, dict):
        return members
    return {
        name: {"created": next(created), **member} if isinstance(member, dict) else member
        for name, member in members.items()
    }
