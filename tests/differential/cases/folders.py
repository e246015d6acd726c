"""Folders and listings of them."""

from tests.differential.draw import Case, Draw, File
from tests.differential.exchange import Request


def _folder(draw: Draw) -> tuple[str, Request]:
    path = draw.path("dir")
    return path, Request(
        "PUT",
        "/",
        {"domain": path},
        {"folder": True},
        headers={"Content-Type": "application/json"},
        vital=True,
    )


def life(draw: Draw) -> Case:
    """A folder made, filled, refused, emptied and deleted."""
    path, made = _folder(draw)
    yield made
    yield made
    here = File(draw, path, draw.root())
    yield here.get("/")
    for flag in ("verbose", "getobjs", "getdnids"):
        yield here.get("/", params={flag: 1})
    yield here.get("/acls")
    yield here.get("/acls/default")
    child = draw.file(path)
    yield child.create()
    yield here.delete("/")
    yield here.delete("/", user="test_user2")
    for method, where in (
        ("GET", "/groups"),
        ("GET", "/datasets"),
        ("GET", "/datatypes"),
        ("POST", "/groups"),
        ("GET", f"/groups/{here.root}"),
    ):
        yield here.ask(method, where)
    yield here.post("/datasets", {"type": "H5T_STD_I32LE", "shape": [1]})
    yield here.post("/", {"h5paths": ["/"]})
    yield here.get("/", params={"h5path": "/"})
    yield child.delete("/")
    yield here.get("/domains")
    yield here.delete("/")
    yield here.get("/")
    yield here.get("/domains")


def listing(draw: Draw) -> Case:
    """Listings with every parameter."""
    path, made = _folder(draw)
    yield made
    names = ["a.h5", "b.h5", "c", "data1.h5", "data2.h5", "x y.h5", "z"]
    for name in names:
        file = File(draw, f"{path}/{name}", draw.root())
        yield file.create() if name != "c" else file.put("/", {"folder": True})
    here = File(draw, path, draw.root())
    for domain in (
        path,
        f"{path}/",
        f"{path}/a.h5/",
        f"{path}/a.h5",
        f"{path}/none",
        "/home/",
        "/home",
        "/",
        "",
    ):
        yield Request("GET", "/domains", {"domain": domain} if domain else {})
    for _ in range(10):
        params = {
            "Limit": draw.choice([1, 2, 3, 7, 8, 100, 0, "x", "-1"]),
            "Marker": f"{path}/" + draw.choice([*names, "none", "data"]),
            "pattern": draw.choice(["*", "data*", "?", "*.h5", "data?.h5", "[a-c]*", "x*", "*a*", "[", ""]),
            "verbose": draw.choice(["1", "0", "true"]),
        }
        yield here.get("/domains", params={name: params[name] for name in draw.some(list(params), 3)})
    for user in ("test_user2", None, "admin"):
        yield here.get("/domains", user=user)
    yield Request("GET", "/", {"verbose": "1"})
    yield Request("GET", "/", {"Limit": "1"})


def queried(draw: Draw) -> Case:
    """Listings by attributes of the root groups."""
    path, made = _folder(draw)
    yield made
    for index, attributes in enumerate(
        (
            {"n": ("H5T_STD_I32LE", 1), "t": (_text(5), "abc")},
            {"n": ("H5T_STD_I32LE", 5), "x": ("H5T_IEEE_F64LE", 0.5)},
            {"n": ("H5T_STD_I32LE", 9), "x": ("H5T_IEEE_F64LE", 2.5), "t": (_text(5), "xyz")},
            {},
        )
    ):
        file = File(draw, f"{path}/f{index}.h5", draw.root())
        yield file.create()
        for name, (type_, value) in attributes.items():
            yield file.put(f"/groups/{file.root}/attributes/{name}", {"type": type_, "value": value})
    here = File(draw, path, draw.root())
    for query in (
        "n > 4",
        "n == 1",
        "n != 1",
        "n >= 1 AND x < 1",
        "t == 'abc'",
        "n > 4 & x > 1.0",
        "n < 2 OR x > 1",
        "none > 1",
        "n >",
        "n = 5",
        "(n > 4",
        "'n' == 5",
        "NOT n > 4",
        "",
        "t IN ('abc', 'q')",
    ):
        yield here.get("/domains", params={"query": query})


def _text(length: int) -> dict[str, object]:
    return {
        "class": "H5T_STRING",
        "length": length,
        "charSet": "H5T_CSET_ASCII",
        "strPad": "H5T_STR_NULLPAD",
    }


CASES = [life, listing, queried]
