"""How the fields of operations and results cross a wire, by their annotations.

A codec is made once for each annotation. An annotation without a form here is a fault of the program, found
when ``wire`` is imported. Fields that have their default are not sent, so that a neighbour of an older
version does not meet what it does not know unless it is used.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import numpy as np

from hsds.errors import NotSupported
from hsds.hdf5.dataset import DatasetSpec
from hsds.hdf5.fields import select_fields
from hsds.hdf5.query import Query
from hsds.hdf5.selection import Selection
from hsds.transport.sides import Codec, Incoming, Json, Outgoing
from hsds.transport.valuecodecs import ARRAY, QUERY, SELECTION, SLOTS, SPEC

_JSON_INTEGERS = 1 << 63
PLAIN = Codec(lambda value, to: value, lambda json, source: json, plain=True)


def codec(annotation: Any) -> Codec:
    """The codec of an annotation. Raises ``TypeError`` for one that has none."""
    if annotation == Selection:
        return SELECTION
    if annotation in _SIMPLE:
        return _SIMPLE[annotation]
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is np.ndarray:
        return ARRAY
    if origin is Literal or annotation == dict[str, Any]:
        return PLAIN
    if origin in (Union, types.UnionType) and type(None) in arguments and len(arguments) == 2:
        return _optional(codec(next(a for a in arguments if a is not type(None))))
    if origin in (dict, Mapping):
        return _mapping(codec(arguments[1]))
    if annotation == frozenset[int]:
        return SLOTS
    if origin in (tuple, list, Sequence):
        if origin is tuple and arguments[-1] is not Ellipsis:
            return _pair(tuple(codec(a) for a in arguments))
        return _items(codec(arguments[0]), list if origin is Sequence else origin)
    if is_dataclass(annotation) and isinstance(annotation, type):
        return record(annotation)
    raise TypeError(f"{annotation} has no form on the wire")


def record(cls: type, *, special: Mapping[str, Codec | None] | None = None, strict: bool = False) -> Codec:
    """The codec of a dataclass: a JSON object of its fields.

    ``special`` gives codecs for some fields, None for those that are not sent. Fields that the receiver does
    not know are dropped, or refused with ``strict``.
    """
    hints = get_type_hints(cls)
    codecs: dict[str, Codec] = {}
    defaults: dict[str, Any] = {}
    for item in fields(cls):
        chosen = special[item.name] if special and item.name in special else codec(hints[item.name])
        if chosen is not None:
            codecs[item.name] = chosen
            defaults[item.name] = item.default
    plan = [(name, one.put, defaults[name]) for name, one in codecs.items()]

    def put(value: Any, to: Outgoing) -> Json:
        json = {}
        for name, put_field, default in plan:
            item = getattr(value, name)
            if item is not default and (default is MISSING or default is None or not _equal(item, default)):
                json[name] = put_field(item, to)
        return json

    def get(json: Json, source: Incoming) -> Any:
        values: dict[str, Any] = {}
        late = []
        for name, item in json.items():
            one = codecs.get(name)
            if one is None:
                if strict:
                    raise NotSupported(f"{cls.__name__} has no {name[:80]} here")
            elif one.late:
                late.append((name, one, item))
            else:
                values[name] = one.get(item, source)
        if "dataset" in values:
            source.datatype = element_type(values["dataset"], values.get("fields"))
        for name, one, item in late:
            values[name] = one.get(item, source)
        return cls(**values)

    return Codec(put, get, late=any(one.late for one in codecs.values()))


def element_type(dataset: DatasetSpec, names: Sequence[str] | None) -> Any:
    """The type of the elements that an operation carries: the dataset's, or that of some members."""
    return select_fields(dataset.datatype, names) if names else dataset.datatype


def _equal(value: Any, default: Any) -> bool:
    return type(value) is type(default) and bool(value == default)


def _put_integer(value: int, to: Outgoing) -> Json:
    return int(value) if -_JSON_INTEGERS <= value < _JSON_INTEGERS else hex(value)


def _get_integer(json: Json, source: Incoming) -> int:
    return int(json, 16) if isinstance(json, str) else int(json)


def _optional(inner: Codec) -> Codec:
    if inner.plain:
        return inner
    return Codec(
        lambda value, to: None if value is None else inner.put(value, to),
        lambda json, source: None if json is None else inner.get(json, source),
        late=inner.late,
    )


def _mapping(inner: Codec) -> Codec:
    if inner.plain:
        return Codec(lambda value, to: dict(value), PLAIN.get)
    return Codec(
        lambda value, to: {name: inner.put(item, to) for name, item in value.items()},
        lambda json, source: {name: inner.get(item, source) for name, item in json.items()},
        late=inner.late,
    )


def _items(inner: Codec, kind: Callable[[Any], Any]) -> Codec:
    if inner.plain:
        return Codec(lambda value, to: list(value), lambda json, source: kind(json))
    return Codec(
        lambda value, to: [inner.put(item, to) for item in value],
        lambda json, source: kind([inner.get(item, source) for item in json]),
        late=inner.late,
    )


def _pair(inner: tuple[Codec, ...]) -> Codec:
    return Codec(
        lambda value, to: [one.put(item, to) for one, item in zip(inner, value, strict=True)],
        lambda json, source: tuple(one.get(item, source) for one, item in zip(inner, json, strict=True)),
        late=any(one.late for one in inner),
    )


_SIMPLE: Mapping[Any, Codec] = {
    **dict.fromkeys((Any, str, bool, float, None, type(None)), PLAIN),
    int: Codec(_put_integer, _get_integer),
    DatasetSpec: SPEC,
    Query: QUERY,
}
