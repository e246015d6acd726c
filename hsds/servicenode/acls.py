"""``/acls``: who may do what in a domain or folder."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from hsds.errors import InvalidInput, NotFound
from hsds.servicenode.call import Call, Route
from hsds.servicenode.domain import Domain
from hsds.servicenode.permissions import ACTIONS, DEFAULT, check_name, flags_of, full
from hsds.servicenode.replies import json_reply
from hsds.transport.ops import UpdateAcl


async def get_acls(call: Call) -> web.StreamResponse:
    """All entries, by name."""
    domain = await call.domain("readACL")
    entries = [_entry(name, flags_of(entry)) for name, entry in sorted(domain.acls.items())]
    return json_reply({"acls": entries, "hrefs": _hrefs(call, domain, "/acls")})


async def get_acl(call: Call) -> web.StreamResponse:
    """One entry. One's own, and that for everybody, need only ``read``."""
    name = call.path["user"]
    own = name == DEFAULT or call.node.auth.acts_as(call.user, name)
    domain = await call.domain("read" if own else "readACL")
    stored = domain.acls.get(name)
    if stored is not None:
        flags = flags_of(stored)
    elif own and call.user.is_admin and name != DEFAULT:
        # An admin needs no entry, but h5pyd 0.24 asks for one before it opens a file for writing.
        flags = full()
    else:
        raise NotFound(f"{domain.path} has no ACL for user {name}")
    return json_reply({"acl": _entry(name, flags), "hrefs": _hrefs(call, domain, f"/acls/{name}")})


async def put_acl(call: Call) -> web.StreamResponse:
    """Make an entry, or change some of its permissions."""
    name = check_name(call.path["user"])
    body = await call.body_object()
    _check(body)
    domain = await call.domain("updateACL")
    await call.ask(UpdateAcl(domain.bucket, domain.path, user=name, acl=body))
    return json_reply({}, 201)


def _check(body: dict[str, Any]) -> None:
    for key, value in body.items():
        if key not in ACTIONS:
            raise InvalidInput(f"Unknown permission {key!r}: expected some of {', '.join(ACTIONS)}")
        if not isinstance(value, bool):
            raise InvalidInput(f"Permission {key} must be true or false")


def _entry(name: str, flags: dict[str, bool]) -> dict[str, Any]:
    """Exactly seven members: clients count them."""
    return {"userName": name, **flags}


def _hrefs(call: Call, domain: Domain, path: str) -> list[dict[str, str]]:
    root = [] if domain.is_folder else [("root", f"/groups/{domain.root}")]
    return call.hrefs([("self", path), *root, ("home", "/"), ("owner", "/")])


ROUTES: tuple[Route, ...] = (
    ("GET", "/acls", get_acls),
    ("GET", "/acls/{user}", get_acl),
    ("PUT", "/acls/{user}", put_acl),
)
