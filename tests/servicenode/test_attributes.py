"""GET, POST, PUT and DELETE of attributes, and of their values alone."""

import time
from base64 import b64decode, b64encode

import pytest
from objectfile import I32, SCALAR, make_file

TEXT = {
    "class": "H5T_STRING",
    "length": "H5T_VARIABLE",
    "charSet": "H5T_CSET_UTF8",
    "strPad": "H5T_STR_NULLTERM",
}
FIXED = {"class": "H5T_STRING", "length": 2, "charSet": "H5T_CSET_ASCII", "strPad": "H5T_STR_NULLPAD"}
F64 = {"class": "H5T_FLOAT", "base": "H5T_IEEE_F64LE"}
ONE = {"type": I32, "value": 1}
BINARY = {"accept": "application/octet-stream"}
COLLECTIONS = ["groups", "datasets", "datatypes"]


@pytest.fixture
async def file(service):
    return await make_file(service)


def names(items):
    return [item["name"] for item in items]


@pytest.mark.parametrize("collection", COLLECTIONS)
async def test_one(file, collection):
    path = f"/{collection}/{await file.make(collection)}/attributes/a"
    body = {"type": I32, "shape": [2], "value": [3, 4]}
    assert (await file.put(path, json=body)).status == 201
    assert (await file.put(path, json=body)).status == 200
    shown = (await file.get(path)).json
    assert len(shown.pop("hrefs")) == 3
    assert shown.pop("created") == shown.pop("lastModified")
    assert shown == {"name": "a", "type": I32, "shape": {"class": "H5S_SIMPLE", "dims": [2]}, "value": [3, 4]}
    assert "value" not in (await file.get(path, IncludeData=0)).json
    assert (await file.delete(path)).json == {}
    assert (await file.delete(path)).status == 200
    assert (await file.get(path)).status == 410
    assert (await file.get(path[:-1] + "never")).status == 404


async def test_changed_value(file):
    path = f"/groups/{file.root}/attributes/a"
    await file.put(path, json=ONE)
    created = (await file.get(path)).json["created"]
    assert (await file.put(path, json={"type": I32, "value": 2})).status == 409
    assert (await file.put(path, json={"type": I32, "value": 2}, replace=0)).status == 409
    assert (await file.put(path, json={"type": I32, "value": 2}, replace=1)).status == 201
    shown = (await file.get(path)).json
    assert (shown["value"], shown["created"]) == (2, created)


@pytest.mark.parametrize(
    ("body", "shape", "value"),
    [
        ({"type": I32}, SCALAR, None),
        ({"type": I32, "shape": [], "value": 5}, SCALAR, 5),
        ({"type": I32, "shape": "H5S_SCALAR", "value": 5}, SCALAR, 5),
        ({"type": I32, "shape": {"class": "H5S_NULL"}}, {"class": "H5S_NULL"}, None),
        ({"type": I32, "shape": "H5S_NULL", "value": None}, {"class": "H5S_NULL"}, None),
        ({"type": I32, "shape": 2, "value": [1, 2]}, {"class": "H5S_SIMPLE", "dims": [2]}, [1, 2]),
        ({"type": TEXT, "value": "grün"}, SCALAR, "grün"),
        ({"type": FIXED, "value": "abc"}, SCALAR, "ab"),
        ({"type": I32, "value": b64encode(b"\1\0\0\0").decode(), "encoding": "base64"}, SCALAR, 1),
        ({"type": I32, "value": 1, "creationProperties": {}, "name": "other"}, SCALAR, 1),
    ],
)
async def test_forms(file, body, shape, value):
    path = f"/groups/{file.root}/attributes/a"
    assert (await file.put(path, json=body)).status == 201
    assert (await file.put(path, json=body)).status == 200
    shown = (await file.get(path)).json
    assert (shown["shape"], shown["value"]) == (shape, value)


async def test_predefined_type_is_spelled_out(file):
    path = f"/groups/{file.root}/attributes/a"
    await file.put(path, json={"type": "H5T_STD_I32LE", "value": 1})
    assert (await file.get(path)).json["type"] == I32


@pytest.mark.parametrize(
    "body",
    [
        ...,
        None,
        [],
        {},
        {"value": 1},
        {"type": "H5T_NONSENSE", "value": 1},
        {"type": {"class": "H5T_TIME"}, "value": 1},
        {"type": I32, "shape": [2], "value": [1]},
        {"type": I32, "shape": [-2], "value": [1]},
        {"type": I32, "shape": {"dims": [2]}, "value": [1, 2]},
        {"type": I32, "shape": {"class": "H5S_SCALAR", "dims": [1]}, "value": [1]},
        {"type": I32, "shape": "H5S_NULL", "value": 1},
        {"type": I32, "value": "text"},
        {"type": I32, "value": "AA==", "encoding": "base64"},
        {"type": I32, "value": "%", "encoding": "base64"},
        {"type": TEXT, "value": "AA==", "encoding": "base64"},
        {"type": I32, "value": 1, "encoding": "rot13"},
        {"type": "t-nonsense", "value": 1},
    ],
)
async def test_bad_put(file, body):
    path = f"/groups/{file.root}/attributes"
    assert (await file.put(f"{path}/a", json=body)).status == 400
    if isinstance(body, dict):
        assert (await file.put(path, json={"attributes": {"ok": ONE, "a": body}})).status == 400
        assert (
            await file.put(path, json={"obj_ids": {file.root: {"attributes": {"a": body}}}})
        ).status == 400
    assert (await file.get(f"/groups/{file.root}")).json["attributeCount"] == 0


async def test_nan(file):
    path = f"/groups/{file.root}/attributes/a"
    body = {"type": F64, "shape": [3], "value": [float("nan"), float("inf"), 1.5]}
    assert (await file.put(path, json=body)).status == 201
    assert (await file.put(path, json=body)).status == 200
    assert b"[NaN,Infinity,1.5]" in (await file.get(path)).body.replace(b" ", b"")
    assert (await file.get(path, ignore_nan=1)).json["value"] == [None, None, 1.5]
    listed = (await file.get(f"/groups/{file.root}/attributes", IncludeData=1, ignore_nan=1)).json
    assert listed["attributes"][0]["value"] == [None, None, 1.5]


@pytest.mark.parametrize(
    ("name", "sent"),
    [("sl/ash", "sl%2Fash"), ("{ä}", "%7B%C3%A4%7D"), ("50% #?", "50%25%20%23%3F"), ("x|y", "x%7Cy")],
)
async def test_names(file, name, sent):
    path = f"/groups/{file.root}/attributes/{sent}"
    assert (await file.put(path, json=ONE)).status == 201
    assert (await file.get(path)).json["name"] == name
    assert (await file.get(f"{path}/value")).json["value"] == 1
    assert (await file.delete(path)).status == 200
    assert (await file.get(path)).status == 410


async def test_names_with_slashes_are_found_without_encoding(file):
    for sent in ("a%2Fb%2Fc", "value", "a%2Fvalue"):
        assert (await file.put(f"/groups/{file.root}/attributes/{sent}", json=ONE)).status == 201
    assert (await file.get(f"/groups/{file.root}/attributes/a/b/c")).json["name"] == "a/b/c"
    assert (await file.get(f"/groups/{file.root}/attributes/value")).json["name"] == "value"
    assert (await file.get(f"/groups/{file.root}/attributes/a/value")).status == 404  # the value of a
    assert (await file.get(f"/groups/{file.root}/attributes/a%2Fvalue")).json["name"] == "a/value"
    assert (await file.put(f"/groups/{file.root}/attributes/a/b", json=ONE)).status == 405
    assert (await file.get(f"/groups/{file.root}/nothing/a/b")).status == 404


async def test_batch_of_h5pyd(file):
    """Mixed collections in one request; h5pyd sends it again as it is, and changed without ``replace``."""
    ids = [file.root, await file.make("datasets"), await file.make("datatypes")]
    path, now = f"/groups/{file.root}/attributes", time.time()
    entry = {"type": I32, "shape": SCALAR, "value": 1}

    def body(value):
        changed = entry | {"value": value}
        return {"obj_ids": {id_: {"attributes": {"a": changed | {"created": now - 30}}} for id_ in ids}}

    assert [(await file.put(path, json=body(value))).status for value in (1, 1, 2)] == [201, 200, 201]
    for id_, collection in zip(ids, COLLECTIONS, strict=True):
        shown = (await file.get(f"/{collection}/{id_}", include_attrs=1)).json["attributes"]["a"]
        assert shown == entry | {"value": 2, "created": now - 30}
    assert (await file.put(path, json={"obj_ids": {id_: {"attributes": {}} for id_ in ids}})).status == 200


@pytest.fixture
def settings(settings, request):
    return settings.model_copy(update=getattr(request, "param", {}))


@pytest.mark.parametrize("settings", [{"batch_attr_upsert": False}], indirect=True)
async def test_batch_as_hsds_has_it(file):
    path = f"/groups/{file.root}/attributes"
    for value, status in ((1, 201), (2, 409)):
        body = {"obj_ids": {file.root: {"attributes": {"a": {"type": I32, "value": value}}}}}
        assert (await file.put(path, json=body)).status == status


async def test_batch_forms(file):
    ids = [await file.make() for _ in range(2)]
    path = f"/groups/{file.root}/attributes"
    assert (await file.put(path, json={"attributes": {"z": ONE, "a": ONE}})).status == 201
    assert (await file.put(path, json={"attributes": {"z": ONE, "a": ONE}, "obj_ids": ids})).status == 201
    assert (await file.put(path, json={"attributes": {"a": {"type": I32, "value": 2}}})).status == 409
    for id_ in (file.root, *ids):
        listed = (await file.get(f"/groups/{id_}/attributes", CreateOrder=1)).json["attributes"]
        assert names(listed) == ["z", "a"]
        assert names((await file.get(f"/groups/{id_}/attributes")).json["attributes"]) == ["a", "z"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 400),
        ([], 400),
        ({"attributes": {}}, 400),
        ({"attributes": [ONE]}, 400),
        ({"attributes": {"a": 1}}, 400),
        ({"name": "a", **ONE}, 400),
        ({"obj_ids": {}}, 400),
        ({"obj_ids": 1}, 400),
        ({"obj_ids": {"root": {}}}, 400),
        ({"obj_ids": {"root": 1}}, 400),
        ({"obj_ids": {"root": {"attributes": 1}}}, 400),
        ({"obj_ids": {"nonsense": {"attributes": {"a": ONE}}}}, 400),
        ({"obj_ids": {"unknown": {"attributes": {"a": ONE}}}}, 404),
        ({"obj_ids": ["nonsense"], "attributes": {"a": ONE}}, 400),
        ({"obj_ids": [1], "attributes": {"a": ONE}}, 400),
    ],
)
async def test_bad_batches(file, body, status):
    if isinstance(body, dict) and isinstance(body.get("obj_ids"), dict):
        ids = {"root": file.root, "unknown": file.new_id()}
        body = {"obj_ids": {ids.get(id_, id_): own for id_, own in body["obj_ids"].items()}}
    assert (await file.put(f"/groups/{file.root}/attributes", json=body)).status == status


@pytest.fixture
async def owner(file):
    """A group with a (int), b (text), c (two floats), and a dataset in it with a."""
    file.group = await file.make(name="g")
    attributes = {
        "b": {"type": TEXT, "value": "x"},
        "a": ONE,
        "c": {"type": F64, "shape": [2], "value": [1.0, 2.0]},
    }
    await file.put(f"/groups/{file.group}/attributes", json={"attributes": attributes})
    file.dataset = await file.make("datasets", name="d", parent=file.group, attributes={"a": ONE})
    file.at = f"/groups/{file.group}/attributes"
    return file


async def test_list(owner):
    reply = (await owner.get(owner.at)).json
    assert len(reply["hrefs"]) == 3
    assert names(reply["attributes"]) == ["a", "b", "c"]
    assert set(reply["attributes"][0]) == {"name", "type", "shape", "created", "href"}
    with_data = (await owner.get(owner.at, IncludeData=1)).json["attributes"]
    assert [item["value"] for item in with_data] == [1, "x", [1.0, 2.0]]
    assert names((await owner.get(owner.at, CreateOrder=1)).json["attributes"]) == ["b", "a", "c"]
    assert names((await owner.get(owner.at, Limit=1, Marker="a")).json["attributes"]) == ["b"]
    assert names((await owner.get(owner.at, pattern="[ac]")).json["attributes"]) == ["a", "c"]
    assert (await owner.get(owner.at, Marker="never")).status == 404
    assert (await owner.get(owner.at, encoding="hex")).status == 400


async def test_base64(owner):
    listed = (await owner.get(owner.at, IncludeData=1, encoding="base64")).json["attributes"]
    assert (listed[0]["encoding"], b64decode(listed[0]["value"])) == ("base64", b"\1\0\0\0")
    assert (listed[1].get("encoding"), listed[1]["value"]) == (None, "x")


async def test_values_too_large_for_the_client(owner):
    listed = (await owner.get(owner.at, IncludeData=1, max_data_size=10)).json["attributes"]
    assert ["value" in item for item in listed] == [True, False, False]


async def test_follow_links(owner):
    await owner.link(owner.group, "loop", id=owner.root)
    gone = await owner.make("datasets", name="gone")
    await owner.delete(f"/datasets/{gone}")
    found = (await owner.get(f"/groups/{owner.root}/attributes", follow_links=1)).json["attributes"]
    assert {id_: names(items) for id_, items in found.items()} == {
        owner.root: [],
        owner.group: ["a", "b", "c"],
        owner.dataset: ["a"],
    }
    found = (await owner.get(f"/groups/{owner.root}/attributes", follow_links=1, Limit=2)).json["attributes"]
    assert sum(map(len, found.values())) == 2


async def test_post(owner):
    body = {"attr_names": ["c", "a"]}
    assert len((await owner.post(owner.at, json=body, Limit=1)).json["attributes"]) == 2  # named, so no pages
    found = (await owner.post(owner.at, json=body, IncludeData=1)).json["attributes"]
    assert [(item["name"], item["value"]) for item in found] == [("c", [1.0, 2.0]), ("a", 1)]
    ids = {owner.group: ["b"], owner.dataset: ["a"]}
    found = (await owner.post(owner.at, json={"obj_ids": ids})).json["attributes"]
    assert {id_: names(items) for id_, items in found.items()} == ids
    found = (await owner.post(owner.at, json={"obj_ids": list(ids)})).json["attributes"]
    assert {id_: names(items) for id_, items in found.items()} == {
        owner.group: ["a", "b", "c"],
        owner.dataset: ["a"],
    }
    found = (await owner.post(owner.at, json={"obj_ids": [owner.dataset]})).json["attributes"]
    assert names(found) == ["a"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 400),
        (..., 400),
        ({"attr_names": "a"}, 400),
        ({"attr_names": ["a", "never"]}, 404),
        ({"obj_ids": []}, 400),
        ({"obj_ids": ["nonsense"]}, 400),
        ({"obj_ids": 1}, 400),
        ({"obj_ids": {"group": ["never"]}}, 404),
        ({"obj_ids": {"group": [1]}}, 400),
    ],
)
async def test_bad_post(owner, body, status):
    if isinstance(body, dict) and isinstance(body.get("obj_ids"), dict):
        body = {"obj_ids": {owner.group: body["obj_ids"]["group"]}}
    assert (await owner.post(owner.at, json=body)).status == status


async def test_delete_many(owner):
    reply = await owner.delete(owner.at, attr_names="a|never", separator="|")
    assert (reply.status, reply.json) == (200, {"hrefs": []})
    encoded = b64encode("b/ü".encode()).decode()
    assert (await owner.delete(owner.at, attr_names=encoded, encoding="base64")).status == 200
    assert names((await owner.get(owner.at)).json["attributes"]) == ["c"]
    for params in ({}, {"attr_names": ""}, {"attr_names": "%", "encoding": "base64"}):
        assert (await owner.delete(owner.at, **params)).status == 400


async def test_binary_value(owner):
    reply = await owner.get(f"{owner.at}/c/value", headers=BINARY)
    assert reply.headers["Content-Type"] == "application/octet-stream"
    assert reply.body == bytes.fromhex("000000000000f03f0000000000000040")
    reply = await owner.put(
        f"{owner.at}/a/value", data=b"\7\0\0\0", headers={"Content-Type": BINARY["accept"]}
    )
    assert (reply.status, reply.json) == (200, {})
    assert (await owner.get(f"{owner.at}/a/value")).json["value"] == 7
    reply = await owner.put(f"{owner.at}/a/value", data=b"\7", headers={"Content-Type": BINARY["accept"]})
    assert reply.status == 400
    reply = await owner.put(f"{owner.at}/b/value", data=b"xx", headers={"Content-Type": BINARY["accept"]})
    assert reply.status == 400
    assert (await owner.get(f"{owner.at}/b/value", headers=BINARY)).json["value"] == "x"


async def test_a_value_that_is_unset_and_one_that_is_set_to_zeros(owner):
    int32 = {"class": "H5T_INTEGER", "base": "H5T_STD_I32LE"}
    assert (await owner.put(f"{owner.at}/unset", json={"type": int32, "shape": [2]})).status == 201
    assert (await owner.get(f"{owner.at}/unset")).json["value"] is None
    assert (await owner.get(f"{owner.at}/unset/value")).json["value"] is None
    assert (await owner.get(f"{owner.at}/unset/value", headers=BINARY)).body == bytes(8)
    assert (await owner.put(f"{owner.at}/unset/value", json={"value": None})).status == 200
    assert (await owner.get(f"{owner.at}/unset")).json["value"] == [0, 0]
    assert (await owner.get(f"{owner.at}/unset/value")).json["value"] == [0, 0]


async def test_json_value(owner):
    reply = (await owner.get(f"{owner.at}/c/value")).json
    assert (reply["value"], len(reply["hrefs"])) == ([1.0, 2.0], 4)
    assert (await owner.put(f"{owner.at}/c/value", json={"value": [3, 4]})).status == 200
    encoded = (await owner.get(f"{owner.at}/a/value", encoding="base64")).json
    assert (encoded["encoding"], encoded["value"]) == ("base64", "AQAAAA==")
    assert (
        await owner.put(f"{owner.at}/a/value", json={"value": "AgAAAA==", "encoding": "base64"})
    ).status == 200
    shown = (await owner.get(f"/groups/{owner.group}", include_attrs=1)).json["attributes"]
    assert (shown["c"]["value"], shown["a"]["value"]) == ([3.0, 4.0], 2)
    for body in ({}, {"value": [1, 2, 3]}, [], ...):
        assert (await owner.put(f"{owner.at}/c/value", json=body)).status == 400
    assert (await owner.put(f"{owner.at}/never/value", json={"value": 1})).status == 404


async def test_unset_value(file):
    path = f"/groups/{file.root}/attributes/a"
    await file.put(path, json={"type": I32, "shape": [2]})
    assert (await file.get(f"{path}/value", headers=BINARY)).body == bytes(8)


async def test_null_space_has_no_value(file):
    path = f"/groups/{file.root}/attributes/a"
    await file.put(path, json={"type": I32, "shape": "H5S_NULL"})
    assert (await file.get(f"{path}/value")).status == 400
    assert (await file.put(f"{path}/value", json={"value": 1})).status == 400


async def test_bytes_that_are_no_text(file):
    path = f"/groups/{file.root}/attributes/a"
    await file.put(path, json={"type": FIXED, "value": "ab"})
    reply = await file.put(f"{path}/value", data=b"\xfe\xff", headers={"Content-Type": BINARY["accept"]})
    assert reply.status == 200
    shown = (await file.get(path)).json
    assert (shown["value"], shown["encoding"]) == ("/v8=", "base64")
    assert (await file.get(f"/groups/{file.root}", include_attrs=1)).json["attributes"]["a"][
        "value"
    ] == "/v8="
    assert (await file.get(f"{path}/value", headers=BINARY)).body == b"\xfe\xff"


async def test_who_may(file):
    path = f"/groups/{file.root}/attributes/a"
    assert (await file.put(path, json=ONE, user="test_user2")).status == 403
    await file.put(path, json=ONE)
    assert (await file.get(path, user="test_user2")).status == 403
    assert (await file.put(f"{path}/value", json={"value": 1}, user="test_user2")).status == 403
    assert (await file.delete(path, user="test_user2")).status == 403
