"""Selections of the members of a compound type: of the type, and of arrays of it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hsds.errors import InvalidInput
from hsds.hdf5.datatype import Compound, Datatype, compound_of


def select_fields(datatype: Datatype, names: Sequence[str]) -> Compound:
    """The compound type of the named members of a compound type, in that order.

    Raises:
        InvalidInput: the type is no compound, or has no such member, or a name comes twice or not at all.
    """
    if not isinstance(datatype, Compound):
        raise InvalidInput("fields are for compound types only")
    if not names or len(set(names)) != len(names):
        raise InvalidInput("fields: expected names, each once")
    members = dict(datatype.fields)
    for name in names:
        if name not in members:
            raise InvalidInput(f"fields: there is no member {name[:80]!r}")
    fields = [(name, members[name]) for name in names]
    items = {item["name"]: item for item in datatype.json["fields"]}
    return compound_of(fields, {"class": "H5T_COMPOUND", "fields": [items[name] for name in names]})


def pick_fields(array: np.ndarray, selected: Datatype) -> np.ndarray:
    """The members that ``selected``, made by `select_fields`, has, of an array of the whole type; packed."""
    picked = np.empty(array.shape, dtype=selected.dtype)
    for name in selected.dtype.names or ():
        picked[name] = array[name]
    return picked
