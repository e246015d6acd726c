"""The contract of an object store. Every store passes ``tests/store/conformance.py``.

Keys are relative to a bucket and use ``/`` as separator. ETags are opaque text without quotes; equal ETags
of one key mean equal bytes. All sizes are bytes, all times are seconds since the epoch.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from hsds.errors import KeyNotFound

_DELETES_AT_ONCE = 32

Buffer = bytes | bytearray | memoryview
"""What a store takes as the content of an object: anything contiguous, one byte an item."""


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """What a store says of an object without its content."""

    key: str
    size: int
    etag: str
    last_modified: float


@dataclass(frozen=True, slots=True)
class Blob:
    """An object as it was read: its bytes (or the asked range of them) and the ETag of the whole."""

    data: Buffer
    etag: str


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a listing, in ascending byte order of keys.

    ``prefixes`` are the common prefixes up to and including the delimiter. ``next`` is what to pass as
    ``start_after`` for the following page, or None at the end.
    """

    objects: tuple[ObjectInfo, ...]
    prefixes: tuple[str, ...]
    next: str | None


class Store(ABC):
    """An object store: buckets of keys, each object replaced whole and atomically.

    Errors common to all methods: ``BucketNotFound``; ``InvalidKey`` for keys that the store cannot hold;
    ``StoreUnavailable`` when it does not answer (the effect of a write is then unknown);
    ``StoreRefused`` when it will not.
    """

    name: str
    """The kind of store, as metrics and messages call it."""
    conditional_delete: bool
    """Whether ``delete`` honours ``if_match``. Where not, a delete is a conditional PUT of a tombstone."""

    async def start(self) -> None:  # noqa: B027 - a store without connections has nothing to open
        """Open connections. Called once, in the loop that will use the store."""

    async def close(self) -> None:  # noqa: B027 - as above
        """Close connections; the store is not used afterwards."""

    @abstractmethod
    async def create_bucket(self, bucket: str) -> None:
        """Make a bucket. One that exists is no error. Nothing else makes buckets."""

    @abstractmethod
    async def get(
        self,
        bucket: str,
        key: str,
        *,
        start: int = 0,
        length: int | None = None,
        if_none_match: str | None = None,
    ) -> Blob:
        """Read an object, or ``length`` bytes of it from ``start`` on (fewer where it ends earlier).

        Raises ``KeyNotFound``, and ``NotModified`` when ``if_none_match`` is the object's ETag.
        """

    @abstractmethod
    async def put(
        self,
        bucket: str,
        key: str,
        data: Buffer,
        *,
        if_match: str | None = None,
        if_none_match: bool = False,
    ) -> str:
        """Replace an object whole and return its new ETag.

        With ``if_match`` only if the object has that ETag, with ``if_none_match`` only if there is none;
        otherwise ``PreconditionFailed`` (also where ``if_match`` meets a missing key). When this returns, a
        later ``get`` by anyone sees the new bytes, and a killed process does not lose them.
        """

    @abstractmethod
    async def delete(self, bucket: str, key: str, *, if_match: str | None = None) -> None:
        """Remove an object. A missing one is no error, unless ``if_match`` is given: ``PreconditionFailed``.

        ``if_match`` may be given only to stores with ``conditional_delete``.
        """

    async def delete_all(self, bucket: str, prefix: str, *, keep: str = "") -> int:
        """Remove objects below ``prefix`` unconditionally, whoever changes them meanwhile, but not ``keep``.

        Removes one page of them and returns how many: to be called until there are none. Stores override
        this where one trip, or one thread, can do it.
        """
        page = await self.list(bucket, prefix)
        doomed = [info.key for info in page.objects if info.key != keep]
        for i in range(0, len(doomed), _DELETES_AT_ONCE):
            batch = doomed[i : i + _DELETES_AT_ONCE]
            await asyncio.gather(*(self.delete(bucket, key) for key in batch))
        return len(doomed)

    @abstractmethod
    async def head(self, bucket: str, key: str) -> ObjectInfo:
        """What is known of an object. Raises ``KeyNotFound``."""

    @abstractmethod
    async def list(
        self,
        bucket: str,
        prefix: str = "",
        *,
        delimiter: str = "",
        start_after: str = "",
        limit: int = 1000,
    ) -> Page:
        """At most ``limit`` keys and common prefixes that begin with ``prefix``, those after ``start_after``.

        With ``delimiter`` (only ``/`` is used) keys that hold it after the prefix are rolled up into
        ``prefixes``. ``start_after`` may itself be a common prefix: the next page starts behind all of it.
        A store may give fewer than ``limit`` before the end (S3: 1,000 at most); ``next`` tells.
        """

    async def get_many(self, bucket: str, keys: Sequence[str]) -> Sequence[Blob | None]:
        """Read several whole objects at once; None where there is none.

        Stores override this where one trip, or one thread, can serve them all.
        """

        async def one(key: str) -> Blob | None:
            try:
                return await self.get(bucket, key)
            except KeyNotFound:
                return None

        return await asyncio.gather(*(one(key) for key in keys))

    async def list_all(self, bucket: str, prefix: str = "") -> AsyncIterator[ObjectInfo]:
        """Every object below ``prefix``, page by page."""
        start_after = ""
        while True:
            page = await self.list(bucket, prefix, start_after=start_after)
            for info in page.objects:
                yield info
            if page.next is None:
                return
            start_after = page.next
