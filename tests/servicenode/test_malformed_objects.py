"""Bodies and parameters of every wrong kind, at every place of a good request: never a 500."""

import random

import pytest
from objectfile import I32, make_file

JUNK = [
    None, True, False, 0, -1, 1.5, 1e400, 2**70, "", "x", "/", ".", "\0", "\ud800", [], [[]], [None], {},
    {"": 1},
    {"class": 1}, {"class": "H5T_COMPOUND"}, {"class": "H5T_ARRAY", "dims": "x"}, {"class": "H5S_SIMPLE"},
    ["x"] * 3, "t-", "g-00000000-00000000-0000-000000-000000", float("nan"), {"id": {}}, {"h5path": []},
]  # fmt: skip

ATTRIBUTE = {"type": I32, "shape": [2], "value": [1, 2], "created": 1.0, "encoding": None}
COMPOUND = {"class": "H5T_COMPOUND", "fields": [{"name": "a", "type": I32}, {"name": "b", "type": I32}]}
PROPERTIES = {
    "layout": {"class": "H5D_CHUNKED", "dims": [1]},
    "filters": [{"class": "H5Z_FILTER_DEFLATE", "id": 1, "level": 3}],
    "fillValue": 1,
    "fillValue_encoding": None,
    "initializer": ["arange", "--start=1", "--step=2"],
}
LINKS = {"a": {"h5path": "/x", "created": 1.0}, "b": {"h5path": "/x", "file": "o.h5"}, "c": {"id": "root"}}
PAGE = {
    "Limit": "1",
    "Marker": "a",
    "pattern": "*",
    "CreateOrder": "1",
    "follow_links": "1",
    "IncludeData": "1",
}

REQUESTS = [
    (
        "POST",
        "/groups",
        {"link": {"id": "root", "name": "n"}, "links": LINKS, "attributes": {"a": ATTRIBUTE}},
        {},
    ),
    ("POST", "/groups", [{"id": "new", "h5path": "a/b", "parent_id": "root"}, {}], {"implicit": "1"}),
    ("POST", "/datasets", {"type": I32, "shape": [2], "maxdims": [0], "creationProperties": PROPERTIES}, {}),
    ("POST", "/datasets", {"type": COMPOUND, "shape": [2], "value": [[1, 2], [3, 4]]}, {}),
    ("POST", "/datatypes", [{"type": COMPOUND}, {"type": I32}], {}),
    ("PUT", "/groups/root/links", {"links": LINKS, "grp_ids": ["root"]}, {"replace": "1"}),
    ("PUT", "/groups/root/links", {"grp_ids": {"root": {"links": LINKS}}}, {"replace": "1"}),
    ("PUT", "/groups/root/links/x", {"h5path": "/y", "file": "z"}, {"replace": "1"}),
    (
        "POST",
        "/groups/root/links",
        {"grp_ids": {"root": ["a"]}, "titles": ["a"]},
        {"pattern": "*", "CreateOrder": "0"},
    ),
    ("GET", "/groups/root/links", None, PAGE),
    ("DELETE", "/groups/root/links", None, {"titles": "a/b", "separator": "/"}),
    (
        "PUT",
        "/groups/root/attributes",
        {"attributes": {"a": ATTRIBUTE}, "obj_ids": ["root"]},
        {"replace": "1"},
    ),
    ("PUT", "/groups/root/attributes", {"obj_ids": {"root": {"attributes": {"a": ATTRIBUTE}}}}, {}),
    ("PUT", "/groups/root/attributes/a", ATTRIBUTE, {"replace": "1"}),
    ("PUT", "/groups/root/attributes/a/value", {"value": [1, 2], "encoding": "base64"}, {}),
    ("POST", "/groups/root/attributes", {"obj_ids": {"root": ["a"]}, "attr_names": ["a"]}, PAGE),
    ("GET", "/groups/root/attributes", None, PAGE | {"encoding": "base64", "max_data_size": "1"}),
    (
        "DELETE",
        "/groups/root/attributes",
        None,
        {"attr_names": "YQ==", "separator": "|", "encoding": "base64"},
    ),
    ("GET", "/groups/", None, {"h5path": "/", "grpid": "root"}),
    ("GET", "/datasets", None, {"Limit": "1", "Marker": "x"}),
]


def changed(value, chance):
    """A copy in which something, anywhere, is junk."""
    if chance.random() < 0.15:
        return chance.choice(JUNK)
    if isinstance(value, dict):
        return {key: changed(item, chance) for key, item in value.items() if chance.random() < 0.95}
    if isinstance(value, list):
        return [changed(item, chance) for item in value]
    return value


def named(value, ids):
    """With ids in the place of their names."""
    if isinstance(value, dict):
        return {ids.get(key, key): named(item, ids) for key, item in value.items()}
    if isinstance(value, list):
        return [named(item, ids) for item in value]
    return ids.get(value, value) if isinstance(value, str) else value


@pytest.mark.parametrize(("method", "path", "body", "params"), REQUESTS)
async def test_never_a_fault_of_ours(service, method, path, body, params):
    chance = random.Random(f"{method} {path} {body}")
    file = await make_file(service)
    await file.put(f"/groups/{file.root}/attributes/a", json=ATTRIBUTE)
    await file.link(file.root, "a", h5path="/x")
    statuses = set()
    for _ in range(150):
        ids = {"root": file.root, "new": file.new_id()}
        options = {"json": named(changed(body, chance), ids)} if body is not None else {}
        query = {
            name: str(changed(value, chance)).encode("utf-8", "replace").decode()
            for name, value in named(params, ids).items()
            if chance.random() < 0.7
        }
        reply = await service.request(
            method, path.replace("root", file.root), domain=file.path, **options, **query
        )
        assert reply.status < 500, (options, query, reply)
        statuses.add(reply.status)
    assert statuses & {200, 201}
    assert 400 in statuses
    assert (await file.get(f"/groups/{file.root}", include_links=1, include_attrs=1)).status == 200
