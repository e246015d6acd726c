"""JSON text of arrays that are met block by block: nested brackets put together across the blocks."""

from __future__ import annotations

from typing import Any

import numpy as np

from hsds.hdf5.datatype import Datatype
from hsds.hdf5.jsonvalue import dumps, to_json_text

Array = np.ndarray[Any, Any]
Target = tuple[slice, ...]


def block_text(
    array: Array, datatype: Datatype, shape: tuple[int, ...], target: Target, *, ignore_nan: bool
) -> bytes:
    """Text of the block ``array`` at ``target`` of an array of ``shape``, with the brackets and the comma due
    there: the texts of all blocks in row-major order, one behind the other, are the whole.

    A block is contiguous: one index on some leading axes, a range of the next, all of the others.
    """
    rank = len(shape)
    axis, opening, closing = frame(shape, target)
    items = array.reshape(array.shape[axis:rank] + array.shape[rank:])
    text = dumps(
        to_json_text(items, datatype, ignore_nan=ignore_nan), ignore_nan=True
    )  # null is meant by now
    return opening + text[1:-1] + closing


def frame(shape: tuple[int, ...], target: Target) -> tuple[int, bytes, bytes]:
    """The axis that a block is a range of, what comes before the block's items, and what behind them."""
    axis = len(shape) - 1
    while axis > 0 and target[axis].start == 0 and target[axis].stop == shape[axis]:
        axis -= 1
    leading = range(axis, -1, -1)
    opened = closed = 0
    for at in leading:
        if target[at].start != 0:
            break
        opened += 1
    for at in leading:
        if target[at].stop != shape[at]:
            break
        closed += 1
    comma = b"" if opened == axis + 1 else b","
    return axis, comma + b"[" * opened, b"]" * closed
