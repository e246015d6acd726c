"""What tests of values share: datasets made over REST, and values as numpy arrays both ways."""

from __future__ import annotations

from typing import Any

import numpy as np

DOMAIN = "/home/test_user1/values.h5"
BINARY = {"Accept": "application/octet-stream"}
BINARY_BODY = {"Content-Type": "application/octet-stream"}

NAMES = {
    f"{order}{kind}{size}": f"H5T_{name}{8 * size}{'LE' if order == '<' else 'BE'}"
    for order in "<>"
    for kind, name, sizes in (
        ("i", "STD_I", (1, 2, 4, 8)),
        ("u", "STD_U", (1, 2, 4, 8)),
        ("f", "IEEE_F", (2, 4, 8)),
    )
    for size in sizes
}
VARIABLE = {
    "class": "H5T_STRING",
    "charSet": "H5T_CSET_UTF8",
    "strPad": "H5T_STR_NULLTERM",
    "length": "H5T_VARIABLE",
}


def fixed(length: int) -> dict[str, Any]:
    return {"class": "H5T_STRING", "charSet": "H5T_CSET_ASCII", "strPad": "H5T_STR_NULLPAD", "length": length}


def compound(**members: Any) -> dict[str, Any]:
    return {
        "class": "H5T_COMPOUND",
        "fields": [{"name": name, "type": kind} for name, kind in members.items()],
    }


class Values:
    """The values of one dataset, as a client of the REST API."""

    def __init__(self, service: Any, dataset: str, dtype: Any) -> None:
        self.service = service
        self.path = f"/datasets/{dataset}"
        self.id = dataset
        self.dtype = np.dtype(dtype)

    async def get(self, **options: Any) -> Any:
        return await self.service.get(f"{self.path}/value", domain=DOMAIN, **options)

    async def post(self, **options: Any) -> Any:
        return await self.service.post(f"{self.path}/value", domain=DOMAIN, **options)

    async def put(self, data: Any = None, **options: Any) -> Any:
        if isinstance(data, np.ndarray):
            data = np.ascontiguousarray(data).tobytes()
        headers = BINARY_BODY if data is not None else {}
        headers = {**headers, **options.pop("headers", {})}
        return await self.service.put(
            f"{self.path}/value", domain=DOMAIN, data=data, headers=headers, **options
        )

    async def write(self, data: Any, **options: Any) -> None:
        reply = await self.put(data, **options)
        assert reply.status == 200, reply

    async def read(self, shape: tuple[int, ...] | None = None, **options: Any) -> np.ndarray:
        reply = await self.get(headers=BINARY, **options)
        return self.array(reply, shape)

    def array(self, reply: Any, shape: tuple[int, ...] | None = None) -> np.ndarray:
        assert reply.status == 200, reply
        assert reply.headers["Content-Type"] == "application/octet-stream"
        array = np.frombuffer(reply.body, self.dtype.base)
        return array if shape is None else array.reshape(shape + self.dtype.shape)

    async def value(self, **options: Any) -> Any:
        reply = await self.get(**options)
        assert reply.status == 200, reply
        return reply.json["value"]


async def make_values(
    service: Any, shape: Any, dtype: Any, *, type_json: Any = None, chunks: Any = None, **extra: Any
) -> Values:
    """Make a dataset in the one domain of these tests."""
    reply = await service.get("/", domain=DOMAIN)
    if reply.status == 404:
        await service.make_domain(DOMAIN)
    body = {"type": NAMES[np.dtype(dtype).str.replace("|", "<")] if type_json is None else type_json, **extra}
    if shape is not None:
        body["shape"] = shape
    if chunks is not None:
        body.setdefault("creationProperties", {})["layout"] = {"class": "H5D_CHUNKED", "dims": chunks}
    reply = await service.post("/datasets", domain=DOMAIN, json=body)
    assert reply.status == 201, reply
    return Values(service, reply.json["id"], dtype)
