"""Values of operations that are confined to some slots (``only``): just the elements concerned are sent.

Both sides cut the selection into the same pieces in the same order, so elements need no addresses.
"""

from __future__ import annotations

from dataclasses import replace
from math import prod
from typing import Any

import numpy as np

from hsds.hdf5.chunking import Piece
from hsds.transport.fieldcodecs import element_type
from hsds.transport.frames import BadFrame
from hsds.transport.ops import ReadChunks, WriteChunks
from hsds.transport.splitting import parts_of
from hsds.transport.valuecodecs import unrepeated

Array = np.ndarray[Any, Any]


def pack_read(op: ReadChunks, values: Array) -> Array:
    """Of an answer of the whole selection the elements that were asked for: shape (n, *axes of the type)."""
    return _gather(values, parts_of(op), _axes(op))


def unpack_read(op: ReadChunks, packed: Array) -> Array:
    """Put elements into ``out``, or into a new array in which the others are anything."""
    dtype = op.dataset.datatype.dtype
    out = np.empty(op.selection.shape, dtype) if op.out is None else op.out
    _scatter(packed, out, parts_of(op), _axes(op))
    return out


def pack_write(op: WriteChunks) -> WriteChunks | None:
    """The operation with just the elements that concern it; None if packing would make it no smaller."""
    shape = op.selection.shape + _axes(op)
    if op.only is None or unrepeated(np.asarray(op.data)).size < prod(shape):
        return None
    return replace(op, data=_gather(np.broadcast_to(op.data, shape), parts_of(op), _axes(op)))


def unpack_write(op: WriteChunks) -> WriteChunks:
    """The operation with data of the shape of its selection; what does not concern it is anything."""
    data = np.empty(op.selection.shape + _axes(op), op.data.dtype)
    _scatter(op.data, data, parts_of(op), _axes(op))
    return replace(op, data=data)


def _axes(op: ReadChunks | WriteChunks) -> tuple[int, ...]:
    axes: tuple[int, ...] = element_type(op.dataset, getattr(op, "fields", None)).dtype.shape
    return axes


def _gather(values: Array, parts: list[Piece], axes: tuple[int, ...]) -> Array:
    picked = [values[piece.outer] for piece in parts]
    rank = len(axes)
    count = sum(prod(part.shape[: part.ndim - rank]) for part in picked)
    packed = np.empty((count, *axes), values.dtype)
    at = 0
    for part in picked:
        size = prod(part.shape[: part.ndim - rank])
        packed[at : at + size].reshape(part.shape)[...] = part
        at += size
    return packed


def _scatter(packed: Array, values: Array, parts: list[Piece], axes: tuple[int, ...]) -> None:
    at = 0
    for piece in parts:
        shape = values[piece.outer].shape
        size = prod(shape[: len(shape) - len(axes)])
        if at + size > len(packed):
            break
        values[piece.outer] = packed[at : at + size].reshape(shape)
        at += size
    else:
        if at == len(packed):
            return
    raise BadFrame(f"{len(packed)} elements for chunks that have others")
