"""Follows an HDF5 path, link by link, to the object it names; also into other domains."""

from __future__ import annotations

import posixpath
from collections import deque
from dataclasses import dataclass
from typing import Any

from hsds.errors import InvalidInput, NotFound
from hsds.hdf5.ids import collection_of
from hsds.servicenode.call import Call, Domain
from hsds.servicenode.crawl import hard_target
from hsds.servicenode.domain import check_path
from hsds.transport.ops import GetLinks

MAX_TRAVERSALS = 16
"""Soft and external links followed for one path, as HDF5 has it (H5Pset_nlinks); ends cycles of links."""


@dataclass(frozen=True, slots=True)
class Resolved:
    """What a path names. The object need not exist: hard links may dangle."""

    domain: Domain
    """Where it was found: another one than the request's behind an external link."""
    id: str
    collection: str


def path_names(h5path: str) -> list[str]:
    """The link titles of a path; ``.`` and empty components name the group they stand in."""
    return [name for name in h5path.split("/") if name not in {"", "."}]


async def resolve_path(
    call: Call,
    domain: Domain,
    h5path: str,
    start_id: str | None = None,
    *,
    follow_soft: bool = False,
    follow_external: bool = False,
) -> Resolved:
    """Find the object that ``h5path`` names: from the root if it begins with ``/``, else from ``start_id``.

    A soft link counts from the group that holds it. An external link needs ``read`` on its domain. Raises
    ``NotFound`` (``Deleted``) where a link is missing, ``InvalidInput`` for links that may not be followed.
    """
    place = domain.root if h5path.startswith("/") or start_id is None else start_id
    names = deque(path_names(h5path))
    traversals = 0
    while names:
        name = names.popleft()
        link = await find_link(call, domain, place, name)
        target = hard_target(domain, link)
        if target is not None:
            place = target
            continue
        traversals += 1
        if traversals > MAX_TRAVERSALS:
            raise InvalidInput(f"more than {MAX_TRAVERSALS} soft or external links on the way to {h5path}")
        match link.get("class"):
            case "H5L_TYPE_SOFT" if follow_soft:
                if _target_path(link).startswith("/"):
                    place = domain.root
            case "H5L_TYPE_EXTERNAL" if follow_external:
                domain = await _external_domain(call, domain, link)
                place = domain.root
            case "H5L_TYPE_HARD":
                raise InvalidInput(f"link {name} of {place} leads out of the domain")
            case kind:
                raise InvalidInput(f"link {name} of {place} is not followed: {kind}")
        names.extendleft(reversed(path_names(_target_path(link))))
    return Resolved(domain, place, collection_of(place))


async def find_link(call: Call, domain: Domain, group: str, title: str) -> dict[str, Any]:
    """The link of that title; ``NotFound`` if there is none or ``group`` is no group."""
    if collection_of(group) != "groups":
        raise NotFound(f"{group} is not a group and has no link {title}")
    page = await call.ask(GetLinks(domain.bucket, group, titles=(title,)))
    return page.links[0][1]


def external_path(link: dict[str, Any], holder: str) -> str:
    """The domain path that an external link of domain ``holder`` names; relative to the holder's folder."""
    file = link.get("file") or link.get("h5domain") or ""
    if file.startswith("hdf5:/"):
        file = "/" + file.removeprefix("hdf5:/").lstrip("/")
    path = posixpath.normpath(posixpath.join(posixpath.dirname(holder), file))
    return "/" + path.lstrip("/")  # POSIX, and so normpath, gives two leading slashes a meaning of their own


def _target_path(link: dict[str, Any]) -> str:
    return str(link.get("h5path") or "")


async def _external_domain(call: Call, holder: Domain, link: dict[str, Any]) -> Domain:
    path = external_path(link, holder.path)
    check_path(path)
    domain = await call.domain_at(holder.bucket, path, "read")
    if not domain.root:
        raise InvalidInput(f"external link into {path}, which is a folder")
    return domain
