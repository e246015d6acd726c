"""Committed datatypes, and their use by datasets and attributes."""

from tests.differential import kinds
from tests.differential.draw import Case, Draw


def life(draw: Draw) -> Case:
    """A committed type of each class: made, read, used, deleted."""
    file = draw.file()
    yield file.create()
    for number, kind in enumerate(draw.sample(kinds.ALL, 4)):
        type_, made = file.datatype(kind.json, name=f"t{number}" if draw.maybe() else None)
        yield made
        tags = ("opaque",) if kind.name.startswith("opaque") else ()
        for flag in ("include_attrs", "include_links", "getalias", "verbose"):
            yield file.get(f"/datatypes/{type_}", params={flag: draw.choice(["1", "0"])})
        dataset, made = file.dataset([3], type_)
        yield made
        yield file.get(f"/datasets/{dataset}")
        yield file.get(f"/datasets/{dataset}/type")
        value = kind.nested(draw, [3])
        yield file.put(f"/datasets/{dataset}/value", data=kind.bytes(value, 1))
        yield file.get(f"/datasets/{dataset}/value", tags=tags)
        yield file.get(f"/datasets/{dataset}/value", binary=True)
        path = f"/datasets/{dataset}/attributes/a"
        yield file.put(path, {"type": type_, "shape": [3], "value": value}, tags=tags)
        yield file.get(path, tags=tags)
        yield file.delete(f"/datatypes/{type_}", user="test_user2")
        yield file.delete(f"/datatypes/{type_}")
        yield file.delete(f"/datatypes/{type_}")
        yield file.get(f"/datatypes/{type_}")
        yield file.get(f"/datasets/{dataset}")
    yield file.get("/datatypes")


def refused(draw: Draw) -> Case:
    """Bodies and ids that are not accepted."""
    file = draw.file()
    yield file.create()
    group, made = file.group(file.root, "g")
    yield made
    for body in (
        {},
        {"type": None},
        {"type": file.id("t")},
        {"type": "H5T_STD_I32LE", "id": file.id("d")},
        {"type": "H5T_STD_I32LE", "link": {"id": group, "name": "n"}},
        {"type": "H5T_STD_I32LE", "link": {"id": group, "name": "n"}},
        {"type": "H5T_STD_I32LE", "h5path": "g/t"},
        {"type": "H5T_STD_I32LE", "h5path": "none/t"},
        {"type": "H5T_STD_I32LE", "shape": [4], "value": 5},
        {"type": "H5T_STD_I32LE", "links": {"a": {"h5path": "/x"}}},
        {"type": "H5T_STD_I32LE", "attributes": {"a": {"type": "H5T_STD_I32LE", "value": 1}}},
        {"type": "H5T_STD_I32LE", "creationProperties": {"a": 1}},
    ):
        yield file.post("/datatypes", body, keep="new")
        yield file.get("/datatypes/@new@", params={"include_attrs": 1})
    for id_ in ("x", file.id("t"), file.id("g"), draw.stranger()):
        yield file.get(f"/datatypes/{id_}")
        yield file.delete(f"/datatypes/{id_}")
        yield file.post("/datasets", {"id": file.id(), "type": id_, "shape": [2]})
    yield file.post("/datatypes", {"type": "H5T_STD_I32LE", "h5path": "a/b"}, params={"implicit": 1})
    yield file.get(f"/groups/{file.root}/links")


def bad_types(draw: Draw) -> Case:
    """Every malformed type."""
    file = draw.file()
    yield file.create()
    for type_ in kinds.BAD:
        if draw.maybe(0.7):
            yield file.post("/datatypes", {"id": file.id("t"), "type": type_})


CASES = [life, refused, bad_types]
