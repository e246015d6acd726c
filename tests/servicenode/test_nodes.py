"""``GET /nodes``: whom it is shown, and what one process says of itself."""


async def test_known_users_see_the_nodes(service):
    for user, status in (("test_user1", 200), ("admin", 200), (None, 401), ("stranger", 401)):
        assert (await service.get("/nodes", user=user)).status == status


async def test_one_process_is_both_nodes(service):
    found = (await service.get("/nodes")).json
    assert (found["state"], found["reason"], found["epoch"]) == ("READY", "", None)
    assert [(row["id"], row["role"], row["state"]) for row in found["nodes"]] == [
        ("sn-001", "sn", "RUNNING"),
        ("dn-001", "dn", "RUNNING"),
    ]
    for row in found["nodes"]:
        assert row["address"]
        assert row["version"]
        assert row["start_time"] > 0
        assert row["requests_per_second"] >= 0


async def test_who_is_ending_is_draining(service):
    service.node.state = "TERMINATING"
    found = (await service.get("/nodes")).json
    assert found["state"] == "TERMINATING"
    assert found["nodes"][0]["state"] == "DRAINING"


async def test_requests_are_counted(service):
    for _ in range(30):
        await service.get("/about")
    row = (await service.get("/nodes")).json["nodes"][0]
    assert row["requests"] >= 30
    assert row["requests_per_second"] > 2
