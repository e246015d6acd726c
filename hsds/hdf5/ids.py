"""Object ids of HSDS schema v2: a letter for the collection and 32 hex digits (contract, section 2.1).

The first 16 digits are shared by all objects of a domain. In the id of a root group the last 16 follow from
them, so the root of any object can be computed. Legacy (schema v1) ids are not ids here.
"""

from __future__ import annotations

import re
import secrets
from typing import Final, Literal, TypeGuard

from hsds.errors import InvalidInput
from hsds.hdf5.reasons import shown

Collection = Literal["groups", "datasets", "datatypes"]

_COLLECTIONS: Final[dict[str, Collection]] = {"g": "groups", "d": "datasets", "t": "datatypes"}
_LETTERS: Final[dict[str, str]] = {collection: letter for letter, collection in _COLLECTIONS.items()}
_ID: Final = re.compile(r"[gdt]-[0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{6}-[0-9a-f]{6}", re.ASCII)
_LEGACY_ID: Final = re.compile(r"[gdt]-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)
_ROTATE: Final = str.maketrans("0123456789abcdef", "89abcdef01234567")
"""Digit d of the first half becomes (d + 8) mod 16 in the second half of a root id."""


def new_root_id() -> str:
    """A new root group id."""
    half = secrets.token_hex(8)
    return _format("g", half + half.translate(_ROTATE))


def new_object_id(root: str, collection: Collection) -> str:
    """A new id for an object of ``collection`` (``groups``, ...) in the domain of ``root``."""
    while True:
        text = _format(_LETTERS[collection], _digits(root)[:16] + secrets.token_hex(8))
        if not is_root(text):
            return text


def check_id(text: object, collection: Collection | None = None) -> str:
    """Return ``text`` if it is an object id (of ``collection``, where given); otherwise ``InvalidInput``."""
    if not is_object_id(text):
        if is_legacy_id(text):
            raise InvalidInput(f"not an object id, but one of schema v1, which is not supported: {text}")
        raise InvalidInput(f"not an object id: {shown(text)}")
    if collection is not None and _COLLECTIONS[text[0]] != collection:
        raise InvalidInput(f"{text} is not an id of {collection}")
    return text


def is_object_id(text: object) -> TypeGuard[str]:
    """Whether ``text`` has the form of an object id."""
    return isinstance(text, str) and _ID.fullmatch(text) is not None


def is_legacy_id(text: object) -> bool:
    """Whether ``text`` has the form of an object id of schema v1: a letter and a UUID."""
    return isinstance(text, str) and _LEGACY_ID.fullmatch(text) is not None


def collection_of(id_: str) -> Collection:
    """The collection that an id belongs to, from its letter."""
    return _COLLECTIONS[id_[0]]


def root_of(id_: str) -> str:
    """The id of the root group of the domain that an object was made in."""
    half = _digits(id_)[:16]
    return _format("g", half + half.translate(_ROTATE))


def is_root(id_: str) -> bool:
    """Whether an id is that of a root group."""
    digits = _digits(id_)
    return id_[0] == "g" and digits[:16].translate(_ROTATE) == digits[16:]


def same_root(id_: str, other: str) -> bool:
    """Whether two objects belong to the same domain."""
    return id_[2:19] == other[2:19]


def reference_of(id_: str) -> str:
    """The text that stands for an object in data of reference types, e.g. ``groups/g-...``."""
    return f"{collection_of(id_)}/{id_}"


def _digits(id_: str) -> str:
    return id_[2:].replace("-", "")


def _format(letter: str, digits: str) -> str:
    return f"{letter}-{digits[:8]}-{digits[8:16]}-{digits[16:20]}-{digits[20:26]}-{digits[26:]}"
