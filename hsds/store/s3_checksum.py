"""Checksums of whole objects: sent with PUTs to AWS, verified on GET where the answer holds one.

AWS keeps the CRC-32 that an object was stored with and gives it back. Other servers mostly do not, but many
give the MD5 of the content as ETag: once one was seen to, small objects are verified by that.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from hashlib import md5

from isal import isal_zlib

from hsds.errors import StoreUnavailable
from hsds.store.base import Buffer

_CRC32 = "x-amz-checksum-crc32"
_MD5_MOST = 64 * 1024
"""Bytes up to which MD5 is worth its time."""


class Checksums:
    """What is known of one server's checksums. ``sends`` is whether it takes a CRC-32 with a PUT."""

    ask: Mapping[str, str] = {"x-amz-checksum-mode": "ENABLED"}
    """Headers of a GET that ask for a checksum."""

    def __init__(self, *, sends: bool) -> None:
        self._sends = sends
        self._etag_is_md5: bool | None = None

    def of(self, data: Buffer) -> dict[str, str]:
        """Headers of a PUT of ``data``."""
        return {_CRC32: _crc32(data)} if self._sends else {}

    def learn(self, data: Buffer, etag: str) -> None:
        """A PUT of ``data`` was given ``etag``."""
        if self._etag_is_md5 is None and len(data) <= _MD5_MOST:
            self._etag_is_md5 = _md5(data) == etag

    def verify(self, data: bytes, headers: Mapping[str, str], where: str) -> None:
        """Raises ``StoreUnavailable`` if ``data`` is not what the headers say was stored."""
        expected = headers.get(_CRC32)
        if expected is not None and "-" not in expected:
            if _crc32(data) != expected:
                raise StoreUnavailable(f"{where}: content and CRC-32 do not agree")
        elif self._etag_is_md5 and len(data) <= _MD5_MOST and not _encrypted(headers):
            etag = headers.get("ETag", "").strip('"')
            if len(etag) == 32 and _md5(data) != etag:
                raise StoreUnavailable(f"{where}: content and ETag do not agree")


def _encrypted(headers: Mapping[str, str]) -> bool:
    """With keys of a customer's or of KMS an ETag is something else."""
    return (
        "kms" in headers.get("x-amz-server-side-encryption", "")
        or "x-amz-server-side-encryption-customer-algorithm" in headers
    )


def _crc32(data: Buffer) -> str:
    return b64encode(isal_zlib.crc32(data).to_bytes(4, "big")).decode()


def _md5(data: Buffer) -> str:
    return md5(data, usedforsecurity=False).hexdigest()
