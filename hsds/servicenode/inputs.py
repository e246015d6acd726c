"""Checks on the form of what clients send, where more than one resource needs them."""

from __future__ import annotations

from typing import Any

from hsds.errors import InvalidInput
from hsds.hdf5.reasons import kind_of


def text_list(value: Any, what: str) -> tuple[str, ...]:
    """``value`` as texts without repeats, in their order; ``InvalidInput`` names ``what``."""
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise InvalidInput(f"{what} must be a list of texts")
    return tuple(dict.fromkeys(value))


def json_object(value: Any, what: str) -> dict[str, Any]:
    """``value`` as a JSON object; ``InvalidInput`` names ``what``."""
    if not isinstance(value, dict):
        raise InvalidInput(f"{what} must be a JSON object, not {kind_of(value)}")
    return value


def split_names(joined: str | None, separator: str | None, what: str) -> tuple[str, ...]:
    """Names joined by ``separator`` (default ``/``) in a parameter; ``InvalidInput`` if there is none."""
    names = (joined or "").split(separator or "/")
    found = tuple(dict.fromkeys(name for name in names if name))
    if not found:
        raise InvalidInput(f"{what} must name at least one")
    return found
