"""Binary form of types with variable-length parts, in bodies and in chunks alike.

Elements in row-major order; in each, the parts in order: a fixed part is its bytes, a variable part is an
int32 little-endian *byte* count and that many bytes (text, elements of a sequence, a region reference). Unset
is count 0.

A type is flattened to columns, one per variable part, each with the fixed bytes before it; numpy and ``join``
work on whole columns, and only finding the boundaries of elements takes a loop.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from math import prod
from struct import Struct
from struct import error as StructError  # noqa: N812 (its own name is `error`)
from typing import Any, Final

import numpy as np

from hsds.errors import InvalidInput
from hsds.hdf5.datatype import Array, Compound, Datatype, VariableString, Vlen

MAX_ELEMENT: Final = 1_000_000  # bytes of one variable part; HSDS and h5pyd refuse more
_COUNT: Final = np.dtype("<i4")
_read_count: Final = Struct(
    "<I"
).unpack_from  # unsigned: a negative count then runs off the end of the buffer


@dataclass(slots=True)
class _Column:
    """A variable part, or None after the last one, and the views of the fixed parts that stand before it.

    All views have the elements as their first and the axes of a fixed array type as their other axes.
    """

    fixed: list[np.ndarray]
    view: np.ndarray | None
    datatype: Datatype | None

    def record(self) -> np.dtype[Any]:
        """The packed fixed parts, then the count unless this is the tail."""
        members = [(f"f{i}", part.dtype, part.shape[1:]) for i, part in enumerate(self.fixed)]
        if self.datatype is not None:
            members.append(("count", _COUNT, ()))
        return np.dtype(members)


def encode(array: np.ndarray, datatype: Datatype) -> bytes:
    """The binary form of an array of a variable type.

    Raises:
        InvalidInput: a part is over 1,000,000 bytes, or is a sequence of sequences.
    """
    flat = np.ascontiguousarray(array, dtype=datatype.dtype.base).reshape((-1, *datatype.dtype.shape))
    pieces: list[list[bytes]] = []
    for column in _columns(flat, datatype):
        record = np.empty(len(flat), dtype=column.record())
        for i, part in enumerate(column.fixed):
            record[f"f{i}"] = part
        data: list[Any] = []
        if column.datatype is not None and column.view is not None:
            data, record["count"] = _part_data(column.view.tolist(), column.datatype)
        if record.dtype.itemsize:
            pieces.append(record.view(f"V{record.dtype.itemsize}").tolist())
        if column.datatype is not None:
            pieces.append(data)
    if not len(flat):
        return b""
    interleaved: list[Any] = [None] * (len(pieces) * len(flat))
    for i, items in enumerate(pieces):
        interleaved[i :: len(pieces)] = items
    return b"".join(interleaved)


def decode(buffer: bytes | bytearray | memoryview, datatype: Datatype, dims: tuple[int, ...]) -> np.ndarray:
    """An array of ``dims`` elements of a variable type from its binary form.

    Raises:
        InvalidInput: the buffer is not exactly that many elements.
    """
    count = prod(dims)
    if memoryview(buffer).nbytes < 4 * count:  # before memory is taken for elements that cannot be there
        raise InvalidInput(f"data is too short for {count} elements of variable length")
    flat = np.empty((count, *datatype.dtype.shape), dtype=datatype.dtype.base)
    data = bytes(buffer)
    columns = list(_columns(flat, datatype))
    split = _split_equal(data, count) if len(columns) == 1 and not columns[0].fixed else None
    if split is None:
        split = _split(data, count, columns)
    for column, (fixed, parts) in zip(columns, split, strict=True):
        if column.fixed:
            record = np.frombuffer(b"".join(fixed), dtype=_without_count(column.record()))
            for i, part in enumerate(column.fixed):
                part[...] = record[f"f{i}"]
        if column.view is not None and column.datatype is not None:
            column.view[...] = np.fromiter(_part_values(parts, column.datatype), dtype=object, count=count)
    return flat.reshape((*dims, *datatype.dtype.shape))


def _columns(flat: np.ndarray, datatype: Datatype) -> Iterator[_Column]:
    fixed: list[np.ndarray] = []
    for view, leaf in _leaf_views(flat, datatype):
        if leaf.variable:
            yield _Column(fixed, view, leaf)
            fixed = []
        else:
            fixed.append(view)
    if fixed:
        yield _Column(fixed, None, None)


def _leaf_views(view: np.ndarray, datatype: Datatype) -> Iterator[tuple[np.ndarray, Datatype]]:
    """Views of the parts of ``view`` (n, *axes of the type) in the order of their bytes."""
    match datatype:
        case Compound(fields=fields, variable=True):
            for name, member in fields:
                yield from _leaf_views(view[name], member)
        case Array(dims=dims, base=base, variable=True):
            for index in np.ndindex(*dims):
                yield from _leaf_views(view[(slice(None), *index)], base)
        case _:
            yield view, datatype


def _part_data(items: list[Any], datatype: Datatype) -> tuple[list[Any], np.ndarray]:
    """Bytes-like objects of the items of a column, and how many bytes each has."""
    if isinstance(datatype, Vlen):
        items = _sequence_data(items, datatype.base)
        counts = np.fromiter([item.nbytes for item in items], dtype=np.int64, count=len(items))
    else:
        try:
            counts = np.fromiter(map(len, items), dtype=np.int64, count=len(items))
        except TypeError:  # 0 and None stand for unset
            items = [item or b"" for item in items]
            counts = np.fromiter(map(len, items), dtype=np.int64, count=len(items))
    if counts.size and counts.max() > MAX_ELEMENT:
        raise InvalidInput(
            f"an element of variable length has at most {MAX_ELEMENT} bytes, not {counts.max()}"
        )
    return items, counts


def _sequence_data(items: list[Any], base: Datatype) -> list[Any]:
    if isinstance(base, Vlen | VariableString) or (base.variable and not isinstance(base, Compound | Array)):
        # HSDS accepts such types and fails on their values; its readers could not read what we would write.
        if any(item is not None and not isinstance(item, int) and len(item) for item in items):
            raise InvalidInput("binary form of a sequence of variable-length elements is not defined")
        return [memoryview(b"")] * len(items)
    if base.variable:
        return [memoryview(encode(item, base) if _is_set(item) else b"") for item in items]
    wanted = base.dtype.base
    empty = np.empty(0, dtype=wanted)
    return [
        item
        if type(item) is np.ndarray and item.dtype == wanted and item.flags.c_contiguous
        else (np.ascontiguousarray(item, dtype=wanted) if _is_set(item) else empty)
        for item in items
    ]


def _is_set(item: Any) -> bool:
    return item is not None and not (isinstance(item, int) and item == 0)


def _split(data: bytes, count: int, columns: list[_Column]) -> list[tuple[list[bytes], list[bytes]]]:
    """For each column the fixed bytes and the variable bytes of every element."""
    steps: list[tuple[int, Callable[[bytes], None], Callable[[bytes], None]]] = []
    found: list[tuple[list[bytes], list[bytes]]] = []
    tail: int = 0
    for column in columns:
        fixed: list[bytes] = []
        parts: list[bytes] = []
        found.append((fixed, parts))
        if column.datatype is None:
            tail = column.record().itemsize
        else:
            steps.append((column.record().itemsize - _COUNT.itemsize, fixed.append, parts.append))
    try:
        if len(steps) == 1 and not steps[0][0] and not tail:
            end = _walk_simple(data, count, steps[0][2])
        else:
            end = _walk(data, count, steps, tail, found[-1][0].append)
    except StructError:
        raise InvalidInput("data ends within an element of variable length") from None
    if end != len(data):
        raise InvalidInput(f"data of {len(data)} bytes is not {count} elements of variable length")
    if len(data) > MAX_ELEMENT:
        _check_parts(found)
    return found


def _walk_simple(data: bytes, count: int, keep: Callable[[bytes], None]) -> int:
    at = 0
    for _ in range(count):
        (size,) = _read_count(data, at)
        start = at + 4
        at = start + size
        keep(data[start:at])
    return at


def _walk(
    data: bytes,
    count: int,
    steps: list[tuple[int, Callable[[bytes], None], Callable[[bytes], None]]],
    tail: int,
    keep_tail: Callable[[bytes], None],
) -> int:
    at = 0
    for _ in range(count):
        for skip, keep_fixed, keep_part in steps:
            start = at + skip
            (size,) = _read_count(data, start)
            if skip:
                keep_fixed(data[at:start])
            start += 4
            at = start + size
            keep_part(data[start:at])
        if tail:
            keep_tail(data[at : at + tail])
            at += tail
    return at


def _split_equal(data: bytes, count: int) -> list[tuple[list[bytes], list[bytes]]] | None:
    """As `_split` for a lone variable part whose elements all have the same size, or None."""
    if not count or len(data) % count:
        return None
    size = len(data) // count - _COUNT.itemsize
    if not 0 < size <= MAX_ELEMENT:
        return None
    table = np.frombuffer(data, dtype=[("count", _COUNT), ("part", f"V{size}")])
    if not (table["count"] == size).all():
        return None
    return [([], table["part"].tolist())]


def _check_parts(found: list[tuple[list[bytes], list[bytes]]]) -> None:
    longest = max((max(map(len, parts)) for _, parts in found if parts), default=0)
    if longest > MAX_ELEMENT:
        raise InvalidInput(f"an element of variable length has at most {MAX_ELEMENT} bytes, not {longest}")


def _part_values(parts: list[bytes], datatype: Datatype) -> list[Any]:
    if not isinstance(datatype, Vlen):
        return parts
    base = datatype.base
    if base.variable:
        return [_sequence_of_variable(part, base) for part in parts]
    bounds = np.zeros(len(parts) + 1, dtype=np.int64)
    np.cumsum(np.fromiter(map(len, parts), dtype=np.int64, count=len(parts)), out=bounds[1:])
    if (bounds % base.itemsize).any():
        raise InvalidInput(f"a sequence of elements of {base.itemsize} bytes has another number of bytes")
    elements = (
        np.frombuffer(b"".join(parts), dtype=base.dtype) if bounds[-1] else np.empty(0, dtype=base.dtype)
    )
    return [elements[a:b] for a, b in pairwise((bounds // base.itemsize).tolist())]


def _sequence_of_variable(part: bytes, base: Datatype) -> np.ndarray:
    """Records one after another; how many there are shows only at the end of the bytes."""
    if not part:
        return np.empty((0, *base.dtype.shape), dtype=base.dtype.base)
    if not isinstance(base, Compound | Array):
        raise InvalidInput("binary form of a sequence of variable-length elements is not defined")
    records = []
    at = 0
    while at < len(part):
        size = _record_size(part, at, base)
        records.append(decode(part[at : at + size], base, (1,)))
        at += size
    return np.concatenate(records)


def _record_size(data: bytes, start: int, datatype: Datatype) -> int:
    """Bytes of the record of a variable type that begins at ``start``."""
    at = start
    for column in _columns(np.empty((1, *datatype.dtype.shape), dtype=datatype.dtype.base), datatype):
        at += column.record().itemsize
        if column.datatype is not None:
            try:
                at += _read_count(data, at - 4)[0]
            except StructError:
                raise InvalidInput("data ends within a record of variable length") from None
    return at - start


def _without_count(record: np.dtype[Any]) -> np.dtype[Any]:
    names = [name for name in record.names or () if name != "count"]
    return np.dtype([(name, record[name]) for name in names])
