"""Objects in S3, or a server that speaks its protocol and honours conditions on PUT.

Reads are repeated with jittered pauses. A PUT is sent once: an answer that does not come leaves its effect
unknown, and only the caller, who knows what it meant to write, can find out.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from io import BytesIO
from typing import Any, TypeVar

from hsds.errors import KeyNotFound, NotModified, PreconditionFailed, StoreRefused, StoreUnavailable
from hsds.store.base import Blob, Buffer, ObjectInfo, Page, Store
from hsds.store.names import check_bucket, check_delimiter, check_key, check_prefix, label
from hsds.store.s3_client import S3Options, open_client
from hsds.store.s3_errors import RangeError, map_exceptions

T = TypeVar("T")

_PAUSE, _LONGEST_PAUSE = 0.05, 2.0
"""Seconds, at most, before the second attempt of a read, and before any attempt."""

_LARGE = 1024**2
"""Bytes from which on aiohttp warns of bodies in one piece."""

_LAST = "\U0010ffff"
"""Sorts after everything else that can follow a common prefix."""


class S3Store(Store):
    """A store over one S3 endpoint. Even requests name ETags without quotes: Ceph 16 refuses quoted ones."""

    name = "s3"
    conditional_delete = False  # AWS has it for some buckets only, Ceph 16 ignores the condition

    def __init__(self, options: S3Options) -> None:
        self._options = options
        self._stack = AsyncExitStack()

    def __repr__(self) -> str:
        return f"<S3Store {self._options.endpoint or 'AWS'} {self._options.region}>"

    async def start(self) -> None:
        self._client = await self._stack.enter_async_context(open_client(self._options))

    async def close(self) -> None:
        await self._stack.aclose()

    async def create_bucket(self, bucket: str) -> None:
        check_bucket(bucket)
        region = self._options.region
        where = {} if region == "us-east-1" else {"LocationConstraint": region}
        options = {"CreateBucketConfiguration": where} if where else {}
        try:
            with map_exceptions(bucket):
                await self._client.create_bucket(Bucket=bucket, **options)
        except PreconditionFailed:  # 409: it exists, and is ours if we may look
            with map_exceptions(bucket):
                await self._client.head_bucket(Bucket=bucket)

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
        options = {}
        if if_none_match is not None:
            options["IfNoneMatch"] = if_none_match
        if start or length is not None:
            options["Range"] = f"bytes={start}-{'' if length is None else start + length - 1}"

        async def attempt() -> Blob:
            with map_exceptions(bucket, key):
                response = await self._client.get_object(Bucket=bucket, Key=key, **options)
                async with response["Body"] as body:
                    return Blob(await body.read(), _etag(response))

        try:
            return await self._read(attempt)
        except RangeError:
            return await self._empty_range(bucket, key, if_none_match)

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
        options: dict[str, Any] = {"Body": _body(data)}
        if if_match is not None:
            options["IfMatch"] = if_match
        if if_none_match:
            options["IfNoneMatch"] = "*"
        try:
            with map_exceptions(bucket, key):
                return _etag(await self._client.put_object(Bucket=bucket, Key=key, **options))
        except KeyNotFound as error:  # AWS's answer where the object of If-Match is missing; Ceph's is 412
            raise PreconditionFailed(str(error)) from error

    async def delete(self, bucket: str, key: str, *, if_match: str | None = None) -> None:
        check_bucket(bucket)
        check_key(key)
        if if_match is not None:
            raise StoreRefused("the s3 store has no conditional delete")

        async def attempt() -> None:
            with map_exceptions(bucket, key):
                await self._client.delete_object(Bucket=bucket, Key=key)

        await self._read(attempt)  # without a condition it can be repeated like a read

    async def head(self, bucket: str, key: str) -> ObjectInfo:
        check_bucket(bucket)
        check_key(key)

        async def attempt() -> ObjectInfo:
            with map_exceptions(bucket, key):
                found = await self._client.head_object(Bucket=bucket, Key=key)
            return ObjectInfo(key, found["ContentLength"], _etag(found), found["LastModified"].timestamp())

        try:
            return await self._read(attempt)
        except KeyNotFound:  # a 404 without a body does not say of what
            await self._check_bucket_exists(bucket)
            raise

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
        options = {"Prefix": prefix, "Delimiter": delimiter, "MaxKeys": min(limit, 1000)}
        if start_after.startswith(prefix):
            options["StartAfter"] = _behind(start_after, prefix, delimiter)
        elif start_after > prefix:
            await self._check_bucket_exists(bucket)
            return Page((), (), None)

        async def attempt() -> dict[str, Any]:
            with map_exceptions(bucket):
                found: dict[str, Any] = await self._client.list_objects_v2(Bucket=bucket, **options)
                return found

        found = await self._read(attempt)
        objects = tuple(_info(entry) for entry in found.get("Contents", ()))
        prefixes = tuple(entry["Prefix"] for entry in found.get("CommonPrefixes", ()))
        last = max((*(info.key for info in objects[-1:]), *prefixes[-1:]), default=None)
        return Page(objects, prefixes, last if found["IsTruncated"] else None)

    async def _empty_range(self, bucket: str, key: str, if_none_match: str | None) -> Blob:
        """No bytes of an object, which S3 cannot be asked for."""
        info = await self.head(bucket, key)
        if info.etag == if_none_match:
            raise NotModified(f"{label(bucket, key)} is still {info.etag}")
        return Blob(b"", info.etag)

    async def _check_bucket_exists(self, bucket: str) -> None:
        async def attempt() -> None:
            with map_exceptions(bucket):
                await self._client.head_bucket(Bucket=bucket)

        await self._read(attempt)

    async def _read(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """The first answer of a few attempts, with random pauses between that grow on average."""
        for i in range(self._options.attempts - 1):
            try:
                return await attempt()
            except StoreUnavailable:
                await asyncio.sleep(random.uniform(0, min(_LONGEST_PAUSE, _PAUSE * 2**i)))
        return await attempt()


def _behind(start_after: str, prefix: str, delimiter: str) -> str:
    """What to give S3 so that a common prefix which ``start_after`` is, or lies in, does not come again.

    AWS gives it again, since keys in it sort behind it; Ceph does not.
    """
    cut = start_after.find(delimiter, len(prefix)) if delimiter else -1
    return start_after if cut < 0 else start_after[: cut + 1] + _LAST


def _body(data: Buffer) -> bytearray | BytesIO:
    """What costs least to send: botocore makes files of ``bytes``, aiohttp reads files in threads.

    That takes 1 ms off a small PUT. A large body in one piece would hold up the loop.
    """
    return bytearray(data) if len(data) < _LARGE else BytesIO(data)


def _etag(response: dict[str, Any]) -> str:
    return str(response["ETag"]).strip('"')


def _info(entry: dict[str, Any]) -> ObjectInfo:
    return ObjectInfo(entry["Key"], entry["Size"], _etag(entry), entry["LastModified"].timestamp())
