"""A store that is waited for: what can be repeated is repeated, for as long as a request may wait.

Conditional writes are not: whoever gave the condition must find out first what became of them.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from hsds.errors import BucketNotFound, StoreError, StoreRefused, StoreUnavailable
from hsds.store.base import Blob, Buffer, ObjectInfo, Page, Store
from hsds.store.health import StoreHealth

T = TypeVar("T")

_PAUSE, _LONGEST_PAUSE = 0.1, 2.0
"""Seconds, at most, before the second attempt, and before any."""


class PatientStore(Store):
    """The store ``inner``, asked again for ``patience`` seconds while it does not answer.

    ``bucket`` is the one whose absence is a failure of the store, not of a request.
    """

    def __init__(self, inner: Store, *, patience: float, bucket: str, health: StoreHealth) -> None:
        self.name = inner.name
        self.conditional_delete = inner.conditional_delete
        self._inner = inner
        self._patience = patience
        self._bucket = bucket
        self._health = health

    def __repr__(self) -> str:
        return repr(self._inner)

    async def start(self) -> None:
        await self._inner.start()

    async def close(self) -> None:
        await self._inner.close()

    async def create_bucket(self, bucket: str) -> None:
        await self._inner.create_bucket(bucket)

    async def get(
        self,
        bucket: str,
        key: str,
        *,
        start: int = 0,
        length: int | None = None,
        if_none_match: str | None = None,
    ) -> Blob:
        return await self._patiently(
            bucket,
            lambda: self._inner.get(bucket, key, start=start, length=length, if_none_match=if_none_match),
        )

    async def get_many(self, bucket: str, keys: Sequence[str]) -> Sequence[Blob | None]:
        return await self._patiently(bucket, lambda: self._inner.get_many(bucket, keys))

    async def put(
        self,
        bucket: str,
        key: str,
        data: Buffer,
        *,
        if_match: str | None = None,
        if_none_match: bool = False,
    ) -> str:
        def put() -> Awaitable[str]:
            return self._inner.put(bucket, key, data, if_match=if_match, if_none_match=if_none_match)

        conditional = if_none_match or if_match is not None
        return await (self._once(bucket, put) if conditional else self._patiently(bucket, put))

    async def delete(self, bucket: str, key: str, *, if_match: str | None = None) -> None:
        def delete() -> Awaitable[None]:
            return self._inner.delete(bucket, key, if_match=if_match)

        await (self._patiently(bucket, delete) if if_match is None else self._once(bucket, delete))

    async def delete_all(self, bucket: str, prefix: str, *, keep: str = "") -> int:
        return await self._patiently(bucket, lambda: self._inner.delete_all(bucket, prefix, keep=keep))

    async def head(self, bucket: str, key: str) -> ObjectInfo:
        return await self._patiently(bucket, lambda: self._inner.head(bucket, key))

    async def list(
        self,
        bucket: str,
        prefix: str = "",
        *,
        delimiter: str = "",
        start_after: str = "",
        limit: int = 1000,
    ) -> Page:
        return await self._patiently(
            bucket,
            lambda: self._inner.list(
                bucket, prefix, delimiter=delimiter, start_after=start_after, limit=limit
            ),
        )

    async def _patiently(self, bucket: str, call: Callable[[], Awaitable[T]]) -> T:
        until: float | None = None
        count = 0
        while True:
            try:
                return await self._once(bucket, call)
            except StoreUnavailable:
                now = asyncio.get_running_loop().time()
                until = now + self._patience if until is None else until
                if now >= until:
                    raise
            await asyncio.sleep(random.uniform(0, min(_LONGEST_PAUSE, _PAUSE * 2 ** min(count, 10))))
            count += 1

    async def _once(self, bucket: str, call: Callable[[], Awaitable[T]]) -> T:
        try:
            result = await call()
        except (StoreUnavailable, StoreRefused) as error:
            self._health.failed(error)
            raise
        except BucketNotFound as error:
            if bucket == self._bucket:
                self._health.failed(error)
            raise
        except StoreError:
            self._health.succeeded()
            raise
        self._health.succeeded()
        return result
