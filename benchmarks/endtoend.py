"""Workloads of h5pyd: a whole file loaded, walked through and read by the client that users have."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.parse import quote

import h5py
import numpy as np

from benchmarks.client import PASSWORD, USER
from benchmarks.program import Program
from benchmarks.target import Target
from benchmarks.workload import Fresh, Work, Workload

LOADS = 40
"""Most that are loaded in a run: each into a domain of its own."""
_TRIES, _PAUSE = 6, 10.0


def workloads(program: Program, files: Sequence[Path]) -> tuple[Workload, ...]:
    """Load, walk and read of each file; the first has the plain names."""
    found: list[Workload] = []
    for number, file in enumerate(files):
        after = f" ({file.name})" if number else ""
        for what in ("load", "walk", "read"):
            prepare = _prepare(program, what, file)
            found.append(Workload(f"h5pyd: {what}{after}", "files/s", 1, 1, prepare))
    return tuple(found)


def _prepare(program: Program, what: str, file: Path) -> Callable[[Target], Fresh]:
    def prepare(target: Target) -> Fresh:
        values = {
            "endpoint": f"http+unix://{quote(target.server.address, safe='')}",
            "user": USER,
            "password": PASSWORD,
            "file": str(file),
        }
        key = f"{what} {file} {target.server.address}"
        if what == "load":
            program.prepare(what, key, {**values, "domains": [target.unique("load") for _ in range(LOADS)]})
        else:
            domain = target.once(f"loaded {file}", lambda: _load(program, target, values))
            program.prepare(what, key, {**values, "domain": domain})

        def fresh() -> Work:
            program.ask(fresh=key)
            return Work(instead=lambda: program.seconds(key))

        return fresh

    return prepare


def _load(program: Program, target: Target, values: dict[str, str]) -> str:
    """HSDS answers 503 to writes for a while after many loads, and h5pyd gives up: patiently, then."""
    for left in reversed(range(_TRIES)):
        domain = target.unique("loaded")
        key = f"once {domain} {target.server.address}"
        program.prepare("load", key, {**values, "domains": [domain]})
        program.ask(fresh=key)
        try:
            program.seconds(key)
            break
        except RuntimeError:
            if not left:
                raise
            time.sleep(_PAUSE)
    return domain


def made(path: Path) -> Path:
    """A file like those of an instrument: 40 scans of four datasets each, an image stack, a table."""
    random = np.random.default_rng(6)
    with h5py.File(path, "w") as file:
        for i in range(40):
            group = file.create_group(f"entry/scan{i:03}")
            group.attrs["NX_class"], group.attrs["number"] = "NXdata", i
            for name in ("x", "y", "intensity"):
                dataset = group.create_dataset(name, data=random.random(200))
                dataset.attrs["units"] = "mm"
            group.create_dataset("title", data=f"scan number {i}")
        images = random.integers(0, 900, (32, 256, 256)).astype("<u2")
        file.create_dataset(
            "entry/images", data=images, chunks=(8, 256, 256), compression="gzip", shuffle=True
        )
        rows = np.zeros(2000, [("time", "<f8"), ("counts", "<i4")])
        rows["time"], rows["counts"] = np.arange(2000) / 8, random.integers(0, 99, 2000)
        file.create_dataset("entry/table", data=rows)
        names = [f"sample {i}" for i in range(500)]
        file.create_dataset("entry/samples", data=names, dtype=h5py.string_dtype())
    return path
