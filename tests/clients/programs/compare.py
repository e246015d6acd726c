"""Walks an h5py file and another (of h5pyd, or h5py too) side by side and names every difference.

Compared are groups, links with their classes and targets, which links name one object, attributes, types down
to byte order and member names, shapes, maximal shapes, and values bit by bit. Not compared is how values
are stored, which the clients' tools choose anew, nor the offsets of members, which REST has none of. A
complex number is what it is in the file, a compound of r and i.

As a script: ``compare.py FILE OTHER [PATH ...]`` where OTHER is a domain, or a file if it exists, and PATHs
(``/g/d``, ``/g@attribute``) are left out. Its last line is the differences as JSON.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Collection, Iterator
from typing import Any

import h5py
import h5pyd
import numpy as np

LINKS = {"HardLink": (), "SoftLink": ("path",), "ExternalLink": ("filename", "path")}


def compare(expected: Any, found: Any, ignore: Collection[str] = ()) -> list[str]:
    """Differences of ``found`` from ``expected``, an h5py file; each is a line."""
    return list(_Walk(_Side(expected), _Side(found), frozenset(ignore)).differences())


class _Side:
    """A file, and by which paths each of its objects is known."""

    def __init__(self, file: Any) -> None:
        self.file = file
        self.paths: dict[Any, set[str]] = {}

    def key(self, item: Any) -> Any:
        if isinstance(item.id.id, str):
            return item.id.id
        info = h5py.h5o.get_info(item.id)
        return (info.fileno, info.addr)

    def seen(self, path: str, item: Any) -> None:
        self.paths.setdefault(self.key(item), set()).add(path)

    def targets(self, reference: Any) -> list[str] | None:
        """The paths of what a reference refers to."""
        if not reference:
            return None
        if isinstance(reference, h5py.Reference):
            return sorted(self.paths.get(self.key(self.file[reference]), ()))
        text = reference.decode() if isinstance(reference, bytes) else str(reference)
        return sorted(self.paths.get(text.rpartition("/")[2], ()))


class _Walk:
    def __init__(self, expected: _Side, found: _Side, ignore: frozenset[str]) -> None:
        self.expected, self.found, self.ignore = expected, found, ignore
        self.pairs: list[tuple[str, Any, Any]] = []

    def differences(self) -> Iterator[str]:
        yield from self._tree("", self.expected.file, self.found.file, frozenset())
        done = set()
        for path, item, other in self.pairs:
            same = self.expected.paths[self.expected.key(item)]
            key = self.found.key(other)
            yield from _differ(f"{path} links", sorted(self.found.paths[key]), sorted(same))
            if key not in done:
                done.add(key)
                yield from self._object(path, item, other)

    def _tree(self, path: str, item: Any, other: Any, above: frozenset[Any]) -> Iterator[str]:
        here = path or "/"
        self.expected.seen(here, item)
        self.found.seen(here, other)
        self.pairs.append((here, item, other))
        if not isinstance(item, h5py.Group) or self.expected.key(item) in above:
            return
        names = {name for name in item if f"{path}/{name}" not in self.ignore}
        others = {name for name in other if f"{path}/{name}" not in self.ignore}
        yield from _differ(f"{here} titles", sorted(others), sorted(names))
        for name in sorted(names & others):
            link = _link(item, name)
            if link != _link(other, name):
                yield from _differ(f"{path}/{name} link", _link(other, name), link)
            elif link == ("HardLink",):
                yield from self._tree(
                    f"{path}/{name}", item[name], other[name], above | {self.expected.key(item)}
                )

    def _object(self, path: str, item: Any, other: Any) -> Iterator[str]:
        if (kind := _kind(item)) != _kind(other):
            yield from _differ(f"{path} kind", _kind(other), kind)
            return
        yield from self._attributes(path, item, other)
        if kind == "Group":
            return
        yield from _differ(f"{path} type", describe(other.dtype), describe(item.dtype))
        if kind == "Dataset":
            yield from _differ(f"{path} shape", other.shape, item.shape)
            if item.shape and all(item.shape):  # a maximum of 0 is none, in REST
                yield from _differ(f"{path} maxshape", other.maxshape, item.maxshape)
            if item.shape is not None and item.shape == other.shape:
                yield from self._value(path, item[()], other[()], item.dtype)

    def _attributes(self, path: str, item: Any, other: Any) -> Iterator[str]:
        names = {name for name in item.attrs if f"{path}@{name}" not in self.ignore}
        others = {name for name in other.attrs if f"{path}@{name}" not in self.ignore}
        yield from _differ(f"{path} attributes", sorted(others), sorted(names))
        for name in sorted(names & others):
            try:
                read = other.attrs[name]
            except Exception as error:  # noqa: BLE001 - a fault of the client, told as a difference
                yield f"{path}@{name} cannot be read: {error!r}"
                continue
            yield from self._attribute(f"{path}@{name}", item.attrs[name], read, item, name)

    def _attribute(self, here: str, value: Any, other: Any, item: Any, name: str) -> Iterator[str]:
        empty = [type(one).__name__ == "Empty" for one in (value, other)]
        if any(empty):
            yield from _differ(f"{here} empty", empty[1], empty[0])
            if all(empty):
                yield from _differ(f"{here} type", describe(other.dtype), describe(value.dtype))
            return
        yield from _differ(f"{here} shape", np.shape(other), np.shape(value))
        if all(isinstance(one, np.ndarray | np.generic) for one in (value, other)):
            yield from _differ(f"{here} type", describe(other.dtype), describe(value.dtype))
        if np.shape(value) == np.shape(other):
            yield from self._value(here, value, other, item.attrs.get_id(name).dtype)

    def _value(self, path: str, value: Any, other: Any, dtype: Any) -> Iterator[str]:
        yield from _differ(
            f"{path} value", _plain(other, dtype, self.found), _plain(value, dtype, self.expected)
        )


def _plain(value: Any, dtype: Any, side: _Side) -> Any:
    """A value as bytes, paths and lists of these: equal if and only if the values are the same."""
    if h5py.check_dtype(ref=dtype) is not None:
        many = isinstance(value, np.ndarray) and value.shape != ()
        items = list(value.ravel()) if many else [value[()] if isinstance(value, np.ndarray) else value]
        if h5py.check_dtype(ref=dtype) is h5py.RegionReference:
            return [bool(item) for item in items]
        return [side.targets(item) for item in items]
    array = np.asarray(value)
    base = h5py.check_dtype(vlen=dtype)
    if dtype.subdtype is not None:
        return _plain(array, dtype.subdtype[0], side)
    if dtype.kind == "c":
        parts = (array["r"], array["i"]) if array.dtype.names else (array.real, array.imag)
        return [part.tobytes() for part in parts]
    if dtype.names is not None:
        return [_plain(array[name], dtype[name], side) for name in dtype.names]
    if base in (str, bytes):
        return [_text(item) for item in array.ravel().tolist()]
    if base is not None:
        items = list(array.ravel()) if array.dtype == object else [value]
        return [_plain(_sequence(item, base), np.dtype(base), side) for item in items]
    return array.tolist() if array.dtype.kind in "SU" else np.ascontiguousarray(array).tobytes()


def _text(item: Any) -> bytes:
    if isinstance(item, str):
        return item.encode("utf-8", "surrogateescape")
    return item if isinstance(item, bytes) else b""


def _sequence(item: Any, base: Any) -> Any:
    """An element of a variable-length type; h5py gives its values in the byte order of the machine."""
    empty = item is None or (np.isscalar(item) and item == 0)
    array = np.zeros(0, base) if empty else np.asarray(item)
    return array if array.dtype == object else array.astype(base)


def describe(dtype: Any) -> Any:
    """A type as nested tuples of plain values, the same for both libraries."""
    if (kind := h5py.check_dtype(ref=dtype)) is not None:
        return ("reference", kind.__name__)
    if (base := h5py.check_dtype(vlen=dtype)) is not None:
        return ("variable", base.__name__ if base in (str, bytes) else describe(np.dtype(base)))
    if (mapping := h5py.check_dtype(enum=dtype)) is not None:
        return ("enum", tuple(sorted((name, int(value)) for name, value in mapping.items())), dtype.str)
    if dtype.subdtype is not None:
        return ("array", describe(dtype.subdtype[0]), dtype.subdtype[1])
    if dtype.kind == "c":
        return ("complex", dtype.str.replace("c16", "f8").replace("c8", "f4"))
    if dtype.names == ("r", "i") and dtype["r"].kind == "f":
        return ("complex", dtype["r"].str)
    if dtype.names is not None:
        return tuple((name, describe(dtype[name])) for name in dtype.names)
    return dtype.str


def _kind(item: Any) -> str:
    for library in (h5py, h5pyd):
        for kind in ("Group", "Dataset", "Datatype"):
            if isinstance(item, getattr(library, kind)):
                return kind
    return type(item).__name__


def _link(group: Any, name: str) -> tuple[Any, ...]:
    link = group.get(name, getlink=True)
    kind = type(link).__name__
    return (kind, *(getattr(link, part) for part in LINKS.get(kind, ())))


def _differ(what: str, found: Any, expected: Any) -> Iterator[str]:
    if found != expected:
        yield f"{what}: {_short(found)}, expected {_short(expected)}"


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) < 300 else f"{text[:300]}..."


def main() -> None:
    path, other, *ignore = sys.argv[1:]
    options = {"use_cache": False} if h5pyd.__version__.startswith("0.") else {}
    found = h5py.File(other, "r") if os.path.exists(other) else h5pyd.File(other, "r", **options)  # noqa: PTH110
    with h5py.File(path, "r") as expected, found:
        print(json.dumps(compare(expected, found, ignore)))


if __name__ == "__main__":
    main()
