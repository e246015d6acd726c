"""``DELETE /``: removes a domain with all its objects, or an empty folder."""

from __future__ import annotations

from contextlib import suppress

from aiohttp import web

from hsds.errors import Conflict, HsdsError, NotAuthenticated, NotFound, NotPermitted
from hsds.servicenode.call import Call, Route
from hsds.servicenode.domain import Domain, parent_of
from hsds.servicenode.replies import json_reply
from hsds.transport.ops import DeleteDomain, DeleteRoot, GetDomain, ListDomains

_BATCH = 100


async def delete_domain(call: Call) -> web.StreamResponse:
    """Delete the domain, then its root unless ``keep_root``: another domain may share it (linked_domain)."""
    body = await call.body_object(required=False)
    if call.asked(body, "meta_only"):
        return json_reply({})  # drops a cached copy in HSDS; here none is kept that could be stale
    bucket, path = call.target("delete")
    if call.user.name is None:
        raise NotAuthenticated(f"Deleting {path} needs a user name and password")
    if parent_of(path) == "/" and not call.user.is_admin:
        raise NotPermitted(f"Only an admin may delete {path} at the top level")
    domain = await call.domain_at(bucket, path, "delete")
    if domain.is_folder and await _has_children(call, domain):
        raise Conflict(f"folder has sub-items: {path}")
    root = None if domain.is_folder or call.asked(body, "keep_root") else domain.root
    await call.ask(DeleteDomain(bucket, path, root))
    if root is not None:
        with suppress(NotFound):  # shared with a domain that was deleted before
            await call.ask(DeleteRoot(bucket, root))
    return json_reply(None)


async def _has_children(call: Call, folder: Domain) -> bool:
    """Whether anything in the folder is really there: what was deleted leaves traces in listings."""
    marker = None
    while True:
        paths = await call.ask(ListDomains(folder.bucket, folder.path, marker=marker, limit=_BATCH))
        ops = [GetDomain(folder.bucket, path) for path in paths]
        for state in await call.node.nodes.settle(ops, call.trace):
            if not isinstance(state, HsdsError):
                return True
            if not isinstance(state, NotFound):
                raise state
        if len(paths) < _BATCH:
            return False
        marker = paths[-1]


ROUTES: tuple[Route, ...] = (("DELETE", "/", delete_domain),)
