"""What stands in the files that change hands: filters, types and layouts, attributes, links and ACLs."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.integration.rest import Rest
from tests.interop.model import (
    DEFLATE,
    F64,
    I16,
    I32,
    SHUFFLE,
    TEXT,
    Case,
    Json,
    chars,
    compound,
    floating,
    integer,
    vlen,
)

USER_ACL = {
    "create": False,
    "read": True,
    "update": True,
    "delete": False,
    "readACL": False,
    "updateACL": False,
}
REFERENCE = {
    "class": "H5T_REFERENCE",
    "base": "H5T_STD_REF_OBJ",
    "length": 48,
    "charSet": "H5T_CSET_ASCII",
    "strPad": "H5T_STR_NULLPAD",
}


def _filter(name: str, number: int, /, **more: Any) -> Json:
    return {"class": f"H5Z_FILTER_{name}", "id": number, **more}


def filter_cases(version: str) -> list[Case]:
    """Every filter that HSDS takes, on a dataset of 24 chunks with edges."""
    chains: dict[str, tuple[Json, ...]] = {
        "gzip": (DEFLATE,),
        "shuffle_gzip": (SHUFFLE, DEFLATE),
        "shuffle": (SHUFFLE,),
        "fletcher32": (_filter("FLETCHER32", 3),),
        "fletcher32_shuffle_gzip": (_filter("FLETCHER32", 3), SHUFFLE, DEFLATE),
        "scaleoffset": (_filter("SCALEOFFSET", 6, scaleOffset=0, scaleType="H5Z_SO_INT"),),
        "lz4": (_filter("LZ4", 32004, name="lz4", level=5),),
        "shuffle_lz4": (SHUFFLE, _filter("LZ4", 32004, name="lz4", level=5)),
        "lz4hc": (_filter("LZ4HC", 32005, name="lz4hc"),),
        "blosclz": (_filter("BLOSC", 32001, name="blosclz"),),
        "zstd": (_filter("ZSTD", 32015, name="zstd"),),
        "shuffle_zstd": (SHUFFLE, _filter("ZSTD", 32015, name="zstd")),
    }
    if version != "0.9.4":
        chains["bitshuffle"] = (_filter("BITSHUFFLE", 32008, name="bitshuffle"),)
        chains["bitshuffle_lz4"] = (
            _filter("BITSHUFFLE", 32008, name="bitshuffle"),
            _filter("LZ4", 32004, name="lz4", level=5),
        )
    return [
        Case(
            f"filter_{name}", I32, (50, 35), chunks=(10, 10), filters=filters, lossy_there=name == "shuffle",
            maxdims=(None, 35) if name in ("shuffle_gzip", "zstd") else None,  # HSDS takes seconds to shrink
        )
        for name, filters in chains.items()
    ]  # fmt: skip


def type_cases() -> list[Case]:
    """Every class of type, fixed and variable."""
    record = compound(a=I32, b=F64, c=chars(5))
    record_dtype = np.dtype([("a", "<i4"), ("b", "<f8"), ("c", "S5")])
    nested = compound(inner=compound(x=I16, y=I16), m={"class": "H5T_ARRAY", "dims": [2, 2], "base": I16})
    nested_dtype = np.dtype([("inner", [("x", "<i2"), ("y", "<i2")]), ("m", "<i2", (2, 2))])
    colour = {
        "class": "H5T_ENUM",
        "base": integer("H5T_STD_I8LE"),
        "mapping": {"RED": 0, "GREEN": 1, "BLUE": 2},
    }
    cases = [
        Case(f"int_{base}", integer(base), (20,), dtype)
        for base, dtype in {
            "H5T_STD_I8LE": "i1", "H5T_STD_U8LE": "u1", "H5T_STD_I16BE": ">i2", "H5T_STD_U16LE": "<u2",
            "H5T_STD_I32BE": ">i4", "H5T_STD_U32LE": "<u4", "H5T_STD_I64LE": "<i8", "H5T_STD_U64BE": ">u8",
        }.items()
    ]  # fmt: skip
    cases += [
        Case(f"float_{base}", floating(base), (20,), dtype)
        for base, dtype in {
            "H5T_IEEE_F16LE": "<f2",
            "H5T_IEEE_F32BE": ">f4",
            "H5T_IEEE_F64LE": "<f8",
        }.items()
    ]
    zstd = _filter("ZSTD", 32015)
    return [
        *cases,
        Case("predefined", "H5T_STD_I32LE", (20,)),
        Case("record", record, (20,), record_dtype, chunks=(8,), maxdims=(None,), filters=(DEFLATE,)),
        Case("record_shuffled", record, (20,), record_dtype, chunks=(8,), filters=(SHUFFLE, DEFLATE)),
        Case("nested", nested, (12,), nested_dtype),
        Case("complex", compound(r=F64, i=F64), (12,), "<c16"),
        Case("enum", colour, (12,), "i1"),
        Case("fixed_ascii", chars(7), (12,), "S7", chunks=(5,), filters=(SHUFFLE, DEFLATE)),
        Case("fixed_utf8", chars(9, "UTF8"), (12,), "S9"),
        Case("opaque", {"class": "H5T_OPAQUE", "size": 6}, (12,), "V6"),
        Case("reference", REFERENCE, (8,), "S48"),
        Case("text", TEXT, (13,), None, chunks=(5,), maxdims=(None,)),
        Case("text_gzip", TEXT, (13,), None, chunks=(5,), filters=(DEFLATE,)),
        Case("text_shuffle_zstd", TEXT, (13,), None, chunks=(5,), filters=(SHUFFLE, zstd)),
        Case("sequences", vlen(I16), (13,), None, chunks=(5,), maxdims=(None,)),
        Case("mixed", compound(n=I32, s=TEXT, v=vlen(I16)), (9,), None, fill=[0, 0, 0]),
    ]  # fmt: skip


def layout_cases(version: str) -> list[Case]:
    """Ranks, chosen and automatic layouts, fill values, initialisers."""
    filled = {"fillValue": 1.5}
    cases = [
        Case("scalar", I32, (), "<i4"),
        Case("scalar_text", TEXT, (), None, fill=""),
        Case("contiguous", I32, (40, 5), props={"layout": {"class": "H5D_CONTIGUOUS"}}),
        Case("automatic", F64, (700, 400), "<f8"),
        Case("automatic_unlimited", F64, (60, 4), "<f8", maxdims=(None, 4)),
        Case("cube", I16, (9, 8, 7), "<i2", chunks=(4, 3, 5), maxdims=(20, 8, None), filters=(DEFLATE,)),
        Case("filled", I32, (30,), chunks=(7,), maxdims=(None,), fill=42, props={"fillValue": 42}),
        Case("filled_gzip", F64, (30,), "<f8", chunks=(7,), filters=(DEFLATE,), fill=1.5, props=filled),
        Case("empty", I32, (0,), chunks=(10,), maxdims=(None,)),
    ]  # fmt: skip
    if version != "0.9.4":  # which can neither read nor write compact datasets
        cases.append(Case("compact", I32, (40,), props={"layout": {"class": "H5D_COMPACT"}}))
    return cases


ATTRIBUTES: dict[str, Json] = {
    "number": {"type": I32, "shape": [], "value": 42},
    "matrix": {"type": F64, "shape": [2, 3], "value": [[1.5, 2.0, 3.0], [4.0, 5.0, -6.25]]},
    "text": {"type": TEXT, "shape": [], "value": "grüße"},
    "texts": {"type": TEXT, "shape": [2], "value": ["a", "bc"]},
    "fixed": {"type": chars(6), "shape": [2], "value": ["abc", "defghi"]},
    "null": {"type": I32, "shape": "H5S_NULL"},
    "record": {"type": compound(a=I32, s=TEXT), "shape": [2], "value": [[1, "x"], [2, "yz"]]},
    "big endian": {"type": integer("H5T_STD_U16BE"), "shape": [3], "value": [1, 256, 65535]},
    "sequences": {"type": vlen(I16), "shape": [2], "value": [[1], [2, 3]]},
    "naïve/ünïcode %{}": {"type": I32, "shape": [], "value": 7},
}


def cases(version: str) -> list[Case]:
    """All datasets that a version of HSDS can hold."""
    return [*filter_cases(version), *type_cases(), *layout_cases(version)]


class File:
    """A domain with all of this in it."""

    def __init__(self, domain: str, version: str) -> None:
        self.domain = domain
        self.cases = cases(version)
        self.attributes = dict(ATTRIBUTES)

    async def create(self, rest: Rest) -> None:
        self.root = await rest.create(self.domain)
        for case in self.cases:
            await case.create(rest, self.domain, self.root)
        link = {"link": {"id": self.root, "name": "group"}}
        self.group = (await rest.ask("POST", "/groups", self.domain, json=link))["id"]
        committed = {"type": compound(a=I32, b=F64), "link": {"id": self.group, "name": "type"}}
        self.type = (await rest.ask("POST", "/datatypes", self.domain, json=committed))["id"]
        null = {"type": I32, "shape": "H5S_NULL", "link": {"id": self.group, "name": "null"}}
        self.null = (await rest.ask("POST", "/datasets", self.domain, json=null))["id"]
        self.links: dict[str, Json] = {
            "again": {"id": self.cases[0].id},
            "soft": {"h5path": "/filter_gzip"},
            "external": {"h5path": "/x", "h5domain": "/home/other.h5"},
        }
        for title, link in self.links.items():
            await rest.ask("PUT", f"/groups/{self.group}/links/{title}", self.domain, json=link)
        for owner in self._owners():
            await rest.ask("PUT", f"{owner}/attributes", self.domain, json={"attributes": self.attributes})
        raw = {"type": chars(4), "shape": [2], "value": None}
        await rest.ask("PUT", f"/groups/{self.group}/attributes/bytes", self.domain, json=raw)
        await self.set_bytes(rest, b"\xff\xfe\x00\x01abcd")
        self.acls = {"test_user1": USER_ACL, "g:testers": USER_ACL | {"update": False}}
        for user, acl in self.acls.items():
            await rest.ask("PUT", f"/acls/{user}", self.domain, json=acl)

    async def change(self, rest: Rest, seed: int) -> None:
        """Change something of everything."""
        for case in self.cases:
            await case.change(rest, self.domain, seed)
        self.attributes["number"] = self.attributes["number"] | {"value": seed}
        self.attributes[f"new {seed}"] = {"type": F64, "shape": [2], "value": [seed / 4, 0.5]}
        for owner in self._owners():
            for name in ("number", f"new {seed}"):
                path = f"{owner}/attributes/{name.replace(' ', '%20')}"
                await rest.ask("PUT", path, self.domain, json=self.attributes[name], params={"replace": 1})
        await self.set_bytes(rest, b"\xff\xfe\x00" + bytes([seed]) + b"wxyz")
        await rest.ask("DELETE", f"/groups/{self.group}/links/external", self.domain)
        self.links["external"] = {"h5path": f"/y{seed}", "h5domain": "/home/another.h5"}
        self.links[f"soft{seed}"] = {"h5path": "/text"}
        for title in ("external", f"soft{seed}"):
            await rest.ask("PUT", f"/groups/{self.group}/links/{title}", self.domain, json=self.links[title])
        self.acls["test_user2"] = USER_ACL | {"create": seed % 2 == 0}
        await rest.ask("PUT", "/acls/test_user2", self.domain, json=self.acls["test_user2"])

    async def set_bytes(self, rest: Rest, data: bytes) -> None:
        """The attribute whose bytes are no text: stored in base64."""
        self.bytes = data
        path = f"/groups/{self.group}/attributes/bytes/value"
        headers = {"Content-Type": "application/octet-stream"}
        await rest.ask("PUT", path, self.domain, data=data, headers=headers)

    async def check(self, rest: Rest, *, there_again: bool = False) -> None:
        """Compare everything. ``there_again`` spares what HSDS is known to misread of its own."""
        for case in self.cases:
            if not (case.lossy_there and there_again):
                await case.check(rest, self.domain)
        for owner in self._owners():
            await self._check_attributes(rest, owner)
        path = f"/groups/{self.group}/attributes/bytes/value"
        headers = {"Accept": "application/octet-stream"}
        assert (await rest.send("GET", path, self.domain, headers=headers))[2] == self.bytes
        await self._check_links(rest)
        null = await rest.ask("GET", f"/datasets/{self.null}", self.domain)
        assert null["shape"]["class"] == "H5S_NULL"
        assert (await rest.ask("GET", f"/datatypes/{self.type}", self.domain))["type"] == compound(
            a=I32, b=F64
        )
        for user, acl in self.acls.items():
            shown = (await rest.ask("GET", f"/acls/{user}", self.domain))["acl"]
            assert {name: shown[name] for name in acl} == acl

    def _owners(self) -> list[str]:
        return [f"/groups/{self.group}", f"/datasets/{self.cases[0].id}", f"/datatypes/{self.type}"]

    async def _check_attributes(self, rest: Rest, owner: str) -> None:
        listed = await rest.ask("GET", f"{owner}/attributes", self.domain, params={"IncludeData": 1})
        found = {attribute["name"]: attribute for attribute in listed["attributes"]}
        assert set(found) - {"bytes"} == set(self.attributes)
        for name, sent in self.attributes.items():
            assert found[name]["type"] == sent["type"], name
            assert found[name].get("value") == sent.get("value"), name

    async def _check_links(self, rest: Rest) -> None:
        listed = await rest.ask("GET", f"/groups/{self.group}/links", self.domain)
        found = {link["title"]: link for link in listed["links"]}
        assert set(found) == {*self.links, "type", "null"}
        for title, sent in self.links.items():
            shown = found[title]
            assert shown.get("id") == sent.get("id"), title
            assert shown.get("h5path") == sent.get("h5path"), title
            assert shown.get("file", shown.get("h5domain")) == sent.get("h5domain"), title
