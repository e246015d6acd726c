"""Writes and reads what it wrote for some seconds, while something happens to the service.

Arguments: domain, seconds. Prints how often it did, and the longest that it waited. An error ends it, and so
does a value that is not the last that was written.
"""

from __future__ import annotations

import json
import sys
import time

import h5pyd
import numpy as np
from checks import equal


def main(path: str, seconds: float) -> None:
    until = time.monotonic() + seconds
    longest, rounds = 0.0, 0
    with h5pyd.File(path, "w") as f:
        data = f.create_dataset("data", (64, 64), dtype="<i4", chunks=(8, 8))
        while time.monotonic() < until:
            began = time.monotonic()
            rounds += 1
            data[...] = np.full((64, 64), rounds, "<i4")
            data[rounds % 64, :] = np.arange(64) + rounds
            expected = np.full((64, 64), rounds, "<i4")
            expected[rounds % 64] = np.arange(64) + rounds
            equal(data[...], expected)
            data.attrs["rounds"] = rounds
            equal(int(data.attrs["rounds"]), rounds)
            longest = max(longest, time.monotonic() - began)
    with h5pyd.File(path, "r") as f:
        equal(f["data"][...], expected)
    print(json.dumps({"rounds": rounds, "longest": longest}))


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]))
