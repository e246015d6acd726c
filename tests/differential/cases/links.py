"""Links one by one, and listings of them."""

from urllib.parse import quote

from tests.differential.draw import Case, Draw

_BAD = (
    {},
    {"id": "x"},
    {"id": 5},
    {"h5path": 5},
    {"h5path": ""},
    {"h5domain": "/home/x.h5"},
    {"class": "H5L_TYPE_SOFT"},
    {"class": "H5L_TYPE_HARD"},
    {"class": "H5L_TYPE_EXTERNAL", "h5path": "/x"},
    {"class": "H5L_TYPE_USER_DEFINED", "id": "x"},
    {"class": "nothing", "h5path": "/x"},
    {"class": "H5L_TYPE_HARD", "h5path": "/x"},
    {"h5path": "/x", "h5domain": 5},
    {"h5path": "/x", "file": ""},
)


def single(draw: Draw) -> Case:
    """PUT, GET and DELETE of one link, of each class."""
    file = draw.file()
    yield file.create()
    group, made = file.group()
    yield made
    target, made = file.dataset([1], "H5T_STD_I32LE")
    yield made
    type_, made = file.datatype("H5T_STD_I32LE")
    yield made
    for link in (
        {"id": target},
        {"id": group},
        {"id": type_},
        {"id": file.root},
        {"h5path": "/a/b"},
        {"h5path": "relative"},
        {"h5path": "/x", "h5domain": "/home/test_user1/other.h5"},
        {"h5path": "/x", "file": "other.h5"},
        {"class": "H5L_TYPE_SOFT", "h5path": "/a", "created": 5},
    ):
        title = quote(draw.word(), safe="")
        yield file.put(f"/groups/{group}/links/{title}", link)
        yield file.get(f"/groups/{group}/links/{title}")
        yield file.put(f"/groups/{group}/links/{title}", link)
        yield file.put(
            f"/groups/{group}/links/{title}", draw.choice([{"id": file.root}, {"h5path": "/else"}])
        )
        if draw.maybe():
            yield file.delete(f"/groups/{group}/links/{title}")
            yield file.get(f"/groups/{group}/links/{title}")
            yield file.delete(f"/groups/{group}/links/{title}")
            yield file.put(f"/groups/{group}/links/{title}", link)
    yield file.get(f"/groups/{group}/links/none")
    yield file.delete(f"/groups/{group}/links/none")
    yield file.get(f"/groups/{group}", params={"include_links": 1})


def refused(draw: Draw) -> Case:
    """Links that are not accepted."""
    file, other = draw.file(), draw.file()
    yield file.create()
    yield other.create()
    group, made = file.group()
    yield made
    more = ({"id": other.root}, {"id": file.id("d")}, {"id": group, "h5path": "/x"})
    for number, link in enumerate((*_BAD, *more)):
        if draw.maybe(0.7):
            yield file.put(f"/groups/{group}/links/l{number}", link)
    for title in ("a%2Fb", "a%00b", "%20", "."):
        yield file.put(f"/groups/{group}/links/{title}", {"h5path": "/x"})
        yield file.get(f"/groups/{group}/links/{title}")
    for id_ in (file.id("g"), file.id("d"), "x", other.root):
        yield file.put(f"/groups/{id_}/links/l", {"h5path": "/x"})
        yield file.get(f"/groups/{id_}/links/l")
        yield file.get(f"/groups/{id_}/links")
        yield file.delete(f"/groups/{id_}/links/l")
    yield file.put(f"/groups/{group}/links/ok", {"h5path": "/x"}, user="test_user2")
    yield file.delete(f"/groups/{group}/links/ok", user="test_user2")
    yield file.get(f"/groups/{group}/links", user="test_user2")


def listing(draw: Draw) -> Case:
    """All links of a group, in order, page by page."""
    file = draw.file()
    yield file.create()
    group, made = file.group(file.root, "g1")
    yield made
    deep, made = file.group(group, "deep")
    yield made
    for title in ("c", "a", "B", "d2", "d10", "é"):
        target = draw.choice(
            [{"id": deep}, {"h5path": f"/{title}"}, {"h5path": "/x", "h5domain": "/home/y.h5"}]
        )
        yield file.put(f"/groups/{group}/links/{quote(title)}", target)
    yield file.put(f"/groups/{deep}/links/back", {"id": group})
    yield file.get(f"/groups/{group}/links")
    for _ in range(12):
        params = {
            "Limit": draw.choice(["1", "2", "3", "0", "99", "x", "-1"]),
            "Marker": draw.choice(["a", "c", "d2", "none", "", "é"]),
            "pattern": draw.choice(["*", "d*", "?", "d?", "[ab]", "none", "[", "d[0-9]*"]),
            "CreateOrder": draw.choice(["1", "0", "T"]),
            "follow_links": draw.choice(["1", "0"]),
        }
        yield file.get(
            f"/groups/{group}/links", params={name: params[name] for name in draw.some(list(params), 3)}
        )
    yield file.get(f"/groups/{file.root}/links", params={"follow_links": 1})
    yield file.get(f"/groups/{file.root}/links", params={"follow_links": 1, "CreateOrder": 1})
    yield file.get(f"/groups/{file.root}/links", params={"follow_links": 1, "Limit": 3})


CASES = [single, refused, listing]
