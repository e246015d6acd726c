"""GET and DELETE of groups, datasets and committed datatypes, by id and by path; collections."""

import pytest
from objectfile import I32, make_file

RELATIONS = {
    "groups": ["self", "links", "attributes", "root", "home"],
    "datasets": ["self", "attributes", "root", "home", "data"],
    "datatypes": ["self", "attributes", "root", "home"],
}


@pytest.fixture
async def file(service):
    return await make_file(service)


async def test_group(file):
    await file.make(name="g1")
    group = (await file.get(f"/groups/{file.root}")).json
    assert group["id"] == group["root"] == file.root
    assert (group["linkCount"], group["attributeCount"]) == (1, 0)
    assert (group["domain"], group["bucket"]) == (file.path, "hsdstest")
    assert group["lastModified"] >= group["created"] > 1.7e9
    assert "links" not in group
    assert "attributes" not in group


async def test_creation_order_of_root_comes_back(service):
    file = await make_file(service, group={"creationProperties": {"CreateOrder": 1}})
    assert (await file.get(f"/groups/{file.root}")).json["creationProperties"] == {"CreateOrder": 1}


@pytest.mark.parametrize("collection", RELATIONS)
async def test_hrefs(file, collection):
    id_ = await file.make(collection)
    hrefs = (await file.get(f"/{collection}/{id_}")).json["hrefs"]
    assert sorted(item["rel"] for item in hrefs) == sorted(RELATIONS[collection])
    assert all(item["href"].endswith(f"?domain={file.path}") for item in hrefs)


@pytest.mark.parametrize("collection", RELATIONS)
async def test_maps_on_request(file, collection):
    id_ = await file.make(collection, attributes={"a": {"type": I32, "value": 5}})
    shown = (await file.get(f"/{collection}/{id_}", include_attrs=1, include_links=1)).json
    (attribute,) = shown["attributes"].values()
    assert set(attribute) == {"type", "shape", "value", "created"}
    assert shown["attributeCount"] == 1
    assert ("links" in shown) == (collection == "groups")
    assert "attributes" not in (await file.get(f"/{collection}/{id_}", include_attrs=0)).json


async def test_dataset(file):
    chunks = {"class": "H5D_CHUNKED", "dims": [5]}
    filters = [{"class": "H5Z_FILTER_DEFLATE", "id": 1, "level": 5, "name": "gzip"}]
    properties = {"layout": chunks, "filters": filters, "fillValue": 3, "own": "kept"}
    id_ = await file.make("datasets", shape=[10], maxdims=["H5S_UNLIMITED"], creationProperties=properties)
    dataset = (await file.get(f"/datasets/{id_}")).json
    assert dataset["layout"] == dataset["creationProperties"]["layout"] == chunks
    assert dataset["creationProperties"] == properties
    assert dataset["shape"]["dims"] == [10]
    assert dataset["shape"]["maxdims"] in ([0], ["H5S_UNLIMITED"])
    assert dataset["domain"] == file.path


async def test_large_dataset_offers_a_preview(file):
    id_ = await file.make("datasets", shape=[20, 2000])
    href = (await file.get(f"/datasets/{id_}")).json["hrefs"][-1]
    assert href["rel"] == "preview"
    assert href["href"].endswith("&select=[0:1,0:100]")


async def test_nan_fill_value(file):
    properties = {"fillValue": float("nan")}
    id_ = await file.make("datasets", type="H5T_IEEE_F32LE", shape=[2], creationProperties=properties)
    assert (await file.get(f"/datasets/{id_}")).body.count(b"NaN") == 1
    shown = (await file.get(f"/datasets/{id_}", ignore_nan=1)).json
    assert shown["creationProperties"]["fillValue"] == "nan"


async def test_allocation_on_request(file):
    id_ = await file.make("datasets", shape=[10], value=list(range(10)))
    shown = (await file.get(f"/datasets/{id_}", verbose=1)).json
    assert (shown["num_chunks"], shown["allocated_size"]) == (1, 40)
    unwritten = await file.make("datasets", shape=[10])
    shown = (await file.get(f"/datasets/{unwritten}", verbose=1)).json
    assert (shown["num_chunks"], shown["allocated_size"]) == (0, 0)


async def test_alias(file):
    outer = await file.make(name="g1")
    inner = await file.make("datasets", name="d", parent=outer)
    await file.link(outer, "loop", id=file.root)
    loose = await file.make()
    for collection, id_, alias in (
        ("groups", file.root, ["/"]),
        ("groups", outer, ["/g1"]),
        ("datasets", inner, ["/g1/d"]),
        ("groups", loose, []),
    ):
        assert (await file.get(f"/{collection}/{id_}", getalias=1)).json["alias"] == alias


@pytest.mark.parametrize("collection", RELATIONS)
async def test_delete(file, collection):
    id_ = await file.make(collection, name="x")
    reply = await file.delete(f"/{collection}/{id_}")
    assert (reply.status, reply.json) == (200, {})
    assert (await file.get(f"/{collection}/{id_}")).status == 410
    assert (await file.delete(f"/{collection}/{id_}")).status == 410
    assert (await file.get(f"/groups/{file.root}/links/x")).status == 200


async def test_root_group_stays(file):
    assert (await file.delete(f"/groups/{file.root}")).status == 403


@pytest.mark.parametrize("method", ["GET", "DELETE"])
async def test_wrong_ids(file, service, method):
    other = await make_file(service, "/home/test_user1/other.h5")
    dataset = await file.make("datasets")
    for path, status in (
        ("/groups/nonsense", 400),
        (f"/groups/{dataset}", 400),
        (f"/datasets/{file.root}", 400),
        (f"/groups/{await other.make()}", 400),
        (f"/groups/{file.new_id()}", 404),
        (f"/groups/{file.root.upper()}", 400),
    ):
        assert (await service.request(method, path, domain=file.path)).status == status, path


async def test_other_user(file):
    id_ = await file.make()
    assert (await file.get(f"/groups/{id_}", user="test_user2")).status == 403
    assert (await file.delete(f"/groups/{id_}", user="test_user2")).status == 403
    assert (await file.get(f"/groups/{id_}", user="admin")).status == 200


async def test_by_path(file):
    outer = await file.make(name="g1")
    dataset = await file.make("datasets", name="d", parent=outer)
    datatype = await file.make("datatypes", name="t", parent=outer)
    await file.link(outer, "soft", h5path="d")
    for path, expected in (
        ("/groups/?h5path=/g1", outer),
        ("/groups?h5path=/g1", outer),
        ("/groups/?h5path=/", file.root),
        (f"/groups/{file.root}?h5path=g1", outer),
        (f"/groups/{outer}?h5path=/g1", outer),
        (f"/groups/{outer}?h5path=.", outer),
        ("/datasets/?h5path=/g1/d", dataset),
        ("/datasets/?h5path=//g1/./d/", dataset),
        (f"/datasets/?h5path=d&grpid={outer}", dataset),
        (f"/datatypes/?h5path=./t&grpid={outer}", datatype),
        ("/groups/?h5path=/nothing", 404),
        ("/groups/?h5path=/g1/d", 404),
        ("/datasets/?h5path=/g1", 404),
        ("/datasets/?h5path=/g1/d/x", 404),
        ("/datatypes/?h5path=/g1/d", 410),
        ("/datasets/?h5path=d", 400),
        ("/datasets/?h5path=/g1/soft", 400),
        ("/datasets/?h5path=d&grpid=nonsense", 400),
    ):
        reply = await file.get(path)
        if isinstance(expected, int):
            assert reply.status == expected, path
        else:
            assert reply.json["id"] == expected, path


@pytest.mark.parametrize("collection", ["groups", "datasets", "datatypes"])
async def test_a_path_for_one_object_needs_to_say_which(file, collection):
    assert (await file.get(f"/{collection}/")).status == 400


async def test_collections(file):
    groups = sorted([await file.make(name=f"g{index}") for index in range(5)])
    await file.link(groups[0], "loop", id=file.root)
    await file.link(groups[0], "again", id=groups[1])
    dataset = await file.make("datasets", name="d", parent=groups[2])
    await file.make("datasets")
    listing = (await file.get("/groups")).json
    assert listing["groups"] == groups
    assert [item["rel"] for item in listing["hrefs"]] == ["self", "root", "home"]
    assert (await file.get("/datasets")).json["datasets"] == [dataset]
    assert (await file.get("/datatypes")).json["datatypes"] == []
    assert (await file.get("/groups", Limit=2)).json["groups"] == groups[:2]
    assert (await file.get("/groups", Limit=2, Marker=groups[1])).json["groups"] == groups[2:4]
    assert (await file.get("/groups", Limit="x")).status == 400


async def test_collection_passes_over_dangling_links(file):
    gone = await file.make(name="gone")
    await file.delete(f"/groups/{gone}")
    assert (await file.get("/groups")).json["groups"] == []
