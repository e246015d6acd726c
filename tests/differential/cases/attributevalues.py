"""Many attributes in one request, and the values of single ones."""

import base64

from tests.differential import kinds
from tests.differential.draw import Case, Draw

_I32 = "H5T_STD_I32LE"


def _attribute(value: int) -> dict[str, object]:
    return {"type": _I32, "value": value}


def reading(draw: Draw) -> Case:
    """POST of names and of objects."""
    file = draw.file()
    yield file.create()
    group, made = file.group(file.root, "g")
    yield made
    dataset, made = file.dataset([2], _I32, parent=file.root, name="d")
    yield made
    for path in (f"/groups/{group}", f"/datasets/{dataset}"):
        for name in ("a", "b", "c"):
            yield file.put(f"{path}/attributes/{name}", _attribute(len(name)))
    for body in (
        {"attr_names": ["a"]},
        {"attr_names": ["c", "a"]},
        {"attr_names": []},
        {"attr_names": ["a", "none"]},
        {"attr_names": "a"},
        {"attr_names": [5]},
        {"obj_ids": [group]},
        {"obj_ids": [group, dataset]},
        {"obj_ids": [dataset], "attr_names": ["a"]},
        {"obj_ids": [group, dataset], "attr_names": ["a", "b"]},
        {"obj_ids": {group: ["a"]}},
        {"obj_ids": {group: ["a"], dataset: ["b", "c"]}},
        {"obj_ids": {group: ["none"]}},
        {"obj_ids": {group: []}},
        {"obj_ids": []},
        {"obj_ids": {}},
        {"obj_ids": ["x"]},
        {"obj_ids": [file.id("g")]},
        {"obj_ids": [file.id("g"), group]},
        {"obj_ids": "x"},
        {},
    ):
        if draw.maybe(0.8):
            params = {
                "IncludeData": draw.choice(["1", "0"]),
                "encoding": "base64",
                "max_data_size": draw.choice(["4", "2", "100"]),
                "Limit": "1",
                "CreateOrder": "1",
                "pattern": "[ab]",
            }
            chosen = {name: params[name] for name in draw.some(list(params), 2)} if draw.maybe() else {}
            yield file.post(f"/groups/{group}/attributes", body, params=chosen)


def writing(draw: Draw) -> Case:
    """PUT in the forms of both clients, repeated, changed and wrong."""
    file = draw.file()
    yield file.create()
    group, made = file.group()
    yield made
    dataset, made = file.dataset([2], _I32)
    yield made
    for body in (
        {"attributes": {"a": _attribute(1), "b": _attribute(2)}},
        {"attributes": {"a": _attribute(1), "b": _attribute(2)}},
        {"attributes": {"a": _attribute(1), "c": _attribute(3)}},
        {"attributes": {"a": _attribute(9)}},
        {
            "obj_ids": {
                group: {"attributes": {"d": _attribute(1)}},
                dataset: {"attributes": {"d": _attribute(2)}},
            }
        },
        {
            "obj_ids": {
                group: {"attributes": {"d": _attribute(1)}},
                dataset: {"attributes": {"d": _attribute(2)}},
            }
        },
        {"obj_ids": [group, dataset], "attributes": {"e": _attribute(4)}},
        {"obj_ids": [group], "attributes": {"f": _attribute(4)}},
        {"attributes": {"nan": {"type": "H5T_IEEE_F64LE", "value": float("nan")}}},
        {"obj_ids": {dataset: {"attributes": {"n": {"type": _I32, "shape": {"class": "H5S_NULL"}}}}}},
        {"obj_ids": {dataset: {"attributes": {"n": {"type": _I32, "shape": {"class": "H5S_NULL"}}}}}},
    ):
        yield file.put(f"/groups/{file.root if 'obj_ids' in body else group}/attributes", body)
    for path in (f"/groups/{group}", f"/datasets/{dataset}"):
        yield file.get(path, params={"include_attrs": 1})
        yield file.get(f"{path}/attributes", params={"CreateOrder": 1})
    changed = {"attributes": {"a": _attribute(5), "z": _attribute(1)}}
    yield file.put(f"/groups/{group}/attributes", changed, params={"replace": 1})
    yield file.get(f"/groups/{group}/attributes", params={"IncludeData": 1})


def upserting(draw: Draw) -> Case:
    """A batch that changes a value, without ``replace``."""
    file = draw.file()
    yield file.create()
    group, made = file.group()
    yield made
    yield file.put(
        f"/groups/{file.root}/attributes", {"obj_ids": {group: {"attributes": {"a": _attribute(1)}}}}
    )
    yield file.put(
        f"/groups/{file.root}/attributes",
        {"obj_ids": {group: {"attributes": {"a": _attribute(2)}}}},
        vital=True,
    )
    yield file.get(f"/groups/{group}/attributes/a")


def same_nan(draw: Draw) -> Case:
    """An attribute with NaN, sent again."""
    file = draw.file()
    yield file.create()
    body = {"attributes": {"nan": {"type": "H5T_IEEE_F64LE", "value": float("nan")}}}
    yield file.put(f"/groups/{file.root}/attributes", body)
    yield file.put(f"/groups/{file.root}/attributes", body, tags=("nan again",))
    yield file.put(f"/groups/{file.root}/attributes/nan", body["attributes"]["nan"], tags=("nan again",))
    yield file.get(f"/groups/{file.root}/attributes/nan")


def refused(draw: Draw) -> Case:
    """Batches that are not accepted."""
    file = draw.file()
    yield file.create()
    group, made = file.group()
    yield made
    for body in (
        {},
        {"attributes": {}},
        {"attributes": []},
        {"attributes": 5},
        {"attributes": {"a": 5}},
        {"attributes": {"a": {}}},
        {"name": "a", "type": _I32, "value": 1},
        {"obj_ids": {group: {}}},
        {"obj_ids": {group: 5}},
        {"obj_ids": {group: {"attributes": {}}}},
        {"obj_ids": {"x": {"attributes": {"a": _attribute(1)}}}},
        {"obj_ids": {file.id("g"): {"attributes": {"a": _attribute(1)}}}},
        {"obj_ids": [group]},
        {"obj_ids": [], "attributes": {"a": _attribute(1)}},
        {"obj_ids": 5},
        {"attributes": {"a": {"type": _I32, "shape": [2], "value": 7}}},
        {"attributes": {"a/b": _attribute(1)}},
        {"attributes": {"": _attribute(1)}},
    ):
        yield file.put(f"/groups/{group}/attributes", body)
    yield file.put(f"/groups/{group}/attributes", {"attributes": {"a": _attribute(1)}}, user="test_user2")


def deletion(draw: Draw) -> Case:
    """DELETE of several names, also in base64."""
    file = draw.file()
    yield file.create()
    group, made = file.group()
    yield made
    names = ["a", "b", "c/d", "é x", "e", "f", "g"]
    yield file.put(f"/groups/{group}/attributes", {"attributes": {name: _attribute(1) for name in names}})
    for params in (
        {"attr_names": "a/b"},
        {"attr_names": "a/b"},
        {"attr_names": "c/d|é x", "separator": "|"},
        {"attr_names": "none"},
        {"attr_names": ""},
        {"attr_names": base64.b64encode(b"e/f").decode(), "encoding": "base64"},
        {"attr_names": "!!!", "encoding": "base64"},
        {"attr_names": "g", "encoding": "hex"},
        {"separator": "|"},
        {},
    ):
        yield file.delete(f"/groups/{group}/attributes", params=params)
    yield file.get(f"/groups/{group}/attributes")
    yield file.post(f"/groups/{group}/attributes", {"attr_names": ["a"]})
    yield file.delete(f"/groups/{group}/attributes", params={"attr_names": "g"}, user="test_user2")


def values(draw: Draw) -> Case:
    """PUT and GET of a value alone, in JSON and bytes."""
    file = draw.file()
    yield file.create()
    for number, kind in enumerate(draw.sample(kinds.ALL, 6)):
        dims = draw.choice([(), (3,), (2, 2)])
        tags = ("opaque",) if kind.name.startswith("opaque") else ()
        tags += ("odd record",) if kind.fields or kind.name.startswith("vlen") or kind in kinds.ARRAYS else ()
        path = f"/groups/{file.root}/attributes/a{number}"
        yield file.put(path, {"type": kind.json, "shape": list(dims)}, tags=tags)
        yield file.get(path, tags=tags)
        yield file.get(f"{path}/value", tags=tags)
        yield file.get(f"{path}/value", binary=True, tags=tags)
        value = kind.nested(draw, dims)
        yield file.put(f"{path}/value", {"value": value}, tags=tags)
        yield file.get(f"{path}/value", tags=tags)
        value = kind.nested(draw, dims)
        data = kind.bytes(value, len(dims))
        yield file.put(f"{path}/value", data=data, tags=tags)
        yield file.put(f"{path}/value", data=data[:-1], tags=tags)
        yield file.put(f"{path}/value", data=data + b"\0", tags=tags)
        yield file.get(path, tags=tags)
        yield file.get(f"{path}/value", binary=True, tags=tags)
        yield file.get(f"{path}/value", params={"encoding": "base64"}, tags=tags)
        text = base64.b64encode(data).decode()
        yield file.put(f"{path}/value", {"value": text, "encoding": "base64"}, tags=tags)
        yield file.put(f"{path}/value", {"value": None}, tags=tags)
        yield file.put(f"{path}/value", {}, tags=tags)
        yield file.get(f"{path}/value", tags=tags)
    path = f"/groups/{file.root}/attributes/null"
    yield file.put(path, {"type": _I32, "shape": "H5S_NULL"})
    yield file.get(f"{path}/value")
    yield file.get(f"{path}/value", binary=True)
    yield file.put(f"{path}/value", {"value": 5})
    yield file.put(f"/groups/{file.root}/attributes/none/value", {"value": 5})


CASES = [reading, writing, upserting, same_nan, refused, deletion, values]
