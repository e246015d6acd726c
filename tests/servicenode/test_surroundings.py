"""What every answer has: headers, ids, the form of errors; and what malformed requests get."""

import asyncio
import logging

import pytest
from aiohttp import web

from hsds.errors import Conflict, Deleted, InvalidInput, KeyNotFound, StoreRefused, StoreUnavailable, TooLarge
from hsds.servicenode.app import make_app
from hsds.servicenode.call import Call
from hsds.servicenode.replies import error_reply, json_reply
from hsds.servicenode.runner import Runner

FAULTS = {
    "invalid": (InvalidInput("Invalid selection"), 400),
    "deleted": (Deleted("was there"), 410),
    "missing": (KeyNotFound("not there"), 404),
    "conflict": (Conflict("in the way"), 409),
    "large": (TooLarge("too much"), 413),
    "busy": (StoreUnavailable("store is away", retry_after=2.4), 503),
    "refused": (StoreRefused("secret detail"), 500),
    "bug": (KeyError("secret detail"), 500),
    "inner connection": (ConnectionResetError("secret detail"), 500),
}


async def fault(call: Call) -> web.StreamResponse:
    raise FAULTS[call.path["kind"]][0]


async def echo(call: Call) -> web.StreamResponse:
    return json_reply(
        {"title": call.path["title"], "flag": call.flag("flag"), "body": await call.body_json(False)}
    )


async def cut(call: Call) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Length": "100"})
    await response.prepare(call.request)
    await response.write(b"x" * 10)
    raise KeyError("too late")


ROUTES = [("GET", "/fault/{kind}", fault), ("POST", "/echo/{title}", echo), ("GET", "/cut", cut)]


@pytest.fixture
async def odd(service, aiohttp_client):
    """The service with routes that misbehave."""
    service.client = await aiohttp_client(make_app(service.node, routes=ROUTES))
    return service


@pytest.mark.parametrize("kind", [kind for kind, (_, status) in FAULTS.items() if status < 500])
async def test_errors_say_what_was_wrong(odd, kind):
    error, status = FAULTS[kind]
    reply = await odd.get(f"/fault/{kind}")
    assert (reply.status, reply.reason) == (status, str(error))
    assert reply.body.decode() == f"{status}: {error}"
    assert reply.headers["Content-Type"] == "text/plain; charset=utf-8"


async def test_unavailable_says_when_to_come_back(odd):
    reply = await odd.get("/fault/busy")
    assert (reply.status, reply.reason, reply.headers["Retry-After"]) == (503, "store is away", "2")


@pytest.mark.parametrize("kind", ["refused", "bug", "inner%20connection"])
async def test_faults_of_ours_are_logged_and_not_told(odd, kind, caplog):
    reply = await odd.get(f"/fault/{kind}", headers={"X-Request-ID": "find-me"})
    assert reply.status == 500
    assert b"secret" not in reply.body
    assert "secret" not in reply.reason
    assert "find-me" in reply.reason
    (record,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert "find-me" in record.getMessage()
    assert record.exc_info is not None


async def test_an_answer_that_fails_midway_is_cut_off(odd):
    with pytest.raises(Exception, match=r"payload|disconnected|closed|reset"):
        await odd.get("/cut")
    assert (await odd.get("/fault/invalid")).status == 400


async def test_routes_and_methods_that_are_not_there(service):
    reply = await service.get("/nothing")
    assert (reply.status, reply.reason) == (404, "No route /nothing")
    assert reply.body == b"404: No route /nothing"
    reply = await service.request("PATCH", "/about")
    assert (reply.status, reply.body) == (405, b"405: Method Not Allowed")
    assert reply.headers["Allow"] == "GET"


async def test_common_headers(service):
    for path in ("/about", "/nothing", "/livez"):
        headers = (await service.get(path)).headers
        assert headers["Server"] == "Highly Scalable Data Service (HSDS)"
        assert headers["X-XSS-Protection"] == "1; mode=block"
        assert headers["Access-Control-Allow-Origin"] == "*"
        assert headers["X-Request-ID"]
        assert headers["Server-Timing"].startswith("total;dur=")
    assert (await service.get("/about")).headers["Content-Type"] == "application/json; charset=utf-8"


async def test_request_ids_are_echoed(service):
    reply = await service.get("/about", headers={"X-Request-ID": "mine"})
    assert reply.headers["X-Request-ID"] == "mine"
    parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    reply = await service.get("/about", headers={"traceparent": parent})
    assert reply.headers["X-Request-ID"] == parent[3:35]
    assert reply.headers["traceparent"] == parent


async def test_preflight(service):
    asked = {"Origin": "http://page.example", "Access-Control-Request-Method": "GET"}
    reply = await service.request("OPTIONS", "/about", user=None, headers=asked)
    assert reply.status == 200
    assert reply.headers["Access-Control-Allow-Methods"] == "GET"
    # "*" is not enough for a page that sends credentials
    assert reply.headers["Access-Control-Allow-Origin"] == "http://page.example"
    assert reply.headers["Vary"] == "Origin"
    asked["Access-Control-Request-Method"] = "DELETE"
    assert (await service.request("OPTIONS", "/about", user=None, headers=asked)).status == 403
    assert (await service.request("OPTIONS", "/nothing", user=None, headers=asked)).status == 404


@pytest.mark.parametrize(
    ("raw", "title"),
    [("a%20b", "a b"), ("%7Bx%7D", "{x}"), ("a%2Fb", "a/b"), ("%25", "%"), ("%2525", "%25"),
     ("%23x%3F", "#x?"), ("%C3%A4", "ä"), ("a+b", "a+b"), ("%5C", "\\")],
)  # fmt: skip
async def test_titles_are_decoded_once(odd, raw, title):
    reply = await odd.post(f"/echo/{raw}")
    assert reply.json["title"] == title


@pytest.mark.parametrize(
    ("value", "truth"), [("1", True), ("T", True), ("0", False), ("F", False), ("false", False), ("", False)]
)
async def test_truths(odd, value, truth):
    assert (await odd.post("/echo/x", flag=value)).json["flag"] is truth


@pytest.mark.parametrize(
    ("body", "headers", "expected"),
    [
        (b'{"a": NaN}', {}, None),
        (b"null", {"Content-Type": "application/json"}, None),
        (b"", {"Content-Type": "application/json"}, None),
        (b"[1]", {"Content-Type": "application/json; charset=utf-8"}, [1]),
    ],
)
async def test_json_bodies(odd, body, headers, expected):
    reply = await odd.post("/echo/x", data=body, headers=headers)
    assert reply.status == 200
    if expected is not None:
        assert reply.json["body"] == expected


@pytest.mark.parametrize(
    ("body", "headers", "reason"),
    [(b"{", {}, ""), (b"{}", {"Content-Type": "text/csv"}, "Unknown content_type: text/csv"),
     (b"xx", {"Content-Type": "application/octet-stream"}, "Unknown content_type: application/octet-stream")],
)  # fmt: skip
async def test_bodies_that_are_no_json(odd, body, headers, reason):
    reply = await odd.post("/echo/x", data=body, headers=headers)
    assert reply.status == 400
    assert reply.reason.startswith(reason)


async def test_bodies_over_the_limit(odd):
    odd.node.settings = odd.node.settings.model_copy(update={"max_request_size": 1000})
    reply = await odd.post("/echo/x", json="x" * 2000)
    assert reply.status == 413
    assert "max_request_size" in reply.reason


async def test_large_bodies_are_counted_and_given_back(odd):
    text = "x" * 2_000_000
    replies = await asyncio.gather(*(odd.post("/echo/x", json=text) for _ in range(4)))
    assert [reply.json["body"] for reply in replies] == [text] * 4
    assert odd.node.bodies.used == 0


@pytest.mark.parametrize(
    "message", ["line\r\nSet-Cookie: x", "schön – 数", "x" * 1000, "", "a\x00b", "\udc80"]
)
def test_no_message_breaks_the_status_line(message):
    reply = error_reply(400, message)
    assert reply.reason.isascii()
    assert reply.reason.isprintable()
    assert 0 < len(reply.reason) <= 250
    assert reply.body.startswith(b"400: ")


@pytest.mark.parametrize(
    "raw",
    [b"nonsense\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"GET /" + b"x" * 70_000 + b" HTTP/1.1\r\n\r\n",
     b"GET / HTTP/1.1\r\nbad header\r\n\r\n", b"POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n"],
)  # fmt: skip
async def test_what_is_no_http(service, raw, caplog):
    runner = Runner(service.node)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    reader, writer = await asyncio.open_connection(*runner.addresses[0])
    writer.write(raw)
    answer = await asyncio.wait_for(reader.read(), 5)
    writer.close()
    await runner.cleanup()
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith((b"HTTP/1.1 400", b"HTTP/1.0 400"))
    assert b"python" not in head.lower()
    assert body.startswith(b"400: ")
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


async def test_a_client_that_leaves_is_no_error(service, caplog):
    runner = Runner(service.node)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    _, writer = await asyncio.open_connection(*runner.addresses[0])
    writer.write(b"PUT /?domain=/home/x HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{")
    await writer.drain()
    await asyncio.sleep(0.05)
    writer.transport.abort()
    await asyncio.sleep(0.05)
    await runner.cleanup()
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert "hsds_tasks_active 0.0" in service.node.metrics.render().decode()
