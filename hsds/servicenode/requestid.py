"""Request ids and keys of operations: the client's where it sends sane ones, else made without randomness."""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Callable, Mapping

from hsds.errors import InvalidInput

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


def given_key(headers: Mapping[str, str]) -> str | None:
    """The client's ``Idempotency-Key``. Raises ``InvalidInput`` for one that cannot be kept.

    A text in quotes, as the IETF's draft has it, and the bare text are the same key.
    """
    text = headers.get("Idempotency-Key")
    if text is None:
        return None
    key = text.strip().strip('"')
    if not 0 < len(key) <= _LENGTH or not key.isascii() or not key.isprintable():
        raise InvalidInput(f"Idempotency-Key must have 1 to {_LENGTH} printable ASCII characters")
    return key


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
