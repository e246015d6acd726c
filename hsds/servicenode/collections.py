"""GET /groups, /datasets and /datatypes: ids of everything that hard links lead to from the root group."""

from __future__ import annotations

from bisect import bisect_right

from aiohttp import web

from hsds.hdf5.ids import Collection, collection_of
from hsds.servicenode.call import Call, Domain
from hsds.servicenode.crawl import reachable
from hsds.servicenode.objects import get_object_at_path
from hsds.servicenode.paging import Paging
from hsds.servicenode.replies import json_reply


async def get_collection(call: Call, collection: Collection) -> web.StreamResponse:
    """GET /{collection}: ids in their order, without the root group; with ``h5path`` the object there.

    With a slash at its end the path stands for one object, so ``h5path`` must say which.
    """
    if call.text("h5path") or call.request.path.endswith("/"):
        return await get_object_at_path(call, collection)
    domain = await call.file("read")
    page = Paging.of(call)
    ids = await _linked(call, domain, collection)
    begin = bisect_right(ids, page.marker) if page.marker else 0
    end = begin + page.limit if page.limit else None
    own, root = f"/{collection}", f"/groups/{domain.root}"
    hrefs = call.hrefs([("self", own), ("root", root), ("home", "/")])
    return json_reply({collection: ids[begin:end], "hrefs": hrefs})


async def _linked(call: Call, domain: Domain, collection: Collection) -> list[str]:
    found = await reachable(call, domain, domain.root)
    return sorted(id_ for id_ in found if id_ != domain.root and collection_of(id_) == collection)
