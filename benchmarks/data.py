"""The arrays that are written and read, the same for all. Only numpy: other programs import this."""

from __future__ import annotations

from functools import cache

import numpy as np

MIB = 1 << 20
SLAB = 512
"""Rows in a request."""


@cache
def floats(mib: int = 64) -> np.ndarray:
    """float32 in rows of 4 KiB, 64 MiB of them; chunks are of 256 rows."""
    return np.random.default_rng(1).random((256 * mib, 1024), dtype=np.float32)


@cache
def ints() -> np.ndarray:
    """32 MiB of int32 that can be compressed, in rows of 4 KiB; chunks are of 256 rows."""
    return (np.arange(8 * MIB, dtype=np.int32) // 7).reshape(8192, 1024)


@cache
def grid() -> np.ndarray:
    """39 MiB of int32, for 10,000 chunks of 32 x 32."""
    return np.random.default_rng(4).integers(0, 1 << 30, (3200, 3200), dtype=np.int32)


@cache
def spots() -> list[tuple[int, int]]:
    """50 corners of squares of 10 x 10 in the first rows of ``floats``."""
    return [(i, j) for i, j in np.random.default_rng(2).integers(0, 1000, (50, 2)).tolist()]


@cache
def rows() -> np.ndarray:
    """200 rows of ``floats``, ascending, scattered over all chunks."""
    return np.sort(np.random.default_rng(8).choice(16384, 200, replace=False))


@cache
def points() -> np.ndarray:
    """50,000 points of ``floats``, (50000, 2)."""
    return np.random.default_rng(3).integers(0, [16384, 1024], (50_000, 2))


@cache
def texts() -> list[str]:
    """20,000 strings of 16 to 43 characters."""
    return [f"string number {i} " + "x" * (i % 23) for i in range(20_000)]


@cache
def table() -> np.ndarray:
    """500,000 rows of 16 bytes."""
    rows = np.zeros(500_000, [("a", "<i4"), ("b", "<f8"), ("s", "S4")])
    rows["a"] = np.arange(500_000) % 1000
    rows["b"] = np.arange(500_000) / 7
    return rows


def matching(rows: np.ndarray) -> np.ndarray:
    """Rows of ``table`` that the query ``a>995 AND b<60000`` finds."""
    found: np.ndarray = rows[(rows["a"] > 995) & (rows["b"] < 60_000)]
    return found
