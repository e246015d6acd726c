"""DELETE of /."""

import pytest

FILE = "/home/test_user1/file.h5"


async def test_delete(service):
    root = await service.make_domain(FILE)
    reply = await service.delete("/", domain=FILE, getobjs=1)
    assert (reply.status, reply.body) == (200, b"null")
    assert (await service.get("/", domain=FILE)).status == 410
    assert (await service.delete("/", domain=FILE)).status == 410
    assert (await service.delete("/", domain="/home/test_user1/none.h5")).status == 404
    again = await service.make_domain(FILE)
    assert again != root
    assert (await service.get(f"/groups/{again}", domain=FILE)).status == 200
    assert (await service.get(f"/groups/{root}", domain=FILE)).status == 400


async def test_folders_must_be_empty(service):
    await service.make_domain("/home/test_user1/sub.h5")
    await service.put("/", domain="/home/test_user1/sub", json={"folder": True})
    await service.make_domain("/home/test_user1/sub/x.h5")
    reply = await service.delete("/", domain="/home/test_user1/sub")
    assert reply.status == 409
    assert reply.reason.startswith("folder has sub-items")
    await service.delete("/", domain="/home/test_user1/sub/x.h5")
    assert (await service.delete("/", domain="/home/test_user1/sub")).status == 200


async def test_who_may_delete(service):
    await service.make_domain(FILE)
    assert (await service.delete("/", domain=FILE, user="test_user2")).status == 403
    assert (await service.delete("/", domain=FILE, user=None)).status == 401
    assert (await service.delete("/", domain="/home")).status == 403
    assert (await service.delete("/", domain=FILE, user="admin")).status == 200


@pytest.mark.parametrize("options", [{"keep_root": 1}, {"json": {"keep_root": 1}}])
async def test_keep_root(service, options):
    root = await service.make_domain(FILE)
    other = "/home/test_user1/other.h5"
    await service.make_domain(other, linked_domain=FILE)
    assert (await service.delete("/", domain=FILE, **options)).status == 200
    assert (await service.get(f"/groups/{root}", domain=other)).status == 200


async def test_without_keep_root_the_data_go(service):
    root = await service.make_domain(FILE)
    other = "/home/test_user1/other.h5"
    await service.make_domain(other, linked_domain=FILE)
    assert (await service.delete("/", domain=FILE)).status == 200
    assert (await service.get(f"/groups/{root}", domain=other)).status == 410
    assert (await service.delete("/", domain=other)).status == 200


async def test_meta_only_deletes_nothing(service):
    await service.make_domain(FILE)
    reply = await service.delete("/", domain=FILE, meta_only=1)
    assert (reply.status, reply.json) == (200, {})
    assert (await service.get("/", domain=FILE)).status == 200
