"""What zarr does with the same arrays in the same chunks, below a directory or in S3.

``BENCH_S3`` is JSON of an endpoint, a bucket and keys; without it a directory is used.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from itertools import count
from typing import Any

import numpy as np
import zarr
from obstore.store import S3Store
from zarr.codecs import BloscCodec, GzipCodec, numcodecs
from zarr.storage import ObjectStore

from benchmarks.data import SLAB, floats, grid, ints, points, rows, spots
from benchmarks.programs.speaking import Fresh, speak

NUMBERS = count()


def place() -> Any:
    """A new store."""
    where = f"{os.environ['BENCH_FOLDER']}/{next(NUMBERS)}"
    if not (told := os.environ.get("BENCH_S3")):
        return where
    return ObjectStore(S3Store(**json.loads(told), prefix=where.strip("/")))


def array(data: np.ndarray, chunks: tuple[int, ...], codecs: dict[str, Any]) -> zarr.Array:
    return zarr.create_array(
        place(), shape=data.shape, dtype=data.dtype, chunks=chunks, fill_value=0, **codecs
    )


def plain() -> dict[str, Any]:
    return {"compressors": None}


def gzip() -> dict[str, Any]:
    return {"compressors": [numcodecs.Shuffle(elementsize=4), GzipCodec(level=4)]}


def blosc(name: str) -> dict[str, Any]:
    return {"compressors": BloscCodec(cname=name, clevel=5, shuffle="shuffle")}


def read(
    data: np.ndarray,
    keys: Callable[[], list[Any]],
    times: int = 1,
    chunks: tuple[int, ...] = (256, 1024),
    codecs: Callable[[], dict[str, Any]] = plain,
    pick: Callable[[Any, Any], Any] = lambda found, key: found[key],
) -> Fresh:
    found = array(data, chunks, codecs())
    found[...] = data
    selections = keys()

    def check(read_: list[Any]) -> None:
        for key, values in zip(selections, read_, strict=False):
            assert np.array_equal(values, data[key])

    return lambda: (lambda: [pick(found, key) for key in selections * times], check)


def slabs(data: np.ndarray) -> list[slice]:
    return [slice(i, i + SLAB) for i in range(0, len(data), SLAB)]


def written(data: np.ndarray, codecs: Callable[[], dict[str, Any]] = plain) -> Fresh:
    def fresh() -> tuple[Callable[[], Any], Callable[[Any], None]]:
        made = array(data, (256, 1024), codecs())

        def action() -> None:
            for slab in slabs(data):
                made[slab] = data[slab]

        def check(_: object) -> None:
            assert np.array_equal(made[...], data)

        return action, check

    return fresh


def squares() -> list[Any]:
    return [np.s_[i : i + 10, j : j + 10] for i, j in spots()]


def scattered() -> Fresh:
    where = points()
    return read(
        floats(),
        lambda: [(where[:, 0], where[:, 1])],
        pick=lambda found, key: found.get_coordinate_selection(key),
    )


def created(number: int, one: Callable[[zarr.Group, str], object]) -> Callable[[], Fresh]:
    def prepare() -> Fresh:
        def fresh() -> tuple[Callable[[], Any], Callable[[Any], None]]:
            root = zarr.create_group(place())

            def action() -> None:
                for i in range(number):
                    one(root, f"n{i}")

            def check(_: object) -> None:
                assert len(list(root.members())) == number

            return action, check

        return fresh

    return prepare


WORKLOADS: dict[str, Callable[[], Fresh]] = {
    "bulk read, warm, 1 client": lambda: read(floats(), lambda: slabs(floats()), 2),
    "bulk read, cold, 1 client": lambda: read(floats(), lambda: slabs(floats())),
    "gzip read, warm": lambda: read(ints(), lambda: slabs(ints()), 2, codecs=gzip),
    "lz4 (Blosc) read, warm": lambda: read(ints(), lambda: slabs(ints()), 2, codecs=lambda: blosc("lz4")),
    "zstd (Blosc) read, warm": lambda: read(ints(), lambda: slabs(ints()), 2, codecs=lambda: blosc("zstd")),
    "10,000 chunks of 4 KiB read": lambda: read(grid(), lambda: [np.s_[:, :]], chunks=(32, 32)),
    "bulk write until flushed, 1 client": lambda: written(floats()),
    "gzip write until flushed": lambda: written(ints(), gzip),
    "lz4 (Blosc) write until flushed": lambda: written(ints(), lambda: blosc("lz4")),
    "zstd (Blosc) write until flushed": lambda: written(ints(), lambda: blosc("zstd")),
    "small reads, 1 client": lambda: read(floats(), squares, 10),
    "fancy read": lambda: read(floats(), lambda: [rows()], pick=lambda found, key: found.oindex[key]),
    "strided read": lambda: read(floats(), lambda: [np.s_[::7, ::5]]),
    "scattered points read": scattered,
    "groups created": created(200, lambda root, name: root.create_group(name)),
    "datasets created": created(200, lambda root, name: root.create_array(name, shape=(10,), dtype="f4")),
}

if __name__ == "__main__":
    speak(WORKLOADS)
