"""Objects in a dictionary: for tests and the simulation. Nothing survives the process.

The store itself never waits and never fails; a simulation wraps it to add both.
"""

from __future__ import annotations

import itertools
import time
from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from hashlib import md5

from hsds.errors import BucketNotFound, KeyNotFound, NotModified, PreconditionFailed
from hsds.store.base import Blob, Buffer, ObjectInfo, Page, Store
from hsds.store.names import check_bucket, check_delimiter, check_key, check_prefix, label


@dataclass(frozen=True, slots=True)
class _Object:
    data: bytes
    etag: str
    last_modified: float


class _Bucket:
    """Objects by key, and the keys in order. Code points order as their UTF-8 bytes do."""

    def __init__(self) -> None:
        self.objects: dict[str, _Object] = {}
        self.keys: list[str] = []

    def __setitem__(self, key: str, value: _Object) -> None:
        if key not in self.objects:
            insort(self.keys, key)
        self.objects[key] = value

    def pop(self, key: str) -> None:
        if self.objects.pop(key, None) is not None:
            del self.keys[bisect_left(self.keys, key)]


class MemoryStore(Store):
    """A store for tests. ``buckets`` exist from the start.

    With ``content_etags`` equal bytes have equal ETags, as in S3: the harder case for whoever relies on
    conditions. Without it an ETag never repeats, as in the POSIX store. ``clock`` gives ``last_modified``.
    """

    name = "memory"
    conditional_delete = True

    def __init__(
        self,
        buckets: Iterable[str] = ("hsdstest",),
        *,
        content_etags: bool = True,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._buckets = {bucket: _Bucket() for bucket in buckets}
        self._content_etags = content_etags
        self._serial = itertools.count(1)
        self._clock = clock

    def __repr__(self) -> str:
        counts = {name: len(bucket.keys) for name, bucket in self._buckets.items()}
        return f"<MemoryStore objects by bucket: {counts}>"

    async def create_bucket(self, bucket: str) -> None:
        check_bucket(bucket)
        self._buckets.setdefault(bucket, _Bucket())

    async def get(
        self,
        bucket: str,
        key: str,
        *,
        start: int = 0,
        length: int | None = None,
        if_none_match: str | None = None,
    ) -> Blob:
        found = self._find(bucket, key)
        if found.etag == if_none_match:
            raise NotModified(f"{label(bucket, key)} is still {found.etag}")
        stop = None if length is None else start + length
        return Blob(found.data[start:stop], found.etag)

    async def put(
        self,
        bucket: str,
        key: str,
        data: Buffer,
        *,
        if_match: str | None = None,
        if_none_match: bool = False,
    ) -> str:
        content = bytes(data)
        objects = self._bucket(bucket)
        check_key(key)
        held = objects.objects.get(key)
        _check_match(bucket, key, held, if_match)
        if if_none_match and held is not None:
            raise PreconditionFailed(f"{label(bucket, key)} exists")
        digest = md5(content, usedforsecurity=False).hexdigest()
        etag = digest if self._content_etags else f"{next(self._serial):x}"
        objects[key] = _Object(content, etag, self._clock())
        return etag

    async def delete(self, bucket: str, key: str, *, if_match: str | None = None) -> None:
        objects = self._bucket(bucket)
        check_key(key)
        _check_match(bucket, key, objects.objects.get(key), if_match)
        objects.pop(key)

    async def head(self, bucket: str, key: str) -> ObjectInfo:
        return _info(key, self._find(bucket, key))

    async def list(
        self,
        bucket: str,
        prefix: str = "",
        *,
        delimiter: str = "",
        start_after: str = "",
        limit: int = 1000,
    ) -> Page:
        held = self._bucket(bucket)
        check_prefix(prefix)
        check_delimiter(delimiter)
        objects: list[ObjectInfo] = []
        prefixes: list[str] = []
        item = start_after
        at = max(bisect_left(held.keys, prefix), bisect_right(held.keys, start_after))
        while at < len(held.keys) and (key := held.keys[at]).startswith(prefix):
            cut = key.find(delimiter, len(prefix)) if delimiter else -1
            candidate = key if cut < 0 else key[: cut + 1]
            skip = candidate <= start_after  # a common prefix of keys that are themselves behind start_after
            if not skip and len(objects) + len(prefixes) == limit:
                return Page(tuple(objects), tuple(prefixes), item)
            if cut < 0:
                objects.append(_info(key, held.objects[key]))
                at += 1
            else:
                if not skip:
                    prefixes.append(candidate)
                at = bisect_left(held.keys, key[:cut] + chr(ord(delimiter) + 1), at)
            item = item if skip else candidate
        return Page(tuple(objects), tuple(prefixes), None)

    def _bucket(self, bucket: str) -> _Bucket:
        check_bucket(bucket)
        try:
            return self._buckets[bucket]
        except KeyError:
            raise BucketNotFound(f"bucket {bucket} does not exist") from None

    def _find(self, bucket: str, key: str) -> _Object:
        objects = self._bucket(bucket).objects
        check_key(key)
        try:
            return objects[key]
        except KeyError:
            raise KeyNotFound(f"{label(bucket, key)} does not exist") from None


def _check_match(bucket: str, key: str, held: _Object | None, if_match: str | None) -> None:
    if if_match is not None and (held is None or held.etag != if_match):
        raise PreconditionFailed(
            f"{label(bucket, key)} is {held.etag if held else 'missing'}, not {if_match}"
        )


def _info(key: str, held: _Object) -> ObjectInfo:
    return ObjectInfo(key, len(held.data), held.etag, held.last_modified)
