"""H5Web's HSDS provider, the code of its npm package, against a real service."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np
import pytest

from tests.clients.browser import Browser, installed, missing_programs
from tests.clients.client import USERS, Client
from tests.integration.rest import Rest
from tests.integration.service import Service

HOME = "/home/ann/"
VARIABLE_TEXT = {
    "class": "H5T_STRING",
    "charSet": "H5T_CSET_UTF8",
    "strPad": "H5T_STR_NULLTERM",
    "length": "H5T_VARIABLE",
}
FIXED_TEXT = {
    "class": "H5T_STRING",
    "charSet": "H5T_CSET_ASCII",
    "strPad": "H5T_STR_NULLPAD",
    "length": 4,
}
I8 = {"class": "H5T_INTEGER", "base": "H5T_STD_I8LE"}
FLAG = {"FALSE": 0, "TRUE": 1}
COLOR = {"RED": 0, "BLUE": 2}


def listed(mapping: dict[str, int]) -> list[dict[str, Any]]:
    return [{"name": name, "value": value} for name, value in mapping.items()]


def number(kind: str, size: int, *, order: str = "little-endian", **more: Any) -> dict[str, Any]:
    """A numeric type as H5Web describes it."""
    return {"class": kind, "endianness": order, "size": size, **more}


INT32 = number("Integer", 32, signed=True)
INT8 = number("Integer", 8, signed=True)
FLOAT64 = number("Float", 64)

TYPES: dict[str, tuple[Any, Any, Any]] = {
    # name: type as sent, type as H5Web shows it, an element
    "int8": ("H5T_STD_I8LE", INT8, -7),
    "uint16be": ("H5T_STD_U16BE", number("Integer", 16, order="big-endian", signed=False), 65535),
    "int64": ("H5T_STD_I64LE", number("Integer", 64, signed=True), -(2**53) + 1),
    "float16": ("H5T_IEEE_F16LE", number("Float", 16), 0.5),
    "float64be": ("H5T_IEEE_F64BE", number("Float", 64, order="big-endian"), 1e300),
    "text": (VARIABLE_TEXT, {"class": "String", "charSet": "UTF-8", "strPad": "null-terminated"}, "grün ✓"),
    "fixed": (
        FIXED_TEXT,
        {"class": "String", "charSet": "ASCII", "strPad": "null-padded", "length": 4},
        "abcd",
    ),
    "unpadded": (
        {key: value for key, value in FIXED_TEXT.items() if key != "strPad"},
        {"class": "String", "charSet": "ASCII", "strPad": "null-padded", "length": 4},
        "ab",
    ),
    "flag": ({"class": "H5T_ENUM", "base": I8, "mapping": FLAG}, {"class": "Boolean", "base": INT8}, True),
    "listed_flag": (
        {"class": "H5T_ENUM", "base": I8, "members": listed(FLAG)},
        {"class": "Boolean", "base": INT8},
        False,
    ),
    "color": (
        {"class": "H5T_ENUM", "base": "H5T_STD_I32LE", "mapping": COLOR},
        {"class": "Enumeration", "base": INT32, "mapping": {"0": "RED", "2": "BLUE"}},
        2,
    ),
    "listed_color": (
        {"class": "H5T_ENUM", "base": I8, "members": listed(COLOR)},
        {"class": "Enumeration", "base": INT8, "mapping": {"0": "RED", "2": "BLUE"}},
        0,
    ),
    "complex": (
        {
            "class": "H5T_COMPOUND",
            "fields": [{"name": "r", "type": "H5T_IEEE_F64LE"}, {"name": "i", "type": "H5T_IEEE_F64LE"}],
        },
        {"class": "Complex", "realType": FLOAT64, "imagType": FLOAT64},
        [1.5, -2.5],
    ),
    "compound": (
        {
            "class": "H5T_COMPOUND",
            "fields": [
                {"name": "n", "type": "H5T_STD_I32LE"},
                {"name": "text", "type": VARIABLE_TEXT},
                {"name": "deep", "type": {"class": "H5T_ARRAY", "dims": [2], "base": "H5T_STD_I8LE"}},
            ],
        },
        {
            "class": "Compound",
            "fields": {
                "n": INT32,
                "text": {"class": "String", "charSet": "UTF-8", "strPad": "null-terminated"},
                "deep": {"class": "Array", "base": INT8, "dims": [2]},
            },
        },
        [1, "one", [3, 4]],
    ),
    "array": (
        {"class": "H5T_ARRAY", "dims": [3], "base": "H5T_STD_I32LE"},
        {"class": "Array", "base": INT32, "dims": [3]},
        [1, 2, 3],
    ),
    "vlen": (
        {"class": "H5T_VLEN", "base": "H5T_STD_I32"},
        {"class": "Array (variable length)", "base": INT32},
        [1, 2, 3],
    ),
    "opaque": ({"class": "H5T_OPAQUE", "size": 2, "tag": "two"}, {"class": "Unknown"}, "YWI="),
    "reference": ({"class": "H5T_REFERENCE", "base": "H5T_STD_REF_OBJ"}, {"class": "Unknown"}, ""),
}


@pytest.fixture(scope="session")
def h5web() -> Path:
    if missing := missing_programs():
        pytest.skip(f"H5Web needs {' and '.join(missing)}")
    return installed()


@pytest.fixture
async def rest(shared_service: Service) -> AsyncIterator[Rest]:
    async with Rest(shared_service.url, user="ann", password=USERS["ann"]) as client:
        yield client


@pytest.fixture
def file() -> str:
    return f"{HOME}h5web-{uuid.uuid4()}.h5"


@pytest.fixture
def browser(h5web: Path, shared_service: Service) -> Callable[..., Browser]:
    """Opens a file as ann, or as said."""

    def opened(file: str, **more: str) -> Browser:
        user = {"user": "ann", "password": USERS["ann"]} | more
        return Browser(h5web, shared_service.url, file, **user)

    return opened


async def link(rest: Rest, file: str, group: str, title: str, **to: str) -> None:
    await rest.ask("PUT", f"/groups/{group}/links/{title}", file, json=to)


async def new(rest: Rest, file: str, collection: str, group: str, name: str, **body: Any) -> str:
    """Make an object linked into a group; its id."""
    body["link"] = {"id": group, "name": name}
    made: str = (await rest.ask("POST", f"/{collection}", file, json=body))["id"]
    return made


async def test_browsing(rest: Rest, file: str, browser: Callable[..., Browser]) -> None:
    root = await rest.create(file)
    group = await new(rest, file, "groups", root, "groüp with blank")
    inner = await new(rest, file, "groups", group, "inner")
    await new(rest, file, "datasets", inner, "x", type="H5T_STD_I32LE", shape=[3])
    committed = await new(rest, file, "datatypes", root, "named", type=TYPES["compound"][0])
    await new(rest, file, "datasets", root, "typed", type=committed, shape=[2])
    await link(rest, file, root, "soft", h5path="/groüp with blank/inner")
    await link(rest, file, root, "dangling", h5path="nowhere")
    await link(rest, file, root, "external", h5path="/y", h5domain=f"{HOME}other.h5")
    await link(rest, file, group, "loop", id=root)
    with browser(file) as shown:
        top = shown.entity("/")
        assert (top["name"], top["kind"], top["attributes"]) == (file, "group", [])
        children = shown.children("/")
        assert sorted(children) == ["dangling", "external", "groüp with blank", "named", "soft", "typed"]
        assert children["groüp with blank"]["kind"] == "group"
        soft = {"class": "Soft", "path": "/groüp with blank/inner"}
        assert (children["soft"]["kind"], children["soft"]["link"]) == ("unresolved", soft)
        assert children["dangling"]["link"] == {"class": "Soft", "path": "nowhere"}
        assert children["external"]["link"] == {"class": "External", "path": "/y", "file": f"{HOME}other.h5"}
        assert (children["named"]["kind"], children["named"]["type"]) == ("datatype", TYPES["compound"][1])
        assert (children["typed"]["kind"], children["typed"]["type"]) == ("dataset", TYPES["compound"][1])
        assert sorted(shown.children("/groüp with blank")) == ["inner", "loop"]
        assert shown.children("/groüp with blank/loop/groüp with blank/inner")["x"]["path"].endswith("/x")
        dataset = shown.entity("/groüp with blank/inner/x")
        assert (dataset["type"], dataset["shape"]) == (INT32, {"class": "Array", "dims": [3]})
        assert "No entity found" in shown.error("entity", "/nothing")


async def test_every_type(rest: Rest, file: str, browser: Callable[..., Browser]) -> None:
    root = await rest.create(file)
    for name, (sent, _, value) in TYPES.items():
        made = await new(rest, file, "datasets", root, name, type=sent, shape=[2, 2])
        scalar = await new(rest, file, "datasets", root, f"{name} alone", type=sent)
        await write(rest, file, made, name, [[value] * 2] * 2)
        await write(rest, file, scalar, name, value)
        await new(rest, file, "datasets", root, f"{name} null", type=sent, shape="H5S_NULL")
        await new(rest, file, "datasets", root, f"{name} none", type=sent, shape=[0, 2], maxdims=[None, 2])
    with browser(file) as shown:
        children = shown.children("/")
        for name, (_, type_shown, value) in TYPES.items():
            assert {children[f"{name}{end}"]["kind"] for end in ("", " alone", " null")} == {"dataset"}
            assert children[name]["type"] == type_shown, name
            assert children[f"{name} null"]["shape"] == {"class": "Null"}
            assert children[f"{name} alone"]["shape"] == {"class": "Scalar", "dims": []}
            assert shown.value(f"/{name}") == [value] * 4
            assert shown.value(f"/{name} alone") == value
            assert shown.value(f"/{name}", "1,:") == [value] * 2
            assert shown.value(f"/{name}", "1,0") == value
            assert shown.value(f"/{name} none") == []
            for end in ("", " alone", " none"):
                assert shown.accepts(f"/{name}{end}")


async def write(rest: Rest, file: str, dataset: str, name: str, value: Any) -> None:
    await rest.ask("PUT", f"/datasets/{dataset}/value", file, json={"value": value})


async def test_attributes(rest: Rest, file: str, browser: Callable[..., Browser]) -> None:
    root = await rest.create(file)
    objects = {
        "/": ("groups", root),
        "/dataset": ("datasets", await new(rest, file, "datasets", root, "dataset", type="H5T_STD_I32LE")),
    }
    attributes: dict[str, dict[str, Any]] = {}
    for name, (sent, _, value) in TYPES.items():
        attributes[name] = {"type": sent, "shape": [2], "value": [value, value]}
        attributes[f"{name} alone"] = {"type": sent, "value": value}
        attributes[f"{name} null"] = {"type": sent, "shape": "H5S_NULL"}
    for collection, id_ in objects.values():
        await rest.ask("PUT", f"/{collection}/{id_}/attributes", file, json={"attributes": attributes})
    with browser(file) as shown:
        for path in objects:
            described = {item["name"]: item for item in shown.entity(path)["attributes"]}
            values = shown.attributes(path)
            assert described.keys() == values.keys() == attributes.keys()
            for name, (_, type_shown, value) in TYPES.items():
                assert described[name]["type"] == type_shown, name
                assert described[name]["shape"] == {"class": "Array", "dims": [2]}
                assert described[f"{name} alone"]["shape"] == {"class": "Scalar", "dims": []}
                assert described[f"{name} null"]["shape"] == {"class": "Null"}
                assert values[name] == [value, value]
                assert values[f"{name} alone"] == value
                assert values[f"{name} null"] is None


@pytest.mark.parametrize(
    "name", ["with blank", "ünï✓", "per%cent", "sl/a/sh", "a&b=c", "{x}", "a;b", "a+b", '"']
)
async def test_odd_names_of_attributes(
    rest: Rest, file: str, browser: Callable[..., Browser], name: str
) -> None:
    root = await rest.create(file)
    body = {"attributes": {name: {"type": "H5T_STD_I32LE", "value": 5}}}
    await rest.ask("PUT", f"/groups/{root}/attributes", file, json=body)
    with browser(file) as shown:
        assert shown.attributes("/") == {name: 5}


async def test_slices(rest: Rest, file: str, browser: Callable[..., Browser]) -> None:
    root = await rest.create(file)
    data = np.arange(4 * 30 * 50, dtype="f8").reshape(4, 30, 50) / 8
    made = await new(rest, file, "datasets", root, "cube", type="H5T_IEEE_F64LE", shape=list(data.shape))
    await rest.write(file, made, data)
    with browser(file) as shown:
        assert shown.value("/cube") == data.ravel().tolist()
        assert shown.value("/cube", "2,:,:") == data[2].ravel().tolist()
        assert shown.value("/cube", ":,3,:") == data[:, 3].ravel().tolist()
        assert shown.value("/cube", "1,2,3") == data[1, 2, 3]
        assert shown.plot("/cube", 3, "y", "x") == ([30, 50], data[3].ravel().tolist())
        assert shown.plot("/cube", 3, "x", "y") == ([50, 30], data[3].T.ravel().tolist())
        assert shown.plot("/cube", 0, "x", 7) == ([30], data[0, :, 7].tolist())
        assert "not found" in shown.error("value", "/cube", "4,:,:")  # its word for any 400


async def test_what_is_no_number(rest: Rest, file: str, browser: Callable[..., Browser]) -> None:
    root = await rest.create(file)
    made = await new(rest, file, "datasets", root, "odd", type="H5T_IEEE_F32LE", shape=[4])
    await rest.write(file, made, np.array([1.5, np.nan, np.inf, -np.inf], "f4"))
    body = {"type": "H5T_IEEE_F64LE", "shape": [2], "value": [float("nan"), 0.25]}
    await rest.ask("PUT", f"/groups/{root}/attributes/odd", file, json=body)
    with browser(file) as shown:
        assert shown.value("/odd") == [1.5, "NaN", "Infinity", "-Infinity"]
        assert shown.attributes("/") == {"odd": ["NaN", 0.25]}


async def test_a_large_value(rest: Rest, file: str, browser: Callable[..., Browser]) -> None:
    """It comes in pieces, over many chunks."""
    root = await rest.create(file)
    data = np.random.default_rng(5).integers(-(2**31), 2**31, (1000, 500), "i4")
    properties = {"layout": {"class": "H5D_CHUNKED", "dims": [64, 128]}}
    more = {"type": "H5T_STD_I32LE", "shape": list(data.shape), "creationProperties": properties}
    made = await new(rest, file, "datasets", root, "large", **more)
    await rest.write(file, made, data)
    with browser(file) as shown:
        assert shown.plot("/large", "y", "x") == ([1000, 500], data.ravel().tolist())


async def test_who_may_look(rest: Rest, file: str, browser: Callable[..., Browser]) -> None:
    root = await rest.create(file)
    await rest.ask("PUT", "/acls/default", file, json={"read": False})
    with browser(file, password="wrong-one") as shown:
        assert "401" in shown.error("entity", "/")
    with browser(file, user="bob", password=USERS["bob"]) as shown:
        assert "403" in shown.error("entity", "/")
    with browser(file, user="", password="") as shown:
        assert "403" in shown.error("entity", "/")
    await rest.ask("PUT", "/acls/default", file, json={"read": True})
    with browser(file, user="", password="") as shown:
        assert shown.entity("/")["id"] == root


async def test_files_that_are_not_there(rest: Rest, browser: Callable[..., Browser]) -> None:
    with browser(f"{HOME}nothing.h5") as shown:
        assert "404" in shown.error("entity", "/")
    with browser("no-path") as shown:
        assert "File not found: no-path" in shown.error("entity", "/")


async def test_pages_of_other_sites_may_ask(rest: Rest, file: str) -> None:
    """What a browser checks before it lets H5Web read: it sends a header of its own, so it asks first."""
    root = await rest.create(file)
    page = {"Origin": "https://h5web.example"}
    asked = page | {
        "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Headers": "authorization",
    }
    async with aiohttp.ClientSession(rest.url) as session:
        for path in ("/", f"/groups/{root}", f"/groups/{root}/links", f"/groups/{root}/attributes/a"):
            async with session.options(path, params={"domain": file}, headers=asked) as answer:
                assert answer.status in (200, 204)
                assert answer.headers["Access-Control-Allow-Origin"] in ("*", page["Origin"])
                # the wildcard does not stand for Authorization, https://fetch.spec.whatwg.org/#cors-preflight-fetch
                assert "authorization" in answer.headers["Access-Control-Allow-Headers"].lower()
        for path in ("/", f"/groups/{root}", "/groups/none"):
            async with session.get(path, params={"domain": file}, headers=page) as answer:
                assert answer.headers["Access-Control-Allow-Origin"] in ("*", page["Origin"])


def test_what_h5pyd_wrote(client: Client, file: str, browser: Callable[..., Browser]) -> None:
    done = client.program("shown", file)
    assert done.status == 0, done.text
    with browser(file) as shown:
        values = shown.attributes("/")
        assert values == {"title": "shown", "flag": True, "none": None, "units": ["m", "s"]}
        types = {item["name"]: item["type"]["class"] for item in shown.entity("/")["attributes"]}
        assert types == {"title": "String", "flag": "Boolean", "none": "Float", "units": "String"}
        links = shown.children("/")
        assert links["soft"]["link"] == {"class": "Soft", "path": "/group/image"}
        assert links["external"]["link"] == {
            "class": "External",
            "path": "/x",
            "file": "/home/ann/other.h5",
        }
        children = shown.children("/group")
        classes = {name: child["type"]["class"] for name, child in children.items()}
        assert classes == {
            "bool": "Boolean",
            "color": "Enumeration",
            "complex": "Complex",
            "table": "Compound",
            "text": "String",
            "fixed": "String",
            "image": "Float",
            "empty": "Float",
        }
        assert children["color"]["type"]["mapping"] == {"0": "RED", "2": "BLUE"}
        assert shown.value("/group/bool") == [True, False]
        assert shown.value("/group/color") == [2, 0]
        assert shown.value("/group/complex") == [[1, 2], [0, -1]]
        assert shown.value("/group/table") == [[1, 0.5]]
        assert shown.value("/group/text") == "scalar text"
        assert shown.value("/group/fixed") == ["ab", "c"]
        assert shown.plot("/group/image", "y", "x") == ([3, 4], list(range(12)))
        for name in children.keys() - {"empty"}:
            assert shown.accepts(f"/group/{name}")
