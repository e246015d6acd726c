"""POST /groups, /datasets and /datatypes."""

import asyncio
from itertools import pairwise

import pytest
from objectfile import I32, SCALAR, make_file

from hsds.errors import StoreUnavailable
from hsds.hdf5.dataset import DatasetSpec
from hsds.hdf5.selection import whole
from hsds.transport.base import Trace
from hsds.transport.ops import GetObject, ReadChunks, UpdateLinks

CHUNKS_OF_2 = {"layout": {"class": "H5D_CHUNKED", "dims": [2]}}
CONTIGUOUS = {"layout": {"class": "H5D_CONTIGUOUS"}}


@pytest.fixture
async def file(service):
    return await make_file(service)


async def test_anonymous_group(file):
    reply = await file.post("/groups")
    assert reply.status == 201
    group = reply.json
    assert set(group) == {"id", "root", "created", "lastModified", "linkCount", "attributeCount"}
    assert group["root"] == file.root
    assert (await file.get(f"/groups/{group['id']}")).json["linkCount"] == 0


async def test_linked_group(file):
    group = await file.make(name="g1")
    link = (await file.get(f"/groups/{file.root}/links/g1")).json["link"]
    assert link == {"title": "g1", "class": "H5L_TYPE_HARD", "id": group, "collection": "groups"}


async def test_group_at_path_of_existing_group(file):
    outer = await file.make(name="g1")
    reply = await file.post("/groups", json={"h5path": "/g1/g2"})
    assert reply.status == 201
    assert (await file.get(f"/groups/{outer}/links/g2")).json["link"]["id"] == reply.json["id"]


async def test_relative_path_from_parent(file):
    outer = await file.make(name="g1")
    reply = await file.post("/datasets", json={"h5path": "d", "parent_id": outer, "type": I32})
    assert reply.status == 201
    assert (await file.get("/datasets/", h5path="/g1/d")).json["id"] == reply.json["id"]


async def test_missing_intermediate_group(file):
    assert (await file.post("/groups", json={"h5path": "/a/b/c"})).status == 404
    reply = await file.post("/groups", json={"h5path": "/a/b/c"}, implicit=1)
    assert reply.status == 201
    assert (await file.get("/groups/", h5path="/a/b/c")).json["id"] == reply.json["id"]
    assert (await file.post("/groups", json={"h5path": "/a/b/d"})).status == 201
    assert len((await file.get("/groups")).json["groups"]) == 4


async def test_implicit_groups_made_by_many_at_once(file):
    names = [f"x{index}" for index in range(8)]
    replies = await asyncio.gather(
        *(file.post("/groups", json={"h5path": f"/a/b/{name}"}, implicit=1) for name in names)
    )
    assert [reply.status for reply in replies] == [201] * len(names)
    group = (await file.get("/groups/", h5path="/a/b", include_links=1)).json
    assert sorted(group["links"]) == names


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"link": {"id": "root", "name": "a/b"}}, 400),
        ({"link": {"id": "root", "name": ""}}, 400),
        ({"link": {"id": "root"}}, 400),
        ({"link": {"id": "d-1", "name": "x"}}, 400),
        ({"link": "x"}, 400),
        ({"link": {"id": "root", "name": "x"}, "h5path": "/x"}, 400),
        ({"h5path": "/"}, 400),
        ({"h5path": 3}, 400),
        ({"h5path": "/taken"}, 409),
        ({"h5path": "/soft/x"}, 400),
        ({"h5path": "/dataset/x"}, 400),
        ({"h5path": "/x", "parent_id": "taken"}, 400),
        ({"link": {"id": "root", "name": "taken"}}, 409),
        ({"type": "H5T_STD_I8LE"}, 400),
        ({"creationProperties": 1}, 400),
        ({"attributes": [1]}, 400),
        ({"attributes": {"a": 1}}, 400),
        ({"attributes": {"a": {"type": "t-nonsense", "value": 1}}}, 400),
        ({"links": {"a": {"id": "nonsense"}}}, 400),
        ({"links": {"a": {"id": "g-b03b24ef-69f244b6-acd9-4df97b-37122a"}}}, 400),
        ({"links": {"a/b": {"h5path": "/x"}}}, 400),
        ({"id": "g-nonsense"}, 400),
        ({"id": 12}, 400),
        ({"id": "g-b03b24ef-69f244b6-acd9-4df97b-37122a"}, 400),
        ("text", 400),
        ([1], 400),
    ],
)
async def test_bad_groups(file, body, status):
    taken = await file.make(name="taken")
    await file.make("datasets", name="dataset")
    await file.link(file.root, "soft", h5path="/taken")
    names = {"root": file.root, "taken": taken}
    if isinstance(body, dict):
        body = dict(body)
        if isinstance(body.get("link"), dict) and "id" in body["link"]:
            body["link"] = {**body["link"], "id": names.get(body["link"]["id"], body["link"]["id"])}
        if "parent_id" in body:
            body["parent_id"] = names[body["parent_id"]]
    reply = await file.post("/groups", json=body)
    assert reply.status == status
    assert reply.reason not in {"Bad Request", "Conflict"}
    assert (await file.get("/groups")).json["groups"] == [taken]


async def test_folder_has_no_objects(file):
    reply = await file.service.post("/groups", domain="/home/test_user1", json={})
    assert reply.status == 400


async def test_other_user_may_not(file):
    assert (await file.post("/groups", json={}, user="test_user2")).status == 403
    assert (await file.post("/groups", json={}, user=None)).status in {401, 403}


async def test_dataset(file):
    body = {
        "type": I32,
        "shape": [10],
        "maxdims": [0],
        "creationProperties": {"layout": {"class": "H5D_CHUNKED", "dims": [4]}},
    }
    reply = await file.post("/datasets", json=body)
    assert reply.status == 201
    dataset = reply.json
    assert {
        "id",
        "root",
        "created",
        "lastModified",
        "type",
        "shape",
        "attributeCount",
        "creationProperties",
    } <= set(dataset)
    assert dataset["creationProperties"]["layout"]["dims"] == [4]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"type": "H5T_STD_X32LE"},
        {"type": 7},
        {"type": I32, "shape": [-1]},
        {"type": I32, "shape": {"class": "H5S_SCALAR"}},
        {"type": I32, "shape": [4], "maxdims": [2]},
        {"type": I32, "shape": [4], "value": [1, 2]},
        {"type": I32, "shape": [4], "value": "text"},
        {"type": I32, "shape": "H5S_NULL", "value": 1},
        {"type": I32, "links": {"a": {"h5path": "/x"}}},
        {"type": I32, "attributes": {"a": {"type": I32, "shape": [2], "value": [1]}}},
    ],
)
async def test_bad_datasets(file, body):
    assert (await file.post("/datasets", json=body)).status == 400
    assert (await file.post("/datasets", json=[body, {"type": I32}])).status == 400


@pytest.mark.parametrize("collection", ["datasets", "datatypes"])
async def test_empty_body_or_list(file, collection):
    assert (await file.post(f"/{collection}")).status == 400
    assert (await file.post(f"/{collection}", json=[])).status == 400


async def test_empty_list_of_groups_is_a_group(file):
    reply = await file.post("/groups", json=[])
    assert reply.status == 201
    assert reply.json["id"].startswith("g-")


async def test_list_of_one_is_answered_bare(file):
    id_ = file.new_id("datatypes")
    reply = await file.post("/datatypes", json=[{"id": id_, "type": I32, "created": 1, "lastModified": 2}])
    assert reply.status == 201
    assert reply.json["id"] == id_
    assert reply.json["type"] == I32


async def test_list_keeps_ids_and_order(file):
    ids = [file.new_id("datasets") for _ in range(300)]
    items = [{"id": id_, "type": I32, "shape": [3]} for id_ in ids]
    reply = await file.post("/datasets", json=items)
    assert reply.status == 201
    objects = reply.json["objects"]
    assert [item["id"] for item in objects] == ids
    stamps = [item["created"] for item in objects]
    assert all(a < b for a, b in pairwise(stamps))


async def test_repeated_create_is_success(file):
    items = [{"id": file.new_id("datasets"), "type": I32, "shape": [3]} for _ in range(2)]
    first = await file.post("/datasets", json=items)
    second = await file.post("/datasets", json=items)
    assert (first.status, second.status) == (201, 201)
    assert first.json == second.json
    assert (await file.post("/datasets", json=[{**items[0], "shape": [4]}])).status == 409


async def test_repeated_create_with_nan_fill_value(file):
    properties = {"fillValue": float("nan")}
    item = {"id": file.new_id("datasets"), "type": "H5T_IEEE_F64LE", "creationProperties": properties}
    assert (await file.post("/datasets", json=[item])).status == 201
    assert (await file.post("/datasets", json=[item])).status == 201


async def test_same_id_twice_in_a_list(file):
    item = {"id": file.new_id()}
    reply = await file.post("/groups", json=[item, item])
    assert (reply.status, reply.reason) == (400, f"id {item['id']} stands twice in the list")


async def test_deleted_id_may_be_used_again(file):
    id_ = file.new_id()
    assert (await file.post("/groups", json={"id": id_})).status == 201
    assert (await file.delete(f"/groups/{id_}")).status == 200
    assert (await file.get(f"/groups/{id_}")).status == 410
    assert (await file.post("/groups", json={"id": id_})).status == 201
    assert (await file.get(f"/groups/{id_}")).status == 200


async def test_list_with_links_into_one_another(file):
    outer, inner = file.new_id(), file.new_id()
    items = [
        {"id": inner, "link": {"id": outer, "name": "inner"}},
        {"id": outer, "link": {"id": file.root, "name": "outer"}},
    ]
    assert (await file.post("/groups", json=items)).status == 201
    assert (await file.get("/groups/", h5path="/outer/inner")).json["id"] == inner


async def test_list_with_paths_into_one_another(file):
    reply = await file.post("/groups", json=[{"h5path": "/a"}, {"h5path": "/a/b"}])
    assert reply.status == 201
    inner = reply.json["objects"][1]["id"]
    assert (await file.get("/groups/", h5path="/a/b")).json["id"] == inner


async def test_list_whose_link_exists(file):
    await file.make(name="taken")
    items = [{"link": {"id": file.root, "name": name}} for name in ("taken", "free")]
    assert (await file.post("/groups", json=items)).status == 409
    assert (await file.get(f"/groups/{file.root}")).json["linkCount"] == 1


async def test_initial_attributes_and_links(file):
    target = await file.make("datasets")
    reply = await file.post(
        "/groups",
        json={
            "attributes": {"b": {"type": I32, "value": 1}, "a": {"type": I32, "shape": [2], "value": [1, 2]}},
            "links": {"z": {"id": target}, "y": {"h5path": "/z"}, "x": {"h5path": "/z", "h5domain": "o.h5"}},
        },
    )
    assert reply.status == 201
    assert (reply.json["linkCount"], reply.json["attributeCount"]) == (3, 2)
    group = (await file.get(f"/groups/{reply.json['id']}", include_links=1, include_attrs=1)).json
    assert group["attributes"]["a"]["value"] == [1, 2]
    assert group["links"]["x"]["file"] == group["links"]["x"]["h5domain"] == "o.h5"
    for entries in (group["links"], group["attributes"]):
        assert len({entry["created"] for entry in entries.values()}) == len(entries)
    names = (await file.get(f"/groups/{reply.json['id']}/attributes", CreateOrder=1)).json["attributes"]
    assert [item["name"] for item in names] == ["b", "a"]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"shape": [3], "value": [1, 2, 3]}, [1, 2, 3]),
        ({"value": 7}, [7]),
        ({"shape": [2, 2], "value": [[1, 2], [3, 4]]}, [1, 2, 3, 4]),
        ({"shape": [3], "value": []}, [0, 0, 0]),
        ({"shape": [5], "value": [1, 2, 3, 4, 5], "creationProperties": CHUNKS_OF_2}, [1, 2, 3, 4, 5]),
    ],
)
async def test_initial_value(file, body, expected):
    reply = await file.post("/datasets", json={"type": I32, **body})
    assert reply.status == 201
    nodes = file.service.node.nodes
    state = await nodes.call(GetObject("hsdstest", reply.json["id"]), Trace("test"))
    spec = DatasetSpec.from_json(state.json)
    dims = tuple(state.json["shape"].get("dims", (1,)))
    value = await nodes.call(ReadChunks("hsdstest", spec, whole(dims)), Trace("test"))
    assert value.ravel().tolist() == expected


async def test_null_space_of_h5pyd(file):
    """h5pyd 1.x sends lists; neither shape nor layout means a null dataspace, a layout a scalar."""
    items = [
        {"id": file.new_id("datasets"), "type": I32, "creationProperties": {}},
        {"id": file.new_id("datasets"), "type": I32, "creationProperties": CONTIGUOUS},
    ]
    objects = (await file.post("/datasets", json=items)).json["objects"]
    assert [item["shape"]["class"] for item in objects] == ["H5S_NULL", "H5S_SCALAR"]
    assert (await file.post("/datasets", json={"type": I32})).json["shape"] == SCALAR


async def test_committed_type(file):
    type_id = await file.make("datatypes", type=I32)
    body = {"type": type_id, "shape": [2], "attributes": {"a": {"type": type_id, "value": 3}}}
    for sent in (body, [body]):
        reply = await file.post("/datasets", json=sent)
        assert reply.status == 201
        assert reply.json["type"] == {**I32, "id": type_id}
        attribute = (await file.get(f"/datasets/{reply.json['id']}/attributes/a")).json
        assert attribute["type"] == {**I32, "id": type_id}
    assert (await file.post("/datasets", json={"type": file.new_id("datatypes")})).status == 404
    assert (
        await file.post("/datasets", json={"type": "t-b03b24ef-69f244b6-acd9-4df97b-37122a"})
    ).status == 400


@pytest.mark.parametrize("stored", [True, False])
async def test_what_may_be_linked_is_not_deleted(file, data_node, monkeypatch, stored):
    """The link was sent to the store, which does not answer. Then it may lead to the group now, or soon."""
    put = data_node._handlers[UpdateLinks]

    async def without_an_answer(op):
        if stored:
            await put(op)
        raise StoreUnavailable("no answer from S3")

    monkeypatch.setitem(data_node._handlers, UpdateLinks, without_an_answer)
    for query in ({}, {"implicit": 1}):
        body = {"h5path": "/a/b"} if query else {"link": {"id": file.root, "name": "g"}}
        assert (await file.post("/groups", json=body, **query)).status == 503
    monkeypatch.undo()
    links = (await file.get(f"/groups/{file.root}/links")).json["links"]
    assert [link["title"] for link in links] == (["a", "g"] if stored else [])
    for link in links:
        assert (await file.get(f"/groups/{link['id']}")).status == 200
