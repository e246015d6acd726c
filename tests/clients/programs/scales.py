"""Dimension scales, which are attributes full of references."""

from __future__ import annotations

from typing import Any

import numpy as np
from checks import OLD, Box, check, equal, main


def fill(f: Any) -> None:
    f.create_dataset("data", data=np.arange(12.0).reshape(3, 4))
    f.create_dataset("x", data=np.arange(3.0))
    f.create_dataset("y", data=np.arange(4.0))
    f["x"].make_scale("distance")
    f["y"].make_scale("time")
    f["data"].dims[0].label = "metres"
    f["data"].dims[0].attach_scale(f["x"])
    f["data"].dims[1].attach_scale(f["y"])


@check
def made_attached_and_labelled(box: Box) -> None:
    with box.open("w") as f:
        fill(f)
    with box.open("r") as f:
        data = f["data"]
        equal(data.dims[0].label, "metres")
        equal(len(data.dims[0]), 1)
        equal(data.dims[0][0][...], np.arange(3.0))
        equal(data.dims[1]["time"][...], np.arange(4.0))
        if not OLD:
            assert f["x"].is_scale
            assert not data.is_scale
        equal([dim.keys() for dim in data.dims], [["distance"], ["time"]])


@check
def detached_again(box: Box) -> None:
    with box.open("w") as f:
        fill(f)
        f["data"].dims[1].detach_scale(f["y"])
    with box.open("r") as f:
        equal(len(f["data"].dims[1]), 0)
        equal(len(f["data"].dims[0]), 1)


@check
def a_file_with_scales_can_be_changed_again(box: Box) -> None:
    with box.open("w") as f:
        fill(f)
    with box.open("a") as f:
        f["data"].attrs["unit"] = "K"
        f["x"].attrs["unit"] = "m"
    with box.open("r") as f:
        equal(f["data"].dims[0][0].attrs["unit"], "m")
        equal(f["data"].attrs["unit"], "K")


@check
def one_scale_for_many(box: Box) -> None:
    with box.open("w") as f:
        f.create_dataset("x", data=np.arange(5.0))
        f["x"].make_scale("x")
        for n in range(10):
            f.create_dataset(f"d{n}", data=np.zeros((5,)))
            f[f"d{n}"].dims[0].attach_scale(f["x"])
    with box.open("r") as f:
        for n in range(10):
            equal(f[f"d{n}"].dims[0][0][...], np.arange(5.0))


if __name__ == "__main__":
    main()
