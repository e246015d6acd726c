"""Behaviours 1 to 9 of the contract's list (1.x, section 5): creating objects."""

import pytest

from tests.behaviours.client import CONTIGUOUS, F32, I32, chunked

DEFLATE = {"class": "H5Z_FILTER_DEFLATE", "id": 1, "name": "gzip", "level": 5}
SCALEOFFSET = {
    "class": "H5Z_FILTER_SCALEOFFSET",
    "id": 6,
    "name": "scaleoffset",
    "scaleOffset": 4,
    "scaleType": "H5Z_SO_INT",
}
SHUFFLE = {"class": "H5Z_FILTER_SHUFFLE", "id": 2, "name": "shuffle"}


async def test_01_json_post_without_content_type(file):
    reply = await file.post("/groups", json=[{}])
    assert reply.status == 201
    assert reply.json["root"] == file.root


@pytest.mark.parametrize("collection", ["groups", "datasets", "datatypes"])
@pytest.mark.parametrize("count", [1, 3])
async def test_02_lists_on_post_for_all_collections(file, collection, count):
    item = {} if collection == "groups" else {"type": I32}
    reply = await file.post(f"/{collection}", json=[item] * count)
    assert reply.status == 201
    objects = reply.json["objects"] if count > 1 else [reply.json]
    assert len({each["id"] for each in objects}) == count


async def test_03_ids_chosen_by_the_client(file):
    for collection in ("groups", "datasets", "datatypes"):
        item = {} if collection == "groups" else {"type": I32, "creationProperties": CONTIGUOUS}
        ids = await file.create(collection, item, item)
        for id_ in ids:
            assert id_[2:19] == file.root[2:19]
            assert (await file.shown(id_))["id"] == id_


async def test_04_unknown_keys_in_create_items(file):
    ids = await file.create("groups", {"created": 12.5, "lastModified": 13.5, "nobody": "knows"})
    shown = await file.shown(ids[0])
    assert "nobody" not in shown
    assert shown["created"] > 1e9


async def test_05_shapes_of_items(file):
    scalar, simple = await file.create(
        "datasets",
        {"type": I32, "creationProperties": CONTIGUOUS},
        {"type": I32, "shape": [4, 5], "maxdims": ["H5S_UNLIMITED", 10], "creationProperties": chunked(2, 5)},
    )
    assert (await file.shown(scalar))["shape"] == {"class": "H5S_SCALAR"}
    shape = (await file.shown(simple))["shape"]
    assert (shape["class"], shape["dims"]) == ("H5S_SIMPLE", [4, 5])
    assert shape["maxdims"][1] == 10


async def test_06_unlimited_and_resizable(file):
    id_ = await file.dataset(shape=[4], maxdims=["H5S_UNLIMITED"], creationProperties=chunked(3))
    shown = await file.shown(id_)
    assert shown["shape"]["maxdims"][0] in ("H5S_UNLIMITED", 0)
    assert shown["creationProperties"]["layout"]["class"] == "H5D_CHUNKED"
    assert (await file.put(f"/datasets/{id_}/shape", json={"shape": [9]})).status == 201
    assert (await file.shown(id_))["shape"]["dims"] == [9]


@pytest.mark.parametrize("chunks", [[1, 1], [3, 7], [100, 400]])
async def test_07_chunk_dims_exactly_as_sent(file, chunks):
    id_ = await file.dataset(shape=[20, 40], maxdims=[0, None], creationProperties=chunked(*chunks))
    assert (await file.shown(id_))["creationProperties"]["layout"]["dims"] == chunks


@pytest.mark.parametrize(
    "filters",
    [
        [DEFLATE],
        [SHUFFLE, DEFLATE],
        [{"class": "H5Z_FILTER_FLETCHER32", "id": 3, "name": "fletcher32"}],
        [SCALEOFFSET],
        [{"class": "H5Z_FILTER_LZ4", "id": 32004, "name": "lz4"}],
    ],
    ids=lambda filters: "+".join(each["name"] for each in filters),
)
async def test_08_filters_echoed_unchanged(file, filters):
    id_ = await file.dataset(type=F32, shape=[50], creationProperties=chunked(20, filters=filters))
    assert (await file.shown(id_))["creationProperties"]["filters"] == filters


async def test_09_create_order_comes_back(service, file):
    props = {"CreateOrder": 1}
    (id_,) = await file.create("groups", {"creationProperties": props})
    assert (await file.shown(id_))["creationProperties"] == props
    path = "/home/test_user1/tracked.h5"
    root = await service.make_domain(path, group={"creationProperties": props})
    reply = await service.get(f"/groups/{root}", domain=path)
    assert reply.json["creationProperties"] == props
