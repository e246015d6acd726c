"""The store as committers see it: whatever they change under a root is announced to ``Scans``, and nothing
comes to lie under what has been deleted, where no sweep would look again.
"""

from __future__ import annotations

from collections.abc import Sequence

from hsds.datanode.memory import RecentMemory
from hsds.datanode.scans import Scans
from hsds.errors import Deleted
from hsds.hdf5.ids import root_of
from hsds.hdf5.keys import parse_key
from hsds.store.base import Blob, Buffer, ObjectInfo, Page, Store


class WatchedStore(Store):
    """The store ``inner``, whose puts and deletes are told to ``Scans``.

    A put raises ``Deleted`` for a chunk of a dataset, or anything of a root, that ``deleted`` knows of:
    bucket and id. Roots and datasets themselves may be made again.
    """

    def __init__(self, inner: Store, scans: Scans, deleted: RecentMemory) -> None:
        self.name = inner.name
        self.conditional_delete = inner.conditional_delete
        self._inner = inner
        self._scans = scans
        self._deleted = deleted

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
        begun = await self._scans.begin((bucket, key))
        try:
            if len(data):
                self._refuse_under_deleted(bucket, key)
            return await self._inner.put(bucket, key, data, if_match=if_match, if_none_match=if_none_match)
        finally:
            self._scans.end(begun)

    async def delete(self, bucket: str, key: str, *, if_match: str | None = None) -> None:
        begun = await self._scans.begin((bucket, key))
        try:
            await self._inner.delete(bucket, key, if_match=if_match)
        finally:
            self._scans.end(begun)

    def _refuse_under_deleted(self, bucket: str, key: str) -> None:
        parsed = parse_key(key) if key.startswith("db/") else None
        if parsed is None:
            return
        if parsed.kind == "chunk" and (bucket, parsed.id) in self._deleted:
            raise Deleted(f"{parsed.id} has been deleted")
        root = root_of(parsed.id)
        if parsed.id != root and (bucket, root) in self._deleted:
            raise Deleted(f"{root} has been deleted, with all its objects")

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
