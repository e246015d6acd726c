"""Objects by HDF5 path through ``GET /`` and ``POST /``: soft and external links, cycles, other domains."""

import pytest
from objectfile import make_file

from hsds.servicenode.paths import external_path, path_names
from hsds.transport.base import Trace
from hsds.transport.ops import UpdateLinks

SOFT = {"follow_soft_links": 1}
BOTH = {"follow_soft_links": 1, "follow_external_links": 1}


@pytest.fixture
async def file(service):
    """/g1/d, soft links to it, and another domain with /target."""
    file = await make_file(service)
    file.other = await make_file(service, "/home/test_user1/other.h5")
    file.group = await file.make(name="g1")
    file.dataset = await file.make("datasets", name="d", parent=file.group)
    file.target = await file.other.make("datasets", name="target")
    await file.link(file.root, "absolute", h5path="/g1/d")
    await file.link(file.group, "relative", h5path="d")
    await file.link(file.root, "to_group", h5path="g1")
    await file.link(file.root, "chain", h5path="to_group/relative")
    await file.link(file.root, "loop", h5path="loop")
    for title, domain in (
        ("external", "/home/test_user1/other.h5"),
        ("prefixed", "hdf5://home/test_user1/other.h5"),
        ("beside", "other.h5"),
        ("nowhere", "none.h5"),
        ("folder", "/home/test_user1"),
    ):
        await file.link(file.root, title, h5path="/target", h5domain=domain)
    await file.link(file.root, "root_of_other", h5path="/", h5domain="other.h5")
    return file


@pytest.mark.parametrize(
    ("h5path", "params", "expected"),
    [
        ("/", {}, "root"),
        ("/g1", {}, "group"),
        ("g1/d", {}, "dataset"),
        ("./g1/./d", {}, "dataset"),
        ("/g1//d/", {}, "dataset"),
        ("/absolute", SOFT, "dataset"),
        ("/g1/relative", SOFT, "dataset"),
        ("/to_group/d", SOFT, "dataset"),
        ("/chain", SOFT, "dataset"),
        ("/external", BOTH, "target"),
        ("/external", {"follow_external_links": 1}, "target"),
        ("/prefixed", BOTH, "target"),
        ("/beside", BOTH, "target"),
        ("/root_of_other/target", BOTH, "target"),
        ("/absolute", {}, 400),
        ("/to_group/d", {}, 400),
        ("/external", SOFT, 400),
        ("/loop", SOFT, 400),
        ("/folder", BOTH, 400),
        ("/nowhere", BOTH, 404),
        ("/never", {}, 404),
        ("/g1/never", {}, 404),
        ("/g1/d/x", {}, 404),
    ],
)
async def test_lookup(file, h5path, params, expected):
    reply = await file.get("/", h5path=h5path, **params)
    if isinstance(expected, int):
        assert reply.status == expected
        return
    found = reply.json
    assert found["id"] == getattr(file, expected)
    assert found["domain"] == (file.other.path if expected == "target" else file.path)
    assert found["class"] == ("dataset" if expected in {"dataset", "target"} else "group")
    many = (await file.post("/", json={"h5paths": [h5path]}, **params)).json["h5paths"]
    assert many[h5path]["id"] == found["id"]


async def test_from_a_group(file):
    found = (await file.get("/", h5path="d", parent_id=file.group)).json
    assert found["id"] == file.dataset
    assert (await file.get("/", h5path=".", parent_id=file.group)).json["id"] == file.group


async def test_deleted_link(file):
    await file.delete(f"/groups/{file.root}/links/g1")
    assert (await file.get("/", h5path="/g1/d")).status == 410


async def test_other_domain_must_be_readable(service):
    owner = await make_file(service, "/home/test_user1/secret.h5")
    await owner.make(name="target")
    reply = await service.put("/", domain="/home/test_user2/mine.h5", user="test_user2", json={})
    root, mine = reply.json["root"], {"domain": "/home/test_user2/mine.h5", "user": "test_user2"}
    body = {"h5path": "/target", "h5domain": owner.path}
    assert (await service.put(f"/groups/{root}/links/x", json=body, **mine)).status == 201
    assert (await service.get("/", h5path="/x", **BOTH, **mine)).status == 403


async def test_links_out_of_the_domain_lead_nowhere(file):
    """HSDS lets hard links name objects of other domains; they would open these to readers of this one."""
    link = {"class": "H5L_TYPE_HARD", "id": file.target, "created": 0}
    op = UpdateLinks("hsdstest", file.root, {"foreign": link})
    await file.service.node.nodes.call(op, Trace("test"))
    assert (await file.get("/", h5path="/foreign")).status == 400
    assert (await file.get("/datasets")).json["datasets"] == [file.dataset]
    found = (await file.get(f"/groups/{file.root}/attributes", follow_links=1)).json["attributes"]
    assert set(found) == {file.root, file.group, file.dataset}
    assert (await file.get(f"/groups/{file.root}/links/foreign")).json["link"]["id"] == file.target


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("/a/b.h5", "/a/b.h5"),
        ("hdf5://a/b.h5", "/a/b.h5"),
        ("hdf5:/a/b.h5", "/a/b.h5"),
        ("b.h5", "/home/joe/b.h5"),
        ("sub/b.h5", "/home/joe/sub/b.h5"),
        ("../ann/b.h5", "/home/ann/b.h5"),
        ("../../../../b.h5", "/b.h5"),
        ("//a/b.h5", "/a/b.h5"),
    ],
)
def test_external_path(file, expected):
    assert external_path({"file": file}, "/home/joe/x.h5") == expected
    assert external_path({"h5domain": file}, "/home/joe/x.h5") == expected


def test_path_names():
    assert path_names("/a//./b/") == ["a", "b"]
    assert path_names("/") == path_names(".") == []
