"""Domains: made, read with all parameters, listed objects, flushed, shared roots, deleted."""

from tests.differential.draw import Case, Draw
from tests.differential.exchange import Request

_FLAGS = ("verbose", "getobjs", "include_attrs", "include_links", "getdnids")


def life(draw: Draw) -> Case:
    """From creation to deletion, and again."""
    file = draw.file()
    yield file.get("/")
    yield file.create()
    yield file.create()
    yield file.get("/")
    yield file.get(f"/groups/{file.root}", params={"include_attrs": 1, "include_links": 1})
    yield file.delete("/", user="test_user2")
    yield file.delete("/")
    yield file.get("/")
    yield file.delete("/")
    yield file.get(f"/groups/{file.root}")
    yield file.put("/")
    yield file.get("/")


def bodies(draw: Draw) -> Case:
    """What creation takes."""
    for body in (
        None,
        {},
        {"group": {"creationProperties": {"CreateOrder": 1}}},
        {"group": {"creationProperties": 5}},
        {"group": 7},
        {"folder": False},
        {"folder": "yes"},
        {"class": "folder"},
        {"owner": "test_user2"},
        {"owner": ""},
        {"unknown": 1},
        {"linked_domain": "/home/test_user1/none.h5"},
        {"linked_domain": 8},
        {"root_id": "g-1"},
        {"root_id": 5},
        {"root_id": "g-d1ff0000-00000000-c05e-000000-000000"},
        {"root_id": "d-d1ff0000-00000000-5977-888888-888888"},
    ):
        if draw.maybe(0.6):
            file = draw.file()
            yield file.put("/", body, keep="root")
            yield file.get("/")
            yield file.get("/groups/@root@", params={"include_links": 1})


def owners(draw: Draw) -> Case:
    """Domains for others, by an admin; domains in others' folders."""
    file = draw.file()
    yield file.put("/", {"owner": "test_user2", "root_id": file.root}, user="admin", vital=True)
    for user in ("test_user1", "test_user2", "admin", None):
        yield file.get("/", user=user)
        yield file.get("/acls", user=user)
    yield file.delete("/", user="test_user1")
    yield file.delete("/", user="test_user2")
    for path in ("/home/test_user2/mine.h5", "/home/mine.h5", "/mine.h5", "/mine", "/home/none/x.h5"):
        yield Request("PUT", "/", {"domain": path})
        yield Request("GET", "/", {"domain": path})
        yield Request("DELETE", "/", {"domain": path})


def parameters(draw: Draw) -> Case:
    """Reading with flags, in all conventions of true and false."""
    file = draw.file()
    yield file.create()
    dataset, made = file.dataset([4], "H5T_STD_I32LE", parent=file.root, name="d")
    yield made
    yield file.put(f"/datasets/{dataset}/value", {"value": [1, 2, 3, 4]})
    for flag in _FLAGS:
        yield file.get("/", params={flag: draw.choice(["1", "true", "T", "yes"])})
    for _ in range(6):
        flags = {flag: draw.choice(["1", "0", "", "false", "True"]) for flag in draw.some(_FLAGS, 3)}
        yield file.get("/", params=flags)
    for collection in ("groups", "datasets", "datatypes"):
        yield file.get(f"/{collection}")
    yield file.delete("/", params={"meta_only": 1})
    yield file.get("/")


def flush(draw: Draw) -> Case:
    """Flush and its relatives, also without the permission for it."""
    file = draw.file()
    yield file.create()
    _, made = file.group(file.root, "g")
    yield made
    for user in ("test_user1", "test_user2", None):
        yield file.put("/", None, params={"flush": 1}, user=user)
    yield file.put("/", {"flush": 1})
    yield file.put("/", {"flush": True, "getdnids": True})
    yield file.put("/", params={"flush": 1, "getdnids": 1})
    yield file.put("/", params={"flush": 0})
    missing = draw.file()
    yield missing.put("/", None, params={"flush": 1})
    yield Request("PUT", "/", {"domain": "/home/test_user1", "flush": "1"})
    yield Request("PUT", "/", {"domain": "/home/test_user1", "rescan": "1"})


def linked(draw: Draw) -> Case:
    """A second domain over the same root; deletion that keeps the root."""
    file, other = draw.file(), draw.file()
    yield file.create()
    group, made = file.group(file.root, "g")
    yield made
    yield other.put("/", {"linked_domain": file.path}, vital=True)
    yield other.get("/")
    yield other.get(f"/groups/{file.root}", params={"include_links": 1})
    yield other.put(f"/groups/{file.root}/links/again", {"id": group})
    yield file.get(f"/groups/{file.root}/links")
    yield other.put("/", {"linked_domain": file.path})
    yield file.delete("/", params={"keep_root": 1})
    yield file.get("/")
    yield other.get(f"/groups/{group}")
    yield other.delete("/")
    third = draw.file()
    yield third.put("/", {"linked_domain": "/home/test_user1"})
    private = draw.file()
    yield private.create()
    yield Request(
        "PUT", "/", {"domain": "/home/test_user2/l.h5"}, {"linked_domain": private.path}, user="test_user2"
    )


CASES = [life, bodies, owners, parameters, flush, linked]
