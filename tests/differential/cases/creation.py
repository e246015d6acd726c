"""Datasets: made with all types and shapes, good and bad, read, deleted."""

from tests.differential import kinds
from tests.differential.draw import Case, Draw

_I32 = "H5T_STD_I32LE"
_CHUNKED = {"layout": {"class": "H5D_CHUNKED", "dims": [2]}}


def types(draw: Draw) -> Case:
    """A dataset of every type."""
    file = draw.file()
    yield file.create()
    for kind in draw.sample(kinds.ALL, 12):
        dims = draw.choice([None, [4], [2, 3]])
        dataset, made = file.dataset(
            dims, kind.json, creationProperties={"layout": {"class": "H5D_CONTIGUOUS"}}
        )
        yield made
        yield file.get(f"/datasets/{dataset}")
        yield file.get(f"/datasets/{dataset}/type")
        yield file.get(f"/datasets/{dataset}/value")
        yield file.get(f"/datasets/{dataset}/value", binary=True)
    for name in ("H5T_STD_I8BE", "H5T_IEEE_F32BE", "H5T_STD_U64LE"):
        dataset, made = file.dataset([2], name)
        yield made
        yield file.get(f"/datasets/{dataset}")
    for type_ in draw.sample(kinds.BAD, 20):
        yield file.post("/datasets", {"id": file.id(), "type": type_, "shape": [2]})
        yield file.post("/datatypes", {"id": file.id("t"), "type": type_})
    yield file.post("/datasets", {"id": file.id(), "shape": [2]})


def shapes(draw: Draw) -> Case:
    """All forms of shapes and maximal shapes."""
    file = draw.file()
    yield file.create()
    for shape in (
        None,
        [],
        5,
        [5],
        [0],
        [2, 3],
        [1, 1, 1, 1],
        [400, 1000],
        [4000, 1000],
        [200000],
        "H5S_NULL",
        "H5S_SCALAR",
        "other",
        {"class": "H5S_NULL"},
        {"class": "H5S_SIMPLE", "dims": [3]},
        [-1],
        ["3"],
        [2.5],
        [None],
        0,
        -4,
        True,
    ):
        for maxdims in draw.sample(
            [
                None,
                [10],
                10,
                [0],
                0,
                ["H5S_UNLIMITED"],
                [None],
                [10, 0],
                [3, None],
                [2],
                ["x"],
                [-1],
                1.5,
                [2**63],
            ],
            4,
        ):
            if draw.maybe(0.6):
                body: dict[str, object] = {"id": file.id(), "type": _I32}
                body |= {} if shape is None else {"shape": shape}
                body |= {} if maxdims is None else {"maxdims": maxdims}
                yield file.post("/datasets", body, keep="new")
                yield file.get("/datasets/@new@")
                yield file.get("/datasets/@new@/shape")


def null_by_omission(draw: Draw) -> Case:
    """What h5pyd 1.0.0 sends for an empty dataset, which has no shape, and for a scalar one."""
    file = draw.file()
    yield file.create()
    for properties in ({}, {"layout": {"class": "H5D_CONTIGUOUS"}}):
        item = {
            "id": file.id(),
            "type": {"class": "H5T_INTEGER", "base": _I32},
            "creationProperties": properties,
        }
        yield file.post("/datasets", [item], vital=True)
        yield file.get(f"/datasets/{item['id']}", vital=True, tags=("null by omission",))
        yield file.get(f"/datasets/{item['id']}/value", vital=True, tags=("null by omission",))
    first = {"id": file.id(), "type": {"class": "H5T_INTEGER", "base": _I32}, "creationProperties": {}}
    second = {**first, "id": file.id()}
    yield file.post("/datasets", [first, second], vital=True, tags=("null by omission",))
    yield file.get(f"/datasets/{first['id']}", tags=("null by omission",))


def reading(draw: Draw) -> Case:
    """One dataset with attributes, with every parameter; deletion."""
    file = draw.file()
    yield file.create()
    dataset, made = file.dataset([4], _I32, name="d", creationProperties={"fillValue": 5, **_CHUNKED})
    yield made
    yield file.put(f"/datasets/{dataset}/attributes/a", {"type": _I32, "value": 3})
    path = f"/datasets/{dataset}"
    yield file.put(f"{path}/value", {"value": [1, 2, 3, 4]})
    for _ in range(8):
        flags = ("include_attrs", "include_links", "verbose", "getalias", "ignore_nan")
        yield file.get(path, params={flag: draw.choice(["1", "0", "T", ""]) for flag in draw.some(flags)})
    big, made = file.dataset([1000], _I32)
    yield made
    yield file.get(f"/datasets/{big}")
    for id_ in (file.id(), "x", file.id("g"), draw.stranger(), dataset.upper()):
        for route in ("", "/shape", "/type", "/value", "/attributes", "/query"):
            yield file.get(f"/datasets/{id_}{route}")
        yield file.delete(f"/datasets/{id_}")
        yield file.put(f"/datasets/{id_}/value", {"value": 1})
        yield file.put(f"/datasets/{id_}/shape", {"shape": [5]})
    yield file.delete(path, user="test_user2")
    yield file.delete(path)
    yield file.delete(path)
    for route in ("", "/shape", "/type", "/value", "/attributes"):
        yield file.get(f"{path}{route}")
    yield file.get("/datasets")
    yield file.post("/datasets", {"id": dataset, "type": _I32, "shape": [4]}, tags=("reused",))
    yield file.get(f"{path}/value", tags=("reused",))


def linked(draw: Draw) -> Case:
    """Bodies of POST beside type and shape."""
    file = draw.file()
    yield file.create()
    group, made = file.group(file.root, "g1")
    yield made
    base = {"type": _I32, "shape": [2]}
    for body in (
        {},
        {"link": {"id": file.root, "name": "n1"}},
        {"link": {"id": file.root, "name": "g1"}},
        {"link": {"id": file.root, "name": "a/b"}},
        {"link": {"id": group}},
        {"h5path": "p1"},
        {"h5path": "/p2"},
        {"h5path": "p3/p4"},
        {"h5path": "g1/p5"},
        {"h5path": "p6", "parent_id": group},
        {"h5path": "/p7", "parent_id": group},
        {"id": file.id("g")},
        {"id": "x"},
        {"id": file.id(), "attributes": {"a": {"type": _I32, "value": 5}}},
        {"id": file.id(), "attributes": {"a": {"type": _I32, "value": "x"}}},
        {"id": file.id(), "attributes": 5},
        {"id": file.id(), "links": {"a": {"h5path": "/x"}}},
        {"id": file.id(), "unknown": 5, "created": 4, "lastModified": 3},
    ):
        yield file.post("/datasets", base | body, keep="new")
        yield file.get("/datasets/@new@", params={"include_attrs": 1})
    yield file.post("/datasets", base | {"h5path": "q1/q2/q3"}, params={"implicit": 1})
    yield file.get(f"/groups/{file.root}/links")


def valued(draw: Draw) -> Case:
    """An initial value in the body."""
    file = draw.file()
    yield file.create()
    for shape, value in (
        ([3], [1, 2, 3]),
        ([3], [1, 2]),
        ([3], 5),
        ([2, 2], [[1, 2], [3, 4]]),
        ([2, 2], [1, 2, 3, 4]),
        (None, 7),
        (None, [7]),
        ("H5S_NULL", 7),
        ([3], "x"),
        ([3], None),
        ([3], []),
        ([3], [0, 0, 0]),
        ([0], []),
    ):
        body = {"id": file.id(), "type": _I32, "value": value} | ({} if shape is None else {"shape": shape})
        fits = value in ([1, 2, 3], [[1, 2], [3, 4]], 7) and shape != "H5S_NULL"
        yield file.post("/datasets", body, keep="new", tags=() if fits else ("wrong",))
        yield file.get("/datasets/@new@/value")
    for kind in draw.sample(kinds.ALL, 6):
        tags = ("opaque",) if kind.name.startswith("opaque") else ()
        value = kind.nested(draw, [3])
        yield file.post(
            "/datasets", {"id": file.id(), "type": kind.json, "shape": [3], "value": value}, keep="new"
        )
        yield file.get("/datasets/@new@/value", tags=tags)
        yield file.get("/datasets/@new@/value", binary=True)


CASES = [types, shapes, null_by_omission, reading, linked, valued]
