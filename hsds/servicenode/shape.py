"""``/datasets/{id}/shape``: extents, and making a dataset longer or shorter."""

from __future__ import annotations

from aiohttp import web

from hsds.errors import Conflict, InvalidInput
from hsds.hdf5.create import present_dataset
from hsds.hdf5.dataspace import Dataspace, parse_dims
from hsds.servicenode.call import Call, Domain, Route
from hsds.servicenode.replies import json_reply
from hsds.transport.ops import Json, Resize, Resized, TrimChunks


async def get_shape(call: Call) -> web.StreamResponse:
    """``GET /datasets/{id}/shape``."""
    domain = await call.file("read")
    json = (await call.object(domain, call.path["id"], "datasets")).json
    shown = present_dataset(json)
    answer = {name: shown[name] for name in ("shape", "created", "lastModified")}
    hrefs = [
        ("self", call.request.path),
        ("owner", f"/datasets/{json['id']}"),
        ("root", f"/groups/{domain.root}"),
    ]
    return json_reply({**answer, "hrefs": call.hrefs(hrefs)})


async def put_shape(call: Call) -> web.StreamResponse:
    """``PUT /datasets/{id}/shape``: ``{"shape": extents}``, or ``{"extend": n, "extend_dim": axis}``.

    Where just one axis grew the answer has the ``selection`` that is new, so that it serves as a reservation:
    of two requests that extend a dataset at once each gets its own.
    """
    domain = await call.file("update")
    json = (await call.object(domain, call.path["id"], "datasets")).json
    space = Dataspace.from_json(json["shape"])
    body = await call.body_object()
    if (body.get("shape") is None) == (body.get("extend") is None):
        raise InvalidInput("the body must have either shape or extend")
    if space.kind != "simple" or space.maxdims is None:
        raise InvalidInput(f"dataset {json['id']} is not resizable: it has no maxdims")
    if body.get("shape") is not None:
        dims = _checked_dims(body["shape"], space)
        resized = await _resize(call, domain, json, space, dims)
    else:
        extend, axis = _extension(body, space.rank)
        resize = Resize(domain.bucket, json["id"], extend=extend, extend_dim=axis, operation=call.operation)
        resized = await call.ask(resize)
    added = _added(resized)
    return json_reply({} if added is None else {"selection": added}, status=201)


def _checked_dims(shape: object, space: Dataspace) -> tuple[int, ...]:
    dims = parse_dims(shape, "shape")
    if len(dims) != space.rank:
        raise InvalidInput(f"shape has {len(dims)} axes, the dataset has {space.rank}")
    assert space.maxdims is not None
    for extent, most in zip(dims, space.maxdims, strict=True):
        if most is not None and extent > most:
            raise Conflict(f"extent {extent} is beyond the maximum of {most}")
    return dims


def _extension(body: Json, rank: int) -> tuple[int, int]:
    extend, axis = body["extend"], body.get("extend_dim", 0)
    if type(extend) is not int or extend < 1:
        raise InvalidInput("extend must be a positive integer")
    if type(axis) is not int or not 0 <= axis < rank:
        raise InvalidInput(f"extend_dim must be an axis of a dataset of rank {rank}")
    return extend, axis


async def _resize(call: Call, domain: Domain, json: Json, space: Dataspace, dims: tuple[int, ...]) -> Resized:
    kept = tuple(map(min, space.dims, dims))
    if kept != space.dims:
        # First the values, then the extents: one that dies in between has lost values, but shows no old ones
        # when the dataset grows again.
        spec = call.node.specs.get(json)
        await call.ask(TrimChunks(domain.bucket, spec, space.dims, kept))
    return await call.ask(Resize(domain.bucket, json["id"], dims=dims))


def _added(resized: Resized) -> str | None:
    """The selection of what is new, if nothing but one axis grew."""
    axes: list[str] = []
    changed = 0
    for before, after in zip(resized.before, resized.after, strict=True):
        if after < before:
            return None
        axes.append(":" if after == before else f"{before}:{after}")
        changed += after != before
    return f"[{','.join(axes)}]" if changed == 1 else None


ROUTES: list[Route] = [("GET", "/datasets/{id}/shape", get_shape), ("PUT", "/datasets/{id}/shape", put_shape)]
