"""Requests on one file, in the forms that h5pyd 1.x sends."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from tests.servicenode.objectfile import File

JSON = {"Content-Type": "application/json"}
BYTES = {"Content-Type": "application/octet-stream"}
WANTS_BYTES = {"Accept": "application/octet-stream"}
I32 = {"class": "H5T_INTEGER", "base": "H5T_STD_I32LE"}
F32 = {"class": "H5T_FLOAT", "base": "H5T_IEEE_F32LE"}
F64 = {"class": "H5T_FLOAT", "base": "H5T_IEEE_F64LE"}
TEXT = {
    "class": "H5T_STRING",
    "length": "H5T_VARIABLE",
    "charSet": "H5T_CSET_UTF8",
    "strPad": "H5T_STR_NULLTERM",
}
REFERENCE = {
    "class": "H5T_REFERENCE",
    "base": "H5T_STD_REF_OBJ",
    "length": 48,
    "charSet": "H5T_CSET_ASCII",
    "strPad": "H5T_STR_NULLPAD",
}
SCALAR, NULL = {"class": "H5S_SCALAR"}, {"class": "H5S_NULL"}
CONTIGUOUS = {"layout": {"class": "H5D_CONTIGUOUS"}}


def chunked(*dims: int, **props: Any) -> dict[str, Any]:
    return {"layout": {"class": "H5D_CHUNKED", "dims": list(dims)}, **props}


def compound(**members: Any) -> dict[str, Any]:
    fields = [{"name": name, "type": type_} for name, type_ in members.items()]
    return {"class": "H5T_COMPOUND", "fields": fields}


def attribute(type_: Any, value: Any = ..., shape: Any = None, **more: Any) -> dict[str, Any]:
    """An attribute as h5pyd writes it."""
    made = {"type": type_, "shape": shape or SCALAR, "created": time.time(), **more}
    return made if value is ... else made | {"value": value}


class Client(File):
    """A file with shorthands for batches."""

    async def create(self, collection: str, *items: dict[str, Any], status: int = 201) -> list[str]:
        """POST a list, as h5pyd does also for one object; returns the ids."""
        now = time.time()
        items = tuple(
            {"id": self.new_id(collection), "created": now, "lastModified": now, "creationProperties": {}}
            | item
            for item in items
        )
        reply = await self.post(f"/{collection}", json=list(items))
        assert reply.status == status, reply
        return [item["id"] for item in items]

    async def dataset(self, **item: Any) -> str:
        (id_,) = await self.create("datasets", {"type": I32, "creationProperties": CONTIGUOUS} | item)
        return id_

    async def put_attributes(self, objects: dict[str, dict[str, Any]], **params: Any) -> Any:
        body = {"obj_ids": {id_: {"attributes": attributes} for id_, attributes in objects.items()}}
        return await self.put(f"/groups/{self.root}/attributes", json=body, headers=JSON, **params)

    async def shown(self, id_: str) -> dict[str, Any]:
        """An object as h5pyd fetches it."""
        collection = {"g": "groups", "d": "datasets", "t": "datatypes"}[id_[0]]
        reply = await self.get(f"/{collection}/{id_}", include_attrs=1, include_links=1)
        assert reply.status == 200, reply
        return reply.json

    async def write(self, id_: str, data: np.ndarray | bytes, **params: Any) -> Any:
        raw = data if isinstance(data, bytes) else data.tobytes()
        return await self.put(f"/datasets/{id_}/value", data=raw, headers=BYTES, **params)

    async def read(self, id_: str, **params: Any) -> bytes:
        reply = await self.get(f"/datasets/{id_}/value", headers=WANTS_BYTES, **params)
        assert reply.status == 200, reply
        assert reply.headers["Content-Type"] == "application/octet-stream"
        return reply.body
