"""Writing attributes: PUT and DELETE of one, and the batches over many objects that h5pyd sends."""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Iterator
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


async def put_attribute(call: Call, collection: Collection) -> web.StreamResponse:
    """PUT /{collection}/{id}/attributes/{name}; ``replace`` allows another value than the stored one."""
    domain = await call.file("create")
    owner, name = call.member(domain, call.path["id"], collection), call.path["name"]
    body = await call.body_object()
    put = await normalized_attributes(call, domain, {name: body}, stamps(call.now))
    op = UpdateAttributes(domain.bucket, owner, put, replace=call.flag("replace"))
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
    upsert = isinstance(body.get("obj_ids"), dict) and call.settings.batch_attr_upsert
    replace = upsert or call.flag("replace")
    updates = await _updates(call, domain, owner, body)
    ops = [UpdateAttributes(domain.bucket, id_, put, replace=replace) for id_, put in updates.items() if put]
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


async def normalized_attributes(
    call: Call, domain: Domain, attributes: Any, created: Iterator[float]
) -> dict[str, Json]:
    """A request's attributes in stored form; those without a time of their own get one from ``created``."""
    attributes = json_object(attributes, "attributes")
    items = {name: json_object(item, f"attribute {name}") for name, item in attributes.items()}
    committed = await committed_types(call, domain, (item.get("type") for item in items.values()))
    return {
        name: normalize_attribute(with_full_type(item, committed), now=next(created))
        for name, item in items.items()
    }


async def _updates(call: Call, domain: Domain, owner: str, body: Json) -> dict[str, dict[str, Json]]:
    created = stamps(call.now)
    match body.get("obj_ids"):
        case None if body.get("attributes"):
            return {owner: await normalized_attributes(call, domain, body["attributes"], created)}
        case list(ids) if ids and body.get("attributes"):
            shared = await normalized_attributes(call, domain, body["attributes"], created)
            return {call.member(domain, id_): shared for id_ in ids}
        case dict(ids) if ids:
            return {
                call.member(domain, id_): await normalized_attributes(
                    call, domain, json_object(own, f"obj_ids of {id_}").get("attributes"), created
                )
                for id_, own in ids.items()
            }
        case _:
            raise InvalidInput("no attributes provided")


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
