"""C programs over the REST VOL: what they make the connector ask for, replayed against a real service.

The connector itself is in no package registry. Each test is a small C program of HDF5 calls, in the order of
the connector's requests; `tests.clients.restvol` says what it sends and reads for each call.
"""

from __future__ import annotations

import uuid

import numpy as np
import pytest

from tests.clients.client import USERS
from tests.clients.restvol import CallFailed, Connector, Thing, check_type, member
from tests.integration.service import Service

HOME = "/home/ann/"
I32 = "H5T_STD_I32LE"
F64 = "H5T_IEEE_F64LE"
TEXT = {
    "class": "H5T_STRING",
    "charSet": "H5T_CSET_UTF8",
    "strPad": "H5T_STR_NULLTERM",
    "length": "H5T_VARIABLE",
}
PROPERTIES = {
    "allocTime": "H5D_ALLOC_TIME_INCR",
    "attributeCreationOrder": "H5P_CRT_ORDER_TRACKED",
    "attributePhaseChange": {"maxCompact": 8, "minDense": 6},
    "fillTime": "H5D_FILL_TIME_IFSET",
    "layout": {"class": "H5D_CHUNKED", "dims": [4, 5]},
    "filters": [
        {"class": "H5Z_FILTER_SHUFFLE", "id": 2},
        {"class": "H5Z_FILTER_DEFLATE", "id": 1, "level": 6},
    ],
    "trackTimes": True,
}


@pytest.fixture
def vol(shared_service: Service) -> Connector:
    return Connector(shared_service.url, "ann", USERS["ann"])


@pytest.fixture
def root(vol: Connector) -> Thing:
    """A new file's root group."""
    return vol.create_file(f"{HOME}restvol-{uuid.uuid4()}.h5")


def status(call: object, *args: object, **more: object) -> int:
    """The status that a call fails with."""
    assert callable(call)
    with pytest.raises(CallFailed) as failed:
        call(*args, **more)
    return failed.value.status


def test_files(vol: Connector) -> None:
    file = f"{HOME}restvol-{uuid.uuid4()}.h5"
    assert status(vol.open_file, file) == 404
    assert not vol.exists("/", file)
    first = vol.create_file(file)
    assert status(vol.create_file, file, truncate=False) == 409
    second = vol.create_file(file)
    assert second.id != first.id
    assert vol.open_file(file).id == second.id
    vol.flush_file(file)
    vol.delete_file(file)
    assert not vol.exists("/", file)
    vol.create_file(file, truncate=False)
    assert vol.exists("/", file)


def test_who_asks(vol: Connector, root: Thing) -> None:
    stranger = Connector(vol.url, "bob", USERS["bob"])
    assert status(stranger.open_file, root.file) == 403
    root.ask("PUT", "/acls/bob", body={"read": True})
    seen = stranger.open_file(root.file)
    assert seen.info()["id"] == root.id
    assert status(seen.create, "groups", "mine") == 403
    assert status(Connector(vol.url, "ann", "wrong-one").open_file, root.file) == 401


def test_groups(root: Thing) -> None:
    outer = root.create("groups", "outer")
    inner = outer.create("groups", "inner ✓")
    assert root.open("outer").id == outer.id
    assert root.open("/outer/inner ✓").id == root.open("outer/inner ✓").id == inner.id
    assert outer.open("inner ✓").id == inner.id
    assert outer.open("/outer").id == outer.id
    assert root.at("groups", "/").id == root.id
    assert member(outer.info(), "linkCount", int) == 1
    assert status(root.open, "nothing") == 404
    assert status(root.create, "groups", "outer") == 409
    anonymous = root.create("groups", None)
    assert anonymous.info()["linkCount"] == 0
    root.link("kept", id=anonymous.id)  # H5Olink
    assert root.open("kept").id == anonymous.id


def test_intermediate_groups(root: Thing) -> None:
    """H5Pset_create_intermediate_group."""
    body = {"h5path": "a/b/c", "parent_id": root.id}
    assert status(root.ask, "POST", "/groups", body=body) == 404
    made = root.ask("POST", "/groups", body=body, params={"implicit": 1}).json()
    assert root.open("/a/b/c").id == member(made, "id", str)


def test_links(vol: Connector, root: Thing) -> None:
    group = root.create("groups", "group")
    data = group.create("datasets", "data", type=I32, shape=[2])
    kind = root.create("datatypes", "kind", type=F64)
    other = vol.create_file(f"{HOME}restvol-{uuid.uuid4()}.h5")
    far = other.create("groups", "far")
    root.link("hard", id=data.id)
    root.link("soft", h5path="/group/data")
    root.link("relative", h5path="group/data")
    root.link("dangling", h5path="/nothing")
    root.link("external", h5domain=other.file, h5path="/far")
    assert root.open("hard").id == root.open("soft").id == root.open("relative").id == data.id
    assert (root.open("external").id, root.open("external").file) == (far.id, other.file)
    assert root.open("kind").id == kind.id
    assert status(root.open, "dangling") == 404
    assert root.link_exists("dangling")
    assert not root.link_exists("nothing")
    classes = {item["title"]: item["class"] for item in root.links()}
    assert classes == {
        "group": "H5L_TYPE_HARD",
        "kind": "H5L_TYPE_HARD",
        "hard": "H5L_TYPE_HARD",
        "soft": "H5L_TYPE_SOFT",
        "relative": "H5L_TYPE_SOFT",
        "dangling": "H5L_TYPE_SOFT",
        "external": "H5L_TYPE_EXTERNAL",
    }
    made = ["group", "kind", "hard", "soft", "relative", "dangling", "external"]
    assert [item["title"] for item in root.links()] == sorted(made)  # H5_INDEX_NAME
    assert [item["title"] for item in root.links(CreateOrder=1)] == made  # H5_INDEX_CRT_ORDER
    external = next(item for item in root.links() if item["title"] == "external")
    assert (external["h5domain"], external["h5path"]) == (other.file, "/far")
    root.move_link("external", "moved")
    assert root.open("moved").id == far.id
    assert not root.link_exists("external")


def test_deleting_links(root: Thing) -> None:
    data = root.create("datasets", "data", type=I32, shape=[2])
    root.link("again", id=data.id)
    root.delete_link("data")
    assert not root.link_exists("data")
    assert root.open("again").id == data.id
    root.create("groups", "data")
    assert root.link_exists("data")


def test_visiting(root: Thing) -> None:
    """H5Lvisit and H5Ovisit: from group to group, by the ids of the links, each object once."""
    first = root.create("groups", "first")
    second = first.create("groups", "second")
    second.create("datasets", "data", type=I32)
    second.link("up", id=first.id)
    root.link("soft", h5path="/first")
    seen: dict[str, str] = {}

    def visit(group: Thing, path: str) -> None:
        for item in group.links():
            if item["class"] == "H5L_TYPE_HARD" and item["id"] not in seen:
                seen[item["id"]] = path + item["title"]
                if item["collection"] == "groups":
                    visit(Thing(group.vol, group.file, "groups", item["id"]), f"{path}{item['title']}/")

    visit(root, "")
    assert list(seen.values()) == ["first", "first/second", "first/second/data"]


def test_many_paths_at_once(root: Thing) -> None:
    """One request for several H5Oopen."""
    group = root.create("groups", "group")
    data = group.create("datasets", "data", type=I32)
    root.link("soft", h5path="/group/data")
    body = {"h5paths": ["/group", "/group/data", "/soft"]}
    answer = root.ask("POST", "/", body=body, params={"follow_soft_links": 1}).json()
    found = member(answer, "h5paths", dict)
    assert {path: (item["class"], item["id"]) for path, item in found.items()} == {
        "/group": ("group", group.id),
        "/group/data": ("dataset", data.id),
        "/soft": ("dataset", data.id),
    }
    one = root.ask("GET", "/", params={"h5path": "/soft", "follow_soft_links": 1}).json()
    assert (one["class"], one["id"], one["domain"]) == ("dataset", data.id, root.file)
    assert status(root.ask, "GET", "/", params={"h5path": "/soft"}) == 400


def test_datasets(root: Thing) -> None:
    body = {"type": I32, "shape": [8, 10], "maxdims": [0, 20], "creationProperties": PROPERTIES}
    made = root.create("datasets", "data", **body)
    opened = root.open("/data")
    assert opened.id == made.id
    shown = opened.info()
    assert shown["type"] == {"class": "H5T_INTEGER", "base": I32}
    assert (shown["shape"]["class"], shown["shape"]["dims"]) == ("H5S_SIMPLE", [8, 10])
    assert shown["shape"]["maxdims"][0] in (0, "H5S_UNLIMITED")
    assert shown["shape"]["maxdims"][1] == 20
    properties = member(shown, "creationProperties", dict)
    assert properties["layout"] == {"class": "H5D_CHUNKED", "dims": [4, 5]}
    for name in ("allocTime", "attributeCreationOrder", "attributePhaseChange", "fillTime", "trackTimes"):
        assert properties[name] == PROPERTIES[name]
    shuffle, deflate = properties["filters"]
    assert (shuffle["class"], shuffle["id"]) == ("H5Z_FILTER_SHUFFLE", 2)
    assert (deflate["class"], deflate["id"], deflate["level"]) == ("H5Z_FILTER_DEFLATE", 1, 6)
    assert opened.storage_size() == 0
    data = np.arange(80, dtype="i4").reshape(8, 10)
    opened.write(data)
    np.testing.assert_array_equal(opened.read(data), data)
    root.vol.flush_file(root.file)
    assert opened.storage_size() > 0
    opened.set_extent(12, 10)
    grown = opened.read(np.empty((12, 10), "i4"))
    np.testing.assert_array_equal(grown, np.vstack([data, np.zeros((4, 10), "i4")]))
    assert status(opened.set_extent, 12, 21) == 409


@pytest.mark.parametrize(
    ("shape", "kind"), [(None, "H5S_SCALAR"), ("H5S_SCALAR", "H5S_SCALAR"), ("H5S_NULL", "H5S_NULL")]
)
def test_other_dataspaces(root: Thing, shape: str | None, kind: str) -> None:
    body = {"type": F64} | ({"shape": shape} if shape else {})
    data = root.create("datasets", "data", **body)
    assert member(data.info(), "shape.class", str) == kind
    if kind == "H5S_SCALAR":
        data.write(np.array(2.5))
        assert data.read(np.empty((), "f8")) == 2.5


def test_hyperslabs_and_points(root: Thing) -> None:
    data = np.zeros((8, 10), "i4")
    made = root.create("datasets", "data", type=I32, shape=[8, 10], creationProperties=PROPERTIES)
    made.write(np.full((2, 3), 1, "i4"), "[2:4:1,1:4:1]")
    data[2:4, 1:4] = 1
    made.write(np.arange(6, dtype="i4"), "[0:8:3,0:10:7]")
    data[0:8:3, 0:10:7] = np.arange(6).reshape(3, 2)
    made.write_body(np.full((2, 2), 7, "i4"), start=[5, 5], stop=[8, 8], step=[2, 2])
    data[5:8:2, 5:8:2] = 7
    made.write_body(np.array([9, 8], "i4"), points=[[7, 9], [0, 1]])
    data[7, 9], data[0, 1] = 9, 8
    np.testing.assert_array_equal(made.read(data), data)
    np.testing.assert_array_equal(made.read(data[1:7:2, 3:9], "[1:7:2,3:9:1]"), data[1:7:2, 3:9])
    points = [[7, 9], [0, 1], [5, 7], [7, 9]]
    np.testing.assert_array_equal(made.read_points(points, np.empty(4, "i4")), [9, 8, data[5, 7], 9])
    line = root.create("datasets", "line", type=I32, shape=[5])
    line.write_body(np.array([3, 4], "i4"), points=[1, 4])
    np.testing.assert_array_equal(line.read_points([4, 0, 1], np.empty(3, "i4")), [4, 0, 3])
    assert status(made.write, np.zeros(3, "i4"), "[0:2:1,0:2:1]") == 400
    assert status(made.read, data, "[0:9:1,0:2:1]") == 400


def test_a_large_write(root: Thing) -> None:
    """libcurl sends no large body before it is told to go on."""
    data = np.random.default_rng(3).random((500, 1000))
    made = root.create("datasets", "data", type=F64, shape=[500, 1000])
    made.write(data)
    np.testing.assert_array_equal(made.read(data), data)
    refused = np.zeros(600_000)
    assert status(made.write, refused) == 400
    np.testing.assert_array_equal(made.read(data), data)


def test_types(root: Thing) -> None:
    """As the connector writes them, numbers within others by name, and reads them back."""
    fixed = {**TEXT, "charSet": "H5T_CSET_ASCII", "strPad": "H5T_STR_NULLPAD", "length": 5}
    fields = [
        {"name": "n", "type": "H5T_STD_U16BE"},
        {"name": "x", "type": {"class": "H5T_ARRAY", "dims": [2], "base": F64}},
        {"name": "s", "type": fixed},
    ]
    color = {"RED": 0, "BLUE": 7}
    types: list[tuple[str, object, np.ndarray]] = [
        ("int", "H5T_STD_I64BE", np.array([-1, 2], ">i8")),
        ("float", "H5T_IEEE_F32LE", np.array([0.5, 2], "<f4")),
        ("string", fixed, np.array([b"hello", b"C"], "S5")),
        (
            "compound",
            {"class": "H5T_COMPOUND", "fields": fields},
            np.array([(1, [2, 3], b"x"), (4, [5, 6], b"yz")], [("n", ">u2"), ("x", "f8", 2), ("s", "S5")]),
        ),
        ("enum", {"class": "H5T_ENUM", "base": "H5T_STD_I8LE", "mapping": color}, np.array([7, 0], "i1")),
        ("opaque", {"class": "H5T_OPAQUE", "size": 3, "tag": "t"}, np.array([b"abc", b"d\0e"], "V3")),
    ]
    for name, sent, values in types:
        made = root.create("datasets", name, type=sent, shape=[2])
        check_type(member(made.info(), "type", dict))
        made.write(values)
        assert made.read(values).tobytes() == values.tobytes()
        assert root.open(name).read(values[1:], "[1:2:1]").tobytes() == values[1:].tobytes()
    assert root.open("enum").info()["type"]["mapping"] == color
    array = root.create("datasets", "array", type={"class": "H5T_ARRAY", "dims": [3], "base": I32}, shape=[2])
    check_type(array.info()["type"])
    rows = np.arange(6, dtype="i4").reshape(2, 3)
    array.write(rows)
    np.testing.assert_array_equal(array.read(rows), rows)


def test_variable_lengths(root: Thing) -> None:
    texts = root.create("datasets", "texts", type=TEXT, shape=[3])
    texts.write_json(["grün", "", "three"])
    assert texts.read_json() == ["grün", "", "three"]
    texts.write_json(["2"], "[1:2:1]")
    assert texts.read_json("[0:2:1]") == ["grün", "2"]
    lists = root.create("datasets", "lists", type={"class": "H5T_VLEN", "base": I32}, shape=[2])
    check_type(lists.info()["type"])
    lists.write_json([[1], [2, 3]])
    assert lists.read_json() == [[1], [2, 3]]


def test_references(root: Thing) -> None:
    """H5R_OBJECT."""
    data = root.create("datasets", "data", type=I32)
    type_json = {"class": "H5T_REFERENCE", "base": "H5T_STD_REF_OBJ"}
    made = root.create("datasets", "references", type=type_json, shape=[3])
    check_type(made.info()["type"])
    made.write_json([f"datasets/{data.id}", f"groups/{root.id}", ""])
    assert made.read_json() == [f"datasets/{data.id}", f"groups/{root.id}", ""]
    collection, id_ = made.read_json("[0:1:1]")[0].split("/")
    assert Thing(root.vol, root.file, collection, id_).info()["id"] == data.id


def test_fill_values(root: Thing) -> None:
    properties = {"fillValue": -1, "fillTime": "H5D_FILL_TIME_ALLOC"}
    made = root.create("datasets", "data", type=I32, shape=[4], creationProperties=properties)
    assert made.info()["creationProperties"]["fillValue"] == -1
    made.write(np.array([5], "i4"), "[2:3:1]")
    np.testing.assert_array_equal(made.read(np.empty(4, "i4")), [-1, -1, 5, -1])


def test_committed_types(root: Thing) -> None:
    fields = [{"name": "a", "type": I32}, {"name": "b", "type": F64}]
    kind = root.create("datatypes", "kind", type={"class": "H5T_COMPOUND", "fields": fields})
    opened = root.open("/kind")
    assert opened.id == kind.id
    check_type(member(opened.info(), "type", dict))
    data = root.create("datasets", "data", type=kind.id, shape=[1])
    shown = data.info()["type"]
    check_type(shown)
    assert shown["id"] == kind.id  # H5Tcommitted
    data.write(np.array([(1, 2.5)], [("a", "i4"), ("b", "f8")]))
    root.create_attribute("typed", type=kind.id, shape=[1])
    assert root.attribute("typed")["type"]["id"] == kind.id
    assert root.create("datatypes", None, type=F64).info()["type"]["base"] == F64


@pytest.mark.parametrize("collection", ["groups", "datasets", "datatypes"])
def test_attributes(root: Thing, collection: str) -> None:
    owner = root.create(collection, "owner", **({} if collection == "groups" else {"type": I32}))
    values = np.arange(6, dtype="f8").reshape(2, 3)
    for name in ("plain", "with blank/slash ✓?#%20"):
        assert not owner.attribute_exists(name)
        owner.create_attribute(name, type=F64, shape=[2, 3])
        assert owner.attribute_exists(name)
        np.testing.assert_array_equal(owner.read_attribute(name, values), np.zeros((2, 3)))
        owner.write_attribute(name, values)
        np.testing.assert_array_equal(owner.read_attribute(name, values), values)
        assert owner.attribute(name)["shape"] == {"class": "H5S_SIMPLE", "dims": [2, 3]}
    owner.create_attribute("scalar", type=I32, shape="H5S_SCALAR")
    owner.write_attribute("scalar", np.array(5, "i4"))
    assert owner.read_attribute("scalar", np.empty((), "i4")) == 5
    owner.create_attribute("null", type=I32, shape="H5S_NULL")
    assert owner.attribute("null")["shape"]["class"] == "H5S_NULL"
    owner.create_attribute("text", type=TEXT, shape=[2])
    owner.replace_attribute("text", type=TEXT, shape=[2], value=["one", "zwei"])
    assert owner.attribute("text")["value"] == ["one", "zwei"]
    names = ["plain", "with blank/slash ✓?#%20", "scalar", "null", "text"]
    assert [item["name"] for item in owner.attributes()] == sorted(names)
    assert [item["name"] for item in owner.attributes(CreateOrder=1)] == names
    assert owner.info()["attributeCount"] == 5
    assert status(owner.create_attribute, "plain", type=I32, shape=[1]) == 409
    assert status(owner.write_attribute, "plain", values[:1]) == 400
    for name in names:
        owner.delete_attribute(name)
        assert not owner.attribute_exists(name)
    assert owner.attributes() == []


def test_deleting_objects(root: Thing) -> None:
    data = root.create("datasets", "data", type=I32, shape=[2])
    data.write(np.arange(2, dtype="i4"))
    root.delete_link("data")
    data.ask("DELETE", data.path)
    assert status(data.info) == 410
    assert status(root.ask, "DELETE", root.path) == 403
