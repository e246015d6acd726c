"""Clocks that differ, keys that are exchanged, content that was damaged, answers that are late."""

from __future__ import annotations

import asyncio
import hashlib
from base64 import b64encode
from dataclasses import replace
from email.utils import formatdate
from pathlib import Path
from time import time
from zlib import crc32

import pytest
from aiohttp import web

from hsds.errors import KeyNotFound, StoreBusy, StoreRefused, StoreUnavailable
from hsds.store.s3 import S3Store
from hsds.store.s3_hedge import Hedge
from tests.store.test_s3_answers import KEYS, error, serving

FOUND = {"ETag": '"e"'}


async def test_the_servers_clock_is_gone_by() -> None:
    """A server two hours ahead, which refuses stamps more than 15 minutes off."""
    seen = []

    async def answer(request: web.Request) -> web.Response:
        stamp = request.headers["X-Amz-Date"]
        seen.append(stamp)
        date = {"Date": formatdate(time() + 7200, usegmt=True)}
        if stamp == seen[0]:
            response = error(403, "RequestTimeTooSkewed")
            response.headers.update(date)
            return response
        return web.Response(body=b"abc", headers=FOUND | date)

    async with serving(answer) as store:
        assert (await store.get("bucket", "k")).data == b"abc"
        assert store._client.clock_offset == pytest.approx(7200, abs=5)
        assert await store.put("bucket", "k", b"x") == "e", "the next request is right at once"
    assert len(seen) == 3


async def test_a_put_declined_for_the_clock_was_not_done() -> None:
    async def answer(request: web.Request) -> web.Response:
        response = error(403, "RequestTimeTooSkewed")
        response.headers["Date"] = formatdate(time() - 7200, usegmt=True)
        return response

    async with serving(answer, replace(KEYS, attempts=1)) as store:
        with pytest.raises(StoreBusy):
            await store.put("bucket", "k", b"x")
        with pytest.raises(StoreRefused):  # by its own clock it refuses us still
            await store.put("bucket", "k", b"x")


async def test_keys_exchanged_while_a_request_was_under_way(tmp_path: Path) -> None:
    """The server takes the new key only; the files change before its refusal arrives."""
    (tmp_path / "aws_access_key_id").write_text("OLD")
    (tmp_path / "aws_secret_access_key").write_text("secret")

    async def answer(request: web.Request) -> web.Response:
        if "OLD" in request.headers["Authorization"]:
            (tmp_path / "aws_access_key_id").write_text("NEWER")
            return error(403, "InvalidAccessKeyId")
        return web.Response(body=b"abc", headers=FOUND)

    options = replace(KEYS, access_key_id=None, secret_access_key=None, credentials_dir=tmp_path)
    async with serving(answer, options) as store:
        assert (await store.get("bucket", "k")).data == b"abc"


async def test_damaged_content_with_a_checksum_is_read_again() -> None:
    seen = []

    async def answer(request: web.Request) -> web.Response:
        assert request.headers["x-amz-checksum-mode"] == "ENABLED"
        seen.append(1)
        sum_ = b64encode(crc32(b"whole").to_bytes(4, "big")).decode()
        return web.Response(
            body=b"whole" if len(seen) == 3 else b"holes", headers=FOUND | {"x-amz-checksum-crc32": sum_}
        )

    async with serving(answer) as store:
        assert (await store.get("bucket", "k")).data == b"whole"


async def test_a_body_cut_by_somebody_who_mends_its_length() -> None:
    """Of a server whose ETags were seen to be MD5."""
    etag = hashlib.md5(b"abcdef").hexdigest()

    async def answer(request: web.Request) -> web.Response:
        body = b"abc" if request.method == "GET" else b""
        return web.Response(body=body, headers={"ETag": f'"{etag}"'})

    async with serving(answer, replace(KEYS, attempts=2)) as store:
        assert (await store.get("bucket", "k")).data == b"abc"  # nothing is known of its ETags yet
        await store.put("bucket", "k", b"abcdef")
        with pytest.raises(StoreUnavailable, match="do not agree"):
            await store.get("bucket", "k")


async def test_etags_that_are_no_md5_verify_nothing() -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(body=b"abc", headers={"ETag": '"' + "0" * 32 + '"'})

    async with serving(answer) as store:
        await store.put("bucket", "k", b"abcdef")
        assert (await store.get("bucket", "k")).data == b"abc"


async def test_a_late_get_is_sent_again() -> None:
    seen = []

    async def answer(request: web.Request) -> web.Response:
        seen.append(1)
        if len(seen) == 1:
            await asyncio.sleep(3)
        return web.Response(body=b"abc", headers=FOUND)

    async with serving(answer, replace(KEYS, read_timeout=5.0)) as store:
        store._hedge._mean = store._hedge._deviation = 0.01
        async with asyncio.timeout(1):
            assert (await store.get("bucket", "k")).data == b"abc"
        assert store._hedge.sent == 1


async def test_hedges_are_few() -> None:
    hedge = Hedge()
    hedge._mean = hedge._deviation = 0.0

    async def slow() -> int:
        await asyncio.sleep(0.15)
        return 1

    assert sum(await asyncio.gather(*(hedge.run(slow) for _ in range(100)))) == 100
    assert hedge.sent <= 10


async def test_a_hedge_takes_the_answer_that_is_one() -> None:
    hedge = Hedge()
    hedge._mean = hedge._deviation = 0.0
    calls = []

    async def attempt() -> str:
        calls.append(1)
        if len(calls) == 1:
            await asyncio.sleep(0.15)
            raise StoreUnavailable("reset")
        await asyncio.sleep(0.2)
        return "fine"

    assert await hedge.run(attempt) == "fine"


async def test_a_bucket_that_vanishes() -> None:
    async def answer(request: web.Request) -> web.Response:
        return error(404, "NoSuchBucket")

    async with serving(answer) as store:
        with pytest.raises(LookupError, match="NoSuchBucket") as caught:
            await store.get("bucket", "k")
        assert not isinstance(caught.value, KeyNotFound), "it is not the key that is missing"


async def test_another_region_is_named() -> None:
    async def answer(request: web.Request) -> web.Response:
        response = error(301, "PermanentRedirect")
        response.headers["x-amz-bucket-region"] = "eu-west-3"
        return response

    async with serving(answer) as store:
        with pytest.raises(StoreRefused, match="eu-west-3"):
            await store.get("bucket", "k")


@pytest.mark.parametrize(
    ("bucket", "host", "path"),
    [
        ("abc", "abc.s3.eu-west-1.amazonaws.com", "/a%20key"),
        ("a.b", "s3.eu-west-1.amazonaws.com", "/a.b/a%20key"),
        ("ABC", "s3.eu-west-1.amazonaws.com", "/ABC/a%20key"),
    ],
)
async def test_addresses_at_aws(bucket: str, host: str, path: str) -> None:
    store = S3Store(replace(KEYS, region="eu-west-1"))
    await store.start()
    assert store._client._address(bucket, "a key") == (host, path)
    assert not store._client._signs_bodies
    await store.close()
