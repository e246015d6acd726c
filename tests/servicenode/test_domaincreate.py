"""PUT of /: making domains and folders, flush and rescan."""

import asyncio

import pytest

from hsds.hdf5.ids import new_object_id, new_root_id

FILE = "/home/test_user1/file.h5"
FULL = dict.fromkeys(("create", "read", "update", "delete", "readACL", "updateACL"), True)
READ = dict.fromkeys(FULL, False) | {"read": True}


async def test_make_a_domain(service):
    reply = await service.put("/", domain=FILE, json={}, getobjs=1, getdnids=1)
    assert reply.status == 201
    data = reply.json
    assert (data["owner"], data["acls"], data["dn_ids"]) == ("test_user1", {"test_user1": FULL}, ["dn-001"])
    assert {"root", "created", "lastModified", "limits", "compressors", "version"} <= set(data)
    assert not {"class", "hrefs"} & set(data)
    group = await service.get(f"/groups/{data['root']}", domain=FILE, include_links=1, include_attrs=1)
    assert group.json["links"] == group.json["attributes"] == {}


async def test_again_is_a_conflict(service):
    await service.make_domain(FILE)
    reply = await service.put("/", domain=FILE, json={})
    assert reply.status == 409
    assert FILE in reply.reason


@pytest.mark.parametrize("body", [b"null", b"", b"{}", b'{"class": "domain"}'])
async def test_bodies_that_say_nothing(service, body):
    reply = await service.put("/", domain=FILE, data=body, headers={"Content-Type": "application/json"})
    assert reply.status == 201


async def test_make_a_folder(service):
    reply = await service.put("/", domain="/home/test_user1/sub", json={"folder": True})
    assert reply.status == 201
    assert reply.json["acls"] == {"test_user1": FULL, "default": READ}
    assert "root" not in reply.json
    assert (await service.put("/", domain="/home/test_user1/sub/x.h5", json={})).status == 201


async def test_properties_of_the_root(service):
    root = await service.make_domain(FILE, group={"creationProperties": {"CreateOrder": 1}})
    group = (await service.get(f"/groups/{root}", domain=FILE)).json
    assert group["creationProperties"] == {"CreateOrder": 1}


async def test_a_root_of_the_clients_choice(service):
    root = new_root_id()
    assert await service.make_domain(FILE, root_id=root) == root
    reply = await service.put("/", domain="/home/test_user1/other.h5", json={"root_id": root})
    assert reply.status == 409
    assert (await service.get(f"/groups/{root}", domain=FILE)).status == 200  # the other's root is untouched


@pytest.mark.parametrize(
    "body",
    [
        {"root_id": "nonsense"},
        {"root_id": new_object_id(new_root_id(), "groups")},
        {"root_id": new_object_id(new_root_id(), "datasets")},
        {"group": 3},
        {"owner": 3},
        {"linked_domain": 3},
        [],
        "text",
    ],
)
async def test_bodies_that_cannot_be(service, body):
    assert (await service.put("/", domain=FILE, json=body)).status == 400
    assert (await service.get("/", domain=FILE)).status == 404


async def test_parents(service):
    assert (await service.put("/", domain="/home/test_user1/no/x.h5", json={})).status == 404
    await service.make_domain(FILE)
    assert (await service.put("/", domain=f"{FILE}/x.h5", json={})).status == 400
    assert (await service.put("/", domain="/home/test_user1/x.h5", json={}, user="test_user2")).status == 403
    assert (await service.put("/", json={})).status == 400


async def test_the_top_level_is_for_admins(service):
    assert (await service.put("/", domain="/top", json={"folder": True})).status == 403
    assert (await service.put("/", domain="/top", json={"folder": True}, user="admin")).status == 201


async def test_a_known_users_home_is_made_on_the_first_look(service):
    for user in ("test_user2", "admin", None):
        assert (await service.get("/", domain="/home/test_user1", user=user)).status == 404
    home = await service.get("/", domain="/home/test_user1")
    assert (home.status, home.json["class"], home.json["owner"]) == (200, "folder", "test_user1")
    assert (await service.get("/", domain="/home/test_user1/x.h5")).status == 404
    assert (await service.get("/", domain="/home/nobody")).status == 404


async def test_a_known_users_home_is_made_on_the_first_write(service):
    await service.make_domain(FILE)
    home = (await service.get("/", domain="/home/test_user1")).json
    assert (home["class"], home["owner"]) == ("folder", "test_user1")
    assert (await service.put("/", domain="/home/test_user2/x.h5", json={})).status == 404  # not one's own
    reply = await service.put("/", domain="/home/test_user2/x.h5", json={}, user="admin")
    assert (reply.status, reply.json["owner"]) == (201, "admin")
    assert (await service.get("/", domain="/home/test_user2")).json["owner"] == "test_user2"
    assert (await service.put("/", domain="/home/mallory/x.h5", json={}, user="admin")).status == 404


async def test_users_may_make_their_home_themselves(service):
    reply = await service.put("/", domain="/home/test_user1", json={"folder": True})
    assert (reply.status, reply.json["owner"]) == (201, "test_user1")
    assert (await service.put("/", domain="/home/else", json={"folder": True})).status == 403


async def test_owners(service):
    reply = await service.put("/", domain=FILE, json={"owner": "test_user2"})
    assert reply.status == 403
    reply = await service.put("/", domain=FILE, json={"owner": "test_user1"}, user="admin")
    assert (reply.status, reply.json["owner"]) == (201, "test_user1")
    assert reply.json["acls"] == {"test_user1": FULL}


@pytest.mark.parametrize("owner", ["", "a\nb", "\ud800", "x" * 300, 3])
async def test_owners_that_cannot_be(service, owner):
    assert (await service.put("/", domain=FILE, json={"owner": owner}, user="admin")).status == 400


async def test_acls_are_inherited(service):
    await service.put("/", domain="/home/test_user1/sub", json={"folder": True})
    await service.put("/acls/test_user2", domain="/home/test_user1/sub", json={"read": True, "update": True})
    reply = await service.put("/", domain="/home/test_user1/sub/x.h5", json={})
    assert reply.json["acls"] == {"test_user1": FULL, "test_user2": READ | {"update": True}}


async def test_nobody_makes_nothing(service):
    assert (await service.put("/", domain=FILE, json={}, user=None)).status == 401
    assert (await service.put("/", domain=FILE, json={}, user="mallory")).status == 401


async def test_linked_domains_share_their_root(service):
    root = await service.make_domain(FILE)
    other = "/home/test_user1/other.h5"
    assert await service.make_domain(other, linked_domain=FILE) == root
    assert (await service.delete("/", domain=FILE, keep_root=1)).status == 200
    assert (await service.get(f"/groups/{root}", domain=other)).status == 200
    reply = await service.put("/", domain=FILE, json={"linked_domain": "/home/test_user1"})
    assert reply.status == 400
    await service.put("/acls/test_user2", domain=other, json={"read": True})
    body = {"linked_domain": other}
    reply = await service.put("/", domain="/home/test_user2/x.h5", json=body, user="test_user2")
    assert reply.status == 403


async def test_of_many_at_once_one_makes_it(service):
    replies = await asyncio.gather(*(service.put("/", domain=FILE, json={}) for _ in range(10)))
    assert sorted(reply.status for reply in replies) == [201] + [409] * 9
    (root,) = [reply.json["root"] for reply in replies if reply.status == 201]
    assert (await service.get("/", domain=FILE)).json["root"] == root
    assert (await service.get(f"/groups/{root}", domain=FILE)).status == 200


async def test_flush(service):
    await service.make_domain(FILE)
    for options in ({"flush": 1, "json": None}, {"json": {"flush": 1}}, {"rescan": 1, "json": None}):
        reply = await service.put("/", domain=FILE, **options)
        assert (reply.status, reply.body) == (204, b"")
    reply = await service.put("/", domain=FILE, json={"flush": 1, "getdnids": 1})
    assert (reply.status, reply.json) == (200, {"dn_ids": ["dn-001"]})
    assert (await service.put("/", domain=FILE, flush=1, user="test_user2")).status == 403
    assert (await service.put("/", domain="/home/test_user1", flush=1)).status == 204
    assert (await service.put("/", domain="/home/test_user1", rescan=1)).status == 400
    assert (await service.put("/", domain="/home/test_user1/none.h5", flush=1)).status == 404
