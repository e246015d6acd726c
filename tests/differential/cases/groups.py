"""Groups: made in all ways, read, listed, deleted."""

from dataclasses import replace

from tests.differential.draw import Case, Draw


def reading(draw: Draw) -> Case:
    """One group with links and attributes, with every parameter."""
    file = draw.file()
    yield file.create()
    group, made = file.group(file.root, "g1")
    yield made
    inner, made = file.group(group, "inner")
    yield made
    yield file.put(f"/groups/{group}/links/soft", {"h5path": "/g1/inner"})
    yield file.put(f"/groups/{group}/links/out", {"h5path": "/x", "h5domain": "/home/test_user1/y.h5"})
    yield file.put(f"/groups/{group}/attributes/a", {"type": "H5T_STD_I32LE", "value": 3})
    yield file.put(f"/groups/{group}/attributes/nan", {"type": "H5T_IEEE_F64LE", "value": float("nan")})
    for id_ in (group, inner, file.root):
        yield file.get(f"/groups/{id_}")
        yield file.get(f"/groups/{id_}", params={"include_links": 1, "include_attrs": 1, "getalias": 1})
    flags = ("include_links", "include_attrs", "getalias", "ignore_nan")
    for _ in range(5):
        chosen = {flag: draw.choice(["1", "0", "", "true", "T"]) for flag in draw.some(flags)}
        yield file.get(f"/groups/{group}", params=chosen)
    other = draw.file()
    yield other.create()
    for id_ in (
        "x",
        "g-1",
        file.id("d"),
        file.id("g"),
        other.root,
        group.upper(),
        group[:-1],
        group.replace("g-", "d-"),
        "00000000-0000-0000-0000-000000000000",
    ):
        yield file.get(f"/groups/{id_}")
        yield file.delete(f"/groups/{id_}")


def listing(draw: Draw) -> Case:
    """Collections of a domain: only what hard links reach."""
    file = draw.file()
    yield file.create()
    group, made = file.group(file.root, "g1")
    yield made
    for parent in (group, file.root, None, group):
        _, made = file.group(parent)
        yield made
        _, made = file.dataset([2], "H5T_STD_I32LE", parent=parent)
        yield made
    _, made = file.datatype("H5T_STD_I32LE", name="t1")
    yield made
    _, made = file.datatype("H5T_IEEE_F64LE")
    yield made
    yield file.put(f"/groups/{group}/links/up", {"id": file.root})
    for collection in ("groups", "datasets", "datatypes"):
        yield file.get(f"/{collection}")
        yield file.get(f"/{collection}", params={"Limit": draw.choice(["1", "2", "0", "x", "-1", "100"])})
        yield file.get(f"/{collection}", params={"Marker": draw.choice([group, "x", file.id("d")])})
        yield file.get(f"/{collection}", params={"Limit": 1, "Marker": group})
        yield file.get(f"/{collection}", user=None)


def creation(draw: Draw) -> Case:
    """Bodies of POST, good and bad."""
    file = draw.file()
    yield file.create()
    group, made = file.group(file.root, "g1")
    yield made
    soft = {"class": "H5L_TYPE_SOFT", "h5path": "/somewhere"}
    for body in (
        {},
        {"link": {"id": file.root, "name": "n1"}},
        {"link": {"id": file.root, "name": "g1"}},
        {"link": {"id": file.root, "name": "a/b"}},
        {"link": {"id": file.root, "name": ""}},
        {"link": {"id": file.root}},
        {"link": {"id": file.id("g"), "name": "n2"}},
        {"link": {"id": file.id("d"), "name": "n2"}},
        {"link": 5},
        {"link": {"id": file.root, "name": 7}},
        {"id": file.id("d")},
        {"id": "g-1"},
        {"id": 6},
        {"id": file.id("g"), "creationProperties": {"CreateOrder": 1}},
        {"id": file.id("g"), "creationProperties": 7},
        {"id": file.id("g"), "creationProperties": {"anything": [1, 2, {"a": None}]}},
        {"id": file.id("g"), "attributes": {"a": {"type": "H5T_STD_I32LE", "value": 5}}},
        {"id": file.id("g"), "attributes": {"a": {"value": 5}}},
        {"id": file.id("g"), "attributes": {"a": {"type": "H5T_STD_I32LE", "shape": [2], "value": 5}}},
        {"id": file.id("g"), "attributes": [1]},
        {"id": file.id("g"), "links": {"s": soft, "h": {"id": group}}},
        {"id": file.id("g"), "links": {"s": {"h5path": "/x", "file": "other.h5"}}},
        {"id": file.id("g"), "links": {"s": {}}},
        {"id": file.id("g"), "links": {"a/b": soft}},
        {"id": file.id("g"), "links": [1]},
        {"id": file.id("g"), "type": "H5T_STD_I32LE"},
        {"id": file.id("g"), "lastModified": 3.0, "created": 5.0, "unknown": {}},
        {"h5path": "p1"},
        {"h5path": "/p2"},
        {"h5path": "p3/p4"},
        {"h5path": "g1"},
        {"h5path": "p5", "parent_id": group},
        {"h5path": "/p6", "parent_id": group},
        {"h5path": ""},
        {"h5path": "/"},
        {"h5path": 5},
        {"h5path": "p7", "link": {"id": file.root, "name": "p8"}},
        {"h5path": "p9", "parent_id": "x"},
    ):
        if draw.maybe(0.7):
            yield file.post("/groups", body, keep="new")
            yield file.get("/groups/@new@", params={"include_links": 1, "include_attrs": 1})
    yield file.post("/groups", {"h5path": "q1/q2/q3"}, params={"implicit": 1})
    yield file.post("/groups", {"h5path": "q1/q2/q4"}, params={"implicit": draw.choice(["0", "1", "true"])})
    yield file.post("/groups")
    yield file.get(f"/groups/{file.root}/links")
    for link in ({"name": "n2"}, {"id": "x", "name": "n2"}):  # HSDS makes some of these in the root group
        yield file.post("/groups", {"link": link})
    yield replace(made, tags=frozenset({"again"}))


def deletion(draw: Draw) -> Case:
    """Deletion, what is left of links to the deleted, and the same id again."""
    file = draw.file()
    yield file.create()
    group, made = file.group(file.root, "g1")
    yield made
    inner, again = file.group(group, "inner")
    yield again
    yield file.delete(f"/groups/{file.root}")
    yield file.delete(f"/groups/{group}", user="test_user2")
    yield file.delete(f"/groups/{group}")
    yield file.delete(f"/groups/{group}")
    for path in ("", "/links", "/attributes", "/links/inner", "/attributes/a"):
        yield file.get(f"/groups/{group}{path}")
    yield file.get(f"/groups/{file.root}/links/g1")
    yield file.get(f"/groups/{inner}")
    yield file.get("/groups")
    yield file.put(f"/groups/{group}/links/a", {"id": inner})
    yield file.post("/groups", {"id": group}, tags=("reused",))
    yield file.get(f"/groups/{group}", params={"include_links": 1})
    yield file.get("/groups")


CASES = [reading, listing, creation, deletion]
