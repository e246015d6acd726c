"""/acls."""

import pytest

FILE = "/home/test_user1/file.h5"
FULL = dict.fromkeys(("create", "read", "update", "delete", "readACL", "updateACL"), True)
NOTHING = dict.fromkeys(FULL, False)


@pytest.fixture
async def acls(service):
    await service.make_domain(FILE)
    return service


async def test_get(acls):
    data = (await acls.get("/acls", domain=FILE)).json
    assert data["acls"] == [{"userName": "test_user1", **FULL}]
    assert [href["rel"] for href in data["hrefs"]] == ["self", "root", "home", "owner"]
    data = (await acls.get("/acls/test_user1", domain=FILE)).json
    assert data["acl"] == {"userName": "test_user1", **FULL}
    assert (await acls.get("/acls/nobody", domain=FILE)).status == 404


async def test_put(acls):
    reply = await acls.put("/acls/test_user2", domain=FILE, json={"read": True, "readACL": True})
    assert (reply.status, reply.json) == (201, {})
    assert (await acls.put("/acls/test_user2", domain=FILE, json={"update": True})).status == 201
    data = (await acls.get("/acls/test_user2", domain=FILE)).json
    assert data["acl"] == {"userName": "test_user2", **NOTHING, "read": True, "readACL": True, "update": True}
    entries = (await acls.get("/acls", domain=FILE, user="test_user2")).json["acls"]
    assert [entry["userName"] for entry in entries] == ["test_user1", "test_user2"]
    assert (await acls.put("/acls/default", domain=FILE, json={"read": True})).status == 201
    assert (await acls.get("/", domain=FILE, user=None)).status == 200
    assert (await acls.put("/acls/g%3Alab", domain=FILE, json={"read": True})).status == 201
    assert (await acls.get("/acls/g%3Alab", domain=FILE)).json["acl"]["read"]


@pytest.mark.parametrize("body", [None, [], {"write": True}, {"read": 1}, {"read": "yes"}])
async def test_bad_bodies(acls, body):
    assert (await acls.put("/acls/test_user2", domain=FILE, json=body)).status == 400


async def test_an_entry_without_permissions(acls):
    assert (await acls.put("/acls/test_user2", domain=FILE, json={})).status == 201
    assert (await acls.get("/acls/test_user2", domain=FILE)).json["acl"] == {
        "userName": "test_user2",
        **NOTHING,
    }


async def test_only_who_has_update_acl_may_change(acls):
    entry = {"read": True, "update": True, "readACL": True}
    await acls.put("/acls/test_user2", domain=FILE, json=entry)
    assert (await acls.put("/acls/test_user2", domain=FILE, json=FULL, user="test_user2")).status == 403
    assert (await acls.put("/acls/test_user2", domain=FILE, json=FULL, user=None)).status == 401
    assert (await acls.put("/acls/test_user2", domain=FILE, json=FULL, user="admin")).status == 201


async def test_who_may_read_which(acls):
    await acls.put("/acls/test_user2", domain=FILE, json={"read": True})
    assert (await acls.get("/acls", domain=FILE, user="test_user2")).status == 403
    assert (await acls.get("/acls/test_user1", domain=FILE, user="test_user2")).status == 403
    assert (await acls.get("/acls/test_user2", domain=FILE, user="test_user2")).status == 200
    assert (await acls.get("/acls/default", domain=FILE, user="test_user2")).status == 404


async def test_an_admin_has_all_permissions_without_an_entry(acls):
    assert (await acls.get("/acls/admin", domain=FILE, user="admin")).json["acl"]["update"]


async def test_of_folders(acls):
    data = (await acls.get("/acls", domain="/home/test_user1")).json
    assert [entry["userName"] for entry in data["acls"]] == ["default", "test_user1"]
    assert [href["rel"] for href in data["hrefs"]] == ["self", "home", "owner"]


async def test_where_there_is_no_domain(acls):
    for method in ("GET", "PUT"):
        reply = await acls.request(method, "/acls/x", domain="/home/test_user1/no.h5", json={"read": True})
        assert reply.status == 404
    assert (await acls.get("/acls")).status == 400
