"""ACLs: reading, changing, inheriting, and what each permission is good for."""

from tests.differential.draw import Case, Draw, File
from tests.differential.exchange import Request

_RIGHTS = ("create", "read", "update", "delete", "readACL", "updateACL")


def changing(draw: Draw) -> Case:
    """ACLs of a file, changed in good and bad ways."""
    file = draw.file()
    yield file.create()
    yield file.get("/acls")
    for user in ("test_user1", "test_user2", "default", "g:team", "nobody", "with space", "%C3%BC"):
        yield file.get(f"/acls/{user}")
    for body in (
        {"read": True},
        {"read": True, "update": True},
        dict.fromkeys(_RIGHTS, False),
        dict.fromkeys(_RIGHTS, True),
        {},
        {"read": 1},
        {"read": "true"},
        {"read": None},
        {"READ": True},
        {"read": True, "userName": "x"},
        {"domain": "x"},
        [],
        {right: draw.maybe() for right in draw.some(_RIGHTS)},
    ):
        user = draw.choice(["test_user2", "default", "g:team", "nobody"])
        yield file.put(f"/acls/{user}", body)
        yield file.get(f"/acls/{user}")
    yield file.get("/acls")
    yield file.put("/acls/test_user3", {"read": True}, user="test_user3")
    missing = draw.file()
    yield missing.get("/acls")
    yield missing.get("/acls/default")
    yield missing.put("/acls/default", {"read": True})
    yield file.put("/acls/test_user1", dict.fromkeys(_RIGHTS, False))
    yield file.get("/")


def rights(draw: Draw) -> Case:
    """Every kind of request by a user with some of the rights."""
    file = draw.file()
    yield file.create()
    dataset, made = file.dataset([4], "H5T_STD_I32LE", parent=file.root, name="d", maxdims=[None])
    yield made
    yield file.put(f"/groups/{file.root}/attributes/a", {"type": "H5T_STD_I32LE", "value": 1})
    given = draw.sample(_RIGHTS, draw.randint(0, 3))
    user = draw.choice(["test_user2", "default"])
    yield file.put(f"/acls/{user}", {right: right in given for right in _RIGHTS}, vital=True)
    yield file.get("/", user="test_user2")
    for who in ("test_user2", None):
        yield file.get("/acls", user=who)
        yield file.get("/acls/test_user2", user=who)
        yield file.get("/acls/test_user1", user=who)
        yield file.get("/acls/default", user=who)
        yield file.get("/", user=who)
        yield file.get(f"/groups/{file.root}", user=who)
        yield file.get(f"/datasets/{dataset}/value", user=who)
        yield file.post(f"/datasets/{dataset}/value", {"points": [1]}, user=who)
        yield file.post(f"/groups/{file.root}/attributes", {"attr_names": ["a"]}, user=who)
        yield file.put(f"/datasets/{dataset}/value", {"value": [4, 3, 2, 1]}, user=who)
        yield file.put(f"/datasets/{dataset}/shape", {"shape": [6]}, user=who)
        yield file.put(f"/groups/{file.root}/attributes/b", {"type": "H5T_STD_I32LE", "value": 1}, user=who)
        yield file.put(f"/groups/{file.root}/attributes/a/value", {"value": 3}, user=who)
        yield file.put(f"/groups/{file.root}/links/again", {"id": dataset}, user=who)
        yield file.post("/groups", {"id": file.id("g")}, user=who)
        yield file.post("/datatypes", {"id": file.id("t"), "type": "H5T_STD_I32LE"}, user=who)
        yield file.put("/", None, params={"flush": 1}, user=who)
        yield file.delete(f"/groups/{file.root}/attributes/b", user=who)
        yield file.delete(f"/groups/{file.root}/links/again", user=who)
        yield file.put("/acls/test_user3", {"read": True}, user=who)
        yield file.delete("/", user=who)


def inherited(draw: Draw) -> Case:
    """Domains take ACLs from their folder, and need the right to be made there."""
    folder = File(draw, draw.path("acl"), draw.root())
    yield folder.put("/", {"folder": True}, vital=True)
    for user in ("test_user2", "g:team", "nobody", "default", "admin"):
        yield folder.put(f"/acls/{user}", {right: draw.maybe() for right in draw.some(_RIGHTS)})
    yield folder.get("/acls")
    for user in ("test_user1", "test_user2", "test_user3", "admin"):
        child = draw.file(folder.path)
        yield child.ask("PUT", "/", json={"root_id": child.root}, user=user)
        yield child.get("/acls", user="admin")
    inner = File(draw, f"{folder.path}/inner", draw.root())
    yield inner.put("/", {"folder": True})
    yield inner.get("/acls")
    yield Request("GET", "/acls", {"domain": "/home"}, user="admin")


CASES = [changing, rights, inherited]
