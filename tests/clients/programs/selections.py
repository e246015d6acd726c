"""Reading and writing parts of datasets: each selection beside numpy's."""

from __future__ import annotations

from typing import Any

import numpy as np
from checks import Box, check, equal, main, not_offered_by_new, not_offered_by_old, raises

GRID = np.arange(40 * 50, dtype="<i4").reshape(40, 50)
LINE = np.arange(1000, dtype=">i8")
BOX = np.arange(7 * 8 * 9, dtype="<f4").reshape(7, 8, 9)

SLICES: list[tuple[str, Any]] = [
    ("all", (slice(None), slice(None))),
    ("ellipsis", Ellipsis),
    ("row", 5),
    ("negative row", -1),
    ("column", (slice(None), 7)),
    ("element", (3, 4)),
    ("corner", (slice(0, 3), slice(0, 4))),
    ("end", (slice(37, None), slice(-3, None))),
    ("steps", (slice(3, 20, 3), slice(10, 50, 7))),
    ("step to the end", (slice(None, None, 13), slice(1, None, 49))),
    ("one step", (slice(0, 1, 5), slice(2, 3, 5))),
    ("across chunks", (slice(9, 31), slice(14, 36))),
    ("beyond the end", (slice(30, 400), slice(0, 5000))),
]

LISTS: list[tuple[str, Any]] = [
    ("list of rows", ([1, 3, 5, 38], slice(2, 10))),
    ("list of columns", (slice(2, 10), [0, 13, 49])),
    ("long list", (list(range(0, 40, 1)), slice(0, 3))),
    ("list with a step", ([0, 39], slice(0, 50, 7))),
]


def fill(box: Box) -> None:
    with box.open("w") as f:
        f.create_dataset("grid", data=GRID, chunks=(10, 15))
        f.create_dataset("line", data=LINE, chunks=(64,))
        f.create_dataset("box", data=BOX, chunks=(2, 3, 4))
        f.create_dataset("whole", data=GRID)


@check
def slices(box: Box) -> None:
    fill(box)
    with box.open("r") as f:
        for name, args in SLICES:
            for dataset in ("grid", "whole"):
                found = f[dataset][args]
                assert np.array_equal(found, GRID[args]), name
                assert found.dtype == GRID.dtype
        equal(f["grid"][()], GRID)
        equal(f["line"][:], LINE)
        equal(f["line"][17:900:31], LINE[17:900:31])
        equal(f["box"][1:6:2, 3, ::4], BOX[1:6:2, 3, ::4])
        equal(f["box"][..., 2], BOX[..., 2])
        equal(len(f["grid"]), 40)
        equal(np.asarray(f["grid"]), GRID)
        equal([int(row[0]) for row in f["grid"]], GRID[:, 0].tolist())


@check
def lists(box: Box) -> None:
    fill(box)
    with box.open("r") as f:
        for name, args in LISTS:
            assert np.array_equal(f["grid"][args], GRID[args]), name
        equal(f["line"][[1, 5, 900]], LINE[[1, 5, 900]])


@check
def masks(box: Box) -> None:
    fill(box)
    with box.open("r") as f:
        for mask in (GRID % 7 == 0, GRID == 5, GRID >= 0):
            equal(f["grid"][mask], GRID[mask])
        equal(f["line"][LINE > 990], LINE[LINE > 990])


@check
def points(box: Box) -> None:
    not_offered_by_old("it has no index by several lists")
    fill(box)
    with box.open("r") as f:
        equal(f["grid"][[1, 3, 5], [1, 2, 3]], GRID[[1, 3, 5], [1, 2, 3]])


@check
def empty_selections(box: Box) -> None:
    fill(box)
    with box.open("r") as f:
        equal(f["grid"][5:5].shape, (0, 50))
        equal(f["line"][0:0].tolist(), [])


@check
def out_of_range(box: Box) -> None:
    fill(box)
    with box.open("r") as f:
        raises(Exception, lambda: f["grid"][40])
        raises(Exception, lambda: f["grid"][0, 0, 0])
        raises(Exception, lambda: f["line"][[5, 1000]])


@check
def written_slices(box: Box) -> None:
    fill(box)
    expected = GRID.copy()
    for n, (name, args) in enumerate(SLICES):
        expected[args] = -n
        with box.open("a") as f:
            f["grid"][args] = np.full(GRID[args].shape, -n, "<i4") if n % 2 else -n
        with box.open("r") as f:
            assert np.array_equal(f["grid"][...], expected), name


@check
def written_arrays(box: Box) -> None:
    fill(box)
    expected, line = GRID.copy(), LINE.copy()
    expected[3:20:3, 10:50:7] = np.arange(36).reshape(6, 6)
    expected[7] = np.arange(50)
    expected[:, 9] = np.arange(40)
    line[5:500:5] = np.arange(99)
    with box.open("a") as f:
        f["grid"][3:20:3, 10:50:7] = np.arange(36, dtype="<i4").reshape(6, 6)
        f["grid"][7] = np.arange(50, dtype="<i4")
        f["grid"][:, 9] = np.arange(40, dtype="<i4")
        f["line"][5:500:5] = np.arange(99, dtype=">i8")
    with box.open("r") as f:
        equal(f["grid"][...], expected)
        equal(f["line"][...], line)


@check
def converted_while_written(box: Box) -> None:
    fill(box)
    with box.open("a") as f:
        f["line"][0:3] = [7, 8, 9]
        f["line"][3] = 2.0
        f["grid"][0, 0:2] = np.array([1, 2], ">f8")
    with box.open("r") as f:
        equal(f["line"][0:4].tolist(), [7, 8, 9, 2])
        equal(f["grid"][0, 0:2].tolist(), [1, 2])


@check
def written_lists(box: Box) -> None:
    fill(box)
    expected = GRID.copy()
    expected[[1, 3, 5], 2:4] = -1
    with box.open("a") as f:
        f["grid"][[1, 3, 5], 2:4] = np.full((3, 2), -1, "<i4")
    with box.open("r") as f:
        equal(f["grid"][...], expected)


@check
def written_points(box: Box) -> None:
    not_offered_by_old("it writes no boolean masks")
    fill(box)
    expected, line = GRID.copy(), LINE.copy()
    mask = GRID % 111 == 0
    expected[mask] = np.arange(mask.sum())
    line[LINE < 5] = -9
    with box.open("a") as f:
        f["grid"][mask] = np.arange(mask.sum(), dtype="<i4")
        f["line"][LINE < 5] = np.full(5, -9, ">i8")
    with box.open("r") as f:
        equal(f["grid"][...], expected)
        equal(f["line"][...], line)


@check
def members_of_compounds(box: Box) -> None:
    dtype = np.dtype([("x", "<f4"), ("n", ">i2"), ("s", "S3")])
    data = np.zeros(20, dtype)
    data["x"], data["n"], data["s"] = np.arange(20), np.arange(20) * 2, b"ab"
    with box.open("w") as f:
        f.create_dataset("c", data=data)
    data["n"][5:10] = -1
    with box.open("a") as f:
        f["c"]["n", 5:10] = np.full(5, -1, ">i2")
    with box.open("r") as f:
        equal(f["c"][...], data)
        equal(f["c"]["x"], data["x"])
        equal(f["c"]["n", 4:7], data["n"][4:7])
        equal(f["c"][3]["s"], b"ab")


@check
def whole_members_of_compounds(box: Box) -> None:
    not_offered_by_new("it sends a member's values where the other members are expected to stay")
    data = np.zeros(5, [("x", "<f4"), ("n", "<i2")])
    with box.open("w") as f:
        f.create_dataset("c", data=data)
        f["c"]["n"] = np.arange(5, dtype="<i2")
    data["n"] = np.arange(5)
    with box.open("r") as f:
        equal(f["c"][...], data)


@check
def scalars(box: Box) -> None:
    with box.open("w") as f:
        f.create_dataset("i", data=5)
        f.create_dataset("f", (), dtype="<f4")
        f.create_dataset("one", data=np.array([1.5]))
    with box.open("a") as f:
        f["i"][()] = 7
        f["f"][...] = 0.5
        f["one"][0] = 2.5
    with box.open("r") as f:
        equal((f["i"][()], f["f"][()], f["one"][0]), (7, 0.5, 2.5))
        equal((f["i"].shape, f["i"].size, f["one"].shape), ((), 1, (1,)))


@check
def ten_megabytes_at_once(box: Box) -> None:
    data = np.random.default_rng(1).integers(0, 1 << 30, (1280, 1024), "<i8")
    with box.open("w") as f:
        f.create_dataset("d", data=data, chunks=(128, 1000))
    with box.open("r") as f:
        equal(f["d"][...], data)
        equal(f["d"][100:1200:7, 3:1000], data[100:1200:7, 3:1000])


@check
def read_direct(box: Box) -> None:
    not_offered_by_new("its read_direct fails in the client")
    fill(box)
    out = np.zeros((10, 50), "<i4")
    with box.open("r") as f:
        f["grid"].read_direct(out, np.s_[0:10, :], np.s_[0:10, :])
    equal(out, GRID[:10])


if __name__ == "__main__":
    main()
