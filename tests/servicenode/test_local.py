"""The laptop: no passwords, one user, and no foreign web pages."""

import pytest

from hsds.errors import NotPermitted
from hsds.servicenode.guard import check_local


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "localhost:5101"},
        {"Host": "127.0.0.1:5101"},
        {"Host": "127.1.2.3"},
        {"Host": "[::1]:5101"},
        {"Host": "LOCALHOST"},
        {"Host": "localhost:5101", "Origin": "http://localhost:8888"},
        {"Host": "localhost", "Origin": "http://[::1]:8888"},
    ],
)
def test_this_machine(headers):
    check_local(headers)


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example:5101"},
        {"Host": "192.168.1.7:5101"},
        {"Host": "localhost.evil.example"},
        {"Host": "127.0.0.1.evil.example"},
        {"Host": ""},
        {"Host": "localhost", "Origin": "http://evil.example"},
        {"Host": "localhost", "Origin": "null"},
        {"Host": "localhost", "Origin": "http://[broken"},
        {"Host": "localhost", "Origin": "http://localhost@evil.example"},
    ],
)
def test_others(headers):
    with pytest.raises(NotPermitted, match="is refused"):
        check_local(headers)


async def test_foreign_hosts_are_refused(local_service):
    reply = await local_service.get("/about", headers={"Host": "evil.example"})
    assert reply.status == 403
    assert "no passwords" in reply.reason


@pytest.mark.parametrize("user", [None, "mallory"])
async def test_everybody_is_the_one_user(local_service, user):
    about = (await local_service.get("/about", user=user)).json
    assert (about["username"], about["isadmin"]) == ("joe", True)
    reply = await local_service.put("/", domain="/home/joe/x.h5", json={}, user=user)
    assert reply.json["owner"] == "joe"


async def test_homes_of_any_name_are_made(local_service):
    reply = await local_service.put("/", domain="/home/mallory/x.h5", json={}, user="mallory")
    assert reply.status == 201
    assert (await local_service.get("/", domain="/home/mallory")).json["owner"] == "joe"


async def test_any_name_has_all_permissions(local_service):
    """h5pyd 0.24 asks for the ACL of the name it was given before it opens a file for writing."""
    await local_service.put("/", domain="/home/joe/x.h5", json={})
    reply = await local_service.get("/acls/mallory", domain="/home/joe/x.h5", user="mallory")
    assert reply.json["acl"]["update"]
    assert (await local_service.get("/acls/default", domain="/home/joe/x.h5")).status == 404
