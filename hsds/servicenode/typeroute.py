"""``/datasets/{id}/type``: the type of a dataset's elements."""

from __future__ import annotations

from aiohttp import web

from hsds.hdf5.typejson import present_type
from hsds.servicenode.call import Call, Route
from hsds.servicenode.replies import json_reply


async def get_type(call: Call) -> web.StreamResponse:
    """``GET /datasets/{id}/type``."""
    domain = await call.file("read")
    json = (await call.object(domain, call.path["id"], "datasets")).json
    hrefs = [
        ("self", call.request.path),
        ("owner", f"/datasets/{json['id']}"),
        ("root", f"/groups/{domain.root}"),
    ]
    return json_reply({"type": present_type(json["type"]), "hrefs": call.hrefs(hrefs)})


ROUTES: list[Route] = [("GET", "/datasets/{id}/type", get_type)]
