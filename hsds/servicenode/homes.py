"""Folders that are there without anybody making them: ``/home``, a user's home, configured top-level ones."""

from __future__ import annotations

from typing import Any

from hsds.errors import Conflict
from hsds.servicenode.call import Call
from hsds.servicenode.domain import Domain, check_path
from hsds.servicenode.node import ServiceNode
from hsds.servicenode.permissions import inherited
from hsds.transport.base import Trace
from hsds.transport.ops import CreateDomain, GetDomain

_HOME = "/home"


def admins_of(node: ServiceNode) -> frozenset[str]:
    """Names whose entries are not handed down to new domains: they may do everything anyhow."""
    return frozenset((node.settings.admin_user,))


def home_user(path: str) -> str | None:
    """The user whose home folder ``path`` is, going by the name; None for any other path."""
    parts = path.split("/")
    return parts[2] if len(parts) == 3 and parts[1] == "home" else None


def is_own_home(call: Call, bucket: str, path: str) -> bool:
    """Whether ``path`` is the home of the caller, a known user."""
    return home_user(path) == call.user.name and may_have_home(call, bucket, path)


def may_have_home(call: Call, bucket: str, path: str) -> bool:
    """Whether ``path`` is the home of a known user, and the caller that user or an admin."""
    user = home_user(path)
    if user is None or bucket != call.settings.bucket_name or not call.node.auth.knows(user):
        return False
    return call.user.is_admin or call.user.name == user


async def make_home(call: Call, bucket: str, path: str) -> Domain:
    """Make the home folder at ``path``, for which ``may_have_home`` holds."""
    auth, user = call.node.auth, home_user(path) or ""
    owner = call.user.name if call.user.name is not None and auth.acts_as(call.user, user) else user
    return await _ensure(call.node, bucket, path, owner, call.trace)


async def make_standing_folders(node: ServiceNode, local_user: str | None = None) -> None:
    """Make ``/home``, the configured top-level folders and, where given, a local user's home.

    Called once at start; what is there already is left alone.
    """
    trace = Trace("start")
    bucket = node.settings.bucket_name
    owner = local_user or node.settings.admin_user
    for path in (_HOME, *node.settings.top_level_domains):
        folder = "/" + path.strip("/")
        check_path(folder)
        await _ensure(node, bucket, folder, owner, trace)
    if local_user is not None:
        await _ensure(node, bucket, f"{_HOME}/{local_user}", owner, trace)


async def _ensure(node: ServiceNode, bucket: str, path: str, owner: str, trace: Trace) -> Domain:
    now = node.clock()
    acls = inherited({}, owner=owner, folder=True, public=False, admins=admins_of(node))
    json: dict[str, Any] = {"owner": owner, "acls": acls, "created": now, "lastModified": now}
    try:
        state = await node.nodes.call(CreateDomain(bucket, path, json), trace)
    except Conflict:  # it is there: made before, or by another request just now
        state = await node.nodes.call(GetDomain(bucket, path), trace)
    return Domain(bucket, path, state.json)
