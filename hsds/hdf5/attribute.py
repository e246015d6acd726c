"""Attributes: from the forms that clients send to the one that is stored, and back.

Stored are ``type``, ``shape``, ``value`` as JSON (null: none) and ``created``. Text that is not UTF-8 is kept
as it came: if in binary, as base64, and ``encoding`` says so; if in JSON, with the lone surrogates that stand
for such bytes, because not every client knows of ``encoding``. Contract: 3.7, and 1.7 of 1.x.
"""

from __future__ import annotations

from math import prod
from typing import Any, Final

import numpy as np

from hsds.errors import InvalidInput
from hsds.hdf5 import binary
from hsds.hdf5.created import MAX_TIMESTAMP_DRIFT, PREDATE_MAX_TIME, creation_time
from hsds.hdf5.dataspace import Dataspace, parse_dims
from hsds.hdf5.datatype import Datatype, Opaque, has_references
from hsds.hdf5.fill import full
from hsds.hdf5.ids import is_object_id, reference_of
from hsds.hdf5.jsonvalue import from_json, to_json
from hsds.hdf5.reasons import kind_of, shown
from hsds.hdf5.typejson import present_type
from hsds.hdf5.typeparse import parse_datatype

Json = dict[str, Any]

MAX_BYTES: Final = 100 * 2**20
"""Of the value of an attribute, which is always held and sent as a whole."""
_VARIABLE_SIZE: Final = 512
"""Bytes that an element of variable length counts for in ``max_data_size``."""


def normalize_attribute(
    body: Json,
    *,
    now: float,
    predate_max_time: float = PREDATE_MAX_TIME,
    max_timestamp_drift: float = MAX_TIMESTAMP_DRIFT,
) -> Json:
    """The stored form of an attribute of a request, checked; unknown members are dropped.

    A committed type's id has been replaced by its JSON before. A client's ``created`` stays if it is at most
    ``predate_max_time`` seconds old and at most ``max_timestamp_drift`` in the future.

    Raises:
        InvalidInput: type, shape and value cannot be or do not go together.
    """
    if not isinstance(body, dict):
        raise InvalidInput(f"attribute: expected an object, got {kind_of(body)}")
    if body.get("type") is None:
        raise InvalidInput("attribute: type is missing")
    datatype = parse_datatype(body["type"])
    space = _parse_shape(body.get("shape"))
    if space.npoints * datatype.itemsize > MAX_BYTES:
        raise InvalidInput(f"attribute: the value is over {MAX_BYTES} bytes")
    created = creation_time(
        body.get("created"),
        now=now,
        predate_max_time=predate_max_time,
        max_timestamp_drift=max_timestamp_drift,
    )
    attribute = {"type": datatype.json, "shape": space.to_json(), "value": None, "created": created}
    value, encoding = body.get("value"), body.get("encoding")
    if value is None:
        return attribute
    if space.kind == "null":
        raise InvalidInput("attribute: a null dataspace has no value")
    array = _request_array(value, encoding, datatype, space.dims)
    return attribute | _value_json(array, datatype, escaped=encoding != "base64")


def equal_attributes(a: Json, b: Json) -> bool:
    """Whether two stored attributes, of any HSDS version, have the same type, shape and value.

    Values are compared as what they stand for: NaN equals NaN, true equals 1, an object reference equals the
    bare id, base64 its bytes where these are text. Clients see what is no text in the form it came in, so
    that it is another value in the other form.
    """
    try:
        (datatype, space), (other, other_space) = _declared(a), _declared(b)
        if (datatype, space.kind, space.dims) != (other, other_space.kind, other_space.dims):
            return False
        if space.kind == "null":
            return True
        if a.get("value") is None or b.get("value") is None:
            return a.get("value") is None and b.get("value") is None
        if (a["value"], a.get("encoding")) == (b["value"], b.get("encoding")):
            return True
        values, others = (_comparable(attribute_value_array(item), datatype) for item in (a, b))
    except InvalidInput:  # something foreign in the bucket
        return a | {"created": 0} == b | {"created": 0}
    if isinstance(values, bytes) and a.get("encoding") != b.get("encoding"):
        return False
    return _same(values, others, references=has_references(datatype))


def attribute_value_array(attribute: Json) -> np.ndarray:
    """The value of a stored attribute, of the extents of its shape (a scalar has none); zeros where unset.

    Raises:
        InvalidInput: it has a null dataspace, or what is stored is no value of its type.
    """
    datatype, space = _declared(attribute)
    if space.kind == "null":
        raise InvalidInput("attribute: a null dataspace has no value")
    value = attribute.get("value")
    if value is None:
        return full(space.dims, datatype, None)
    if attribute.get("encoding") == "base64":
        return binary.decode_base64(value, datatype, space.dims)
    return from_json(value, datatype, space.dims)


def attribute_value_bytes(attribute: Json) -> bytes | memoryview:
    """The binary form of the value of a stored attribute; raises as `attribute_value_array`."""
    return binary.encode(attribute_value_array(attribute), _declared(attribute)[0])


def attribute_from_bytes(attribute: Json, buffer: binary.Buffer) -> Json:
    """The stored attribute with another value, given in binary form.

    Raises:
        InvalidInput: the type has no fixed size, the dataspace is null, or the size is another one.
    """
    datatype, space = _declared(attribute)
    if datatype.variable:
        raise InvalidInput("attribute: values of variable size are written as JSON")
    if space.kind == "null":
        raise InvalidInput("attribute: a null dataspace has no value")
    kept = {key: value for key, value in attribute.items() if key != "encoding"}
    return kept | _value_json(binary.decode(buffer, datatype, space.dims), datatype, escaped=False)


def present_attribute(
    name: str,
    attribute: Json,
    *,
    include_data: bool = True,
    encoding: str | None = None,
    max_data_size: int = 0,
) -> Json:
    """``name``, ``type``, ``shape``, ``created`` and, with data, ``value`` and perhaps ``encoding``.

    Args:
        include_data: Whether ``value`` is there.
        encoding: ``"base64"`` for values as base64 of their binary form, where the type has a fixed size.
        max_data_size: Bytes above which ``value`` is left out; 0 for no limit.

    Never fails: a value that is foreign is shown as it is stored.
    """
    shown: Json = {"name": name, "type": present_type(attribute.get("type"))}
    shown |= {"shape": attribute.get("shape"), "created": attribute.get("created", 0)}
    if not include_data or (max_data_size > 0 and _data_size(attribute) > max_data_size):
        return shown
    shown["value"] = attribute.get("value")
    if attribute.get("encoding"):
        shown["encoding"] = attribute["encoding"]
    if encoding == "base64" and shown["value"] is not None:
        shown |= _base64_form(attribute)
    return shown


def _declared(attribute: Json) -> tuple[Datatype, Dataspace]:
    """Type and shape of a stored attribute, which another service may have stored."""
    try:
        return parse_datatype(attribute["type"]), Dataspace.from_json(attribute["shape"])
    except (KeyError, TypeError) as error:
        raise InvalidInput(f"attribute: stored without a type or a shape: {error}") from error


def _parse_shape(shape: Any) -> Dataspace:
    """From absence, a keyword, extents, or the object that a GET shows."""
    if not isinstance(shape, dict):
        return Dataspace.from_request(shape)
    match shape.get("class"):
        case ("H5S_NULL" | "H5S_SCALAR") as kind:
            if "dims" in shape:
                raise InvalidInput(f"attribute: shape {kind} has no dims")
            return Dataspace.from_request(kind)
        case "H5S_SIMPLE" if isinstance(shape.get("dims"), list):
            return Dataspace("simple", parse_dims(shape["dims"], "shape"))
    raise InvalidInput("attribute: shape has a class, and H5S_SIMPLE a list dims")


def _request_array(value: Any, encoding: Any, datatype: Datatype, dims: tuple[int, ...]) -> np.ndarray:
    if encoding not in (None, "", "None", "base64"):
        raise InvalidInput(f"attribute: encoding {shown(encoding)} is not known, base64 is")
    # h5pyd says base64 of opaque elements in their JSON form: base64 each, in lists, "" for all zero.
    as_json = isinstance(datatype, Opaque) and (isinstance(value, list) or (value == "" and prod(dims)))
    if encoding == "base64" and not as_json:
        return binary.decode_base64(value, datatype, dims)
    return from_json(value, datatype, dims)


def _value_json(array: np.ndarray, datatype: Datatype, *, escaped: bool) -> Json:
    """``value``, and ``encoding`` where the array has no JSON form."""
    try:
        return {"value": to_json(array, datatype, escaped=escaped)}
    except InvalidInput:
        return {"value": binary.to_base64(binary.encode(array, datatype)), "encoding": "base64"}


def _base64_form(attribute: Json) -> Json:
    try:
        if _declared(attribute)[0].variable:
            return {}
        return {"value": binary.to_base64(attribute_value_bytes(attribute)), "encoding": "base64"}
    except InvalidInput:
        return {}


def _data_size(attribute: Json) -> int:
    try:
        datatype, space = _declared(attribute)
    except InvalidInput:
        return 0
    return space.npoints * (_VARIABLE_SIZE if datatype.variable else datatype.itemsize)


def _comparable(array: np.ndarray, datatype: Datatype) -> Any:
    """Nested lists that are equal where values are, or the binary form where there are none."""
    try:
        return to_json(array, datatype)
    except InvalidInput:
        return bytes(binary.encode(array, datatype))


def _same(a: Any, b: Any, *, references: bool) -> bool:
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(_same(x, y, references=references) for x, y in zip(a, b, strict=True))
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(_same(a[key], b[key], references=references) for key in a)
    if a == b or (isinstance(a, float) and isinstance(b, float) and a != a and b != b):  # noqa: PLR0124 (NaN)
        return True
    return references and isinstance(a, str) and isinstance(b, str) and _full(a) == _full(b)


def _full(reference: str) -> str:
    """A reference that is a bare id, as h5pyd writes some, with its collection."""
    return reference_of(reference) if is_object_id(reference) else reference
