"""Types of all classes, with random elements of each in JSON and in bytes (contract, 4.2 to 4.4)."""

from __future__ import annotations

import base64
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from tests.differential.draw import Draw

_INTS = {"8": "b", "16": "h", "32": "i", "64": "q"}
_FLOATS = {"16": "e", "32": "f", "64": "d"}
_TEXTS = ("", "a", "bb", "hello", "grün", "日本", "x y", "long text " * 4)


@dataclass(frozen=True, slots=True)
class Kind:
    """A type: its JSON, a drawer of elements in JSON, and their bytes."""

    name: str
    json: Any
    element: Callable[[Draw], Any]
    pack: Callable[[Any], bytes]
    variable: bool = False
    fields: tuple[str, ...] = ()

    def nested(self, draw: Draw, dims: Sequence[int]) -> Any:
        """A random JSON value of an extent."""
        if not dims:
            return self.element(draw)
        return [self.nested(draw, dims[1:]) for _ in range(dims[0])]

    def bytes(self, value: Any, rank: int) -> bytes:
        """The bytes of a JSON value with ``rank`` axes."""
        if rank == 0:
            return self.pack(value)
        return b"".join(self.bytes(item, rank - 1) for item in value)


def _integer(base: str) -> Kind:
    bits, order = base[9:-2], "<" if base.endswith("LE") else ">"
    signed = base[8] == "I"
    code = _INTS[bits] if signed else _INTS[bits].upper()
    low, high = (-(2 ** (int(bits) - 1)), 2 ** (int(bits) - 1) - 1) if signed else (0, 2 ** int(bits) - 1)

    def element(draw: Draw) -> int:
        return draw.choice([0, 1, low, high, draw.randint(low, high), draw.randint(0, 100)])

    return Kind(
        base, {"class": "H5T_INTEGER", "base": base}, element, lambda value: struct.pack(order + code, value)
    )


def _float(base: str) -> Kind:
    code = ("<" if base.endswith("LE") else ">") + _FLOATS[base[10:-2]]

    def element(draw: Draw) -> float:
        # only what every width holds exactly
        return draw.choice([0.0, 1.5, -2.25, float(draw.randint(-1000, 1000)), draw.randint(-64, 64) / 32])

    return Kind(base, {"class": "H5T_FLOAT", "base": base}, element, lambda value: struct.pack(code, value))


def _fixed(length: int, pad: str, charset: str) -> Kind:
    def element(draw: Draw) -> str:
        text = draw.choice(_TEXTS) if charset == "UTF8" else draw.choice(["", "a", "bcd", "hello", "x y"])
        return text.encode()[:length].decode(errors="ignore")

    json = {
        "class": "H5T_STRING",
        "length": length,
        "charSet": f"H5T_CSET_{charset}",
        "strPad": f"H5T_STR_{pad}",
    }
    return Kind(f"S{length}{pad}{charset}", json, element, lambda text: text.encode().ljust(length, b"\0"))


def _counted(data: bytes) -> bytes:
    return struct.pack("<i", len(data)) + data


def _variable(charset: str) -> Kind:
    json = {
        "class": "H5T_STRING",
        "length": "H5T_VARIABLE",
        "charSet": f"H5T_CSET_{charset}",
        "strPad": "H5T_STR_NULLTERM",
    }

    def element(draw: Draw) -> str:
        text = draw.choice(_TEXTS)
        return text if charset == "UTF8" else text.encode("ascii", errors="ignore").decode()

    return Kind(f"text{charset}", json, element, lambda text: _counted(text.encode()), variable=True)


def vlen(base: Kind) -> Kind:
    """Sequences of a fixed-size type; never empty, because those read back as 0 from HSDS."""
    return Kind(
        f"vlen of {base.name}",
        {"class": "H5T_VLEN", "size": "H5T_VARIABLE", "base": base.json},
        lambda draw: [base.element(draw) for _ in range(draw.randint(1, 4))],
        lambda items: _counted(b"".join(base.pack(item) for item in items)),
        variable=True,
    )


def compound(name: str, **members: Kind) -> Kind:
    """A compound of members."""
    kinds = list(members.values())
    return Kind(
        name,
        {
            "class": "H5T_COMPOUND",
            "fields": [{"name": key, "type": kind.json} for key, kind in members.items()],
        },
        lambda draw: [kind.element(draw) for kind in kinds],
        lambda row: b"".join(kind.pack(item) for kind, item in zip(kinds, row, strict=True)),
        variable=any(kind.variable for kind in kinds),
        fields=tuple(members),
    )


def array(base: Kind, *dims: int) -> Kind:
    """An array type."""
    return Kind(
        f"{base.name}{list(dims)}",
        {"class": "H5T_ARRAY", "dims": list(dims), "base": base.json},
        lambda draw: base.nested(draw, dims),
        lambda value: base.bytes(value, len(dims)),
    )


def _enum(form: str) -> Kind:
    names = {"RED": 0, "GREEN": 1, "BLUE": 42}
    members: Any = (
        names if form == "mapping" else [{"name": key, "value": value} for key, value in names.items()]
    )
    base = {"class": "H5T_INTEGER", "base": "H5T_STD_I16LE"}
    return Kind(
        f"enum {form}",
        {"class": "H5T_ENUM", "base": base, form: members},
        lambda draw: draw.choice(list(names.values())),
        lambda value: struct.pack("<h", value),
    )


def _boolean() -> Kind:
    json = {
        "class": "H5T_ENUM",
        "base": {"class": "H5T_INTEGER", "base": "H5T_STD_I8LE"},
        "members": [{"name": "FALSE", "value": 0}, {"name": "TRUE", "value": 1}],
    }
    return Kind("boolean", json, lambda draw: draw.maybe(), lambda value: struct.pack("<b", value))


def _opaque(size: int) -> Kind:
    return Kind(
        f"opaque{size}",
        {"class": "H5T_OPAQUE", "size": size, "tag": "odd bytes"},
        lambda draw: base64.b64encode(draw.randbytes(size)).decode(),
        base64.b64decode,
    )


def _reference() -> Kind:
    json = {
        "class": "H5T_REFERENCE",
        "base": "H5T_STD_REF_OBJ",
        "length": 48,
        "charSet": "H5T_CSET_ASCII",
        "strPad": "H5T_STR_NULLPAD",
    }

    def element(draw: Draw) -> str:
        letter, collection = draw.choice([("g", "groups"), ("d", "datasets"), ("t", "datatypes")])
        return f"{collection}/{letter}-d1ff0000-00000000-c05e-000000-00000{draw.randint(0, 9)}"

    return Kind("reference", json, element, lambda text: text.encode().ljust(48, b"\0"))


INTEGERS = [
    _integer(f"H5T_STD_{sign}{bits}{order}") for sign in "IU" for bits in _INTS for order in ("LE", "BE")
]
FLOATS = [_float(f"H5T_IEEE_F{bits}{order}") for bits in _FLOATS for order in ("LE", "BE")]
I32 = next(kind for kind in INTEGERS if kind.name == "H5T_STD_I32LE")
F64 = next(kind for kind in FLOATS if kind.name == "H5T_IEEE_F64LE")
F32 = next(kind for kind in FLOATS if kind.name == "H5T_IEEE_F32LE")
PADS = ("NULLPAD", "NULLTERM", "SPACEPAD")
FIXED_TEXTS = [
    _fixed(length, pad, charset) for length in (1, 7) for pad in PADS for charset in ("ASCII", "UTF8")
]
TEXT, ASCII = _variable("UTF8"), _variable("ASCII")
TABLE_TEXT = _fixed(5, "NULLPAD", "ASCII")
TABLE = compound("table", a=I32, b=F64, s=TABLE_TEXT)
FIXED = [
    *INTEGERS,
    *FLOATS,
    *FIXED_TEXTS,
    _enum("mapping"),
    _enum("members"),
    _boolean(),
    _opaque(3),
    _reference(),
    TABLE,
    compound("complex", r=F32, i=F32),
    compound("nested", p=compound("point", x=F64, y=F64), n=I32),
    compound("with boolean", ok=_boolean(), v=F32),
    array(I32, 3),
    array(F32, 2, 2),
    compound("with array", id=I32, v=array(F32, 3)),
]
VARIABLE = [
    TEXT,
    ASCII,
    vlen(I32),
    vlen(F64),
    vlen(_integer("H5T_STD_I16BE")),
    compound("record", n=I32, t=TEXT),
    compound("record of sequences", n=I32, t=TEXT, v=vlen(_integer("H5T_STD_I16LE"))),
]
ALL = [*FIXED, *VARIABLE]
ARRAYS = [kind for kind in ALL if "H5T_ARRAY" in str(kind.json)]
NO_ARRAYS = [kind for kind in ALL if kind not in ARRAYS]
"""HSDS cannot read or write points of array types, and takes 13 s to say so."""

BAD: list[Any] = [
    "H5T_STD_I32",
    "H5T_NOTHING",
    "",
    7,
    [],
    {},
    {"class": "H5T_INTEGER"},
    {"class": "H5T_INTEGER", "base": "H5T_STD_I33LE"},
    {"class": "H5T_INTEGER", "base": 4},
    {"class": "H5T_INTEGER", "base": "H5T_IEEE_F32LE"},
    {"class": "H5T_FLOAT", "base": "H5T_STD_I32LE"},
    {"class": "H5T_TIME", "base": "H5T_UNIX_D32LE"},
    {"class": "H5T_BITFIELD", "base": "H5T_STD_B8LE"},
    {"class": "H5T_STRING", "length": 5},
    {"class": "H5T_STRING", "length": 0, "charSet": "H5T_CSET_ASCII", "strPad": "H5T_STR_NULLPAD"},
    {"class": "H5T_STRING", "length": -3, "charSet": "H5T_CSET_ASCII", "strPad": "H5T_STR_NULLPAD"},
    {"class": "H5T_STRING", "length": "5", "charSet": "H5T_CSET_ASCII", "strPad": "H5T_STR_NULLPAD"},
    {"class": "H5T_STRING", "length": 5, "charSet": "H5T_CSET_EBCDIC", "strPad": "H5T_STR_NULLPAD"},
    {"class": "H5T_COMPOUND"},
    {"class": "H5T_COMPOUND", "fields": []},
    {"class": "H5T_COMPOUND", "fields": {"a": "H5T_STD_I32LE"}},
    {"class": "H5T_COMPOUND", "fields": [{"name": "a"}]},
    {"class": "H5T_COMPOUND", "fields": [{"type": "H5T_STD_I32LE"}]},
    {"class": "H5T_COMPOUND", "fields": [{"name": "a", "type": "H5T_STD_I32LE"}] * 2},
    {"class": "H5T_ENUM", "base": {"class": "H5T_INTEGER", "base": "H5T_STD_I8LE"}},
    {"class": "H5T_ENUM", "base": {"class": "H5T_INTEGER", "base": "H5T_STD_I8LE"}, "mapping": {}},
    {"class": "H5T_ENUM", "base": {"class": "H5T_FLOAT", "base": "H5T_IEEE_F32LE"}, "mapping": {"a": 1}},
    {"class": "H5T_ENUM", "mapping": {"a": 1}},
    {"class": "H5T_ARRAY", "base": {"class": "H5T_INTEGER", "base": "H5T_STD_I8LE"}},
    {"class": "H5T_ARRAY", "dims": [0], "base": {"class": "H5T_INTEGER", "base": "H5T_STD_I8LE"}},
    {"class": "H5T_ARRAY", "dims": "3", "base": {"class": "H5T_INTEGER", "base": "H5T_STD_I8LE"}},
    {"class": "H5T_ARRAY", "dims": [3]},
    {"class": "H5T_INTEGER", "base": "H5T_STD_I32LE", "dims": [3]},
    {"class": "H5T_VLEN"},
    {"class": "H5T_VLEN", "base": {"class": "H5T_NONE"}},
    {"class": "H5T_OPAQUE"},
    {"class": "H5T_OPAQUE", "size": 0},
    {"class": "H5T_REFERENCE"},
    {"class": "H5T_REFERENCE", "base": "H5T_STD_REF_NONE"},
    "t-d1ff0000-00000000-c05e-000000-000000",
]
