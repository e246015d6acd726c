"""Objects in S3, or a server that speaks its protocol and honours conditions on PUT.

Reads are repeated with jittered pauses. A PUT is sent once: an answer that does not come leaves its effect
unknown, and only the caller, who knows what it meant to write, can find out.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from email.utils import parsedate_to_datetime
from typing import TypeVar

from hsds.errors import (
    KeyNotFound,
    NotModified,
    PreconditionFailed,
    StoreBusy,
    StoreRefused,
    StoreUnavailable,
)
from hsds.store.base import Blob, Buffer, ObjectInfo, Page, Store
from hsds.store.names import check_bucket, check_delimiter, check_key, check_prefix, label
from hsds.store.s3_checksum import Checksums
from hsds.store.s3_client import Answer, S3Client, S3Options
from hsds.store.s3_errors import KEY_CODES, SKEWED, RangeError, code_of, error_of, map_failures
from hsds.store.s3_hedge import Hedge
from hsds.store.s3_listing import behind, parse_page

T = TypeVar("T")

_PAUSE, _LONGEST_PAUSE = 0.05, 2.0
"""Seconds, at most, before the second attempt of a read, and before any attempt."""
_SKEW = 1.0
"""Seconds that clocks differ before that explains a refusal."""


class S3Store(Store):
    """A store over one S3 endpoint. Even requests name ETags without quotes: Ceph 16 refuses quoted ones."""

    name = "s3"
    conditional_delete = False  # AWS has it for some buckets only, Ceph 16 ignores the condition

    def __init__(self, options: S3Options) -> None:
        self._options = options
        self._client = S3Client(options)
        self._hedge = Hedge()
        self._checksums = Checksums(sends=options.endpoint is None)

    def __repr__(self) -> str:
        return f"<S3Store {self._options.endpoint or 'AWS'} {self._options.region}>"

    async def start(self) -> None:
        await self._client.start()

    async def close(self) -> None:
        await self._client.close()

    async def create_bucket(self, bucket: str) -> None:
        check_bucket(bucket)
        region = self._options.region
        body = b""
        if region != "us-east-1":
            body = (
                f"<CreateBucketConfiguration><LocationConstraint>{region}</LocationConstraint>"
                "</CreateBucketConfiguration>"
            ).encode()
        try:
            await self._send("PUT", bucket, body=body)
        except PreconditionFailed:  # 409: it exists, and is ours if we may look
            await self._send("HEAD", bucket)

    async def delete_bucket(self, bucket: str) -> None:
        """Remove an empty bucket. Not part of what a store promises; for tests."""
        check_bucket(bucket)
        await self._send("DELETE", bucket)

    async def get(
        self,
        bucket: str,
        key: str,
        *,
        start: int = 0,
        length: int | None = None,
        if_none_match: str | None = None,
    ) -> Blob:
        check_bucket(bucket)
        check_key(key)
        if length == 0:
            return await self._empty_range(bucket, key, if_none_match)
        headers = {}
        if if_none_match is not None:
            headers["If-None-Match"] = if_none_match
        ranged = bool(start or length is not None)
        if ranged:
            headers["Range"] = f"bytes={start}-{'' if length is None else start + length - 1}"
        else:
            headers |= self._checksums.ask

        async def once() -> Answer:
            answer = await self._send("GET", bucket, key, headers=headers)
            if not ranged:
                self._checksums.verify(answer.body, answer.headers, label(bucket, key))
            return answer

        async def attempt() -> Answer:
            return await self._hedge.run(once) if self._options.hedge else await once()

        try:
            answer = await self._read(attempt)
        except RangeError:
            return await self._empty_range(bucket, key, if_none_match)
        return Blob(answer.body, _etag(answer.headers))

    async def put(
        self,
        bucket: str,
        key: str,
        data: Buffer,
        *,
        if_match: str | None = None,
        if_none_match: bool = False,
    ) -> str:
        check_bucket(bucket)
        check_key(key)
        headers = self._checksums.of(data)
        if if_match is not None:
            headers["If-Match"] = if_match
        if if_none_match:
            headers["If-None-Match"] = "*"
        try:
            answer = await self._send("PUT", bucket, key, headers=headers, body=data)
        except KeyNotFound as error:  # AWS's answer where the object of If-Match is missing; Ceph's is 412
            raise PreconditionFailed(str(error)) from error
        etag = _etag(answer.headers)
        self._checksums.learn(data, etag)
        return etag

    async def delete(self, bucket: str, key: str, *, if_match: str | None = None) -> None:
        check_bucket(bucket)
        check_key(key)
        if if_match is not None:
            raise StoreRefused("the s3 store has no conditional delete")
        # without a condition it can be repeated like a read
        await self._read(lambda: self._send("DELETE", bucket, key))

    async def head(self, bucket: str, key: str) -> ObjectInfo:
        check_bucket(bucket)
        check_key(key)
        try:
            answer = await self._read(lambda: self._send("HEAD", bucket, key))
        except KeyNotFound:  # a 404 without a body does not say of what
            await self._check_bucket_exists(bucket)
            raise
        return _info(key, answer.headers)

    async def list(
        self,
        bucket: str,
        prefix: str = "",
        *,
        delimiter: str = "",
        start_after: str = "",
        limit: int = 1000,
    ) -> Page:
        check_bucket(bucket)
        check_prefix(prefix)
        check_delimiter(delimiter)
        query = {"list-type": "2", "max-keys": str(min(limit, 1000)), "encoding-type": "url"}
        if prefix:
            query["prefix"] = prefix
        if delimiter:
            query["delimiter"] = delimiter
        if start_after and start_after.startswith(prefix):
            query["start-after"] = behind(start_after, prefix, delimiter)
        elif start_after > prefix:
            await self._check_bucket_exists(bucket)
            return Page((), (), None)

        async def attempt() -> Page:
            return parse_page((await self._send("GET", bucket, query=query)).body)

        return await self._read(attempt)

    async def _empty_range(self, bucket: str, key: str, if_none_match: str | None) -> Blob:
        """No bytes of an object, which S3 cannot be asked for."""
        info = await self.head(bucket, key)
        if info.etag == if_none_match:
            raise NotModified(f"{label(bucket, key)} is still {info.etag}")
        return Blob(b"", info.etag)

    async def _check_bucket_exists(self, bucket: str) -> None:
        await self._read(lambda: self._send("HEAD", bucket))

    async def _send(
        self,
        method: str,
        bucket: str,
        key: str = "",
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        body: Buffer = b"",
    ) -> Answer:
        """One request, sent once; raises the error of an answer that is none of success."""
        with map_failures(bucket, key):
            answer = await self._client.send(method, bucket, key, query=query, headers=headers, body=body)
        if answer.status < 300:
            return answer
        code = code_of(answer.body)
        error = error_of(answer.status, code, answer.headers, bucket, key)
        if await self._may_do_better(answer, code):
            raise StoreBusy(str(error))
        raise error

    async def _may_do_better(self, answer: Answer, code: str) -> bool:
        """Whether the answer's reason lay with us, and is gone: another clock, other keys."""
        if code == SKEWED:
            return self._client.set_clock(answer.headers.get("Date"), tolerance=_SKEW)
        if code in KEY_CODES or answer.status == 403:
            return await self._client.frozen_keys() != answer.keys
        return False

    async def _read(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """The first answer of a few attempts, with random pauses between that grow on average."""
        for i in range(self._options.attempts - 1):
            try:
                return await attempt()
            except StoreUnavailable:
                await asyncio.sleep(random.uniform(0, min(_LONGEST_PAUSE, _PAUSE * 2**i)))
        return await attempt()


def _etag(headers: Mapping[str, str]) -> str:
    try:
        return headers["ETag"].strip('"')
    except KeyError:
        raise StoreUnavailable("an answer without an ETag is not S3's") from None


def _info(key: str, headers: Mapping[str, str]) -> ObjectInfo:
    etag = _etag(headers)
    try:
        modified = parsedate_to_datetime(headers["Last-Modified"]).timestamp()
        return ObjectInfo(key, int(headers["Content-Length"]), etag, modified)
    except (KeyError, ValueError):
        raise StoreUnavailable("an answer without the size and the time of an object is not S3's") from None
