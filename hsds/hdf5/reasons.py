"""How reasons of a refusal speak of what a client sent, which may be of any kind and 100 MB large."""

from __future__ import annotations

from reprlib import Repr
from typing import Any, Final

_MOST: Final = 150
_SHORT: Final = Repr()
_SHORT.maxlevel, _SHORT.maxlist, _SHORT.maxtuple = 3, 6, 6
_SHORT.maxstring = _SHORT.maxother = _SHORT.maxlong = 80


def shown(value: object) -> str:
    """A value as Python writes it, cut short before it is written: a few items of each list, and its text."""
    return _SHORT.repr(value)[:_MOST]


def kind_of(value: Any) -> str:
    """What JSON a value is, e.g. ``a list``."""
    match value:
        case None:
            return "null"
        case bool():
            return "a truth value"
        case int() | float():
            return "a number"
        case str():
            return "text"
        case list() | tuple():
            return "a list"
    return "an object"
