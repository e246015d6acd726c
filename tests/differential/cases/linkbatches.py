"""Many links in one request: read, written, deleted."""

from tests.differential.cases.links import _BAD
from tests.differential.draw import Case, Draw


def reading(draw: Draw) -> Case:
    """POST of titles and of groups."""
    file = draw.file()
    yield file.create()
    one, made = file.group(file.root, "one")
    yield made
    two, made = file.group(file.root, "two")
    yield made
    for group in (one, two):
        for title in ("a", "b", "c"):
            target = {"h5path": "/x"} if title == "a" else {"id": two}
            yield file.put(f"/groups/{group}/links/{title}", target)
    yield file.put(f"/groups/{one}/links/out", {"h5path": "/x", "h5domain": "/home/y.h5"})
    for body in (
        {"titles": ["a"]},
        {"titles": ["c", "a"]},
        {"titles": []},
        {"titles": ["a", "none"]},
        {"titles": "a"},
        {"titles": [5]},
        {"titles": ["a", "a"]},
        {"titles": ["out"]},
        {"grp_ids": [one]},
        {"grp_ids": [one, two]},
        {"grp_ids": [two], "titles": ["a"]},
        {"grp_ids": [one, two], "titles": ["a", "b"]},
        {"grp_ids": {one: ["a"]}},
        {"grp_ids": {one: ["a"], two: ["b", "c"]}},
        {"grp_ids": {one: None}},
        {"grp_ids": {one: [], two: ["b"]}},
        {"grp_ids": {one: ["none"]}},
        {"grp_ids": []},
        {"grp_ids": {}},
        {"grp_ids": "x"},
        {"grp_ids": ["x"]},
        {"grp_ids": [file.id("g")]},
        {"grp_ids": [file.id("g"), one]},
        {"grp_ids": [file.id("d")]},
        {"grp_ids": {one: "a"}},
        {},
        {"other": 1},
    ):
        if draw.maybe(0.8):
            yield file.post(f"/groups/{one}/links", body)
    for _ in range(6):
        params = {
            "follow_links": "1",
            "CreateOrder": draw.choice(["1", "0"]),
            "Limit": draw.choice(["1", "2", "9"]),
        }
        chosen = {name: params[name] for name in draw.some(list(params), 2)}
        body = draw.choice([{"grp_ids": [one]}, {"grp_ids": [one, two]}, {"titles": ["a", "b"]}])
        yield file.post(f"/groups/{file.root}/links", body, params=chosen)


def writing(draw: Draw) -> Case:
    """PUT in the forms of both clients, repeated, in conflict, and wrong."""
    file = draw.file()
    yield file.create()
    one, made = file.group()
    yield made
    two, made = file.group()
    yield made
    hard, soft = {"id": two}, {"class": "H5L_TYPE_SOFT", "h5path": "/a"}
    out = {"class": "H5L_TYPE_EXTERNAL", "h5path": "/x", "h5domain": "/home/y.h5"}
    for body in (
        {"links": {"a": hard, "b": soft}},
        {"links": {"a": hard, "b": soft}},
        {"links": {"a": hard, "c": out}},
        {"links": {"a": soft}},
        {"links": {"a": soft, "new": hard}},
        {"links": {}},
        {"grp_ids": {one: {"links": {"d": hard}}, two: {"links": {"d": soft, "e": out}}}},
        {"grp_ids": {one: {"links": {"d": hard}}, two: {"links": {"d": soft, "e": out}}}},
        {"grp_ids": {one: {"links": {"f": hard}}, two: {"links": {}}}},
        {"grp_ids": {one: {"links": {}}}},
        {"grp_ids": [one, two], "links": {"g": hard}},
        {"grp_ids": [one], "links": {"h": {"h5path": "/x", "file": "z.h5"}}},
        {"grp_ids": {one: {"links": {"i": {"id": file.id("d")}}}}},
        {"grp_ids": {one: {"links": {"j": {**soft, "created": 5}}}}},
    ):
        yield file.put(f"/groups/{file.root if 'grp_ids' in body else one}/links", body)
    yield file.get(f"/groups/{one}/links")
    yield file.get(f"/groups/{two}/links")
    yield file.get(f"/groups/{two}", params={"include_links": 1})


def refused(draw: Draw) -> Case:
    """Batches that are not accepted, each in a group of its own."""
    file = draw.file()
    yield file.create()
    group, made = file.group()
    yield made
    soft = {"h5path": "/x"}
    bodies: list[object] = [
        {},
        {"links": 5},
        {"links": []},
        {"links": {"a": 5}},
        {"links": {"a/b": soft}},
        {"links": {"": soft}},
        {"grp_ids": {group: {}}},
        {"grp_ids": {group: soft}},
        {"grp_ids": {group: {"links": 3}}},
        {"grp_ids": {"x": {"links": {"a": soft}}}},
        {"grp_ids": {file.id("d"): {"links": {"a": soft}}}},
        {"grp_ids": {file.id("g"): {"links": {"a": soft}}}},
        {"grp_ids": [group]},
        {"grp_ids": [], "links": {"a": soft}},
        {"grp_ids": "x", "links": {"a": soft}},
        {"id": group},
        *({"links": {f"bad{number}": link}} for number, link in enumerate(_BAD)),
        *({"grp_ids": {group: {"links": {f"bad{number}": link}}}} for number, link in enumerate(_BAD)),
    ]
    for body in bodies:
        if draw.maybe(0.7):
            yield file.put(f"/groups/{group}/links", body)
    yield file.put(f"/groups/{group}/links", {"links": {"a": soft}}, user="test_user2")


def deletion(draw: Draw) -> Case:
    """DELETE of several titles."""
    file = draw.file()
    yield file.create()
    group, made = file.group()
    yield made
    titles = ["a", "b", "c|d", "é x", "e", "f"]
    yield file.put(f"/groups/{group}/links", {"links": {title: {"h5path": "/x"} for title in titles}})
    for params in (
        {"titles": "a/b"},
        {"titles": "a/b"},
        {"titles": "c|d"},
        {"titles": "é x/none"},
        {"titles": "none"},
        {"titles": ""},
        {"titles": "e:f", "separator": ":"},
        {"separator": ":"},
        {},
    ):
        yield file.delete(f"/groups/{group}/links", params=params)
    yield file.get(f"/groups/{group}/links")
    yield file.post(f"/groups/{group}/links", {"titles": ["a"]})
    yield file.delete(f"/groups/{group}/links", params={"titles": "a"}, user="test_user2")


CASES = [reading, writing, refused, deletion]
