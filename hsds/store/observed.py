"""A store that tells how its calls went: the one place that metrics of the object store come from."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager

from hsds.errors import StoreError
from hsds.store.base import Blob, Buffer, ObjectInfo, Page, Store

Observe = Callable[[str, float, str, int], None]
"""Told of each call: its kind (``get``, ``put``, ...), seconds, status and bytes of content moved.

Status is ``ok``, the name of the store's error (``KeyNotFound``, ``PreconditionFailed``, ...), or ``aborted``
for a call that was cancelled. A ``list_all`` lasts as long as its reader takes.
"""


class _Call:
    """A call under way."""

    nbytes = 0


class ObservedStore(Store):
    """The store ``inner``, with ``observe`` told of each call. A whole ``list_all`` counts as one call."""

    def __init__(self, inner: Store, observe: Observe) -> None:
        self.name = inner.name
        self.conditional_delete = inner.conditional_delete
        self._inner = inner
        self._observe = observe

    def __repr__(self) -> str:
        return repr(self._inner)

    async def start(self) -> None:
        await self._inner.start()

    async def close(self) -> None:
        await self._inner.close()

    async def create_bucket(self, bucket: str) -> None:
        with self._watch("create_bucket"):
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
        with self._watch("get") as call:
            blob = await self._inner.get(bucket, key, start=start, length=length, if_none_match=if_none_match)
            call.nbytes = len(blob.data)
            return blob

    async def get_many(self, bucket: str, keys: Sequence[str]) -> Sequence[Blob | None]:
        if type(self._inner).get_many is Store.get_many:
            return await super().get_many(bucket, keys)  # a call each: observe them one by one
        with self._watch("get_many") as call:
            blobs = await self._inner.get_many(bucket, keys)
            call.nbytes = sum(len(blob.data) for blob in blobs if blob is not None)
            return blobs

    async def put(
        self,
        bucket: str,
        key: str,
        data: Buffer,
        *,
        if_match: str | None = None,
        if_none_match: bool = False,
    ) -> str:
        with self._watch("put") as call:
            call.nbytes = len(data)
            return await self._inner.put(bucket, key, data, if_match=if_match, if_none_match=if_none_match)

    async def delete(self, bucket: str, key: str, *, if_match: str | None = None) -> None:
        with self._watch("delete"):
            await self._inner.delete(bucket, key, if_match=if_match)

    async def delete_all(self, bucket: str, prefix: str, *, keep: str = "") -> int:
        if type(self._inner).delete_all is Store.delete_all:
            return await super().delete_all(bucket, prefix, keep=keep)
        with self._watch("delete_all"):
            return await self._inner.delete_all(bucket, prefix, keep=keep)

    async def head(self, bucket: str, key: str) -> ObjectInfo:
        with self._watch("head"):
            return await self._inner.head(bucket, key)

    async def list(
        self,
        bucket: str,
        prefix: str = "",
        *,
        delimiter: str = "",
        start_after: str = "",
        limit: int = 1000,
    ) -> Page:
        with self._watch("list"):
            return await self._inner.list(
                bucket, prefix, delimiter=delimiter, start_after=start_after, limit=limit
            )

    async def list_all(self, bucket: str, prefix: str = "") -> AsyncIterator[ObjectInfo]:
        with self._watch("list_all"):
            async for info in self._inner.list_all(bucket, prefix):
                yield info

    @contextmanager
    def _watch(self, kind: str) -> Iterator[_Call]:
        began = time.perf_counter()
        call = _Call()
        status = "aborted"
        try:
            yield call
            status = "ok"
        except StoreError as error:
            status = type(error).__name__
            raise
        finally:
            self._observe(kind, time.perf_counter() - began, status, call.nbytes)
