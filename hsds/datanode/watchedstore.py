"""The store as committers see it: whatever they change under a root is announced to ``Scans``."""

from __future__ import annotations

from collections.abc import Sequence

from hsds.datanode.scans import Scans
from hsds.store.base import Blob, Buffer, ObjectInfo, Page, Store


class WatchedStore(Store):
    """The store ``inner``, whose puts and deletes go through ``Scans.changing``."""

    def __init__(self, inner: Store, scans: Scans) -> None:
        self.name = inner.name
        self.conditional_delete = inner.conditional_delete
        self._inner = inner
        self._scans = scans

    def __repr__(self) -> str:
        return repr(self._inner)

    async def put(
        self,
        bucket: str,
        key: str,
        data: Buffer,
        *,
        if_match: str | None = None,
        if_none_match: bool = False,
    ) -> str:
        async with self._scans.changing((bucket, key)):
            return await self._inner.put(bucket, key, data, if_match=if_match, if_none_match=if_none_match)

    async def delete(self, bucket: str, key: str, *, if_match: str | None = None) -> None:
        async with self._scans.changing((bucket, key)):
            await self._inner.delete(bucket, key, if_match=if_match)

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
        return await self._inner.get(bucket, key, start=start, length=length, if_none_match=if_none_match)

    async def get_many(self, bucket: str, keys: Sequence[str]) -> Sequence[Blob | None]:
        return await self._inner.get_many(bucket, keys)

    async def head(self, bucket: str, key: str) -> ObjectInfo:
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
        return await self._inner.list(
            bucket, prefix, delimiter=delimiter, start_after=start_after, limit=limit
        )
