"""GET and DELETE of one object, by id or by path: the same for groups, datasets and committed datatypes."""

from __future__ import annotations

from aiohttp import web

from hsds.errors import Deleted, InvalidInput, NotFound, NotPermitted
from hsds.hdf5.dataspace import Dataspace
from hsds.hdf5.ids import Collection
from hsds.hdf5.typeparse import parse_datatype
from hsds.servicenode.call import Call, Domain
from hsds.servicenode.crawl import find_alias
from hsds.servicenode.early import ask_early
from hsds.servicenode.paths import resolve_path
from hsds.servicenode.present import Json, object_hrefs, object_json
from hsds.servicenode.replies import json_reply
from hsds.transport.ops import DeleteObject, GetDatasetStats, GetObject

_RELATIONS = {"groups": ("links", "attributes"), "datasets": ("attributes",), "datatypes": ("attributes",)}

MAX_DATA_ELEMENTS = 100
"""Datasets up to this size are offered whole (``data``) in hrefs, larger ones by a ``preview``."""


async def get_object(call: Call, collection: Collection) -> web.StreamResponse:
    """GET /{collection}/{id}, for groups also with an ``h5path`` that starts there."""
    h5path = call.text("h5path")
    if not h5path:
        await ask_early(
            call, collection, GetObject(call.target()[0], call.path["id"], *_included(call, collection))
        )
    domain = await call.file("read")
    object_id = call.member(domain, call.path["id"], collection)
    if h5path and collection == "groups":
        object_id = await id_at_path(call, domain, h5path, object_id, collection)
    return await _reply(call, domain, object_id, collection)


async def get_object_at_path(call: Call, collection: Collection) -> web.StreamResponse:
    """GET /{collection}/?h5path=, absolute or from the group ``grpid``."""
    domain = await call.file("read")
    h5path, group = call.text("h5path"), call.text("grpid")
    if not h5path:
        raise InvalidInput(f"GET /{collection}/ needs an h5path")
    if group:
        group = call.member(domain, group, "groups")
    elif not h5path.startswith("/"):
        raise InvalidInput(f"h5path {h5path} is relative, so grpid must say from which group")
    object_id = await id_at_path(call, domain, h5path, group or None, collection)
    return await _reply(call, domain, object_id, collection)


async def delete_object(call: Call, collection: Collection) -> web.StreamResponse:
    """DELETE /{collection}/{id}. Links to it stay."""
    domain = await call.file("delete")
    object_id = call.member(domain, call.path["id"], collection)
    if object_id == domain.root:
        raise NotPermitted("the root group cannot be deleted, only its domain")
    await call.ask(DeleteObject(domain.bucket, object_id))
    return json_reply({})


async def id_at_path(
    call: Call, domain: Domain, h5path: str, start: str | None, collection: Collection
) -> str:
    """The id of the object of ``collection`` at ``h5path``. Soft and external links are not followed."""
    found = await resolve_path(call, domain, h5path, start)
    if found.collection != collection:
        # Clients know 410 for a datatype path that leads elsewhere, and 404 for the others.
        error = Deleted if collection == "datatypes" else NotFound
        raise error(f"{h5path} is one of the {found.collection}, not of the {collection}")
    return found.id


async def _reply(call: Call, domain: Domain, object_id: str, collection: Collection) -> web.StreamResponse:
    (links, attributes), ignore_nan = _included(call, collection), call.flag("ignore_nan")
    state = await call.object(domain, object_id, collection, links=links, attributes=attributes)
    shown = object_json(domain, state, links=links, attributes=attributes, ignore_nan=ignore_nan)
    if call.flag("getalias"):
        shown["alias"] = await find_alias(call, domain, object_id)
    shown["hrefs"] = object_hrefs(call, object_id, domain.root, *_RELATIONS[collection])
    if collection == "datasets":
        shown["hrefs"] += _value_hrefs(call, shown)
        if call.flag("verbose"):
            shown |= await _allocation(call, domain, shown)
    return json_reply(shown, ignore_nan=ignore_nan)


def _included(call: Call, collection: Collection) -> tuple[bool, bool]:
    """Whether links and attributes are to be shown."""
    return collection == "groups" and call.flag("include_links"), call.flag("include_attrs")


async def _allocation(call: Call, domain: Domain, dataset: Json) -> Json:
    """What is stored of a dataset. Writing values moves its ``lastModified`` here, as a scan by HSDS does."""
    await call.flush(domain.bucket, domain.root)
    stats = await call.ask(GetDatasetStats(domain.bucket, domain.root, dataset["id"]))
    datatype = parse_datatype(dataset["type"])
    logical = Dataspace.from_json(dataset["shape"]).npoints * datatype.itemsize
    return {
        "num_chunks": stats.num_chunks,
        "allocated_size": stats.allocated_bytes,
        "logical_size": stats.allocated_bytes if datatype.variable else logical,
        "lastModified": max(dataset["lastModified"], stats.last_modified),
    }


def _value_hrefs(call: Call, dataset: Json) -> list[Json]:
    """Where the elements are: all of a small dataset, the first ones of another."""
    space = Dataspace.from_json(dataset["shape"])
    if space.kind == "null":
        return []
    href = call.href(f"/datasets/{dataset['id']}/value")
    if space.npoints <= MAX_DATA_ELEMENTS:
        return [{"rel": "data", "href": href}]
    stops = [1] * (space.rank - 1) + [min(space.dims[-1], MAX_DATA_ELEMENTS)]
    select = ",".join(f"0:{stop}" for stop in stops)
    return [{"rel": "preview", "href": f"{href}{'&' if '?' in href else '?'}select=[{select}]"}]
