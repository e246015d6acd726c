"""What the S3 store makes of answers that a healthy server does not give: a scripted server on loopback."""

import asyncio
import shutil
import ssl
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp import web

from hsds.errors import (
    BucketNotFound,
    InvalidKey,
    KeyNotFound,
    PreconditionFailed,
    StoreBusy,
    StoreError,
    StoreRefused,
    StoreUnavailable,
)
from hsds.store.s3 import S3Store
from hsds.store.s3_client import S3Options

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

KEYS = S3Options(access_key_id="AKIAPUBLIC", secret_access_key="most-secret", read_timeout=2.0)


def error(status: int, code: str) -> web.Response:
    body = (
        f"<Error><Code>{code}</Code><Message>about AKIAPUBLIC</Message>"
        "<AWSAccessKeyId>AKIAPUBLIC</AWSAccessKeyId></Error>"
    )
    return web.Response(status=status, text=body, content_type="application/xml")


@asynccontextmanager
async def serving(
    handler: Handler, options: S3Options = KEYS, certificate: Path | None = None
) -> AsyncIterator[S3Store]:
    """A store over a server that answers every request with ``handler``."""
    tls = None
    if certificate is not None:
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(certificate)
    runner = web.ServerRunner(web.Server(handler), shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
    await site.start()
    port = runner.addresses[0][1]
    store = S3Store(replace(options, endpoint=f"http{'s' if tls else ''}://127.0.0.1:{port}"))
    await store.start()
    try:
        yield store
    finally:
        await store.close()
        await runner.cleanup()


ANSWERS = [
    (404, "NoSuchKey", KeyNotFound, PreconditionFailed),
    (404, "NoSuchBucket", BucketNotFound, BucketNotFound),
    (400, "InvalidBucketName", BucketNotFound, BucketNotFound),
    (412, "PreconditionFailed", PreconditionFailed, PreconditionFailed),
    (409, "ConditionalRequestConflict", PreconditionFailed, PreconditionFailed),
    (409, "OperationAborted", PreconditionFailed, PreconditionFailed),
    (500, "InternalError", StoreUnavailable, StoreUnavailable),
    (502, "", StoreUnavailable, StoreUnavailable),
    (503, "SlowDown", StoreBusy, StoreBusy),
    (429, "TooManyRequests", StoreBusy, StoreBusy),
    (400, "RequestTimeout", StoreBusy, StoreBusy),
    (400, "ExpiredToken", StoreBusy, StoreBusy),
    (400, "KeyTooLongError", InvalidKey, InvalidKey),
    (403, "AccessDenied", StoreRefused, StoreRefused),
    (403, "SignatureDoesNotMatch", StoreRefused, StoreRefused),
    (403, "InvalidAccessKeyId", StoreRefused, StoreRefused),
    (403, "RequestTimeTooSkewed", StoreRefused, StoreRefused),
    (400, "AuthorizationHeaderMalformed", StoreRefused, StoreRefused),
]


@pytest.mark.parametrize(("status", "code", "of_get", "of_put"), ANSWERS)
async def test_answers_become_errors(
    status: int, code: str, of_get: type[StoreError], of_put: type[StoreError]
) -> None:
    async def answer(request: web.Request) -> web.Response:
        return error(status, code)

    async with serving(answer, replace(KEYS, attempts=1)) as store:
        with pytest.raises(of_get) as caught:
            await store.get("bucket", "k")
        assert type(caught.value) is of_get
        with pytest.raises(of_put) as caught_put:
            await store.put("bucket", "k", b"x", if_match="e")
        assert type(caught_put.value) is of_put
        for text in (str(caught.value), str(caught_put.value)):
            assert str(status) in text
            assert code in text
            assert "AKIA" not in text


async def test_secrets_are_in_no_repr() -> None:
    assert "secret" not in repr(KEYS).replace("secret_access_key", "")
    assert "AKIA" not in repr(S3Store(KEYS))


@pytest.mark.parametrize("status", [500, 503])
async def test_reads_are_repeated(status: int) -> None:
    seen: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        seen.append(request.method)
        if len(seen) < 3:
            return error(status, "SlowDown")
        if request.method == "DELETE":
            return web.Response(status=204)
        return web.Response(body=b"abc", headers={"ETag": '"e"'})

    async with serving(answer) as store:
        assert (await store.get("bucket", "k")).data == b"abc"
        assert seen == ["GET"] * 3
        seen.clear()
        await store.delete("bucket", "k")
        assert seen == ["DELETE"] * 3


async def test_reads_end_in_the_last_error() -> None:
    seen = []

    async def answer(request: web.Request) -> web.Response:
        seen.append(request.method)
        return error(503, "SlowDown")

    async with serving(answer) as store:
        with pytest.raises(StoreUnavailable, match="SlowDown"):
            await store.get("bucket", "k")
    assert len(seen) == KEYS.attempts


@pytest.mark.parametrize(
    "headers",
    [
        {"ETag": '"e"'},
        {"ETag": '"e"', "Last-Modified": "yesterday"},
        {"ETag": '"e"', "Last-Modified": "Sun, 06 Nov 1994 08:49:37 GMT", "Transfer-Encoding": "chunked"},
        {"Last-Modified": "Sun, 06 Nov 1994 08:49:37 GMT"},
    ],
)
async def test_a_head_that_does_not_say_what_is_asked(headers: dict[str, str]) -> None:
    async def answer(_request: web.Request) -> web.Response:
        return web.Response(headers=headers)

    async with serving(answer) as store:
        with pytest.raises(StoreUnavailable, match="not S3's"):
            await store.head("bucket", "k")


@pytest.mark.parametrize("modified", ["", "yesterday"])
async def test_a_listing_that_does_not_say_what_is_asked(modified: str) -> None:
    entry = f"<Contents><Key>k</Key><Size>1</Size><LastModified>{modified}</LastModified></Contents>"

    async def answer(_request: web.Request) -> web.Response:
        return web.Response(text=f"<ListBucketResult>{entry}</ListBucketResult>")

    async with serving(answer) as store:
        with pytest.raises(StoreUnavailable, match="without its size or its time"):
            await store.list("bucket")


@pytest.mark.parametrize("size", [0, 10, 3_000_000])
async def test_a_write_does_not_ask_before_it_sends(size: int) -> None:
    async def answer(request: web.Request) -> web.Response:
        assert len(await request.content.read()) == size
        return web.Response(headers={"ETag": str(request.headers.get("Expect"))})

    async with serving(answer) as store:
        assert await store.put("bucket", "k", bytes(size)) == "None"


@pytest.mark.parametrize("condition", [{}, {"if_match": "e"}, {"if_none_match": True}])
@pytest.mark.parametrize("status", [500, 503])
async def test_writes_are_sent_once(status: int, condition: dict) -> None:
    seen = []

    async def answer(request: web.Request) -> web.Response:
        seen.append(await request.read())
        return error(status, "InternalError")

    async with serving(answer) as store:
        with pytest.raises(StoreUnavailable):
            await store.put("bucket", "k", b"x", **condition)
    assert seen == [b"x"]


async def test_a_write_is_sent_once_over_a_connection_that_the_server_closes() -> None:
    """aiohttp repeats an idempotent request on a kept-alive connection, unless told otherwise."""
    requests = 0

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal requests
        with suppress(asyncio.IncompleteReadError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().split(b"content-length:")[1].split()[0])
                await reader.readexactly(length)
                requests += 1
                if requests > 1:
                    break
                writer.write(b'HTTP/1.1 200 OK\r\nETag: "e"\r\nContent-Length: 0\r\n\r\n')
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    store = S3Store(replace(KEYS, endpoint=f"http://127.0.0.1:{port}"))
    await store.start()
    assert await store.put("bucket", "k", b"first") == "e"
    with pytest.raises(StoreUnavailable):
        await store.put("bucket", "k", b"second", if_match="e")
    assert requests == 2
    await store.close()
    server.close()


async def test_a_truncated_body_is_read_again() -> None:
    seen = 0

    async def answer(request: web.Request) -> web.StreamResponse:
        nonlocal seen
        seen += 1
        response = web.StreamResponse(headers={"ETag": '"e"', "Content-Length": "6"})
        await response.prepare(request)
        await response.write(b"abc")
        if seen == 1:
            assert request.transport
            request.transport.close()
        else:
            await response.write(b"def")
        return response

    async with serving(answer) as store:
        assert (await store.get("bucket", "k")).data == b"abcdef"
    assert seen == 2


async def test_no_answer_is_unavailable() -> None:
    async def answer(request: web.Request) -> web.Response:
        await asyncio.sleep(5)
        return web.Response()

    options = replace(KEYS, read_timeout=0.2, attempts=2)
    async with serving(answer, options) as store:
        with pytest.raises(StoreUnavailable, match="no answer"):
            await store.get("bucket", "k")
        with pytest.raises(StoreUnavailable, match="no answer"):
            await store.put("bucket", "k", b"x")


@pytest.mark.parametrize("size", [10, 100_000, 16 << 20])
async def test_a_server_that_stops_reading_is_given_up(size: int) -> None:
    over = asyncio.Event()

    async def ignore(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await over.wait()
        writer.close()

    server = await asyncio.start_server(ignore, "127.0.0.1", 0, limit=1024)
    endpoint = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    store = S3Store(replace(KEYS, endpoint=endpoint, read_timeout=0.2))
    await store.start()
    try:
        async with asyncio.timeout(30):
            with pytest.raises(StoreUnavailable, match="no answer"):
                await store.put("bucket", "k", bytes(size), if_none_match=True)
    finally:
        over.set()
        await store.close()
        server.close()


async def test_nobody_listens() -> None:
    store = S3Store(replace(KEYS, endpoint="http://127.0.0.1:9", attempts=2))
    await store.start()
    with pytest.raises(StoreBusy, match="no connection"):
        await store.put("bucket", "k", b"x")
    with pytest.raises(StoreUnavailable):
        await store.list("bucket")
    await store.close()


async def test_what_is_no_s3_is_unavailable() -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(text="<html>It works!", content_type="text/html")

    async with serving(answer, replace(KEYS, attempts=1)) as store:
        with pytest.raises(StoreUnavailable):
            await store.list("bucket")


async def test_etags_have_no_quotes_on_the_wire() -> None:
    seen = []

    async def answer(request: web.Request) -> web.Response:
        await request.read()
        seen.append((request.headers.get("If-Match"), request.headers.get("If-None-Match")))
        return web.Response(headers={"ETag": '"new"'})

    async with serving(answer) as store:
        assert await store.put("bucket", "k", b"x", if_match="old") == "new"
        assert await store.put("bucket", "k", b"x", if_none_match=True) == "new"
        await store.get("bucket", "k", if_none_match="old")
    assert seen == [("old", None), (None, "*"), (None, "old")]


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A self-signed certificate of 127.0.0.1, with its key."""
    if shutil.which("openssl") is None:
        pytest.skip("the program openssl is not installed")
    path = tmp_path / "server.pem"
    command = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=test -addext"
    out = ["subjectAltName=IP:127.0.0.1", "-keyout", str(path), "-out", str(tmp_path / "cert.pem")]
    subprocess.run([*command.split(), *out], check=True, capture_output=True)
    path.write_text(path.read_text() + (tmp_path / "cert.pem").read_text())
    return path


async def test_private_authorities(certificate: Path) -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(body=b"abc", headers={"ETag": '"e"'})

    async with serving(answer, replace(KEYS, ca_bundle=certificate), certificate) as store:
        assert (await store.get("bucket", "k")).data == b"abc"
    async with serving(answer, KEYS, certificate) as store:
        with pytest.raises(StoreRefused, match="aws_s3_ca_bundle"):
            await store.get("bucket", "k")


async def test_anonymous_requests_are_unsigned() -> None:
    seen = []

    async def answer(request: web.Request) -> web.Response:
        seen.append(request.headers.get("Authorization"))
        return web.Response(headers={"ETag": '"e"'})

    async with serving(answer, S3Options(anonymous=True)) as store:
        await store.get("bucket", "k")
    assert seen == [None]


async def test_a_common_prefix_that_comes_again_is_passed_over() -> None:
    """AWS starts a page behind the key, Ceph behind the common prefix: ask so that both do the same."""
    seen = []

    async def answer(request: web.Request) -> web.Response:
        seen.append(request.query.get("start-after"))
        body = "<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>"
        return web.Response(text=body, content_type="application/xml")

    async with serving(answer) as store:
        await store.list("bucket", "a/", delimiter="/", start_after="a/b/")
        await store.list("bucket", "a/", delimiter="/", start_after="a/b")
        await store.list("bucket", "a/", start_after="a/b/")
        await store.list("bucket", "a/", delimiter="/", start_after="A")
    assert seen == ["a/b/\U0010ffff", "a/b", "a/b/", None]


@pytest.mark.parametrize(
    "options",
    [
        S3Options(endpoint="no url", access_key_id="a", secret_access_key="b"),
        S3Options(endpoint="http://127.0.0.1:9", ca_bundle=Path("/nowhere/ca.pem")),
        S3Options(endpoint="http://127.0.0.1:9", credentials_dir=Path("/nowhere")),
        S3Options(endpoint="http://127.0.0.1:9", access_key_id="only"),
    ],
    ids=["endpoint", "ca", "credentials", "half-a-key"],
)
async def test_options_that_cannot_work_are_refused(options: S3Options) -> None:
    with pytest.raises(StoreRefused):
        await S3Store(options).start()


async def test_no_credentials_at_all(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    store = S3Store(S3Options(endpoint="http://127.0.0.1:9"))
    await store.start()
    with pytest.raises(StoreRefused, match="credentials"):
        await store.get("bucket", "k")
    await store.close()
