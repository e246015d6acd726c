"""Request ids: taken from the client where it sends a sane one, else made here without randomness."""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Callable, Mapping

_LENGTH = 128
_ALLOWED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.:/+=@")
_HEX = frozenset("0123456789abcdef")


def make_ids() -> Callable[[], str]:
    """A source of ids that no other process or start of this one shares."""
    prefix = secrets.token_hex(8)
    count = itertools.count(1)
    return lambda: f"{prefix}-{next(count):x}"


def given_id(headers: Mapping[str, str]) -> str | None:
    """The id that a request came with: ``X-Request-ID``, else the trace id of a W3C ``traceparent``."""
    text = headers.get("X-Request-ID")
    if text is not None and 0 < len(text) <= _LENGTH and _ALLOWED.issuperset(text):
        return text
    parent = headers.get("traceparent")
    return trace_id(parent) if parent is not None else None


def trace_id(traceparent: str) -> str | None:
    """The 32 hex digits in the middle of ``00-<trace id>-<parent id>-<flags>``; None if it is not that.

    Form: https://www.w3.org/TR/trace-context/#traceparent-header
    """
    if len(traceparent) > _LENGTH:
        return None
    parts = traceparent.split("-")
    if len(parts) < 4 or [len(part) for part in parts[:4]] != [2, 32, 16, 2]:
        return None
    if not _HEX.issuperset("".join(parts[:4])) or parts[1].strip("0") == "":
        return None
    return parts[1]
