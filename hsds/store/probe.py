"""Whether a store keeps its word on conditions: tried at start, because some servers silently ignore them."""

from __future__ import annotations

import uuid
from contextlib import suppress
from dataclasses import dataclass

from hsds.errors import NotModified, PreconditionFailed, StoreError
from hsds.store.base import Store

PREFIX = ".hsds/probe/"
"""Where in a bucket the trial object is; it is deleted again."""


@dataclass(frozen=True, slots=True)
class Conditions:
    """What a store was seen to honour."""

    if_match: bool
    """PUT with ``If-Match`` fails on another ETag and on a missing key."""
    if_none_match: bool
    """PUT with ``If-None-Match: *`` fails on a key that exists."""
    not_modified: bool
    """GET with ``If-None-Match`` answers 304. Where not, reads merely cost more."""

    @property
    def safe(self) -> bool:
        """Whether several data nodes, or processes, can share the store."""
        return self.if_match and self.if_none_match

    def ignored(self) -> str:
        """What is ignored, for the message that names the store; empty where nothing is."""
        checks = {
            "If-Match on PUT": self.if_match,
            "If-None-Match on PUT": self.if_none_match,
            "If-None-Match on GET": self.not_modified,
        }
        return ", ".join(name for name, honoured in checks.items() if not honoured)


async def probe(store: Store, bucket: str) -> Conditions:
    """Try the conditions on an object of ``bucket``. Raises what the store raises, e.g. for no permission."""
    key = f"{PREFIX}{uuid.uuid4()}"
    try:
        old = await store.put(bucket, key, b"1", if_none_match=True)
        creates_once = not await _put_succeeds(store, bucket, key, if_none_match=True)
        new = await store.put(bucket, key, b"22")
        replaces_known = not await _put_succeeds(store, bucket, key, if_match=old)
        held = (await store.get(bucket, key)).etag
        replaces_known &= await _put_succeeds(store, bucket, key, if_match=held)
        not_modified = await _is_not_modified(store, bucket, key)
    finally:
        with suppress(StoreError):
            await store.delete(bucket, key)
    replaces_present = not await _put_succeeds(store, bucket, key, if_match=new)
    if not replaces_present:
        await store.delete(bucket, key)
    return Conditions(replaces_known and replaces_present, creates_once, not_modified)


async def _put_succeeds(
    store: Store, bucket: str, key: str, *, if_match: str | None = None, if_none_match: bool = False
) -> bool:
    try:
        await store.put(bucket, key, b"unwanted", if_match=if_match, if_none_match=if_none_match)
    except PreconditionFailed:
        return False
    return True


async def _is_not_modified(store: Store, bucket: str, key: str) -> bool:
    etag = (await store.get(bucket, key)).etag
    try:
        await store.get(bucket, key, if_none_match=etag)
    except NotModified:
        return True
    return False
