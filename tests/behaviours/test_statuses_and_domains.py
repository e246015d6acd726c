"""Behaviours 22 to 34 of the contract's list (1.x, section 5): statuses, permissions, domains, folders."""

import re
import time

import numpy as np
import pytest

from tests.behaviours.client import I32, JSON, attribute, chunked

ACL = dict.fromkeys(("create", "read", "update", "delete", "readACL", "updateACL"), False)
VERBOSE = {
    "md5_sum", "num_groups", "num_datasets", "num_datatypes", "num_objects", "num_chunks",
    "num_linked_chunks", "total_size", "allocated_bytes", "metadata_bytes", "linked_bytes",
}  # fmt: skip
HOME = "/home/test_user1"


async def test_22_statuses_of_success(service, file):
    id_ = await file.dataset(shape=[10], maxdims=[0], creationProperties=chunked(5))
    assert (await file.write(id_, np.arange(10, dtype="<i4"))).status == 200
    assert (await file.put(f"/datasets/{id_}/shape", json={"shape": [20]})).status == 201
    attributes = {id_: {"a": attribute(I32, 1)}}
    assert (await file.put_attributes(attributes)).status == 201
    assert (await file.put_attributes(attributes)).status == 200
    link = {"grp_ids": {file.root: {"links": {"d": {"class": "H5L_TYPE_HARD", "id": id_, "created": 1.0}}}}}
    assert (await file.put(f"/groups/{file.root}/links", json=link)).status == 201
    assert (await file.put(f"/groups/{file.root}/links", json=link)).status == 200
    assert (await service.put("/", domain=f"{HOME}/other.h5", json={})).status == 201
    assert (await file.put("/acls/test_user2", json=ACL)).status == 201
    assert (await file.put("/", json=None, flush=1)).status == 204


async def test_23_flush_with_the_body_null(file, service):
    before = {info.key async for info in service.store.list_all("hsdstest")}
    reply = await file.put("/", json=None, headers=JSON, flush=1)
    assert (reply.status, reply.body) == (204, b"")
    await file.put("/acls/test_user2", json=ACL | {"read": True})
    assert (await file.put("/", json=None, headers=JSON, flush=1, user="test_user2")).status == 403
    assert {info.key async for info in service.store.list_all("hsdstest")} == before


async def test_24_update_opens_for_a_and_delete_for_w(file):
    await file.put("/acls/test_user2", json=ACL | {"read": True, "update": True})
    assert (await file.put("/", json=None, flush=1, user="test_user2")).status == 204
    assert (await file.delete("/", getobjs=1, user="test_user2")).status == 403
    await file.put("/acls/test_user2", json={"delete": True})
    assert (await file.delete("/", getobjs=1, user="test_user2")).status == 200


async def test_25_wrong_credentials_and_missing_permission(service, file):
    wrong = {"Authorization": "Basic dGVzdF91c2VyMTp3cm9uZw=="}
    for path in ("/about", "/", f"/groups/{file.root}"):
        assert (await file.get(path, headers=wrong)).status == 401
    assert (await file.get("/", user="test_user2")).status == 403
    assert (await file.get(f"/groups/{file.root}", user="test_user2")).status == 403


async def test_26_a_replaced_domain_is_empty_and_usable_at_once(service):
    path, seen = f"{HOME}/again.h5", set()
    for i in range(5):
        reply = await service.put("/", domain=path, json={}, getobjs=1)
        assert reply.status == 201
        root = reply.json["root"]
        seen.add(root)
        assert (await service.get("/", domain=path, getobjs=1)).json["root"] == root
        group = await service.get(f"/groups/{root}", domain=path, include_links=1, include_attrs=1)
        assert (group.json["links"], group.json["attributes"]) == ({}, {})
        body = {"attributes": {"a": attribute(I32, i)}}
        assert (await service.put(f"/groups/{root}/attributes", domain=path, json=body)).status == 201
        assert (await service.delete("/", domain=path)).status == 200
        assert (await service.get("/", domain=path)).status in (404, 410)
    assert len(seen) == 5


async def test_27_read_your_writes_and_times(service):
    reply = await service.put("/", domain=f"{HOME}/new.h5", json={})
    shown = (await service.get("/", domain=f"{HOME}/new.h5")).json
    assert shown["root"] == reply.json["root"]
    assert abs(shown["created"] - time.time()) < 30
    assert shown["lastModified"] >= shown["created"]
    verbose = (await service.get("/", domain=f"{HOME}/new.h5", verbose=1)).json
    assert verbose["lastModified"] >= verbose["created"]


async def test_28_version_and_limits(file):
    shown = (await file.get("/")).json
    assert re.fullmatch(r"\d+\.\d+.*", shown["version"])
    assert {"min_chunk_size", "max_chunk_size", "max_request_size"} <= set(shown["limits"])
    assert all(isinstance(limit, int) for limit in shown["limits"].values())


async def test_29_existence_of_a_fresh_domain(service, file):
    assert (await file.get("/")).status == 200
    assert (await service.put("/", domain=file.path, json={})).status == 409


async def test_30_acl_of_the_owner_and_of_nobody(file):
    acl = (await file.get("/acls/test_user1")).json["acl"]
    assert acl == dict.fromkeys(ACL, True) | {"userName": "test_user1"}
    acls = (await file.get("/acls")).json["acls"]
    assert [each["userName"] for each in acls] == ["test_user1"]
    assert (await file.get("/acls/nobody")).status == 404
    await file.put("/acls/test_user2", json=ACL)
    assert set((await file.get("/acls/test_user2")).json["acl"]) == {*ACL, "userName"}


async def test_31_acls_of_new_domains_and_folders(service, file):
    assert (await file.get("/acls/default")).status == 404
    folder = f"{HOME}/folder"
    assert (await service.put("/", domain=folder, json={"folder": True})).status == 201
    acl = (await service.get("/acls/default", domain=folder)).json["acl"]
    assert acl == ACL | {"read": True, "userName": "default"}


async def test_32_folder_listing(service):
    folder = f"{HOME}/listed"
    await service.put("/", domain=folder, json={"folder": True})
    await service.put("/", domain=f"{folder}/sub", json={"folder": True})
    root = await service.make_domain(f"{folder}/a.h5")
    items = (await service.get("/domains", domain=f"{folder}/", Limit=1000)).json["domains"]
    assert [item["name"] for item in items] == [f"{folder}/a.h5", f"{folder}/sub"]
    for item in items:
        assert {"owner", "class", "name", "created", "lastModified"} <= set(item)
        assert not VERBOSE & set(item)
    verbose = (await service.get("/domains", domain=f"{folder}/", Limit=1000, verbose=1)).json["domains"]
    assert set(verbose[0]) >= VERBOSE
    assert set(verbose[1]) >= VERBOSE
    assert verbose[0]["num_groups"] == 1
    await service.post("/groups", domain=f"{folder}/a.h5", json={"link": {"id": root, "name": "g"}})
    verbose = (await service.get("/domains", domain=f"{folder}/", verbose=1)).json["domains"]
    assert verbose[0]["num_groups"] == 2, "right at once"


async def test_33_a_domain_listed_as_a_folder(service, file):
    reply = await service.get("/domains", domain=f"{file.path}/")
    assert (reply.status, reply.json["domains"]) == (200, [])


@pytest.mark.parametrize("user", ["test_user1", "test_user2", None])
async def test_34_the_root_folder(service, user):
    reply = await service.get("/domains", user=user)
    assert reply.status == 200
    names = [item["name"] for item in reply.json["domains"]]
    assert "/home" in names
    assert not any(name.endswith("/") for name in names)
