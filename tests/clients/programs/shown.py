"""Writes what h5py users keep into a domain, for another client to show: ``python shown.py DOMAIN``."""

import sys

import h5pyd
import numpy as np

TEXT = h5pyd.special_dtype(vlen=str)
COLOR = h5pyd.special_dtype(enum=("i2", {"RED": 0, "BLUE": 2}))

with h5pyd.File(sys.argv[1], "w") as file:
    file.attrs["title"] = "shown"
    file.attrs["flag"] = True
    file.attrs["none"] = h5pyd.Empty("f4")
    file.attrs["units"] = np.array(["m", "s"], dtype=TEXT)
    group = file.create_group("group")
    group["bool"] = np.array([True, False])
    group["color"] = np.array([2, 0], dtype=COLOR)
    group["complex"] = np.array([1 + 2j, -1j])
    group["table"] = np.array([(1, 0.5)], dtype=[("n", "i4"), ("x", "f8")])
    group.create_dataset("text", data="scalar text", dtype=TEXT)
    group["fixed"] = np.array([b"ab", b"c"])
    group["image"] = np.arange(12, dtype="f4").reshape(3, 4)
    group.create_dataset("empty", data=h5pyd.Empty("f4"))
    file["soft"] = h5pyd.SoftLink("/group/image")
    file["external"] = h5pyd.ExternalLink("/home/ann/other.h5", "/x")
print("null")
