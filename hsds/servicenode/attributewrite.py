"""Writing attributes: PUT and DELETE of one, and the batches over many objects that h5pyd sends."""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Sequence
from typing import Any

from aiohttp import web

from hsds.errors import InvalidInput
from hsds.hdf5.attribute import normalize_attribute
from hsds.hdf5.ids import Collection
from hsds.servicenode.call import Call, Domain
from hsds.servicenode.committed import committed_types, with_full_type
from hsds.servicenode.inputs import json_object, split_names
from hsds.servicenode.replies import json_reply
from hsds.servicenode.routes import routes_of_all
from hsds.servicenode.stamps import stamps
from hsds.transport.ops import UpdateAttributes

Json = dict[str, Any]
Assignment = tuple[list[str], dict[str, Json]]
"""Object ids, and the attributes by name that each of them is to get."""


async def put_attribute(call: Call, collection: Collection) -> web.StreamResponse:
    """PUT /{collection}/{id}/attributes/{name}; ``replace`` allows another value than the stored one."""
    domain = await call.file("create")
    owner, name = call.member(domain, call.path["id"], collection), call.path["name"]
    body = await call.body_object()
    committed = await committed_types(call, domain, [body.get("type")])
    rules = _time_rules(call, batch=False)
    attribute = normalize_attribute(with_full_type(body, committed), now=call.now, **rules)
    op = UpdateAttributes(domain.bucket, owner, {name: attribute}, replace=call.flag("replace"))
    changed = await call.ask(op)
    return json_reply({}, status=201 if changed else 200)


async def put_attributes(call: Call, collection: Collection) -> web.StreamResponse:
    """PUT /{collection}/{id}/attributes: the same attributes to one or several objects, or to each its own.

    All or nothing within an object. In the last form a changed value replaces the stored one (setting
    ``batch_attr_upsert``): it is h5pyd's only way to change an attribute, and h5pyd never says ``replace``.
    """
    domain = await call.file("create")
    owner = call.member(domain, call.path["id"], collection)
    body = await call.body_object()
    batch = isinstance(body.get("obj_ids"), dict)
    replace = call.flag("replace") or (batch and call.settings.batch_attr_upsert)
    requested = _requested(call, domain, owner, body)
    ops = [
        UpdateAttributes(domain.bucket, id_, put, replace=replace)
        for ids, put in await _normalized(call, domain, requested, batch=batch)
        for id_ in ids
        if put
    ]
    changed = await call.ask_all(ops)
    return json_reply({}, status=201 if any(changed) else 200)


async def delete_attribute(call: Call, collection: Collection) -> web.StreamResponse:
    """DELETE /{collection}/{id}/attributes/{name}; a missing one is as good as a deleted one."""
    await _delete(call, collection, (call.path["name"],))
    return json_reply({})


async def delete_attributes(call: Call, collection: Collection) -> web.StreamResponse:
    """DELETE /{collection}/{id}/attributes?attr_names=a/b, with another ``separator``, or all in base64."""
    joined = call.text("attr_names")
    if joined and call.text("encoding"):
        joined = _decoded(joined)
    await _delete(call, collection, split_names(joined, call.text("separator"), "attr_names"))
    return json_reply({"hrefs": []})


def _requested(call: Call, domain: Domain, owner: str, body: Json) -> list[Assignment]:
    """Attributes as sent, by name, each with the objects that are to get them."""
    match body.get("obj_ids"):
        case None if body.get("attributes"):
            return [([owner], _by_name(body))]
        case list(ids) if ids and body.get("attributes"):
            return [([call.member(domain, id_) for id_ in ids], _by_name(body))]
        case dict(ids) if ids:
            return [
                ([call.member(domain, id_)], _by_name(json_object(own, f"obj_ids of {id_}")))
                for id_, own in ids.items()
            ]
        case _:
            raise InvalidInput("no attributes provided")


def _by_name(body: Json) -> dict[str, Json]:
    attributes = json_object(body.get("attributes"), "attributes")
    return {name: json_object(item, f"attribute {name}") for name, item in attributes.items()}


async def _normalized(
    call: Call, domain: Domain, requested: Sequence[Assignment], *, batch: bool
) -> list[Assignment]:
    """The attributes in stored form; those without a time get one, strictly increasing."""
    types = [item.get("type") for _, attributes in requested for item in attributes.values()]
    committed = await committed_types(call, domain, types)
    created, rules = stamps(call.now), _time_rules(call, batch=batch)
    return [
        (
            ids,
            {
                name: normalize_attribute(with_full_type(item, committed), now=next(created), **rules)
                for name, item in attributes.items()
            },
        )
        for ids, attributes in requested
    ]


def _time_rules(call: Call, *, batch: bool) -> dict[str, float]:
    """Which times of clients count. h5pyd keeps a batch for half a minute or more, and sorts by its times:
    with HSDS's rule, 10 s, only the older ones of a batch would become new, and so come last.
    """
    settings = call.settings
    drift = settings.max_timestamp_drift
    predate = drift if batch else settings.predate_max_time
    return {"predate_max_time": predate, "max_timestamp_drift": drift}


async def _delete(call: Call, collection: Collection, names: tuple[str, ...]) -> None:
    domain = await call.file("delete")
    owner = call.member(domain, call.path["id"], collection)
    await call.ask(UpdateAttributes(domain.bucket, owner, {}, delete=names))


def _decoded(joined: str) -> str:
    try:
        return b64decode(joined, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise InvalidInput("attr_names is not base64 of UTF-8 text") from error


ROUTES = routes_of_all(
    [
        ("PUT", "/{id}/attributes", put_attributes),
        ("DELETE", "/{id}/attributes", delete_attributes),
        ("PUT", "/{id}/attributes/{name}", put_attribute),
        ("DELETE", "/{id}/attributes/{name}", delete_attribute),
    ]
)
