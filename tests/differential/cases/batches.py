"""Lists of objects, as h5pyd 1.0.0 makes them, and the requests of its flush."""

import time
from typing import Any

from tests.differential import kinds
from tests.differential.draw import Case, Draw, File

_I32 = {"class": "H5T_INTEGER", "base": "H5T_STD_I32LE"}
_LAYOUT = {"layout": {"class": "H5D_CONTIGUOUS"}}


def _item(file: File, letter: str, **more: Any) -> dict[str, Any]:
    now = time.time()
    return {"id": file.id(letter), "creationProperties": {}, "created": now, "lastModified": now, **more}


def flush(draw: Draw) -> Case:
    """What a flush sends: objects, links, attributes, values; all of it twice."""
    file = draw.file()
    yield file.create()
    groups = [_item(file, "g") for _ in range(3)]
    chosen = draw.sample(kinds.FIXED, 4)
    datasets = [
        _item(file, "d", type=kind.json, shape=[4], creationProperties=_LAYOUT, maxdims=[4])
        for kind in chosen
    ]
    for item in datasets:
        del item["maxdims"]
    types = [_item(file, "t", type=kind.json) for kind in chosen[:2]]
    yield file.post("/groups", groups, vital=True)
    yield file.post("/datasets", datasets, vital=True)
    yield file.post("/datatypes", types, vital=True)
    titles = {item["id"]: f"n{number}" for number, item in enumerate([*groups[1:], *datasets, *types])}
    now = time.time()
    links = {
        file.root: {"links": {"g0": {"class": "H5L_TYPE_HARD", "created": now, "id": groups[0]["id"]}}},
        groups[0]["id"]: {
            "links": {
                name: {"class": "H5L_TYPE_HARD", "created": now, "id": id_} for id_, name in titles.items()
            }
        },
    }
    attribute = {"type": _I32, "shape": {"class": "H5S_SCALAR"}, "value": 1, "created": now}
    attributes = {id_: {"attributes": {"units": attribute}} for id_ in [file.root, *titles]}
    for _ in range(2):
        yield file.put(f"/groups/{file.root}/links", {"grp_ids": links})
        yield file.put(f"/groups/{file.root}/attributes", {"obj_ids": attributes})
        for item, kind in zip(datasets, chosen, strict=True):
            yield file.put(f"/datasets/{item['id']}/value", data=kind.bytes(kind.nested(draw, [4]), 1))
    both = {"include_attrs": 1, "include_links": 1}
    for collection, items in (("groups", groups), ("datasets", datasets), ("datatypes", types)):
        yield file.get(f"/{collection}")
        for item in items:
            yield file.get(f"/{collection}/{item['id']}", params=both)
    yield file.delete(f"/groups/{groups[0]['id']}/links", params={"titles": "n0/n1"})
    yield file.delete(
        f"/groups/{groups[0]['id']}/attributes", params={"attr_names": "units|x", "separator": "|"}
    )
    yield file.delete(
        f"/groups/{groups[0]['id']}/attributes", params={"attr_names": "units|x", "separator": "|"}
    )
    yield file.get(f"/groups/{groups[0]['id']}", params=both)


def lists(draw: Draw) -> Case:
    """Lists of no, one and several items, with wrong ones among them."""
    file = draw.file()
    yield file.create()
    good = {"groups": {}, "datasets": {"type": _I32, "shape": [2]}, "datatypes": {"type": _I32}}
    for collection, body in good.items():
        yield file.post(f"/{collection}", [])
        yield file.post(f"/{collection}", [body])
        yield file.post(f"/{collection}", [body, body])
        yield file.post(f"/{collection}", [5])
        yield file.post(f"/{collection}", [body, 5])
        yield file.post(f"/{collection}", [body, {"id": "x", **body}])
        yield file.post(
            f"/{collection}", [body, {**body, "id": file.id("d" if collection == "groups" else "g")}]
        )
        yield file.post(f"/{collection}", [body, {**body, "attributes": {"a": {"type": _I32, "value": "x"}}}])
        names = [{**body, "link": {"id": file.root, "name": f"{collection}{number}"}} for number in range(3)]
        yield file.post(f"/{collection}", names)
        yield file.post(f"/{collection}", names)
        yield file.post(
            f"/{collection}", [{**body, "h5path": f"p{collection}{number}"} for number in range(2)]
        )
        yield file.post(f"/{collection}", [{**body, "h5path": f"none/{number}"} for number in range(2)])
    for bad in ({"type": "x", "shape": [2]}, {"type": _I32, "shape": [-1]}, {"shape": [2]}):
        yield file.post("/datasets", [good["datasets"], bad])
    valued = [{**good["datasets"], "id": file.id(), "value": [number, number]} for number in range(2)]
    yield file.post("/datasets", valued)
    for item in valued:
        yield file.get(f"/datasets/{item['id']}/value")
    yield file.get(f"/groups/{file.root}/links")


def again(draw: Draw) -> Case:
    """The same ids once more, as a client does after a flush that failed."""
    file = draw.file()
    yield file.create()
    group, dataset, type_ = file.id("g"), file.id("d"), file.id("t")
    body = {"id": dataset, "type": _I32, "shape": [2], "creationProperties": _LAYOUT}
    yield file.post("/groups", {"id": group})
    yield file.post("/datasets", body)
    yield file.post("/datatypes", {"id": type_, "type": _I32})
    yield file.post("/groups", {"id": group}, tags=("again",))
    yield file.post("/datasets", body, tags=("again",))
    yield file.post("/datatypes", {"id": type_, "type": _I32}, tags=("again",))
    yield file.post("/groups", [{"id": group}, {"id": file.id("g")}], tags=("again",))
    yield file.post("/datasets", {**body, "shape": [3]})
    yield file.post("/datatypes", {"id": type_, "type": "H5T_IEEE_F64LE"})
    yield file.get(f"/datasets/{dataset}")


CASES = [flush, lists, again]
