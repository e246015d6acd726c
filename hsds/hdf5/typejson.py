"""Stored JSON of types as every client can read it.

Types are kept as their writer spelled them, and the grammar leaves choices that not every reader knows:
h5pyd 1.x lists the ``members`` of an enumeration where h5pyd 0.24 and H5Web need its ``mapping``, and numbers
within a type may be names where H5Web needs objects. What is shown holds both, or the form that all know.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

Json = dict[str, Any]

_NUMBER: Final = re.compile(r"H5T_(?:(?P<integer>STD_[IU])|IEEE_F)(?:8|16|32|64)(?P<order>LE|BE)?")


def present_type(json: Any) -> Any:
    """A stored type as answers show it: whole, with all that is nested in it.

    Predefined names become objects and have a byte order, strings a ``strPad``, enumerations a ``mapping``.
    Never fails: what is foreign is shown as it is stored.
    """
    match json:
        case str():
            return _number(json)
        case {"class": "H5T_INTEGER" | "H5T_FLOAT", "base": str(name)}:
            return json if name.endswith(("LE", "BE")) else {**json, "base": _ordered(name)}
        case {"class": "H5T_STRING"} if json.get("strPad") is None:
            return {**json, "strPad": _padding(json.get("length"))}
        case {"class": "H5T_ENUM", "base": base}:
            return {**json, "base": present_type(base), **_mapping(json)}
        case {"class": "H5T_ARRAY" | "H5T_VLEN", "base": base}:
            return {**json, "base": present_type(base)}
        case {"class": "H5T_COMPOUND", "fields": list(fields)}:
            return {**json, "fields": [_field(item) for item in fields]}
    return json


def _number(name: str) -> Any:
    found = _NUMBER.fullmatch(name)
    if not found:
        return name
    return {"class": "H5T_INTEGER" if found["integer"] else "H5T_FLOAT", "base": _ordered(name)}


def _ordered(name: str) -> str:
    """With the byte order that its absence stands for."""
    found = _NUMBER.fullmatch(name)
    return f"{name}LE" if found and not found["order"] else name


def _padding(length: Any) -> str:
    """How strings are kept here: variable ones end somewhere, fixed ones may fill their length."""
    return "H5T_STR_NULLTERM" if length == "H5T_VARIABLE" else "H5T_STR_NULLPAD"


def _mapping(json: Mapping[str, Any]) -> Json:
    members = json.get("members")
    if "mapping" in json or not isinstance(members, list):
        return {}
    named = [item for item in members if isinstance(item, dict) and "name" in item and "value" in item]
    return {"mapping": {item["name"]: item["value"] for item in named}}


def _field(item: Any) -> Any:
    return {**item, "type": present_type(item["type"])} if isinstance(item, dict) and "type" in item else item
