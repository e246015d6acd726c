"""``GET /domains``: what is in a folder, filtered by name and by attributes of the root groups."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable, Sequence
from typing import Any

from aiohttp import web

from hsds.errors import Deleted, HsdsError, InvalidInput, NotFound
from hsds.hdf5.query import match_record
from hsds.servicenode.call import Call, Route
from hsds.servicenode.domain import Domain, path_fault
from hsds.servicenode.domainjson import domain_json, statistics
from hsds.servicenode.paging import glob_of
from hsds.servicenode.replies import json_reply
from hsds.transport.ops import GetAttributes, GetDomain, ListDomains

Json = dict[str, Any]
_BATCH = 500
"""Children read at once."""
_QUERIED = frozenset({"H5T_INTEGER", "H5T_FLOAT", "H5T_STRING"})


async def list_folder(call: Call) -> web.StreamResponse:
    """Children of a folder in the order of their keys, at most ``Limit``, after ``Marker``.

    A page is full while there are children left, because h5pyd takes a shorter one for the last.
    """
    bucket, path = call.target("read", folder=True)
    limit = call.integer("Limit")
    pattern, query = _glob(glob_of(call)), call.text("query")
    marker = _marker(call)
    batch = min(limit, _BATCH) if limit and pattern is None and not query else _BATCH
    found: list[Domain] = []
    while not limit or len(found) < limit:
        paths = await call.ask(ListDomains(bucket, path, marker=marker, limit=batch))
        named = [path for path in paths if pattern is None or pattern.match(path.rpartition("/")[2])]
        domains = await _read(call, bucket, named)
        found += await _matching(call, domains, query) if query else domains
        if len(paths) < batch:
            break
        marker = paths[-1]
    if not found and not marker and path != "/":
        await _check_exists(call, bucket, path)
    return json_reply(
        {
            "domains": await _items(call, found[:limit] if limit else found),
            "hrefs": call.hrefs([("self", "/domains")]),
        }
    )


def _marker(call: Call) -> str | None:
    """The whole path of a child, which need not exist; None where none is given."""
    marker = call.text("Marker")
    if not marker:
        return None
    fault = path_fault(marker) if marker.startswith("/") else "a child's whole path is expected"
    if fault is not None:
        raise InvalidInput(f"Invalid Marker parameter {marker!r}: {fault}")
    return marker


async def _check_exists(call: Call, bucket: str, path: str) -> None:
    """Tell an empty folder (or a domain, which has no children either) from one that is none."""
    try:
        await call.ask(GetDomain(bucket, path))
    except Deleted:
        raise NotFound(f"{path} not found") from None


def _glob(pattern: str | None) -> re.Pattern[str] | None:
    """A glob over the last part of paths: ``*``, ``?``, ``[a-z]``."""
    return re.compile(fnmatch.translate(pattern)) if pattern else None


async def _read(call: Call, bucket: str, paths: Sequence[str]) -> list[Domain]:
    """The domains at ``paths``; what is none (a deleted one, a stray prefix) is left out."""
    states = await call.node.nodes.settle([GetDomain(bucket, path) for path in paths], call.trace)
    found = []
    for path, state in zip(paths, states, strict=True):
        if isinstance(state, NotFound | InvalidInput):
            continue
        if isinstance(state, HsdsError):
            raise state
        found.append(Domain(bucket, path, state.json))
    return found


async def _matching(call: Call, domains: Iterable[Domain], query: str) -> list[Domain]:
    """The domains whose root group has scalar attributes that satisfy the query. Folders have none."""
    full = [domain for domain in domains if domain.has_data]
    ops = [GetAttributes(domain.bucket, domain.root) for domain in full]
    pages = await call.node.nodes.settle(ops, call.trace)
    matching = []
    for domain, page in zip(full, pages, strict=True):
        if isinstance(page, NotFound):
            continue
        if isinstance(page, HsdsError):
            raise page
        record = dict(filter(None, map(_scalar, page.attributes)))
        if record and match_record(query, record):
            matching.append(domain)
    return matching


def _scalar(named: tuple[str, Json]) -> tuple[str, int | float | str] | None:
    """Name and value of a scalar number or text; None for any other attribute."""
    name, attribute = named
    kind, shape, value = attribute.get("type"), attribute.get("shape"), attribute.get("value")
    is_queried = isinstance(kind, dict) and kind.get("class") in _QUERIED
    is_scalar = isinstance(shape, dict) and shape.get("class") == "H5S_SCALAR"
    if is_queried and is_scalar and isinstance(value, int | float | str) and "encoding" not in attribute:
        return name, value
    return None


async def _items(call: Call, domains: Sequence[Domain]) -> list[Json]:
    items = [domain_json(domain) for domain in domains]
    if call.flag("verbose"):
        for item, counts in zip(items, await statistics(call, domains), strict=True):
            item.update(counts)
    for item, domain in zip(items, domains, strict=True):
        item["name"] = domain.path
        item["hrefs"] = [{"rel": "domain", "href": call.domain_href(domain.path)}]
    return items


ROUTES: tuple[Route, ...] = (("GET", "/domains", list_folder),)
