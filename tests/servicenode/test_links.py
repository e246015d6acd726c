"""GET, POST, PUT and DELETE of links."""

import time

import pytest
from objectfile import make_file


@pytest.fixture
async def file(service):
    return await make_file(service)


async def test_each_class(file):
    group = await file.make()
    await file.link(file.root, "hard", id=group)
    await file.link(file.root, "soft", h5path="/hard")
    await file.link(file.root, "external", h5path="/x", h5domain="other.h5")
    await file.link(file.root, "new_external", h5path="/x", file="other.h5")
    links = {item["title"]: item for item in (await file.get(f"/groups/{file.root}/links")).json["links"]}
    assert list(links) == sorted(links)
    assert (links["hard"]["class"], links["hard"]["id"]) == ("H5L_TYPE_HARD", group)
    assert links["hard"]["collection"] == "groups"
    assert f"/groups/{group}" in links["hard"]["target"]
    assert (links["soft"]["class"], links["soft"]["h5path"]) == ("H5L_TYPE_SOFT", "/hard")
    for title in ("external", "new_external"):
        assert links[title]["class"] == "H5L_TYPE_EXTERNAL"
        assert links[title]["file"] == links[title]["h5domain"] == "other.h5"
        one = (await file.get(f"/groups/{file.root}/links/{title}")).json
        assert one["link"]["file"] == one["link"]["h5domain"] == "other.h5"
        assert one["created"] == one["lastModified"] == links[title]["created"]
        assert len(one["hrefs"]) == 3
    assert len((await file.get(f"/groups/{file.root}/links/hard")).json["hrefs"]) == 4


async def test_repeated_put(file):
    path = f"/groups/{file.root}/links/x"
    assert (await file.put(path, json={"h5path": "/a"})).status == 201
    assert (await file.put(path, json={"h5path": "/a"})).status == 200
    assert (await file.put(path, json={"h5path": "/b"})).status == 409
    assert (await file.put(path, json={"h5path": "/b"}, replace=1)).status == 201
    assert (await file.get(path)).json["link"]["h5path"] == "/b"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (..., 400),
        (None, 400),
        ([], 400),
        ({}, 400),
        ({"h5path": "/a", "id": "root"}, 400),
        ({"id": "nonsense"}, 400),
        ({"id": 5}, 400),
        ({"id": "foreign"}, 400),
        ({"id": "unknown"}, 404),
        ({"h5path": 3}, 400),
        ({"class": "H5L_TYPE_USER_DEFINED"}, 400),
    ],
)
async def test_bad_put(file, service, body, status):
    other = await make_file(service, "/home/test_user1/other.h5")
    ids = {"root": file.root, "foreign": other.root, "unknown": file.new_id()}
    if isinstance(body, dict) and isinstance(body.get("id"), str):
        body = {**body, "id": ids.get(body["id"], body["id"])}
    assert (await file.put(f"/groups/{file.root}/links/x", json=body)).status == status
    assert (await file.get(f"/groups/{file.root}")).json["linkCount"] == 0


async def test_titles(file):
    for title, sent in (
        ("a b", "a%20b"),
        ("{x}", "%7Bx%7D"),
        ("50%", "50%25"),
        ("ä#?", "%C3%A4%23%3F"),
        ("\\", "%5C"),
    ):
        await file.link(file.root, sent, h5path="/x")
        assert (await file.get(f"/groups/{file.root}/links/{sent}")).json["link"]["title"] == title
        assert (await file.delete(f"/groups/{file.root}/links/{sent}")).status == 200
    assert (await file.put(f"/groups/{file.root}/links/a%2Fb", json={"h5path": "/x"})).status == 400
    assert (
        await file.put(f"/groups/{file.root}/links", json={"links": {"a/b": {"h5path": "/x"}}})
    ).status == 400


async def test_delete(file):
    await file.link(file.root, "x", h5path="/y")
    path = f"/groups/{file.root}/links/x"
    assert (await file.get(f"/groups/{file.root}/links/never")).status == 404
    for _ in range(2):
        reply = await file.delete(path)
        assert (reply.status, reply.json) == (200, {})
    assert (await file.get(path)).status == 410
    await file.link(file.root, "x", h5path="/y")
    assert (await file.get(path)).status == 200


async def test_delete_many(file):
    path = f"/groups/{file.root}/links"
    await file.put(path, json={"links": {title: {"h5path": "/x"} for title in ("a", "b", "c", "d:e")}})
    assert (await file.delete(path, titles="a/b/never")).status == 200
    assert (await file.delete(path, titles="c", separator=":")).status == 200
    assert [item["title"] for item in (await file.get(path)).json["links"]] == ["d:e"]
    assert (await file.delete(path)).status == 400
    assert (await file.delete(path, titles="")).status == 400


async def test_batch_over_groups(file):
    group, target = await file.make(), await file.make("datasets")
    now = time.time()
    body = {
        "grp_ids": {
            file.root: {
                "links": {
                    "g": {"class": "H5L_TYPE_HARD", "id": group, "created": now - 20.25},
                    "e": {"class": "H5L_TYPE_EXTERNAL", "h5path": "/x", "h5domain": "o.h5", "created": now},
                }
            },
            group: {"links": {"d": {"class": "H5L_TYPE_HARD", "id": target, "created": now}}},
            await file.make(): {"links": {}},
        }
    }
    path = f"/groups/{file.root}/links"
    assert (await file.put(path, json=body)).status == 201
    assert (await file.put(path, json=body)).status == 200
    links = (await file.get(f"/groups/{file.root}", include_links=1)).json["links"]
    assert links["g"]["created"] == now - 20.25
    assert links["e"]["file"] == "o.h5"
    assert "title" not in links["e"]
    assert (await file.get("/datasets/", h5path="/g/d")).json["id"] == target


async def test_batch_to_several_groups(file):
    groups = [await file.make() for _ in range(2)]
    body = {"links": {"s": {"h5path": "/x"}}, "grp_ids": groups}
    assert (await file.put(f"/groups/{file.root}/links", json=body)).status == 201
    for group in groups:
        assert (await file.get(f"/groups/{group}/links/s")).status == 200
    assert (await file.get(f"/groups/{file.root}/links/s")).status == 404


async def test_batch_order(file):
    titles = ["z", "a", "m", "b"]
    path = f"/groups/{file.root}/links"
    await file.put(path, json={"links": {title: {"h5path": "/x"} for title in titles}})
    listed = (await file.get(path, CreateOrder=1)).json["links"]
    assert [item["title"] for item in listed] == titles
    assert len({item["created"] for item in listed}) == len(titles)
    listed = (await file.get(path, CreateOrder=0)).json["links"]
    assert [item["title"] for item in listed] == sorted(titles)


async def test_batch_conflict_leaves_the_group(file):
    path = f"/groups/{file.root}/links"
    await file.link(file.root, "b", h5path="/x")
    body = {"links": {"a": {"h5path": "/a"}, "b": {"h5path": "/b"}}}
    assert (await file.put(path, json=body)).status == 409
    assert [item["title"] for item in (await file.get(path)).json["links"]] == ["b"]
    assert (await file.put(path, json=body, replace=1)).status == 201


async def test_batch_may_dangle(file):
    body = {"grp_ids": {file.root: {"links": {"x": {"id": file.new_id()}}}}}
    assert (await file.put(f"/groups/{file.root}/links", json=body)).status == 201


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 400),
        ([], 400),
        ({"links": 1}, 400),
        ({"links": {}}, 200),
        ({"links": {"x": 1}}, 400),
        ({"links": {"x": {"id": "nonsense"}}}, 400),
        ({"links": {"x": {"class": "H5L_TYPE_USER_DEFINED"}}}, 400),
        ({"links": {"x": {"h5path": "/y"}}, "grp_ids": []}, 400),
        ({"links": {"x": {"h5path": "/y"}}, "grp_ids": 3}, 400),
        ({"links": {"x": {"h5path": "/y"}}, "grp_ids": ["nonsense"]}, 400),
        ({"grp_ids": {"nonsense": {"links": {}}}}, 400),
        ({"grp_ids": {"unknown": {"links": {"x": {"h5path": "/y"}}}}}, 404),
        ({"grp_ids": {"root": {}}}, 400),
        ({"grp_ids": {"root": 1}}, 400),
    ],
)
async def test_bad_batches(file, body, status):
    if isinstance(body, dict) and isinstance(body.get("grp_ids"), dict):
        ids = {"root": file.root, "unknown": file.new_id()}
        body = {"grp_ids": {ids.get(id_, id_): own for id_, own in body["grp_ids"].items()}}
    assert (await file.put(f"/groups/{file.root}/links", json=body)).status == status


@pytest.fixture
async def tree(file):
    """/a, /b, /g with /g/a and /g/z, and a hard link from /g back to the root."""
    file.group = await file.make(name="g")
    for group, title in ((file.root, "b"), (file.root, "a"), (file.group, "z"), (file.group, "a")):
        await file.link(group, title, h5path="/x")
    await file.link(file.group, "loop", id=file.root)
    return file


def titles(links):
    return [item["title"] for item in links]


async def test_pages(tree):
    path = f"/groups/{tree.root}/links"
    assert titles((await tree.get(path, Limit=2)).json["links"]) == ["a", "b"]
    assert titles((await tree.get(path, Limit=2, Marker="b")).json["links"]) == ["g"]
    assert titles((await tree.get(path, CreateOrder=1, Marker="g")).json["links"]) == ["b", "a"]
    assert titles((await tree.get(path, pattern="[ab]")).json["links"]) == ["a", "b"]
    assert (await tree.get(path, pattern="[ab")).status == 400
    assert (await tree.get(path, Marker="never")).status == 404
    assert (await tree.get(path, Limit=-1)).status == 400
    assert (await tree.get(path, Limit="many")).status == 400


async def test_follow_links(tree):
    path = f"/groups/{tree.root}/links"
    links = (await tree.get(path, follow_links=1)).json["links"]
    assert {id_: titles(items) for id_, items in links.items()} == {
        tree.root: ["a", "b", "g"],
        tree.group: ["a", "loop", "z"],
    }
    assert not {"collection", "href"} & set(links[tree.root][2])
    links = (await tree.get(path, follow_links=1, Limit=4)).json["links"]
    assert sum(map(len, links.values())) == 4
    links = (await tree.get(path, follow_links=1, pattern="z")).json["links"]
    assert titles(links[tree.group]) == ["z"]
    assert (await tree.get(f"/groups/{tree.new_id()}/links", follow_links=1)).status == 404


async def test_post(tree):
    path, root, group = f"/groups/{tree.root}/links", tree.root, tree.group
    links = (await tree.post(path, json={"titles": ["b", "a"]})).json["links"]
    assert titles(links) == ["b", "a"]
    for body, expected in (
        ({"grp_ids": [root, group]}, {root: ["a", "b", "g"], group: ["a", "loop", "z"]}),
        ({"grp_ids": [root, group], "titles": ["a"]}, {root: ["a"], group: ["a"]}),
        ({"grp_ids": {root: ["b"], group: ["z", "a"]}}, {root: ["b"], group: ["z", "a"]}),
    ):
        links = (await tree.post(path, json=body)).json["links"]
        assert {id_: titles(items) for id_, items in links.items()} == expected
    assert titles((await tree.post(path, json={"grp_ids": [group]})).json["links"]) == ["a", "loop", "z"]
    links = (await tree.post(path, json={"grp_ids": [root]}, follow_links=1)).json["links"]
    assert set(links) == {root, group}


@pytest.mark.parametrize(
    ("body", "params", "status"),
    [
        ({}, {}, 400),
        (..., {}, 400),
        ({"titles": "a"}, {}, 400),
        ({"titles": [1]}, {}, 400),
        ({"titles": ["never"]}, {}, 404),
        ({"titles": ["a"]}, {"follow_links": 1}, 400),
        ({"titles": ["a"]}, {"Limit": 1}, 400),
        ({"titles": ["a"]}, {"CreateOrder": 1}, 400),
        ({"titles": ["a"]}, {"CreateOrder": 0}, 200),
        ({"grp_ids": []}, {}, 400),
        ({"grp_ids": ["nonsense"]}, {}, 400),
        ({"grp_ids": 1}, {}, 400),
        ({"grp_ids": {"nonsense": ["a"]}}, {}, 400),
    ],
)
async def test_bad_post(tree, body, params, status):
    assert (await tree.post(f"/groups/{tree.root}/links", json=body, **params)).status == status


async def test_times_of_clients(file):
    for title, offset, kept in (("a", -5, True), ("b", 100, True), ("c", -20, False), ("d", 400, False)):
        stamp = time.time() + offset
        await file.link(file.root, title, h5path="/x", created=stamp)
        created = (await file.get(f"/groups/{file.root}/links/{title}")).json["created"]
        assert (created == stamp) == kept
        assert kept or abs(created - time.time()) < 5
