"""Pages of S3 listings: the XML of ListObjectsV2."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import unquote_plus
from xml.etree import ElementTree

from hsds.errors import StoreUnavailable
from hsds.store.base import ObjectInfo, Page

LAST = "\U0010ffff"
"""Sorts after everything else that can follow a common prefix."""


def parse_page(body: bytes) -> Page:
    """A page, asked for with ``encoding-type=url``: XML cannot hold every character of a key.

    Raises ``StoreUnavailable`` for what is no listing.
    """
    try:
        root = ElementTree.fromstring(body)
    except ElementTree.ParseError as error:
        raise StoreUnavailable("a listing of S3 cannot be read") from error
    if not root.tag.endswith("ListBucketResult"):
        raise StoreUnavailable("S3 answered something else than a listing")
    decode = unquote_plus if root.findtext("{*}EncodingType") == "url" else str
    try:
        objects = tuple(
            ObjectInfo(
                decode(_text(entry, "Key")),
                int(_text(entry, "Size") or 0),
                _text(entry, "ETag").strip('"'),
                datetime.fromisoformat(_text(entry, "LastModified")).timestamp(),
            )
            for entry in root.iterfind("{*}Contents")
        )
    except ValueError as error:
        raise StoreUnavailable("a listing of S3 has an object without its size or its time") from error
    prefixes = tuple(decode(_text(entry, "Prefix")) for entry in root.iterfind("{*}CommonPrefixes"))
    last = max((*(info.key for info in objects[-1:]), *prefixes[-1:]), default=None)
    return Page(objects, prefixes, last if root.findtext("{*}IsTruncated") == "true" else None)


def behind(start_after: str, prefix: str, delimiter: str) -> str:
    """What to give S3 so that a common prefix which ``start_after`` is, or lies in, does not come again.

    AWS gives it again, since keys in it sort behind it; Ceph does not.
    """
    cut = start_after.find(delimiter, len(prefix)) if delimiter else -1
    return start_after if cut < 0 else start_after[: cut + 1] + LAST


def _text(entry: ElementTree.Element, name: str) -> str:
    return entry.findtext(f"{{*}}{name}") or ""
