"""Datasets of all kinds with the values they must have: written by one service, checked with another."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tests.integration.rest import Rest

Json = dict[str, Any]
BINARY = {"Content-Type": "application/octet-stream"}
TEXT = {
    "class": "H5T_STRING",
    "length": "H5T_VARIABLE",
    "charSet": "H5T_CSET_UTF8",
    "strPad": "H5T_STR_NULLTERM",
}


def integer(base: str) -> Json:
    return {"class": "H5T_INTEGER", "base": base}


def floating(base: str) -> Json:
    return {"class": "H5T_FLOAT", "base": base}


def chars(length: int, charset: str = "ASCII") -> Json:
    return {
        "class": "H5T_STRING",
        "length": length,
        "charSet": f"H5T_CSET_{charset}",
        "strPad": "H5T_STR_NULLPAD",
    }


def compound(**fields: Json) -> Json:
    members = [{"name": name, "type": type_} for name, type_ in fields.items()]
    return {"class": "H5T_COMPOUND", "fields": members}


def vlen(base: Json) -> Json:
    return {"class": "H5T_VLEN", "size": "H5T_VARIABLE", "base": base}


I16, I32, F64 = integer("H5T_STD_I16LE"), integer("H5T_STD_I32LE"), floating("H5T_IEEE_F64LE")
DEFLATE = {"class": "H5Z_FILTER_DEFLATE", "id": 1, "name": "gzip", "level": 6}
SHUFFLE = {"class": "H5Z_FILTER_SHUFFLE", "id": 2, "name": "shuffle"}


@dataclass
class Case:
    """A dataset, and the values that it should have by now.

    ``dtype`` None means that values are compared as JSON; ``values`` is then an array of objects.
    """

    name: str
    type: Any
    dims: tuple[int, ...]
    dtype: Any = "<i4"
    chunks: tuple[int, ...] | None = None
    maxdims: tuple[int | None, ...] | None = None
    filters: tuple[Json, ...] = ()
    props: Json = field(default_factory=dict)
    fill: Any = 0
    lossy_there: bool = False
    """Whether HSDS misreads its own chunks, so that going back proves nothing."""
    id: str = ""
    values: Any = None

    def body(self) -> Json:
        props = dict(self.props)
        if self.chunks:
            props["layout"] = {"class": "H5D_CHUNKED", "dims": list(self.chunks)}
        if self.filters:
            props["filters"] = list(self.filters)
        body: Json = {"type": self.type, "shape": list(self.dims), "creationProperties": props}
        if self.maxdims:
            body["maxdims"] = [extent or 0 for extent in self.maxdims]
        return body

    async def create(self, rest: Rest, domain: str, group: str) -> None:
        """Make it, and write all but its last quarter along the first axis."""
        body = self.body() | {"link": {"id": group, "name": self.name}}
        self.id = (await rest.ask("POST", "/datasets", domain, json=body))["id"]
        self.values = self._filled(self.dims)
        region = (slice(0, -(-3 * self.dims[0] // 4)),) if self.dims else ()
        if 0 not in self.dims:
            await self.write(rest, domain, region, 1)

    async def change(self, rest: Rest, domain: str, seed: int) -> None:
        """Overwrite a part in the middle; shrink and extend what can be."""
        if not self.dims:
            await self.write(rest, domain, (), seed)
            return
        extent = self.values.shape[0]
        if extent:
            await self.write(rest, domain, (slice(extent // 4, max(extent // 4 + 1, extent // 2)),), seed)
        if self.maxdims:
            for after in (extent - extent // 3, extent + 3):
                await self.resize(rest, domain, (after, *self.values.shape[1:]))
            await self.write(rest, domain, (slice(extent + 1, extent + 2),), seed + 1)

    async def resize(self, rest: Rest, domain: str, dims: tuple[int, ...]) -> None:
        await rest.ask("PUT", f"/datasets/{self.id}/shape", domain, json={"shape": list(dims)})
        kept = tuple(slice(0, min(a, b)) for a, b in zip(dims, self.values.shape, strict=True))
        resized = self._filled(dims)
        resized[kept] = self.values[kept]
        self.values = resized

    async def write(self, rest: Rest, domain: str, region: tuple[slice, ...], seed: int) -> None:
        shape = np.shape(self.values[(*region, ...)])
        data = self._made(shape, seed)
        self.values[(*region, ...)] = data
        rest_of = [f"0:{extent}" for extent in self.values.shape[len(region) :]]
        select = ",".join([*(f"{part.start}:{part.stop}" for part in region), *rest_of])
        params = {"select": f"[{select}]"} if select else {}
        if self.dtype is None:
            body = {"value": data.tolist()}
            await rest.ask("PUT", f"/datasets/{self.id}/value", domain, params=params, json=body)
        else:
            raw = np.ascontiguousarray(data).tobytes()
            await rest.ask(
                "PUT", f"/datasets/{self.id}/value", domain, params=params, data=raw, headers=BINARY
            )

    async def check(self, rest: Rest, domain: str) -> None:
        """Compare type, shape, creation properties and every value."""
        shown = await rest.ask("GET", f"/datasets/{self.id}", domain)
        if isinstance(self.type, dict):
            assert shown["type"] == self.type, self.name
        assert tuple(shown["shape"].get("dims", ())) == np.shape(self.values), self.name
        if self.maxdims:
            maxdims = [m if m != "H5S_UNLIMITED" and m else None for m in shown["shape"]["maxdims"]]
            assert tuple(maxdims) == self.maxdims, self.name
        props = shown["creationProperties"]
        for key, value in self.props.items():
            if key != "layout":
                assert props[key] == value, self.name
        if self.dtype is None:
            value = (await rest.ask("GET", f"/datasets/{self.id}/value", domain))["value"]
            assert _plain(value) == _plain(self.values.tolist()), self.name
        else:
            body = await rest.read(domain, self.id)
            expected = np.ascontiguousarray(self.values).tobytes()
            if body != expected:
                got = np.frombuffer(body, self.values.dtype).reshape(self.values.shape)
                wrong = np.argwhere(got.view("u1") != self.values.view("u1"))[:5]
                raise AssertionError(f"{self.name}: wrong at {wrong.tolist()}")

    def _filled(self, dims: tuple[int, ...]) -> Any:
        if self.dtype is None:
            filled = np.empty(dims, object)
            for index in np.ndindex(dims):
                filled[index] = self.fill
            return filled
        if self.fill == "arange":
            return np.arange(dims[0], dtype=self.dtype)
        return np.full(dims, self.fill, self.dtype) if self.fill else np.zeros(dims, self.dtype)

    def _made(self, shape: tuple[int, ...], seed: int) -> Any:
        """Data that compresses, but not to nothing; without NaN, which never equals itself."""
        count = int(np.prod(shape, dtype=int))
        chance = np.random.default_rng(seed)
        if self.dtype is None:
            made = np.empty(count, object)
            for i in range(count):
                made[i] = _made_value(self.type, seed * 1000 + i)
            return made.reshape(shape)
        dtype = np.dtype(self.dtype)
        raw = chance.integers(0, 60, count * dtype.itemsize, dtype="u1")  # no byte over 127: valid text
        if dtype.names is None and dtype.kind in "iu":
            return chance.integers(0, 100, shape).astype(dtype)
        if dtype.names is None and dtype.kind in "fc":
            return (chance.integers(0, 1000, shape) / 8).astype(dtype)
        if dtype == np.dtype("S48"):
            return np.full(shape, b"groups/g-b03b24ef-69f244b6-38b3-ac67e1-7acc3e", dtype)
        return np.frombuffer((raw + 33).tobytes(), dtype).reshape(shape).copy()


def _made_value(type_: Json, number: int) -> Any:
    """A value of a variable-length type."""
    match type_["class"]:
        case "H5T_VLEN":
            return [_made_value(type_["base"], number + i) for i in range(1 + number % 4)]
        case "H5T_COMPOUND":
            return [_made_value(field["type"], number) for field in type_["fields"]]
        case "H5T_STRING":
            return f"täxt {number}" if type_["charSet"].endswith("UTF8") else f"t{number % 1000}"
        case _:
            return number % 100


def _plain(value: Any) -> Any:
    """An unset variable element is 0, "" or [] in JSON, by version; a record may be a tuple."""
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value] or 0
    return value or 0
