"""``/datasets/{id}/value``: what a request asks for, and which of the other modules does it."""

from __future__ import annotations

from dataclasses import replace

from aiohttp import web

from hsds.errors import InvalidInput
from hsds.hdf5.selecttext import points_from_bytes, points_from_json
from hsds.servicenode.append import append_values
from hsds.servicenode.call import Call, Route
from hsds.servicenode.regionvalue import region_selection
from hsds.servicenode.replies import empty_reply, json_reply
from hsds.servicenode.selectparam import has_selection, selection_of
from hsds.servicenode.valuequery import query_values
from hsds.servicenode.valueread import read_values
from hsds.servicenode.valuerequest import open_values
from hsds.servicenode.valueupdate import update_values
from hsds.servicenode.valuewrite import write_points, write_selection


async def get_value(call: Call) -> web.StreamResponse:
    """``GET /datasets/{id}/value``: elements of a selection or a region reference, or those a query finds."""
    request = await open_values(call, "read")
    path = call.text("regionref")
    if path:
        selection = await region_selection(request, path)
        return empty_reply() if selection is None else await read_values(request, selection)
    query = request.query()
    if query is not None:
        return await query_values(request, query)
    return await read_values(request, selection_of(request))


async def post_value(call: Call) -> web.StreamResponse:
    """``POST /datasets/{id}/value``: a read whose selection or points are too long for a URL."""
    request = await open_values(call, "read")
    if request.space.rank == 0:
        raise InvalidInput("a scalar dataset has neither points nor selections")
    if call.has_binary_body:
        points = points_from_bytes(await call.body(), request.dims)
        return await read_values(request, points, limited=True)
    request = replace(request, body=await call.body_object())
    points_given = request.body.get("points") is not None
    if points_given == has_selection(request):
        raise InvalidInput("the body must have either points or a selection")
    if points_given:
        points = points_from_json(request.body["points"], request.dims)
        return await read_values(request, points, limited=True)
    query = request.query()
    if query is not None:
        return await query_values(request, query)
    return await read_values(request, selection_of(request), limited=True)


async def put_value(call: Call) -> web.StreamResponse:
    """``PUT /datasets/{id}/value``: data to a selection, to points or to the end, or updates by query."""
    request = await open_values(call, "update")
    if not call.has_binary_body:
        request = replace(request, body=await call.body_object())
    elif not call.request.body_exists:
        raise InvalidInput("the request has no body")
    path = call.text("regionref")
    if path:
        selection = await region_selection(request, path)
        if selection is None:
            raise InvalidInput(f"the region reference at {path} is null")
        await write_selection(request, selection)
        return json_reply({})
    query = request.query()
    if query is not None:
        return await update_values(request, query)
    count = request.integer("append")
    if count is not None:
        await append_values(request, count)
    elif request.body.get("points") is not None:
        await write_points(request)
    else:
        await write_selection(request, selection_of(request))
    return json_reply({})


ROUTES: list[Route] = [
    ("GET", "/datasets/{id}/value", get_value),
    ("POST", "/datasets/{id}/value", post_value),
    ("PUT", "/datasets/{id}/value", put_value),
]
