"""``PUT /``: makes domains and folders; also flush and rescan, which HSDS put on the same method."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from hsds.errors import Conflict, InvalidInput, NotAuthenticated, NotFound, NotPermitted
from hsds.hdf5.create import new_group
from hsds.hdf5.ids import check_id, is_root, new_root_id
from hsds.servicenode.call import Call, Route
from hsds.servicenode.domain import Domain, parent_of, parse_domain
from hsds.servicenode.domainjson import DN_IDS, abilities
from hsds.servicenode.homes import admins_of, make_home, may_have_home
from hsds.servicenode.newobjects import time_rules
from hsds.servicenode.permissions import check_name, inherited, require
from hsds.servicenode.replies import empty_reply, json_reply
from hsds.transport.ops import CreateDomain, CreateObject, DeleteRoot, GetDomain, Rescan

Json = dict[str, Any]


async def put_domain(call: Call) -> web.StreamResponse:
    """Make a domain or folder, or flush or rescan one."""
    body = await call.body_object(required=False)
    flush, rescan = call.asked(body, "flush"), call.asked(body, "rescan")
    if flush or rescan:
        return await _flush(call, rescan=rescan, ids=call.asked(body, "getdnids"))
    return await _create(call, body)


async def _flush(call: Call, *, rescan: bool, ids: bool) -> web.StreamResponse:
    """Answer when everything written is stored, and where asked for HSDS's scan result of it too."""
    domain = await call.domain("update")
    if domain.is_folder:
        if rescan:
            raise InvalidInput(f"{domain.path} is a folder, which has nothing to rescan")
    else:
        await call.flush(domain.bucket, domain.root)
        if rescan:
            await call.ask(Rescan(domain.bucket, domain.root))
    return json_reply({"dn_ids": DN_IDS}) if ids else empty_reply()


async def _create(call: Call, body: Json) -> web.StreamResponse:
    bucket, path = call.target("create")
    owner = _owner(call, body)
    parent = await _parent(call, bucket, path)
    await _refuse_existing(call, bucket, path)
    folder = call.asked({"folder": False} | body, "folder")
    json: Json = {
        "owner": owner,
        "acls": inherited(
            parent.acls if parent is not None else {},
            owner=owner,
            folder=folder,
            public=call.settings.default_public,
            admins=admins_of(call.node),
        ),
        "created": call.now,
        "lastModified": call.now,
    }
    if folder:
        await call.ask(CreateDomain(bucket, path, json))
    elif body.get("linked_domain"):
        json = {"root": await _linked_root(call, body, bucket), **json}
        await call.ask(CreateDomain(bucket, path, json))
    else:
        json = {"root": _root_id(body), **json}
        await _create_with_root(call, CreateDomain(bucket, path, json), body)
    data = json | abilities(call)
    if call.asked(body, "getdnids"):
        data["dn_ids"] = DN_IDS
    return json_reply(data, 201)


def _owner(call: Call, body: Json) -> str:
    """Who the new domain belongs to: the caller, unless an admin says otherwise."""
    name = call.user.name
    if name is None:
        raise NotAuthenticated("Making a domain needs a user name and password")
    owner = body.get("owner")
    if owner is None or owner == name:
        return name
    owner = check_name(owner)
    if not call.user.is_admin:
        raise NotPermitted(f"User {name} is no admin and may not make a domain owned by {owner}")
    return owner


async def _parent(call: Call, bucket: str, path: str) -> Domain | None:
    """The folder of a new domain, in which the caller may create; None at the top, which is for admins."""
    folder = parent_of(path)
    if folder == "/":
        if not call.user.is_admin:
            raise NotPermitted(f"Only an admin may make {path} at the top level")
        return None
    try:
        parent = await call.domain_at(bucket, folder, None)
    except NotFound:
        if not may_have_home(call, bucket, folder):
            raise NotFound(f"Parent folder {folder} not found") from None
        parent = await make_home(call, bucket, folder)
    if not parent.is_folder:
        raise InvalidInput(f"{folder} is a domain: only folders hold domains")
    if not may_have_home(call, bucket, path):
        require(call.user, parent.acls, "create", folder)
    return parent


async def _refuse_existing(call: Call, bucket: str, path: str) -> None:
    try:
        await call.ask(GetDomain(bucket, path))
    except NotFound:
        return
    raise Conflict(f"{path} exists already")


async def _linked_root(call: Call, body: Json, bucket: str) -> str:
    """The root group of the domain that the new one is to share."""
    linked = body["linked_domain"]
    linked_bucket = body.get("linked_bucket")
    if not isinstance(linked, str) or not isinstance(linked_bucket, str | None):
        raise InvalidInput("linked_domain and linked_bucket must be text")
    inline, path = parse_domain(linked)
    target = await call.domain_at(call.bucket(inline or linked_bucket or bucket, "read"), path, "read")
    require(call.user, target.acls, "delete", path)
    return target.root


def _root_id(body: Json) -> str:
    """The id of the root group: the client's, if it sent one, else a new one."""
    if body.get("root_id") is None:
        return new_root_id()
    root = check_id(body["root_id"], "groups")
    if not is_root(root):
        raise InvalidInput(f"root_id {root} is not the id of a root group")
    return root


async def _create_with_root(call: Call, op: CreateDomain, body: Json) -> None:
    """Store the root group, then the domain: whoever finds a domain finds its root."""
    group = body.get("group") or {}
    if not isinstance(group, dict):
        raise InvalidInput("group must be an object with creationProperties")
    root = op.json["root"]
    json = new_group(group, root, root, call.now, times=time_rules(call.settings))
    created = await call.ask(CreateObject(op.bucket, root, json))
    if not created.new:
        raise Conflict(f"root_id {root} is in use already")
    try:
        await call.ask(op)
    except Conflict:  # another request was quicker; its domain has a root of its own
        await call.ask(DeleteRoot(op.bucket, root))
        raise


ROUTES: tuple[Route, ...] = (("PUT", "/", put_domain),)
