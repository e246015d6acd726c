"""What h5py does with a local HDF5 file, under the names of the service's workloads."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from benchmarks.data import SLAB, floats, grid, ints, matching, points, rows, spots, table, texts
from benchmarks.programs.speaking import Fresh, speak

FOLDER = Path(os.environ["BENCH_FOLDER"])
NUMBERS = count()
GZIP = {"compression": "gzip", "compression_opts": 4, "shuffle": True}


def new() -> h5py.File:
    return h5py.File(FOLDER / f"{next(NUMBERS)}.h5", "w")


def stored(data: Any, chunks: tuple[int, ...], **more: Any) -> h5py.Dataset:
    """A dataset of a file that stays open."""
    file = new()
    file.create_dataset("d", data=data, chunks=chunks, **more)
    name = file.filename
    file.close()
    return h5py.File(name, "r")["d"]


def same(found: Sequence[Any], expected: Sequence[Any]) -> None:
    assert all(np.array_equal(a, b) for a, b in zip(found, expected, strict=True))


def read(
    data: np.ndarray, chunks: tuple[int, ...], times: int, keys: Callable[[], list[Any]], **more: Any
) -> Fresh:
    dataset, selections = stored(data, chunks, **more), keys() * times

    def fresh() -> tuple[Callable[[], Any], Callable[[Any], None]]:
        def action() -> list[Any]:
            return [dataset[key] for key in selections]

        return action, lambda found: same(found[: len(keys())], [data[key] for key in keys()])

    return fresh


def slabs(data: np.ndarray) -> list[slice]:
    return [slice(i, i + SLAB) for i in range(0, len(data), SLAB)]


def written(data: np.ndarray, **more: Any) -> Fresh:
    def fresh() -> tuple[Callable[[], Any], Callable[[Any], None]]:
        file = new()
        dataset = file.create_dataset("d", data.shape, data.dtype, chunks=(256, 1024), **more)

        def action() -> None:
            for slab in slabs(data):
                dataset[slab] = data[slab]
            file.flush()

        def check(_: object) -> None:
            assert np.array_equal(dataset[...], data)
            Path(file.filename).unlink()
            file.close()

        return action, check

    return fresh


def squares() -> list[Any]:
    return [np.s_[i : i + 10, j : j + 10] for i, j in spots()]


def scattered() -> Fresh:
    """h5py has no points; what its users do is to read the rows that have them, then pick."""
    data = floats()
    dataset = stored(data, (256, 1024))
    where = points()

    def fresh() -> tuple[Callable[[], Any], Callable[[Any], None]]:
        return (lambda: dataset[...][where[:, 0], where[:, 1]]), (
            lambda found: same([found], [data[where[:, 0], where[:, 1]]])
        )

    return fresh


def strings_read() -> Fresh:
    dataset = stored(texts(), (5000,), dtype=h5py.string_dtype())
    expect = [text.encode() for text in texts()]
    return lambda: (lambda: dataset[...], lambda found: same([found.tolist()], [expect]))


def strings_written() -> Fresh:
    def fresh() -> tuple[Callable[[], Any], Callable[[Any], None]]:
        file = new()
        dataset = file.create_dataset("d", (20_000,), h5py.string_dtype(), chunks=(5000,))

        def action() -> None:
            dataset[...] = texts()
            file.flush()

        return action, lambda _: same([dataset[0].decode()], [texts()[0]])

    return fresh


def query() -> Fresh:
    dataset = stored(table(), (50_000,))
    expect = matching(table())
    return lambda: (
        lambda: [matching(dataset[...]) for _ in range(2)],
        lambda found: same(found, [expect] * 2),
    )


def made(count_: int, one: Callable[[h5py.File, str], object]) -> Callable[[], Fresh]:
    def prepare() -> Fresh:
        def fresh() -> tuple[Callable[[], Any], Callable[[Any], None]]:
            file = new()

            def action() -> None:
                for i in range(count_):
                    one(file, f"n{i:04}")
                file.flush()

            return action, lambda _: same([len(file) + len(file.attrs)], [count_])

        return fresh

    return prepare


def attributes_read() -> Fresh:
    file = new()
    for i in range(300):
        file.attrs[f"n{i:04}"] = np.array([1, 2, 3, 4], "f4")
    names = list(file.attrs)
    return lambda: (
        lambda: [file.attrs[name] for name in names],
        lambda found: same(found, [np.array([1, 2, 3, 4], "f4")] * 300),
    )


WORKLOADS: dict[str, Callable[[], Fresh]] = {
    "bulk read, warm, 1 client": lambda: read(floats(), (256, 1024), 2, lambda: slabs(floats())),
    "gzip read, warm": lambda: read(ints(), (256, 1024), 2, lambda: slabs(ints()), **GZIP),
    "10,000 chunks of 4 KiB read": lambda: read(grid(), (32, 32), 1, lambda: [slice(None)]),
    "bulk write until flushed, 1 client": lambda: written(floats()),
    "gzip write until flushed": lambda: written(ints(), **GZIP),
    "small reads, 1 client": lambda: read(floats(), (256, 1024), 10, squares),
    "fancy read": lambda: read(floats(), (256, 1024), 1, lambda: [rows()]),
    "strided read": lambda: read(floats(), (256, 1024), 1, lambda: [np.s_[::7, ::5]]),
    "scattered points read": scattered,
    "vlen strings read, binary": strings_read,
    "vlen strings written until flushed": strings_written,
    "compound query": query,
    "groups created": made(200, lambda file, name: file.create_group(name)),
    "datasets created": made(200, lambda file, name: file.create_dataset(name, (10,), "f4")),
    "attributes written": made(300, lambda file, name: file.attrs.create(name, [1, 2, 3, 4], dtype="f4")),
    "attributes read": attributes_read,
}

if __name__ == "__main__":
    speak(WORKLOADS)
