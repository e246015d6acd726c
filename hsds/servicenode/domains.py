"""``GET /`` and ``POST /``: a domain or folder, and objects in it by their HDF5 path."""

from __future__ import annotations

import asyncio
from typing import Any

from aiohttp import web

from hsds.errors import InvalidInput, NotFound
from hsds.servicenode.call import Call, Route
from hsds.servicenode.domain import Domain, parent_of
from hsds.servicenode.domainjson import DN_IDS, abilities, domain_json, statistics
from hsds.servicenode.folders import list_folder
from hsds.servicenode.homes import is_own_home, make_home
from hsds.servicenode.paths import Resolved, resolve_path
from hsds.servicenode.present import CLASSES, object_hrefs, object_json
from hsds.servicenode.replies import json_reply
from hsds.transport.ops import GetObject

Json = dict[str, Any]


async def get_domain(call: Call) -> web.StreamResponse:
    """A domain or folder; with ``h5path`` an object of it; without a domain the top-level folders."""
    if not call.domain_text:
        if call.text("host"):
            raise InvalidInput("No domain given: the parameter host is obsolete, use domain=/path")
        return await list_folder(call)
    h5path = call.text("h5path")
    if h5path:
        domain = await call.file("read")
        return json_reply(await _by_path(call, domain, h5path), ignore_nan=call.flag("ignore_nan"))
    # getobjs is not honoured: h5pyd 1.x never refreshes what it is told there, and both clients do without
    domain = await _domain(call)
    data = domain_json(domain) if domain.is_folder else domain_json(domain) | abilities(call)
    if call.flag("verbose") and not domain.is_folder:
        (counts,) = await statistics(call, [domain], scan=True)
        data |= counts
    if call.flag("getdnids"):
        data["dn_ids"] = DN_IDS
    data["hrefs"] = _hrefs(call, domain)
    return json_reply(data)


async def _domain(call: Call) -> Domain:
    """The domain or folder. One's own home is made: clients look for it before their first write there."""
    try:
        return await call.domain("read")
    except NotFound:
        bucket, path = call.target()
        if not is_own_home(call, bucket, path):
            raise
        return await make_home(call, bucket, path)


async def post_domain(call: Call) -> web.StreamResponse:
    """Several objects by the HDF5 paths in the body; one that is missing fails the request."""
    body = await call.body_object()
    h5paths = body.get("h5paths")
    if not isinstance(h5paths, list) or not all(isinstance(path, str) for path in h5paths):
        raise InvalidInput("Body has no list of texts under h5paths")
    domain = await call.file("read")
    found = await asyncio.gather(*(_by_path(call, domain, path) for path in h5paths))
    data: Json = {"h5paths": dict(zip(h5paths, found, strict=True))}
    if call.flag("getdnids"):
        data["dn_ids"] = DN_IDS
    return json_reply(data, ignore_nan=call.flag("ignore_nan"))


async def _by_path(call: Call, domain: Domain, h5path: str) -> Json:
    start = call.text("parent_id") or domain.root
    call.member(domain, start, "groups")
    found = await resolve_path(
        call,
        domain,
        h5path,
        start,
        follow_soft=call.flag("follow_soft_links"),
        follow_external=call.flag("follow_external_links"),
    )
    return await _describe(call, found)


async def _describe(call: Call, found: Resolved) -> Json:
    links = found.collection == "groups" and call.flag("include_links")
    attributes = call.flag("include_attrs")
    domain = found.domain
    state = await call.ask(GetObject(domain.bucket, found.id, links=links, attributes=attributes))
    data = object_json(domain, state, links=links, attributes=attributes, ignore_nan=call.flag("ignore_nan"))
    data["class"] = CLASSES[found.collection]
    data["domain"] = domain.path
    data["hrefs"] = object_hrefs(call, found.id, domain.root, "attributes")
    return data


def _hrefs(call: Call, domain: Domain) -> list[dict[str, str]]:
    if domain.is_folder:
        relations = [("self", "/"), ("domains", "/domains"), ("acls", "/acls")]
    else:
        relations = [
            ("self", "/"),
            ("database", "/datasets"),
            ("groupbase", "/groups"),
            ("typebase", "/datatypes"),
            ("root", f"/groups/{domain.root}"),
            ("acls", "/acls"),
        ]
    hrefs = call.hrefs(relations)
    parent = parent_of(domain.path)
    if parent != "/":
        hrefs.append({"rel": "parent", "href": call.domain_href(parent)})
    return hrefs


ROUTES: tuple[Route, ...] = (("GET", "/", get_domain), ("POST", "/", post_domain))
