"""An attribute's value alone: GET and PUT, as JSON or as raw bytes."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from hsds.errors import InvalidInput
from hsds.hdf5.attribute import (
    attribute_from_bytes,
    attribute_value_array,
    attribute_value_bytes,
    normalize_attribute,
)
from hsds.hdf5.ids import Collection
from hsds.hdf5.jsonvalue import to_json
from hsds.hdf5.typeparse import parse_datatype
from hsds.servicenode.attributes import Form, attribute_path, find_attribute, get_attribute
from hsds.servicenode.call import Call
from hsds.servicenode.present import member_relations
from hsds.servicenode.replies import bytes_reply, json_reply
from hsds.servicenode.routes import routes_of_all
from hsds.transport.ops import UpdateAttributes

Json = dict[str, Any]


async def get_attribute_value(call: Call, collection: Collection) -> web.StreamResponse:
    """GET /{collection}/{id}/attributes/{name}/value. Types of variable size are only answered as JSON."""
    domain = await call.file("read")
    owner = call.member(domain, call.path["id"], collection)
    name, form = call.path["name"], Form.of(call, include_data=True)
    attribute = await find_attribute(call, domain, owner, name)
    _refuse_null(name, attribute)
    if call.wants_binary and not parse_datatype(attribute["type"]).variable:
        return bytes_reply(attribute_value_bytes(attribute))
    shown = form.show(name, attribute)
    reply: Json = {member: shown[member] for member in ("value", "encoding") if member in shown}
    root = ("root", f"/groups/{domain.root}")
    reply["hrefs"] = call.hrefs([*member_relations(owner, f"{attribute_path(name)}/value"), root])
    return json_reply(reply, ignore_nan=form.ignore_nan)


async def put_attribute_value(call: Call, collection: Collection) -> web.StreamResponse:
    """PUT /{collection}/{id}/attributes/{name}/value: all elements, as raw bytes or as ``value``."""
    domain = await call.file("update")
    owner, name = call.member(domain, call.path["id"], collection), call.path["name"]
    attribute = await find_attribute(call, domain, owner, name)
    _refuse_null(name, attribute)
    if call.has_binary_body:
        changed = attribute_from_bytes(attribute, await call.body())
    else:
        body = await call.body_object()
        if "value" not in body:
            raise InvalidInput("the body must have a value")
        declared = {"type": attribute["type"], "shape": attribute["shape"]}
        if body["value"] is None:  # zeros are asked for, not that it be unset
            zeros = attribute_value_array(declared)
            sent = {"value": to_json(zeros, parse_datatype(attribute["type"]))}
        else:
            sent = {"value": body["value"], "encoding": body.get("encoding")}
        changed = normalize_attribute(declared | sent, now=call.now)
    await call.ask(UpdateAttributes(domain.bucket, owner, {name: changed}, replace=True))
    return json_reply({})


def _refuse_null(name: str, attribute: Json) -> None:
    if attribute["shape"].get("class") == "H5S_NULL":
        raise InvalidInput(f"attribute {name} has a null dataspace and so no value")


ROUTES = routes_of_all(
    [
        ("GET", "/{id}/attributes/{name}/value", get_attribute_value),
        ("PUT", "/{id}/attributes/{name}/value", put_attribute_value),
        # H5Web does not encode names, and one attribute that fails costs it all of an object's; after /value
        ("GET", "/{id}/attributes/{name:.+}", get_attribute),
    ]
)
