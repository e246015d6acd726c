"""Who may do what, over REST: users, groups, default, admins; inheritance; changes that count at once."""

import os
import time

import pytest
from objectfile import I32, make_file

from hsds.config import Settings
from hsds.servicenode.passwords import GroupsFile

NONE = dict.fromkeys(("create", "read", "update", "delete", "readACL", "updateACL"), False)
ALL = dict.fromkeys(NONE, True)
HOME = "/home/test_user1"


@pytest.fixture
def groups_file(tmp_path):
    file = tmp_path / "groups.txt"
    file.write_text("testers: test_user2\nwheel: nobody_yet\n")
    return file


@pytest.fixture
def settings(groups_file):
    return Settings(groups_file=groups_file, admin_group="wheel")


@pytest.fixture
async def file(service):
    made = await make_file(service)
    made.dataset = await made.make("datasets", name="d", shape=[4])
    return made


async def grant(file, user, **permissions):
    reply = await file.put(f"/acls/{user}", json=NONE | permissions)
    assert reply.status == 201


def rewrite(groups_file, text, service):
    """Change the file; the service looks at it once a second, so that time passes."""
    groups_file.write_text(text)
    later = time.time() + 5
    os.utime(groups_file, (later, later))
    for watched in vars(service.node.auth).values():
        if isinstance(watched, GroupsFile):
            watched._looked -= 2


async def status(file, method, path, options):
    """Of a request of test_user2's."""
    path = path.format(root=file.root, dataset=file.dataset)
    return (await getattr(file, method.lower())(path, user="test_user2", **options)).status


async def entries(service, domain, user="test_user1"):
    """The permissions in a domain, by name."""
    acls = (await service.get("/acls", domain=domain, user=user)).json["acls"]
    return {each.pop("userName"): each for each in acls}


ASKED = {
    "read": [("GET", "/", {}), ("GET", "/groups/{root}", {}), ("GET", "/datasets/{dataset}/value", {})],
    "create": [
        ("POST", "/groups", {"json": {}}),
        ("PUT", "/groups/{root}/links/s", {"json": {"h5path": "/x"}}),
        ("PUT", "/groups/{root}/attributes/a", {"json": {"type": I32, "value": 1}}),
    ],
    "update": [
        ("PUT", "/datasets/{dataset}/value", {"json": {"value": [1, 2, 3, 4]}}),
        ("PUT", "/", {"flush": 1}),
        ("PUT", "/", {"rescan": 1}),
    ],
    "readACL": [("GET", "/acls", {}), ("GET", "/acls/test_user1", {})],
    "updateACL": [("PUT", "/acls/somebody", {"json": {"read": True}})],
    "delete": [("DELETE", "/groups/{root}/links/s", {}), ("DELETE", "/", {})],
}


@pytest.mark.parametrize("action", ASKED)
@pytest.mark.parametrize("entry", ["test_user2", "g:testers", "default"])
async def test_each_action_by_each_kind_of_entry(file, action, entry):
    await grant(file, entry, **{name: name != action for name in NONE})
    for request in ASKED[action]:
        assert await status(file, *request) == 403, request
    await grant(file, entry, **{action: True})
    for request in ASKED[action]:
        assert await status(file, *request) in (200, 201, 204), request


async def test_a_users_own_entry_is_final(file):
    await grant(file, "default", read=True)
    await grant(file, "g:testers", read=True)
    assert (await file.get("/", user="test_user2")).status == 200
    await grant(file, "test_user2")
    assert (await file.get("/", user="test_user2")).status == 403, "a false is a refusal"
    assert (await file.get("/", user="admin")).status == 200


async def test_default_or_any_group_is_enough(file):
    await grant(file, "default")
    await grant(file, "g:others", read=True)
    assert (await file.get("/", user="test_user2")).status == 403
    await grant(file, "g:testers", read=True)
    assert (await file.get("/", user="test_user2")).status == 200


async def test_anonymous_is_default(file):
    assert (await file.get("/", user=None)).status == 403
    await grant(file, "default", **ALL)
    assert (await file.get("/", user=None)).status == 200
    assert (await file.post("/groups", json={}, user=None)).status == 401, "changes need a user"


async def test_revocation_counts_at_once(file):
    for _ in range(3):
        await grant(file, "test_user2", read=True, update=True)
        assert (await file.get(f"/datasets/{file.dataset}/value", user="test_user2")).status == 200
        await grant(file, "test_user2")
        for path in ("/", f"/groups/{file.root}", f"/datasets/{file.dataset}/value"):
            assert (await file.get(path, user="test_user2")).status == 403


async def test_the_groups_file_is_read_again(service, file, groups_file):
    await grant(file, "g:testers", read=True)
    assert (await file.get("/", user="test_user2")).status == 200
    rewrite(groups_file, "testers: somebody\n", service)
    assert (await file.get("/", user="test_user2")).status == 403
    rewrite(groups_file, "testers: somebody test_user2\n", service)
    assert (await file.get("/", user="test_user2")).status == 200


async def test_the_admin_group(service, file, groups_file):
    assert (await file.get("/", user="test_user2")).status == 403
    assert not (await service.get("/about", user="test_user2")).json["isadmin"]
    rewrite(groups_file, "wheel: test_user2\n", service)
    assert (await service.get("/about", user="test_user2")).json["isadmin"]
    assert (await file.put("/acls/somebody", json=ALL, user="test_user2")).status == 201
    assert (await service.put("/", domain="/top", json={"folder": True}, user="test_user2")).status == 201
    rewrite(groups_file, "wheel:\n", service)
    assert (await file.get("/", user="test_user2")).status == 403


async def test_inheritance(service):
    """Others' entries come along from the folder: not ``default``, the owner's, admins', and empty ones."""
    folder = f"{HOME}/shared"
    assert (await service.put("/", domain=folder, json={"folder": True})).status == 201
    for user, acl in {
        "test_user2": NONE | {"read": True, "create": True},
        "g:testers": NONE | {"read": True},
        "nothing": NONE,
        "admin": ALL,
        "default": ALL,
    }.items():
        assert (await service.put(f"/acls/{user}", domain=folder, json=acl)).status == 201
    made = f"{folder}/x.h5"
    assert (await service.put("/", domain=made, json={}, user="test_user2")).status == 201
    acls = {
        each.pop("userName"): each
        for each in (await service.get("/acls", domain=made, user="test_user2")).json["acls"]
    }
    assert acls == {"test_user2": ALL, "test_user1": ALL, "g:testers": NONE | {"read": True}}
    sub = f"{folder}/sub"
    assert (await service.put("/", domain=sub, json={"folder": True})).status == 201
    assert await entries(service, sub) == {
        "test_user1": ALL,
        "test_user2": NONE | {"read": True, "create": True},
        "g:testers": NONE | {"read": True},
        "default": NONE | {"read": True},
    }


async def test_creating_in_a_folder_needs_create_there(service):
    folder = f"{HOME}/shared"
    await service.put("/", domain=folder, json={"folder": True})
    assert (await service.put("/", domain=f"{folder}/x.h5", json={}, user="test_user2")).status == 403
    await service.put("/acls/test_user2", domain=folder, json={"create": True})
    assert (await service.put("/", domain=f"{folder}/x.h5", json={}, user="test_user2")).status == 201
    await service.put("/acls/test_user2", domain=folder, json={"create": False})
    assert (await service.put("/", domain=f"{folder}/y.h5", json={}, user="test_user2")).status == 403
