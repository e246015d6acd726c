"""GET and POST of /: domains, folders and objects by path."""

import pytest

from hsds.servicenode.app import make_app

FILE = "/home/test_user1/file.h5"
SCALAR = {"type": "H5T_STD_I32LE"}


async def test_a_domain(service):
    root = await service.make_domain(FILE)
    data = (await service.get("/", domain=FILE)).json
    assert (data["root"], data["class"], data["owner"]) == (root, "domain", "test_user1")
    assert data["lastModified"] >= data["created"] > 1e9
    assert data["limits"] == {
        "min_chunk_size": 1048576, "max_chunk_size": 4194304, "max_request_size": 104857600
    }  # fmt: skip
    assert {"blosclz", "lz4", "lz4hc", "gzip", "zstd"} <= set(data["compressors"])
    assert data["version"] == "1.0.2"
    rels = [href["rel"] for href in data["hrefs"]]
    assert rels == ["self", "database", "groupbase", "typebase", "root", "acls", "parent"]
    assert "acls" not in data
    assert "dn_ids" not in data


async def test_ways_to_name_it(service):
    root = await service.make_domain(FILE)
    for name in (FILE, "hdf5:/" + FILE, "hdf5:/" + FILE[1:], "hsdstest" + FILE):
        assert (await service.get("/", domain=name)).json["root"] == root
    assert (await service.get("/", headers={"X-Hdf-domain": FILE})).json["root"] == root
    assert (await service.get("/", domain=FILE, bucket="hsdstest")).json["root"] == root


@pytest.mark.parametrize(
    ("params", "status"),
    [
        ({"domain": FILE}, 404),
        ({"domain": FILE + "/"}, 400),
        ({"domain": "a.b.c"}, 400),
        ({"domain": FILE, "bucket": "bad/bucket"}, 400),
        ({"domain": FILE, "bucket": "other"}, 403),
        ({"host": "x.y"}, 400),
    ],
)
async def test_what_is_not_there(service, params, status):
    reply = await service.get("/", **params)
    assert reply.status == status
    assert len(reply.reason) > 15


async def test_a_folder(service):
    await service.put("/", domain="/home/test_user1/sub", json={"folder": True})
    data = (await service.get("/", domain="/home/test_user1/sub", verbose=1)).json
    assert data["class"] == "folder"
    assert "root" not in data
    assert "num_groups" not in data
    assert not data.keys() & {"limits", "compressors", "version"}
    assert [href["rel"] for href in data["hrefs"]] == ["self", "domains", "acls", "parent"]


async def test_without_a_domain_the_top_is_listed(service):
    data = (await service.get("/")).json
    assert [item["name"] for item in data["domains"]] == ["/home"]


async def test_verbose(service):
    root = await service.make_domain(FILE)
    for _ in range(2):
        await service.post("/groups", domain=FILE, json={})
    made = await service.post("/datasets", domain=FILE, json={"type": "H5T_STD_I32LE", "shape": [10]})
    await service.put(f"/datasets/{made.json['id']}/value", domain=FILE, json={"value": list(range(10))})
    data = (await service.get("/", domain=FILE, verbose=1)).json
    assert data["root"] == root
    assert (data["num_groups"], data["num_datasets"], data["num_datatypes"], data["num_chunks"]) == (
        3,
        1,
        0,
        1,
    )
    assert data["num_objects"] == 5
    assert data["allocated_bytes"] == 40
    assert data["total_size"] > data["allocated_bytes"] + data["metadata_bytes"] > 40
    assert (data["linked_bytes"], data["num_linked_chunks"]) == (0, 0)
    assert isinstance(data["md5_sum"], str)
    later = (await service.get("/", domain=FILE, verbose=1)).json
    assert later["scan_info"]["scan_complete"] > data["scan_info"]["scan_complete"]


async def test_getdnids_and_getobjs(service):
    await service.make_domain(FILE)
    data = (await service.get("/", domain=FILE, getdnids=1, getobjs="T", include_attrs="T")).json
    assert data["dn_ids"] == ["dn-001"]
    assert "domain_objs" not in data


async def test_objects_by_path(service):
    root = await service.make_domain(FILE)
    group = (await service.post("/groups", domain=FILE, json={"link": {"id": root, "name": "g"}})).json["id"]
    dataset = (
        await service.post("/datasets", domain=FILE, json=SCALAR | {"link": {"id": group, "name": "d"}})
    ).json["id"]
    data = (await service.get("/", domain=FILE, h5path="/g/d")).json
    assert (data["id"], data["class"], data["domain"]) == (dataset, "dataset", FILE)
    data = (await service.get("/", domain=FILE, h5path="d", parent_id=group)).json
    assert data["id"] == dataset
    data = (await service.get("/", domain=FILE, h5path="/", include_links=1, include_attrs=1)).json
    assert (data["id"], data["class"], list(data["links"]), data["attributes"]) == (root, "group", ["g"], {})
    assert (await service.get("/", domain=FILE, h5path="/g/none")).status == 404
    assert (await service.get("/", domain=FILE, h5path="d", parent_id=dataset)).status == 400
    assert (await service.get("/", domain="/home/test_user1", h5path="/")).status == 400


async def test_several_objects_by_path(service):
    root = await service.make_domain(FILE)
    group = (await service.post("/groups", domain=FILE, json={"link": {"id": root, "name": "g"}})).json["id"]
    reply = await service.post("/", domain=FILE, json={"h5paths": ["/g", "/"]})
    assert {path: item["id"] for path, item in reply.json["h5paths"].items()} == {"/g": group, "/": root}
    assert (await service.post("/", domain=FILE, json={"h5paths": ["/g", "/none"]})).status == 404
    for body in ({}, {"h5paths": "/g"}, {"h5paths": [1]}, [], None):
        assert (await service.post("/", domain=FILE, json=body)).status == 400
    assert (await service.post("/", domain="/home", json={"h5paths": ["/"]})).status == 400


async def test_who_may_read(service):
    await service.make_domain(FILE)
    assert (await service.get("/", domain=FILE, user="test_user2")).status == 403
    assert (await service.get("/", domain=FILE, user=None)).status == 403
    assert (await service.get("/", domain=FILE, user="admin")).status == 200
    assert (await service.get("/", domain=FILE, user="mallory")).status == 401
    assert (await service.get("/", domain="/home", user=None)).status == 200


async def test_without_anonymous_reading(settings, service, aiohttp_client):
    service.node.settings = settings.model_copy(update={"allow_noauth": False})
    service.client = await aiohttp_client(make_app(service.node))
    assert (await service.get("/", domain="/home", user=None)).status == 401
    assert (await service.get("/about", user=None)).status == 200
