"""Requests that cannot be right: the contract's status, a reason that names the fault, and no harm done."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.integration.rest import Rest
from tests.integration.service import Service

DOMAIN = "/home/joe/bad.h5"
OTHER = "/home/joe/other.h5"
BINARY = {"Content-Type": "application/octet-stream"}
JSON = {"Content-Type": "application/json"}
I32 = "H5T_STD_I32LE"
STRING = {"class": "H5T_STRING", "charSet": "H5T_CSET_ASCII", "strPad": "H5T_STR_NULLPAD"}


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    """A service with users joe and ann, an admin, and a small limit on requests."""
    folder = tmp_path_factory.mktemp("bad")
    (folder / "passwords").write_text("joe:joes-secret\nann:anns-secret\n")
    flags = ("--password-file", "passwords", "--hs_username", "root", "--hs_password", "roots-secret")
    with Service(folder, *flags, "--max-request-size", "1m") as running:
        yield running


@pytest.fixture(scope="module")
def things() -> dict[str, str]:
    """Ids by name, filled by the first test that needs them."""
    return {}


@pytest.fixture
async def joe(service, things) -> AsyncIterator[Rest]:
    """A client of joe's, with something to do wrong."""
    async with Rest(service.url, user="joe", password="joes-secret") as rest:
        if not things:
            things["root"] = await rest.create(DOMAIN)
            things["other"] = await rest.create(OTHER)
            things["dataset"] = await rest.dataset(DOMAIN, [10, 10])
            things["fixed"] = things["dataset"]
            things["growing"] = await rest.dataset(DOMAIN, [10], chunks=[10], maxdims=[20])
            things["big"] = await rest.dataset(DOMAIN, [1000, 1000])
            things["null"] = await rest.dataset(DOMAIN, "H5S_NULL")
            things["missing"] = things["root"][:-6] + "abcdef"
            soft = {"h5path": "/nowhere"}
            await rest.ask("PUT", f"/groups/{things['root']}/links/soft", DOMAIN, json=soft)
            attribute = {"type": I32, "shape": [2], "value": [1, 2]}
            await rest.ask("PUT", f"/groups/{things['root']}/attributes/a", DOMAIN, json=attribute)
        yield rest


def dataset(**changes: Any) -> dict[str, Any]:
    return {"json": {"type": I32, "shape": [10], **changes}}


def layout(*dims: Any, **more: Any) -> dict[str, Any]:
    return dataset(creationProperties={"layout": {"class": "H5D_CHUNKED", "dims": list(dims)}, **more})


def encoded(value: Any) -> dict[str, Any]:
    return {"json": {"type": I32, "value": value, "encoding": "base64"}}


VALUE = "/datasets/{dataset}/value"
DEEP = "[" * 100_000

CASES: list[tuple[str, str, dict[str, Any], int, str]] = [
    # ids
    ("GET", "/groups/xyz", {}, 400, "xyz"),
    ("GET", "/groups/g-12345678", {}, 400, "g-12345678"),
    ("GET", "/groups/{dataset}", {}, 400, "{dataset}"),
    ("GET", "/datasets/{root}", {}, 400, "{root}"),
    ("GET", "/groups/{other}", {}, 400, "{other}"),
    ("GET", "/groups/{missing}", {}, 404, "{missing}"),
    ("DELETE", "/groups/{root}", {}, 403, "root"),
    # routes
    ("GET", "/nothing/here", {}, 404, "/nothing/here"),
    ("DELETE", "/about", {}, 405, ""),
    ("PATCH", "/groups/{root}", {}, 405, ""),
    # JSON
    ("POST", "/groups", {"data": b"{"}, 400, "JSON"),
    ("POST", "/datasets", {"data": b"\xff\xfe"}, 400, "JSON"),
    ("POST", "/datasets", {"data": b'{"type": 1'}, 400, "JSON"),
    ("POST", "/datasets", {"data": DEEP.encode()}, 400, ""),
    ("POST", "/datasets", {"data": b'"text"'}, 400, ""),
    ("POST", "/datasets", {}, 400, ""),
    ("PUT", "/groups/{root}/links/x", {"json": []}, 400, "a list"),
    ("POST", "/groups", {"data": b"{}", "headers": {"Content-Type": "text/plain"}}, 400, "text/plain"),
    # types
    ("POST", "/datasets", {"json": {"shape": [1]}}, 400, "type"),
    ("POST", "/datasets", dataset(type="H5T_STD_I33LE"), 400, "H5T_STD_I33LE"),
    ("POST", "/datasets", dataset(type={"class": "H5T_NOTHING"}), 400, "H5T_NOTHING"),
    ("POST", "/datasets", dataset(type={"class": "H5T_COMPOUND", "fields": []}), 400, ""),
    ("POST", "/datasets", dataset(type={"class": "H5T_COMPOUND", "fields": [{"name": "a"}]}), 400, "a"),
    ("POST", "/datasets", dataset(type=17), 400, "type"),
    ("POST", "/datasets", dataset(type=STRING | {"length": -4}), 400, "length"),
    ("POST", "/datatypes", {"json": {"type": "H5T_STD_I33LE"}}, 400, "H5T_STD_I33LE"),
    # shapes and layouts
    ("POST", "/datasets", dataset(shape=[-1]), 400, "-1"),
    ("POST", "/datasets", dataset(shape=["a"]), 400, ""),
    ("POST", "/datasets", dataset(shape="H5S_OTHER"), 400, "H5S_OTHER"),
    ("POST", "/datasets", dataset(shape=[1] * 40), 400, ""),
    ("POST", "/datasets", dataset(shape=[2**64]), 400, ""),
    ("POST", "/datasets", dataset(maxdims=[5]), 400, "maxdims"),
    ("POST", "/datasets", dataset(maxdims=[5, 5]), 400, "maxdims"),
    ("POST", "/datasets", layout(5, 5), 400, "layout"),
    ("POST", "/datasets", layout(0), 400, ""),
    ("POST", "/datasets", layout("a"), 400, ""),
    ("POST", "/datasets", dataset(creationProperties={"layout": {"class": "H5D_ODD"}}), 400, "H5D_ODD"),
    ("POST", "/datasets", dataset(creationProperties={"fillValue": "text"}), 400, "fill"),
    ("POST", "/datasets", layout(5, filters=[{"class": "H5Z_FILTER_ODD"}]), 400, "H5Z_FILTER_ODD"),
    # selections
    ("GET", VALUE, {"params": {"select": "[0:11,0:10]"}}, 400, "0:11"),
    ("GET", VALUE, {"params": {"select": "[0:1]"}}, 400, ""),
    ("GET", VALUE, {"params": {"select": "[0:1:0,0:1]"}}, 400, ""),
    ("GET", VALUE, {"params": {"select": "[a,b]"}}, 400, ""),
    ("GET", VALUE, {"params": {"select": "0:1,0:1"}}, 400, ""),
    ("GET", VALUE, {"params": {"select": "[5:2,0:1]"}}, 400, ""),
    ("GET", VALUE, {"params": {"select": "[[0,99],0:1]"}}, 400, ""),
    ("GET", VALUE, {"params": {"select": "[" * 1000}}, 400, ""),
    ("POST", VALUE, {"json": {"select": [True, 1]}}, 400, "term of a selection: true"),
    ("PUT", VALUE, {"json": {"value": [1], "element_count": [5]}}, 400, "an integer, not a list"),
    ("PUT", VALUE, {"json": {"value": [1], "query": 5}}, 400, "query must be text, not a number"),
    ("POST", VALUE, {"json": {"points": [[0, 10]]}}, 400, "10"),
    ("POST", VALUE, {"json": {"points": [[0]]}}, 400, ""),
    ("POST", VALUE, {"json": {"points": "x"}}, 400, ""),
    ("POST", VALUE, {"data": b"12345", "headers": BINARY}, 400, ""),
    ("POST", VALUE, {"json": {}}, 400, ""),
    # values
    ("PUT", VALUE, {"data": b"123", "headers": BINARY}, 400, "3"),
    ("PUT", VALUE, {"data": b"1" * 404, "headers": BINARY}, 400, "404"),
    ("PUT", VALUE, {"json": {"value": [1, 2, 3]}}, 400, ""),
    ("PUT", VALUE, {"json": {"value": "text"}}, 400, ""),
    ("PUT", VALUE, {"json": {"value": [["a"] * 10] * 10}}, 400, ""),
    ("PUT", VALUE, {"json": {"value": [[1e300] * 10] * 10}}, 400, ""),
    ("PUT", VALUE, {"json": {"nothing": 1}}, 400, ""),
    ("PUT", VALUE, {"json": {"start": [0], "stop": [1], "value": [1]}}, 400, ""),
    ("PUT", VALUE, {"json": {"start": "a", "value": [1]}}, 400, "start"),
    ("GET", "/datasets/{null}/value", {}, 400, ""),
    ("GET", VALUE, {"params": {"query": "x ==="}}, 400, ""),
    ("GET", VALUE, {"params": {"query": "x > 1"}}, 400, ""),
    ("PUT", "/datasets/{fixed}/shape", {"json": {"shape": [20, 20]}}, 400, "resizable"),
    ("PUT", "/datasets/{growing}/shape", {"json": {"shape": [21]}}, 409, ""),
    ("PUT", "/datasets/{growing}/shape", {"json": {"shape": [5, 5]}}, 400, ""),
    ("PUT", "/datasets/{growing}/shape", {"json": {"shape": [-5]}}, 400, ""),
    ("PUT", "/datasets/{growing}/shape", {"json": {}}, 400, "shape"),
    # too large
    ("POST", "/groups", {"data": b" " * 1_100_000, "headers": JSON}, 413, "max_request_size"),
    ("GET", "/datasets/{big}/value", {}, 413, "max_request_size"),
    # links
    ("GET", "/groups/{root}/links/none", {}, 404, "none"),
    ("PUT", "/groups/{root}/links/soft", {"json": {"h5path": "/elsewhere"}}, 409, "soft"),
    ("PUT", "/groups/{root}/links/x", {"json": {"nothing": 1}}, 400, ""),
    ("PUT", "/groups/{root}/links/x", {"json": {"id": "nothing"}}, 400, "nothing"),
    ("PUT", "/groups/{root}/links/x", {"json": {"id": 7}}, 400, ""),
    ("PUT", "/groups/{root}/links/x", {"json": {"h5path": 7}}, 400, "not 7"),
    ("GET", "/groups/{root}/links", {"params": {"Limit": "many"}}, 400, "Limit"),
    ("GET", "/groups/{root}/links", {"params": {"Marker": "none"}}, 404, "none"),
    ("GET", "/groups/", {"params": {"h5path": "/nothing"}}, 404, "nothing"),
    # attributes
    ("GET", "/groups/{root}/attributes/none", {}, 404, "none"),
    ("PUT", "/groups/{root}/attributes/a", {"json": {"type": I32, "shape": [1], "value": [3]}}, 409, "a"),
    ("PUT", "/groups/{root}/attributes/b", {"json": {"type": I32, "shape": [3], "value": [3]}}, 400, ""),
    ("PUT", "/groups/{root}/attributes/b", {"json": {"type": "odd", "value": 3}}, 400, "odd"),
    ("PUT", "/groups/{root}/attributes/b", {"json": {"value": 3}}, 400, "type"),
    ("PUT", "/groups/{root}/attributes/b", {"json": {"type": I32, "value": "x"}}, 400, ""),
    ("PUT", "/groups/{root}/attributes/b", encoded(7), 400, "base64 text, but a number"),
    ("PUT", "/groups/{root}/attributes/b", encoded("?"), 400, "value is not base64"),
    ("PUT", "/groups/{root}/attributes", {"json": {"attributes": {"b": 7}}}, 400, "object, not a number"),
    ("PUT", "/groups/{root}/links", {"json": {"links": {"b": None}}}, 400, "object, not null"),
    ("POST", "/datasets", {"json": {"type": I32, "attributes": {"b": []}}}, 400, "got a list"),
    ("PUT", "/groups/{root}/attributes/a/value", {"data": b"123", "headers": BINARY}, 400, ""),
    # domains
    ("PUT", "/", {}, 409, DOMAIN),
]


@pytest.mark.parametrize(("method", "path", "request_", "status", "reason"), CASES)
async def test_requests(joe, service, things, method, path, request_, status, reason):
    answer = await joe.send(method, path.format(**things), DOMAIN, **request_)
    assert answer[0] == status, answer[1]
    assert reason.format(**things).lower() in answer[1].lower()
    assert answer[1]
    if status != 405:
        assert answer[2].decode() == f"{status}: {answer[1]}"
    assert await unharmed(joe, service, things)


@pytest.mark.parametrize(
    ("domain", "status", "reason"),
    [
        ("/home/joe/none.h5", 404, "none.h5"),
        ("a.b.c", 400, "a.b.c"),
        ("home", 400, "home"),
        ("home/joe/bad.h5", 403, "home"),
        ("bad bucket/joe/bad.h5", 400, "bad bucket"),
        ("/home/../joe/bad.h5", 400, ""),
        ("/home/joe/bad.h5/", 400, ""),
        ("/home/joe/\0bad.h5", 400, ""),
        ("/home/joe/" + "x" * 2000, 400, ""),
        ("/home/joe//bad.h5", 400, ""),
        ("", 400, "domain"),
    ],
)
async def test_domains(joe, service, things, domain, status, reason):
    answer = await joe.send("GET", f"/groups/{things['root']}", params={"domain": domain})
    assert answer[0] == status, answer[1]
    assert reason in answer[1]
    assert await unharmed(joe, service, things)


async def test_other_buckets(joe):
    status, reason, _ = await joe.send("GET", "/", DOMAIN, params={"bucket": "private"})
    assert (status, "private" in reason) == (403, True)
    status, reason, _ = await joe.send("GET", "/", DOMAIN, params={"bucket": "a/b"})
    assert (status, "a/b" in reason) == (400, True)


async def test_domains_that_cannot_be_made(joe):
    assert (await joe.send("PUT", "/", "/home/joe/none/x.h5"))[0] == 404
    assert (await joe.send("PUT", "/", "/home/ann/x.h5"))[0] == 404  # ann has not been here yet
    assert (await joe.send("PUT", "/", "/home/x.h5"))[0] == 403
    assert (await joe.send("PUT", "/", "/joes.h5"))[0] == 403
    assert (await joe.send("PUT", "/", "/home/joe/x.h5", json={"owner": "ann"}))[0] == 403


@pytest.mark.parametrize(
    ("header", "status"),
    [
        ("Basic am9lOndyb25nLXNlY3JldA==", 401),  # joe:wrong-secret
        ("Basic bm9ib2R5OnNlY3JldA==", 401),  # nobody:secret
        ("Basic !!!", 400),
        ("Basic am9l", 400),  # joe
        ("Basic ", 400),
        ("Basic", 400),
        ("Odd am9lOndyb25n", 400),
        ("Bearer abc", 401),
    ],
)
async def test_credentials(service, joe, things, header, status):
    async with Rest(service.url) as rest:
        answer = await rest.send("GET", "/", DOMAIN, headers={"Authorization": header})
    assert answer[0] == status, answer[1]
    assert "secret" not in answer[1]
    assert await unharmed(joe, service, things)


async def test_wrong_users(service, joe, things):
    async with Rest(service.url, user="ann", password="anns-secret") as ann:
        status, reason, _ = await ann.send("GET", "/", DOMAIN)
        assert (status, "ann" in reason) == (403, True)
        status, _, _ = await ann.send(
            "PUT", f"/groups/{things['root']}/links/x", DOMAIN, json={"h5path": "/y"}
        )
        assert status == 403
        assert (await ann.send("DELETE", "/", DOMAIN))[0] == 403
    async with Rest(service.url) as nobody:
        assert (await nobody.send("DELETE", "/", DOMAIN))[0] == 401
        assert (await nobody.send("GET", "/", DOMAIN))[0] == 403
    assert await unharmed(joe, service, things)


async def test_rubbish_instead_of_http(service, joe, things):
    host, _, port = service.url.removeprefix("http://").partition(":")
    for rubbish in (
        b"\0\xff" * 1000,
        b"GET\r\n\r\n",
        b"PUT / HTTP/1.1\r\nContent-Length: x\r\n\r\n",
        b"G" * 100_000,
    ):
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(rubbish)
        writer.write_eof()
        answer = await reader.read()
        assert not answer or answer.startswith(b"HTTP/1.")
        assert b"Traceback" not in answer
        writer.close()
    assert await unharmed(joe, service, things)


async def unharmed(joe: Rest, service: Service, things: dict[str, str]) -> bool:
    """Whether the service still answers, and has found no fault of its own."""
    found = await joe.ask("GET", f"/groups/{things['root']}", DOMAIN)
    log = service.log.read_text()
    return found["linkCount"] == 1 and "ERROR" not in log and "Traceback" not in log
