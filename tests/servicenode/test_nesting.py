"""JSON that is nested deep: refused by its depth; what is to become an array, as no value."""

import pytest
from objectfile import I32, make_file

from hsds.hdf5.jsontext import MAX_NESTING

TEXT = {"class": "H5T_STRING", "charSet": "H5T_CSET_UTF8", "length": "H5T_VARIABLE"}
REFERENCE = {"class": "H5T_REFERENCE", "base": "H5T_STD_REF_OBJ"}
REGION = {"class": "H5T_REFERENCE", "base": "H5T_STD_REF_DSETREG"}
PAIR = {"class": "H5T_COMPOUND", "fields": [{"name": "a", "type": I32}, {"name": "b", "type": TEXT}]}
SEQUENCE = {"class": "H5T_VLEN", "base": I32}
OPAQUE = {"class": "H5T_OPAQUE", "size": 4}


@pytest.fixture
async def file(service):
    return await make_file(service)


def nested(depth: int, kind: str = "list") -> bytes:
    if kind == "list":
        return b"[" * depth + b"1" + b"]" * depth
    return b'{"a":' * depth + b"1" + b"}" * depth


def body_of(json: str, deep: bytes) -> bytes:
    return json.encode().replace(b'"deep"', deep)


@pytest.mark.parametrize("kind", ["list", "object"])
@pytest.mark.parametrize("depth", [MAX_NESTING + 1, 980, 1015])
@pytest.mark.parametrize(
    ("method", "path", "json"),
    [
        ("POST", "/groups", '{"creationProperties": {"x": "deep"}}'),
        ("POST", "/groups", '[{}, {"creationProperties": {"x": "deep"}}]'),
        ("POST", "/groups", '{"creationProperties": {"value": "deep"}}'),
        ("POST", "/groups", '{"attributes": {"a": {"type": "H5T_STD_I8LE", "created": "deep"}}}'),
        ("POST", "/datasets", '{"type": "H5T_STD_I8LE", "value": 1, "creationProperties": {"x": "deep"}}'),
        ("POST", "/datasets", '{"type": "deep"}'),
        ("PUT", "/groups/{root}/links/x", '{"id": "deep"}'),
        ("PUT", "/groups/{root}/links/x", '{"class": "deep", "h5path": "/a"}'),
        ("PUT", "/groups/{root}/attributes/a", '{"type": "H5T_STD_I8LE", "shape": "deep", "value": 1}'),
        ("PUT", "/acls/ann", '{"read": "deep"}'),
    ],
)
async def test_refused_by_depth(file, method, path, json, depth, kind):
    send = getattr(file, method.lower())
    reply = await send(path.format(root=file.root), data=body_of(json, nested(depth, kind)))
    assert (reply.status, reply.reason) == (
        400,
        f"JSON is nested deeper than {MAX_NESTING} lists and objects",
    )


async def test_as_deep_as_may_be_is_stored_and_shown(file):
    depth = MAX_NESTING - 2
    body = body_of('{"creationProperties": {"x": "deep"}}', nested(depth))
    group = (await file.post("/groups", data=body)).json["id"]
    await file.link(file.root, "g", id=group)
    for path, params in ((f"/groups/{group}", {}), ("/", {"h5path": "/g"})):
        shown = await file.get(path, **params)
        assert shown.status == 200
        assert nested(depth) in shown.body


@pytest.mark.parametrize("depth", [100, 500, 980, 1018])
@pytest.mark.parametrize("type_", [I32, TEXT, REFERENCE, REGION, PAIR, SEQUENCE, OPAQUE])
@pytest.mark.parametrize("kind", ["list", "object"])
async def test_values_are_no_values_of_their_type(file, type_, depth, kind):
    reply = await file.post("/datasets", json={"type": type_, "shape": [1]})
    body = body_of('{"value": "deep"}', nested(depth, kind))
    reply = await file.put(f"/datasets/{reply.json['id']}/value", data=body)
    assert reply.status == 400
