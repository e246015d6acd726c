"""Datasets that change their shape, and readers that follow a writer."""

from __future__ import annotations

import h5pyd
import numpy as np
from checks import OLD, Box, check, equal, main, raises


@check
def grow_and_shrink(box: Box) -> None:
    with box.open("w") as f:
        d = f.create_dataset(
            "d", data=np.arange(12, dtype="<i4").reshape(3, 4), maxshape=(None, 10), chunks=(2, 3)
        )
        equal(d.maxshape, (None, 10))
    with box.open("a") as f:
        f["d"].resize((6, 10))
    expected = np.zeros((6, 10), "<i4")
    expected[:3, :4] = np.arange(12).reshape(3, 4)
    with box.open("a") as f:
        equal(f["d"][...], expected)
        f["d"][5, 9] = 77
        f.flush()
        f["d"].resize((2, 3))
    with box.open("a") as f:
        equal(f["d"][...], expected[:2, :3])
        f["d"].resize((6, 10))
    with box.open("r") as f:  # what was cut off does not come back
        again = np.zeros((6, 10), "<i4")
        again[:2, :3] = expected[:2, :3]
        equal(f["d"][...], again)


@check
def one_axis(box: Box) -> None:
    with box.open("w") as f:
        f.create_dataset("d", (4, 4), dtype="<f8", maxshape=(None, 4), fillvalue=2.5)
    with box.open("a") as f:
        f["d"].resize(9, axis=0)
    with box.open("r") as f:
        equal(f["d"].shape, (9, 4))
        equal(f["d"][...], np.full((9, 4), 2.5))


@check
def from_nothing(box: Box) -> None:
    with box.open("w") as f:
        f.create_dataset("d", (0,), dtype="<i8", maxshape=(None,))
    for turn in range(4):
        with box.open("a") as f:
            d = f["d"]
            d.resize((d.shape[0] + 100,))
            d[-100:] = np.arange(100) + turn * 100
    with box.open("r") as f:
        equal(f["d"][...], np.arange(400))


@check
def fixed_shapes_stay(box: Box) -> None:
    with box.open("w") as f:
        f.create_dataset("d", data=[1, 2, 3])
        f.create_dataset("most", (3,), dtype="i4", maxshape=(5,))

    def grow(name: str, size: int) -> None:
        with box.open("a") as f:
            f[name].resize((size,))

    raises(Exception, lambda: grow("d", 5))
    raises(Exception, lambda: grow("most", 6))
    grow("most", 5)
    with box.open("r") as f:
        equal((f["d"].shape, f["most"].shape), ((3,), (5,)))


@check
def a_reader_follows_a_writer(box: Box) -> None:
    options = {} if OLD else {"swmr": True}
    with box.open("w") as writer:
        d = writer.create_dataset("d", (0,), dtype="<i4", maxshape=(None,))
        writer.flush()
        with box.open("r", **options) as reader:
            seen = reader["d"]
            equal(seen.shape, (0,))
            for turn in range(1, 4):
                d.resize((turn * 10,))
                d[(turn - 1) * 10 :] = np.arange(10, dtype="<i4") + turn
                writer.flush()
                seen.refresh()
                equal(seen.shape, (turn * 10,))
                equal(seen[-10:], np.arange(10, dtype="<i4") + turn)


@check
def values_written_by_others_are_seen(box: Box) -> None:
    with box.open("w") as f:
        f.create_dataset("d", data=np.zeros(10, "<i4"))
    with box.open("r") as reader:
        equal(int(reader["d"][3]), 0)
        with box.open("a") as writer:
            writer["d"][3] = 5
        equal(int(reader["d"][3]), 5)


@check
def three_axes_without_limit(box: Box) -> None:
    with box.open("w") as f:
        d = f.create_dataset("d", (1, 1, 1), dtype=">f4", maxshape=(None, None, None), chunks=(2, 2, 2))
        d.resize((3, 4, 5))
        d[...] = np.arange(60, dtype=">f4").reshape(3, 4, 5)
        d.resize((5, 5, 5))
    with box.open("r") as f:
        equal(f["d"][:3, :4, :], np.arange(60, dtype=">f4").reshape(3, 4, 5))
        equal(float(f["d"][4].sum()), 0.0)


@check
def many_datasets_at_once(box: Box) -> None:
    with box.open("w") as f:
        sets = [f.create_dataset(f"d{n}", data=np.full((20, 20), n, "<i4")) for n in range(24)]
        f.flush()
        if OLD:
            h5pyd.MultiManager(sets)[...] = [np.full((20, 20), n + 1, "<i4") for n in range(24)]
        else:
            for n, one in enumerate(sets):
                one[...] = n + 1
    with box.open("r") as f:
        manager = h5pyd.MultiManager([f[f"d{n}"] for n in range(24)])
        for n, found in enumerate(manager[...]):
            equal(found, np.full((20, 20), n + 1, "<i4"))
        for n, found in enumerate(manager[3:5, ::7]):
            equal(found, np.full((2, 3), n + 1, "<i4"))


if __name__ == "__main__":
    main()
