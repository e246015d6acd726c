"""Objects found by their paths."""

from tests.differential.draw import Case, Draw


def lookups(draw: Draw) -> Case:
    """``h5path`` on GET / and the collections, ``h5paths`` on POST /."""
    file, other = draw.file(), draw.file()
    yield file.create()
    yield other.create()
    one, made = file.group(file.root, "g1")
    yield made
    two, made = file.group(one, "g2")
    yield made
    _, made = file.dataset([3], "H5T_STD_I32LE", parent=two, name="d")
    yield made
    _, made = file.datatype("H5T_IEEE_F64LE", name="t")
    yield made
    _, made = other.dataset([2], "H5T_IEEE_F64LE", name="far")
    yield made
    for title, link in (
        ("soft", {"h5path": "/g1/g2"}),
        ("near", {"h5path": "g2/d"}),
        ("dangling", {"h5path": "/none"}),
        ("loop", {"h5path": "/g1/loop"}),
        ("out", {"h5path": "/far", "h5domain": other.path}),
        ("lost", {"h5path": "/far", "h5domain": f"{other.path}.none"}),
    ):
        yield file.put(f"/groups/{one}/links/{title}", link)
    yield file.put(f"/groups/{one}/attributes/a", {"type": "H5T_STD_I32LE", "value": 1})
    paths = [
        *(
            "/",
            ".",
            "/g1",
            "g1",
            "./g1",
            "/g1/",
            "//g1//g2",
            "/g1/g2/d",
            "/t",
            "/none",
            "/g1/none",
            "/g1/g2/d/x",
            "",
        ),
        *(
            "/g1/soft",
            "/g1/soft/d",
            "/g1/near",
            "/g1/dangling",
            "/g1/loop",
            "/g1/out",
            "/g1/lost",
            "/t/x",
            "../g1",
        ),
    ]
    for path in paths:
        flags = {
            "follow_soft_links": "1",
            "follow_external_links": "1",
            "include_attrs": "1",
            "include_links": "1",
        }
        chosen = {flag: flags[flag] for flag in draw.some(list(flags))} if draw.maybe(0.8) else {}
        yield file.get("/", params={"h5path": path, **chosen})
        yield file.post("/", {"h5paths": [path]}, params=chosen)
        collection = draw.choice(["groups", "datasets", "datatypes"])
        yield file.get(f"/{collection}/", params={"h5path": path})
    yield file.get("/", params={"h5path": "g2", "parent_id": one})
    yield file.get("/", params={"h5path": "/g1", "parent_id": one})
    yield file.get("/", params={"h5path": "g2", "parent_id": "x"})
    yield file.get("/", params={"h5path": "g2", "parent_id": file.id("g")})
    yield file.get(f"/groups/{one}", params={"h5path": "g2"})
    yield file.get(f"/groups/{one}", params={"h5path": "/g1/g2"})
    yield file.get("/datasets/", params={"h5path": "g2/d", "grpid": one})
    yield file.get("/datasets/", params={"h5path": "g2/d"})
    yield file.get("/datatypes/", params={"h5path": "/t"})
    for body in (
        {"h5paths": ["/g1", "/g1/g2/d", "/t"]},
        {"h5paths": ["/g1", "/none"]},
        {"h5paths": []},
        {"h5paths": "/g1"},
        {"h5paths": [5]},
        {},
        {"h5paths": {"/g1": 1}},
    ):
        yield file.post("/", body)
    yield file.post("/", {"h5paths": ["g2"], "parent_id": one})
    yield file.get("/", params={"h5path": "/g1"}, user="test_user2")


CASES = [lookups]
