"""A dataset of 1 GiB, chunked and compressed, written and read back slab by slab: ``gibibyte.py DOMAIN``."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import h5pyd
import numpy as np
from checks import OLD, equal

ROWS, ROW, SLAB = 1024, 256 * 1024, 64


def slabs() -> Iterator[tuple[slice, np.ndarray[Any, Any]]]:
    """Pieces of 64 MiB that are all different."""
    base = (np.arange(SLAB * ROW, dtype="<i4") % 1009).reshape(SLAB, ROW)
    for start in range(0, ROWS, SLAB):
        yield slice(start, start + SLAB), base + np.int32(start)


def main() -> None:
    with h5pyd.File(sys.argv[1], "w") as f:
        options = {"chunks": (2, ROW), "compression": "gzip", "compression_opts": 1}
        f.create_dataset("x", (ROWS, ROW), dtype="<i4", **options)
    for rows, data in slabs():
        with h5pyd.File(sys.argv[1], "a") as f:  # the new client keeps what it wrote until it closes
            f["x"][rows] = data
    with h5pyd.File(sys.argv[1], "r", **({"use_cache": False} if OLD else {})) as f:
        equal(f["x"].nbytes if OLD else f["x"].size * 4, 1024**3)
        for rows, data in slabs():
            found = f["x"][rows]
            assert found.dtype == data.dtype
            assert np.array_equal(found, data), rows
    print("{}")


if __name__ == "__main__":
    main()
