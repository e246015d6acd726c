"""Choice of a chunk shape where the client gives none (contract, section 5.3 and 1.5 of 1.x)."""

from __future__ import annotations

import math
from typing import Final

from hsds.hdf5.dataspace import Dataspace

UNLIMITED_START: Final = 1024
"""Extent that an unlimited axis counts with at first."""


def guess_chunk_shape(
    dataspace: Dataspace, itemsize: int, *, min_size: int, max_size: int
) -> tuple[int, ...]:
    """A chunk shape for a simple dataspace, with chunks of ``min_size`` to ``max_size`` bytes where it can.

    Starts from the extents the dataset may grow to. Too small a chunk is doubled along its unlimited axes,
    the last one first; the others have reached their bounds already. Too large a chunk is halved, rounding
    up, along one axis after the other from the first on, again and again.
    """
    bounds = dataspace.dims if dataspace.maxdims is None else dataspace.maxdims
    shape = [UNLIMITED_START if bound is None else max(bound, 1) for bound in bounds]
    unlimited = [axis for axis, bound in enumerate(bounds) if bound is None]
    if unlimited:
        while math.prod(shape) * itemsize < min_size:
            shape[unlimited[-1]] *= 2
    axis = 0
    while math.prod(shape) * itemsize > max_size and max(shape) > 1:
        shape[axis] = -(-shape[axis] // 2)
        axis = (axis + 1) % len(shape)
    return tuple(shape)


def contiguous_ref_shape(dataspace: Dataspace, itemsize: int, *, max_size: int) -> tuple[int, ...]:
    """The virtual chunk shape of an H5D_CONTIGUOUS_REF dataset (contract, section 5.2).

    Whole extents from the last axis on while a chunk stays below ``max_size`` bytes, then one axis halved,
    rounding up, until it does; 1 along the axes before.
    """
    shape = [1] * len(dataspace.extents)
    nbytes = itemsize
    for axis in reversed(range(len(shape))):
        extent = max(dataspace.extents[axis], 1)
        while extent > 1 and nbytes * extent >= max_size:
            extent = -(-extent // 2)
        shape[axis] = extent
        nbytes *= extent
        if extent < dataspace.extents[axis]:
            break
    return tuple(shape)
