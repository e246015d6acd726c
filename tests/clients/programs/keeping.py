"""Written by one program, read by another: ``write`` before the service was restarted, ``read`` after.

The folder is one that exists already; the domain in it is ``kept.h5``.
"""

from __future__ import annotations

import sys

import h5pyd
import numpy as np
from checks import OLD, equal

DATA = np.arange(90_000, dtype=">f4").reshape(300, 300)
TEXTS = ["", "ünïcode", "x" * 3000]


def write(path: str) -> None:
    with h5pyd.File(path, "w") as f:
        f.create_dataset("g/big", data=DATA, chunks=(64, 50), compression="gzip", shuffle=True)
        f.create_dataset("grown", (0,), dtype="<i8", maxshape=(None,)).resize((5,))
        f["grown"][...] = np.arange(5)
        f.create_dataset("texts", (3,), dtype=h5pyd.special_dtype(vlen=str))[...] = np.array(TEXTS, object)
        f.create_dataset("unwritten", (4,), dtype="<i2", fillvalue=7)
        f["g"].attrs["nan"] = np.nan
        f["t"] = np.dtype([("x", "<f4")])
        f["soft"] = h5pyd.SoftLink("/g/big")
        f.create_group("gone")
        f.create_dataset("shrunk", data=np.arange(100), maxshape=(None,), chunks=(7,))
        f.flush()
        del f["gone"]
        f["shrunk"].resize((10,))
        f.putACL(
            {"userName": "reader", "create": False, "read": True, "update": False, "delete": False}
            | {"readACL": False, "updateACL": False}
        )


def read(path: str) -> None:
    with h5pyd.File(path, "a") as f:
        equal(sorted(f), ["g", "grown", "shrunk", "soft", "t", "texts", "unwritten"])
        equal(f["soft"][...], DATA)
        equal(f["g/big"].compression, "gzip")
        equal(f["grown"][...], np.arange(5))
        equal([v.decode() if isinstance(v, bytes) else v for v in f["texts"][...]], TEXTS)
        equal(f["unwritten"][...], np.full(4, 7, "<i2"))
        assert np.isnan(f["g"].attrs["nan"])
        equal(f["t"].dtype, np.dtype([("x", "<f4")]))
        equal(f["shrunk"][...], np.arange(10))
        equal([entry["userName"] for entry in f.getACLs()], ["ann", "reader"])
        f["grown"].resize((8,))
        f.attrs["read"] = 1
    with h5pyd.File(path, "r", **({"use_cache": False} if OLD else {})) as f:
        equal(f["grown"][...], np.array([0, 1, 2, 3, 4, 0, 0, 0]))
        equal(int(f.attrs["read"]), 1)


if __name__ == "__main__":
    {"write": write, "read": read}[sys.argv[2]](sys.argv[1] + "kept.h5")
    print("{}")
