"""What buckets and keys may be called in every store; a store may refuse more.

Names are refused, never mangled: what one store wrote under a key another finds under the same key.
"""

from __future__ import annotations

import re

from hsds.errors import InvalidInput, InvalidKey

MAX_KEY_BYTES = 1024
"""Longest key in UTF-8 bytes: S3's limit, kept by every store so that buckets can move between them."""

_DOT_SEGMENT = re.compile(r"(?:^|/)\.{1,2}(?:/|$)|\0")
_DOT_SEGMENT_BEFORE_SLASH = re.compile(r"(?:^|/)\.{1,2}/|\0")
_BUCKET = re.compile(r"[A-Za-z0-9._-]{1,255}")


def check_key(key: str) -> bytes:
    """The key in UTF-8. Raises ``InvalidKey`` where no store takes it."""
    raw = _encode(key)
    if not raw:
        raise InvalidKey("the empty text is no key")
    if len(raw) > MAX_KEY_BYTES:
        raise InvalidKey(f"a key of {len(raw)} bytes is longer than {MAX_KEY_BYTES}: {key[:60]!r}...")
    if _DOT_SEGMENT.search(key):
        raise InvalidKey(f"key {key!r} holds a segment '.' or '..', or a NUL")
    return raw


def check_prefix(prefix: str) -> None:
    """Raises ``InvalidKey`` for a listing prefix that no key can begin with. It may end inside a segment."""
    _encode(prefix)
    if _DOT_SEGMENT_BEFORE_SLASH.search(prefix):
        raise InvalidKey(f"prefix {prefix!r} holds a segment '.' or '..', or a NUL")


def check_bucket(bucket: str) -> None:
    """Raises ``InvalidKey`` where no store has a bucket of that name."""
    if bucket in {".", ".."} or not _BUCKET.fullmatch(bucket):
        raise InvalidKey(f"{bucket!r} is no bucket name: 1 to 255 of A-Z a-z 0-9 . _ -")


def check_delimiter(delimiter: str) -> None:
    """Raises ``InvalidInput`` for a delimiter other than ``/`` (or none)."""
    if delimiter not in {"", "/"}:
        raise InvalidInput(f"delimiter {delimiter!r} is not '/'")


def label(bucket: str, key: str) -> str:
    """Bucket and key for the text of an error: one printable line."""
    text = f"{bucket}/{key}"
    return text if text.isprintable() else ascii(text)


def _encode(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise InvalidKey(f"key {text!r} is not valid Unicode") from None
