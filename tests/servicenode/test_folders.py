"""GET /domains."""

import pytest

from hsds.servicenode import folders

HOME = "/home/test_user1"


def names(reply):
    assert reply.status == 200, reply
    return [item["name"].removeprefix(f"{HOME}/") for item in reply.json["domains"]]


@pytest.fixture
async def listing(service):
    """A folder with a1.h5 ... a5.h5, b.h5 and the folder sub."""
    for name in ("a1", "a2", "a3", "a4", "a5", "b"):
        await service.make_domain(f"{HOME}/{name}.h5")
    await service.put("/", domain=f"{HOME}/sub", json={"folder": True})
    await service.make_domain(f"{HOME}/sub/inner.h5")
    return service


async def set_attribute(service, path, name, type_, value):
    root = (await service.get("/", domain=path)).json["root"]
    body = {"type": type_, "value": value}
    assert (await service.put(f"/groups/{root}/attributes/{name}", domain=path, json=body)).status == 201


async def test_children(listing):
    reply = await listing.get("/domains", domain=f"{HOME}/")
    assert names(reply) == ["a1.h5", "a2.h5", "a3.h5", "a4.h5", "a5.h5", "b.h5", "sub"]
    item, folder = reply.json["domains"][0], reply.json["domains"][-1]
    assert set(item) == {"name", "class", "root", "owner", "created", "lastModified", "hrefs"}
    assert (item["class"], item["owner"], item["hrefs"][0]["rel"]) == ("domain", "test_user1", "domain")
    assert folder["class"] == "folder"
    assert "root" not in folder
    assert names(await listing.get("/domains", domain=HOME)) == names(reply)


async def test_the_top(listing):
    for options in ({}, {"domain": "/"}):
        reply = await listing.get("/domains", **options)
        assert [item["name"] for item in reply.json["domains"]] == ["/home"]


async def test_pages(listing, monkeypatch):
    monkeypatch.setattr(folders, "_BATCH", 2)
    found = []
    marker = {}
    while page := names(await listing.get("/domains", domain=f"{HOME}/", Limit=3, **marker)):
        assert len(page) <= 3
        found += page
        marker = {"Marker": f"{HOME}/{page[-1]}"}
    assert found == ["a1.h5", "a2.h5", "a3.h5", "a4.h5", "a5.h5", "b.h5", "sub"]


async def test_pages_are_full_although_children_were_deleted(listing):
    for name in ("a1", "a2"):
        await listing.delete("/", domain=f"{HOME}/{name}.h5")
    assert names(await listing.get("/domains", domain=f"{HOME}/", Limit=3)) == ["a3.h5", "a4.h5", "a5.h5"]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("a*", ["a1.h5", "a2.h5", "a3.h5", "a4.h5", "a5.h5"]),
        ("a?.h5", ["a1.h5", "a2.h5", "a3.h5", "a4.h5", "a5.h5"]),
        ("a[2-3].h5", ["a2.h5", "a3.h5"]),
        ("[b].h5", ["b.h5"]),
        ("none", []),
    ],
)
async def test_patterns(listing, pattern, expected):
    assert names(await listing.get("/domains", domain=f"{HOME}/", pattern=pattern)) == expected
    first = names(await listing.get("/domains", domain=f"{HOME}/", pattern=pattern, Limit=1))
    assert first == expected[:1]


async def test_verbose(listing):
    items = (await listing.get("/domains", domain=f"{HOME}/", verbose=1)).json["domains"]
    for item in items:
        assert {
            "num_groups", "num_datasets", "num_datatypes", "num_objects", "num_chunks", "num_linked_chunks",
            "total_size", "allocated_bytes", "metadata_bytes", "linked_bytes", "md5_sum",
        } <= set(item)  # fmt: skip
    assert [item["num_groups"] for item in items] == [1] * 6 + [0]


async def test_queries(listing):
    await set_attribute(listing, f"{HOME}/a1.h5", "n", "H5T_STD_I32LE", 7)
    await set_attribute(listing, f"{HOME}/a2.h5", "n", "H5T_STD_I32LE", 3)
    text = {
        "class": "H5T_STRING",
        "length": "H5T_VARIABLE",
        "charSet": "H5T_CSET_UTF8",
        "strPad": "H5T_STR_NULLTERM",
    }
    await set_attribute(listing, f"{HOME}/a2.h5", "s", text, "blue")

    async def query(text):
        return names(await listing.get("/domains", domain=f"{HOME}/", query=text))

    assert await query("n > 4") == ["a1.h5"]
    assert await query("n > 1") == ["a1.h5", "a2.h5"]
    assert await query("n > 1 AND s == 'blue'") == ["a2.h5"]
    assert await query("s != 'blue'") == []
    assert await query("unknown == 1") == []
    assert (await listing.get("/domains", domain=f"{HOME}/", query="n >")).status == 400
    assert names(await listing.get("/domains", domain=f"{HOME}/sub/", query="n >")) == []


async def test_what_has_no_children(listing):
    assert names(await listing.get("/domains", domain=f"{HOME}/a1.h5/")) == []


async def test_what_does_not_exist_has_no_listing(listing):
    assert (await listing.get("/domains", domain=f"{HOME}/none/")).status == 404
    await listing.delete("/", domain=f"{HOME}/a1.h5")
    assert (await listing.get("/domains", domain=f"{HOME}/a1.h5/")).status == 404


@pytest.mark.parametrize(
    "params", [{"Limit": "x"}, {"Limit": "-1"}, {"Marker": "x"}, {"Marker": "x.h5"}, {"domain": "//"}]
)
async def test_bad_requests(listing, params):
    assert (await listing.get("/domains", **({"domain": HOME} | params))).status == 400


@pytest.mark.parametrize("marker", ["x", "x.h5", "/a//b", "/a/../b", "/db/x", "/a/", "/"])
async def test_a_bad_marker_is_named(listing, marker):
    reply = await listing.get("/domains", domain=f"{HOME}/", Marker=marker)
    assert reply.status == 400
    assert reply.reason.startswith(f"Invalid Marker parameter {marker!r}: ")


async def test_who_may_list(listing):
    assert (await listing.get("/domains", domain=f"{HOME}/", user=None)).status == 200
    assert (await listing.get("/domains", domain=f"{HOME}/", user="mallory")).status == 401
