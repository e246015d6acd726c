"""Attributes: written and read in every form, of all types."""

import base64
from urllib.parse import quote

from tests.differential import kinds
from tests.differential.draw import Case, Draw, File
from tests.differential.exchange import Request

_I32 = "H5T_STD_I32LE"


def _object(draw: Draw, file: File) -> tuple[str, Request]:
    """The path of a new object of any collection."""
    match draw.randrange(3):
        case 0:
            id_, made = file.group()
            return f"/groups/{id_}", made
        case 1:
            id_, made = file.dataset([2], _I32)
            return f"/datasets/{id_}", made
    id_, made = file.datatype(_I32)
    return f"/datatypes/{id_}", made


def typed(draw: Draw) -> Case:
    """Every type class, scalar and not, in JSON, base64 and bytes."""
    file = draw.file()
    yield file.create()
    path, made = _object(draw, file)
    yield made
    for kind in draw.sample(kinds.ALL, 12):
        dims = draw.choice([(), (), (1,), (3,), (2, 2)])
        value = kind.nested(draw, dims)
        tags = ("opaque",) if kind.name.startswith("opaque") else ()
        tags += ("odd record",) if kind.fields or kind.name.startswith("vlen") or kind in kinds.ARRAYS else ()
        shape = {"shape": list(dims)} if dims or draw.maybe(0.3) else {}
        name = quote(draw.word(), safe="")
        body = {"type": kind.json, **shape, "value": value}
        if not kind.variable and draw.maybe(0.3):
            text = base64.b64encode(kind.bytes(value, len(dims))).decode()
            body |= {"value": text, "encoding": "base64"}
        yield file.put(f"{path}/attributes/{name}", body, tags=tags)
        yield file.put(f"{path}/attributes/{name}", body, tags=tags)
        yield file.get(f"{path}/attributes/{name}", tags=tags)
        yield file.get(f"{path}/attributes/{name}", params={"encoding": "base64"}, tags=tags)
        yield file.get(f"{path}/attributes/{name}/value", tags=tags)
        yield file.get(f"{path}/attributes/{name}/value", binary=True, tags=tags)
    yield file.get(path, params={"include_attrs": 1})
    yield file.get(f"{path}/attributes", params={"IncludeData": 1})
    yield file.get(f"{path}/attributes", params={"IncludeData": 1, "encoding": "base64"})


def shapes(draw: Draw) -> Case:
    """All forms of shapes, with values that fit them or do not."""
    file = draw.file()
    yield file.create()
    path, made = _object(draw, file)
    yield made
    absent = "absent"
    number = 0
    for shape in (
        absent,
        [],
        3,
        [3],
        [1],
        [2, 2],
        [0],
        "H5S_NULL",
        "H5S_SCALAR",
        "H5S_OTHER",
        {"class": "H5S_NULL"},
        {"class": "H5S_SCALAR"},
        {"class": "H5S_SIMPLE", "dims": [3]},
        {"class": "H5S_SIMPLE"},
        {"class": "H5S_SCALAR", "dims": [1]},
        {"class": "H5S_NULL", "dims": [1]},
        {"dims": [3]},
        {"class": "H5S_OTHER"},
        [-1],
        ["3"],
        "3",
        3.5,
        [None],
    ):
        for value in draw.sample(
            [absent, None, 5, [1, 2, 3], [[1, 2], [3, 4]], [7], [], "text", [1, 2, 3, 4]], 3
        ):
            number += 1
            body = {"type": _I32, "shape": shape, "value": value}
            body = {key: item for key, item in body.items() if item is not absent}
            yield file.put(f"{path}/attributes/a{number}", body)
            yield file.get(f"{path}/attributes/a{number}")
    yield file.get(f"{path}/attributes", params={"IncludeData": 1})


def refused(draw: Draw) -> Case:
    """Types, values and names that are not accepted."""
    file = draw.file()
    yield file.create()
    path, made = _object(draw, file)
    yield made
    for number, type_ in enumerate(kinds.BAD):
        yield file.put(f"{path}/attributes/bad{number}", {"type": type_, "shape": [2], "value": [1, 2]})
    for number, (type_, value) in enumerate(
        (
            (_I32, "x"),
            (_I32, 1.5),
            (_I32, 2**40),
            (_I32, None),
            (_I32, True),
            (_I32, {}),
            ("H5T_STD_U8LE", -1),
            ("H5T_STD_U8LE", 256),
            ("H5T_IEEE_F32LE", "nan"),
            ("H5T_IEEE_F32LE", 1e300),
            ("H5T_IEEE_F64LE", float("nan")),
            ("H5T_IEEE_F64LE", float("inf")),
            (kinds.TEXT.json, 5),
            (kinds.TEXT.json, ["a"]),
            (kinds.FIXED_TEXTS[-1].json, "much too long for it"),
            (kinds.TABLE.json, [1, 2.0]),
            (kinds.TABLE.json, [1, 2.0, "s", 4]),
            (kinds.TABLE.json, {"a": 1, "b": 2.0, "s": "t"}),
            (kinds.TABLE.json, 7),
        )
    ):
        yield file.put(f"{path}/attributes/value{number}", {"type": type_, "value": value})
        yield file.get(f"{path}/attributes/value{number}")
        yield file.get(f"{path}/attributes/value{number}", params={"ignore_nan": 1})
    yield file.put(f"{path}/attributes/x", {"value": 1})
    yield file.put(f"{path}/attributes/x", {"type": _I32, "value": "AAAA", "encoding": "base64"})
    yield file.put(f"{path}/attributes/x", {"type": _I32, "value": "!!", "encoding": "base64"})
    yield file.put(f"{path}/attributes/x", {"type": _I32, "value": "AAAAAA==", "encoding": "hex"})
    yield file.put(f"{path}/attributes/x", {"type": kinds.TEXT.json, "value": "AAAA", "encoding": "base64"})
    for name in ("a%2Fb", "%20", "x" * 300):
        yield file.put(f"{path}/attributes/{name}", {"type": _I32, "value": 1})
        yield file.get(f"{path}/attributes/{name}")


def changing(draw: Draw) -> Case:
    """Replacing, deleting, and the same name again."""
    file = draw.file()
    yield file.create()
    path, made = _object(draw, file)
    yield made
    body = {"type": _I32, "value": 1}
    yield file.put(f"{path}/attributes/a", body)
    for other in (
        {**body, "value": 2},
        {**body, "shape": [1], "value": [1]},
        {"type": "H5T_STD_I64LE", "value": 1},
    ):
        yield file.put(f"{path}/attributes/a", other)
        yield file.put(f"{path}/attributes/a", other, params={"replace": 1})
        yield file.put(f"{path}/attributes/a", other, params={"replace": 1})
        yield file.get(f"{path}/attributes/a")
    yield file.put(f"{path}/attributes/a", body, params={"replace": draw.choice(["0", "true", ""])})
    yield file.put(f"{path}/attributes/a", {**body, "value": 9}, user="test_user2")
    for created in (5, 1e12, "x", None):
        yield file.put(f"{path}/attributes/c{created}", {**body, "created": created})
        yield file.get(f"{path}/attributes/c{created}")
    yield file.get(f"{path}/attributes/a", params={"IncludeData": "0"})
    for _ in range(2):
        yield file.delete(f"{path}/attributes/a")
        yield file.get(f"{path}/attributes/a")
    yield file.put(f"{path}/attributes/a", body)
    yield file.get(f"{path}/attributes/a")
    for missing in ("none", "none/value"):
        yield file.get(f"{path}/attributes/{missing}")
    yield file.delete(f"{path}/attributes/none")
    for id_ in (file.id("g"), "x", draw.stranger()):
        yield file.get(f"/groups/{id_}/attributes")
        yield file.get(f"/groups/{id_}/attributes/a")
        yield file.put(f"/groups/{id_}/attributes/a", body)
        yield file.delete(f"/groups/{id_}/attributes/a")


def listing(draw: Draw) -> Case:
    """All attributes of an object, in order, page by page, of many objects."""
    file = draw.file()
    yield file.create()
    path, made = _object(draw, file)
    yield made
    for name in ("c", "a", "B", "d2", "d10"):
        kind = draw.choice([kinds.I32, kinds.F64, kinds.TEXT, kinds.TABLE])
        body = {"type": kind.json, "shape": [2], "value": kind.nested(draw, [2])}
        yield file.put(f"{path}/attributes/{name}", body)
    yield file.get(f"{path}/attributes")
    for _ in range(12):
        params = {
            "Limit": draw.choice(["1", "2", "0", "99", "x", "-1"]),
            "Marker": draw.choice(["a", "c", "d2", "none", ""]),
            "pattern": draw.choice(["*", "d*", "?", "[ab]", "none", "["]),
            "CreateOrder": draw.choice(["1", "0", "T"]),
            "IncludeData": draw.choice(["1", "0", "T"]),
            "max_data_size": draw.choice(["8", "16", "2000", "0", "x"]),
            "encoding": draw.choice(["base64", "hex"]),
            "ignore_nan": "1",
        }
        yield file.get(
            f"{path}/attributes", params={name: params[name] for name in draw.some(list(params), 3)}
        )
    group, made = file.group(file.root, "g")
    yield made
    yield file.put(f"/groups/{group}/attributes/deep", {"type": _I32, "value": 1})
    yield file.get(f"/groups/{file.root}/attributes", params={"follow_links": 1})
    yield file.get(f"/groups/{file.root}/attributes", params={"follow_links": 1, "IncludeData": 1})


CASES = [typed, shapes, refused, changing, listing]
