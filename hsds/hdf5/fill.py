"""Fill values: what elements hold that nobody wrote."""

from __future__ import annotations

from typing import Any

import numpy as np

from hsds.errors import InvalidInput
from hsds.hdf5 import binary
from hsds.hdf5.datatype import Array, Compound, Datatype
from hsds.hdf5.jsonvalue import MAX_BYTES, from_json
from hsds.hdf5.reasons import shown


def parse_fill(creation_properties: dict[str, Any], datatype: Datatype) -> np.ndarray | None:
    """One element with the fill value of a dataset, None for zeros.

    Returns an array of no axes (of the type's own axes for an array type) and of the type's dtype.

    Raises:
        InvalidInput: ``fillValue`` is not a value of the type.
    """
    value = creation_properties.get("fillValue")
    encoding = creation_properties.get("fillValue_encoding")
    if value is None:
        return None
    if datatype.itemsize > MAX_BYTES:
        raise InvalidInput(f"fillValue: an element has at most {MAX_BYTES} bytes")
    try:
        element = _element(value, encoding, datatype)
    except InvalidInput as error:
        raise InvalidInput(f"fillValue: {error}") from error
    if not element.dtype.hasobject and not element.tobytes().strip(b"\0"):
        return None
    return element


def full(dims: tuple[int, ...], datatype: Datatype, fill: np.ndarray | None) -> np.ndarray:
    """A new writable array of ``dims`` elements that all hold ``fill``, as `parse_fill` gave it."""
    if fill is None:
        return np.zeros(dims, dtype=datatype.dtype)
    array = np.empty(dims, dtype=datatype.dtype)
    array[...] = fill
    return array


def _element(value: Any, encoding: Any, datatype: Datatype) -> np.ndarray:
    if encoding not in (None, "None", "base64"):
        raise InvalidInput(f"encoding {shown(encoding)} is not known, base64 is")
    if encoding is not None and not isinstance(value, str):
        raise InvalidInput("an encoded value is text")
    if encoding == "base64":
        return binary.decode_base64(value, datatype, ())
    if isinstance(datatype, Array) and not isinstance(value, list):
        element = np.empty(datatype.dtype.shape, dtype=datatype.dtype.base)
        element[...] = _element(value, None, datatype.base)
        return element
    if isinstance(datatype, Compound) and not isinstance(value, list) and value == 0:
        return np.zeros((), dtype=datatype.dtype)
    return from_json(value, datatype, ())
