"""Reading attributes of groups, datasets and committed datatypes: all, one, or those of several objects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

from aiohttp import web

from hsds.errors import InvalidInput
from hsds.hdf5.attribute import present_attribute
from hsds.hdf5.ids import Collection, collection_of
from hsds.servicenode.call import Call, Domain
from hsds.servicenode.crawl import reachable
from hsds.servicenode.early import ask_early
from hsds.servicenode.inputs import text_list
from hsds.servicenode.paging import Paging
from hsds.servicenode.present import member_relations
from hsds.servicenode.replies import json_reply
from hsds.servicenode.routes import routes_of_all
from hsds.servicenode.several import Names, list_several
from hsds.transport.ops import GetAttributes

Json = dict[str, Any]
Attributes = Sequence[tuple[str, Json]]


@dataclass(frozen=True, slots=True)
class Form:
    """How attributes are to be shown."""

    include_data: bool
    ignore_nan: bool
    base64: bool
    """Values as base64 of their bytes, where the type has a fixed size."""
    max_data_size: int
    """Values larger than this are left out; 0 for no limit."""

    @classmethod
    def of(cls, call: Call, *, include_data: bool) -> Form:
        """What the query string asks for; ``include_data`` is the default of the route."""
        encoding = call.text("encoding")
        if encoding not in {None, "", "base64"}:
            raise InvalidInput(f"encoding must be base64, got {encoding}")
        return cls(
            include_data=include_data if call.text("IncludeData") is None else call.flag("IncludeData"),
            ignore_nan=call.flag("ignore_nan"),
            base64=bool(encoding),
            max_data_size=call.integer("max_data_size", 0),
        )

    def show(self, name: str, attribute: Json) -> Json:
        """The attribute as JSON, without hrefs."""
        return present_attribute(
            name,
            attribute,
            include_data=self.include_data,
            encoding="base64" if self.base64 else None,
            max_data_size=self.max_data_size,
        )


async def get_attributes(call: Call, collection: Collection) -> web.StreamResponse:
    """GET /{collection}/{id}/attributes; with ``follow_links`` those of all objects below a group, by id."""
    domain = await call.file("read")
    owner = call.member(domain, call.path["id"], collection)
    page, form = Paging.of(call), Form.of(call, include_data=False)
    if call.flag("follow_links") and collection == "groups":
        objects = dict.fromkeys(await reachable(call, domain, owner))
        found = await _list_objects(call, domain, objects, page, dangling=True)
        shown: Any = {id_: [form.show(*item) for item in items] for id_, items in found.items()}
    else:
        shown = _items(call, form, owner, (await call.ask(_page(domain, owner, page))).attributes)
    hrefs = call.hrefs(member_relations(owner, "attributes"))
    return json_reply({"attributes": shown, "hrefs": hrefs}, ignore_nan=form.ignore_nan)


async def post_attributes(call: Call, collection: Collection) -> web.StreamResponse:
    """POST /{collection}/{id}/attributes: those of some names, or of several objects."""
    domain = await call.file("read")
    owner = call.member(domain, call.path["id"], collection)
    wanted = _wanted(call, domain, owner, await call.body_object())
    form = Form.of(call, include_data=False)
    page = replace(Paging.of(call), limit=0, marker=None)  # what is asked for by name has no pages
    found = await _list_objects(call, domain, wanted, page)
    if len(wanted) == 1:
        ((only, items),) = found.items()
        shown: Any = _items(call, form, only, items)
    else:
        shown = {id_: [form.show(*item) for item in items] for id_, items in found.items()}
    hrefs = call.hrefs(member_relations(owner, "attributes"))
    return json_reply({"attributes": shown, "hrefs": hrefs}, ignore_nan=form.ignore_nan)


async def get_attribute(call: Call, collection: Collection) -> web.StreamResponse:
    """GET /{collection}/{id}/attributes/{name}."""
    likely = GetAttributes(call.target()[0], call.path["id"], names=(call.path["name"],))
    await ask_early(call, collection, likely)
    domain = await call.file("read")
    owner = call.member(domain, call.path["id"], collection)
    name, form = call.path["name"], Form.of(call, include_data=True)
    attribute = await find_attribute(call, domain, owner, name)
    shown = form.show(name, attribute)
    shown["lastModified"] = shown.get("created")
    shown["hrefs"] = call.hrefs(member_relations(owner, attribute_path(name)))
    return json_reply(shown, ignore_nan=form.ignore_nan)


async def find_attribute(call: Call, domain: Domain, owner: str, name: str) -> Json:
    """The stored attribute; ``NotFound`` (``Deleted``) if there is none."""
    page = await call.ask(GetAttributes(domain.bucket, owner, names=(name,)))
    return page.attributes[0][1]


def attribute_path(name: str) -> str:
    """Where an attribute is, below its object."""
    return f"attributes/{quote(name, safe='')}"


def _wanted(call: Call, domain: Domain, owner: str, body: Json) -> dict[str, Names]:
    """Object id -> names, or None for all attributes. Names beside a *list* of objects never counted."""
    match body.get("obj_ids"):
        case None if "attr_names" in body:
            return {owner: text_list(body["attr_names"], "attr_names")}
        case list(ids) if ids:
            return {call.member(domain, id_): None for id_ in ids}
        case dict(ids) if ids:
            return {
                call.member(domain, id_): None if names is None else text_list(names, f"names of {id_}")
                for id_, names in ids.items()
            }
        case None:
            raise InvalidInput("the body must have attr_names or obj_ids")
        case _:
            raise InvalidInput(
                "obj_ids must be a list of object ids, or an object with their attribute names"
            )


def _page(domain: Domain, owner: str, page: Paging, names: Names = None) -> GetAttributes:
    return GetAttributes(
        domain.bucket,
        owner,
        names=names,
        pattern=None if names else page.pattern,
        marker=None if names else page.marker,
        limit=page.limit,
        creation_order=page.creation_order,
    )


async def _list_objects(
    call: Call, domain: Domain, wanted: Mapping[str, Names], page: Paging, *, dangling: bool = False
) -> dict[str, Attributes]:
    """Attributes of several objects, no more than ``page.limit`` in all; ``dangling``: some may not exist."""
    return await list_several(
        call,
        wanted,
        page,
        op=lambda owner, names: _page(domain, owner, page, names),
        items=lambda answer: answer.attributes,
        dangling=dangling,
    )


def _items(call: Call, form: Form, owner: str, attributes: Attributes) -> list[Json]:
    base = f"/{collection_of(owner)}/{owner}"
    return [
        form.show(name, attribute) | {"href": call.href(f"{base}/{attribute_path(name)}")}
        for name, attribute in attributes
    ]


ROUTES = routes_of_all(
    [
        ("GET", "/{id}/attributes", get_attributes),
        ("POST", "/{id}/attributes", post_attributes),
        ("GET", "/{id}/attributes/{name}", get_attribute),
    ]
)
