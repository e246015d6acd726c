"""Load with h5pyd, every byte verified: runs in a pod of the cluster under test, or anywhere.

    load.py DIRECTORY ENDPOINT USER PASSWORD WRITERS

The file ``phase`` in DIRECTORY names what is being done to the cluster meanwhile; figures by phase are kept
in ``stats-<n>.json`` there, until a file ``stop`` appears. Then all is read again, and ``verdict-<n>.json``
says how many acknowledged values were lost.
"""

import json
import multiprocessing
import random
import sys
import time
from pathlib import Path

import h5pyd
import numpy as np

ROWS, BLOCK, WIDTH = 64, 8, 512


class Figures:
    """What one process has seen, by phase."""

    def __init__(self, path: Path):
        self.path = path
        self.phases: dict[str, dict] = {}
        self.saved = 0.0

    def note(self, began: float, error: Exception | None, stale: bool) -> None:
        try:
            name = (self.path.parent / "phase").read_text().strip()
        except OSError:
            name = "start"
        empty = {"operations": 0, "errors": 0, "stale": 0, "longest": 0.0, "texts": []}
        figures = self.phases.setdefault(name, empty)
        figures["operations"] += 1
        figures["longest"] = max(figures["longest"], round(time.monotonic() - began, 3))
        figures["stale"] += stale
        if error is not None:
            figures["errors"] += 1
            figures["texts"] = [*figures["texts"], f"{type(error).__name__}: {error}"][:5]
        if time.monotonic() - self.saved > 0.5:
            self.save()

    def save(self) -> None:
        self.saved = time.monotonic()
        write(self.path, self.phases)


class Load:
    """One file, changed and read back. What a failed write wrote to may hold the old value or the new."""

    def __init__(self, path: str, options: dict, figures: Figures, seed: int):
        self.path, self.options, self.figures = path, options, figures
        self.random = random.Random(seed)
        self.serial = 0
        self.blocks = [{0} for _ in range(ROWS)]
        self.attribute = {0}
        self.file = None

    def create(self) -> None:
        with h5pyd.File(self.path, "w", **self.options) as file:
            dataset = file.create_dataset("x", (ROWS * BLOCK, WIDTH), "i8", chunks=(4 * BLOCK, WIDTH))
            dataset.attrs["serial"] = 0

    def dataset(self):
        if self.file is None:
            self.file = h5pyd.File(self.path, "a", **self.options)
        return self.file["x"]

    def step(self) -> None:
        """One operation of a client, and what came of it."""
        kind = self.random.choice((self.write, self.read, self.read, self.change))
        began, error, stale = time.monotonic(), None, False
        try:
            stale = not kind()
        except Exception as found:  # noqa: BLE001 - whatever a client meets counts
            error, self.file = found, None
            time.sleep(0.2)
        self.figures.note(began, error, stale)

    def write(self) -> bool:
        row = self.random.randrange(ROWS)
        self.serial += 1
        self.blocks[row].add(self.serial)
        self.dataset()[row * BLOCK : (row + 1) * BLOCK] = np.full((BLOCK, WIDTH), self.serial)
        self.file.flush()  # h5pyd sends nothing before
        self.blocks[row] = {self.serial}
        return True

    def change(self) -> bool:
        self.serial += 1
        self.attribute.add(self.serial)
        self.dataset().attrs["serial"] = self.serial
        self.file.flush()
        self.attribute = {self.serial}
        return True

    def read(self) -> bool:
        """As another client, which has nothing in its memory."""
        with h5pyd.File(self.path, "r", **self.options) as file:
            return self.holds(file, self.random.randrange(ROWS)) and self.attribute_holds(file)

    def holds(self, file: h5pyd.File, row: int) -> bool:
        found = set(np.unique(file["x"][row * BLOCK : (row + 1) * BLOCK]).tolist())
        return len(found) == 1 and found <= self.blocks[row]

    def attribute_holds(self, file: h5pyd.File) -> bool:
        return int(file["x"].attrs["serial"]) in self.attribute

    def lost(self) -> int:
        """Acknowledged values that are not there."""
        with h5pyd.File(self.path, "r", **self.options) as file:
            return sum(not self.holds(file, row) for row in range(ROWS)) + (not self.attribute_holds(file))


def write(path: Path, value: object) -> None:
    part = path.with_suffix(".part")
    part.write_text(json.dumps(value))
    part.replace(path)


def run(directory: Path, number: int, options: dict) -> None:
    """One process, until a file ``stop`` appears."""
    figures = Figures(directory / f"stats-{number}.json")
    load = Load(f"/home/{options['username']}/e2e-{number}.h5", options, figures, number)
    load.create()
    while not (directory / "stop").exists():
        load.step()
    figures.save()
    write(directory / f"verdict-{number}.json", {"lost": load.lost(), "operations": load.serial})
    del h5pyd.Folder(f"/home/{options['username']}/", mode="a", **options)[f"e2e-{number}.h5"]


def main(directory: Path, endpoint: str, username: str, password: str, writers: int) -> None:
    """All processes, to the end, which ``ended.json`` tells with their exit statuses."""
    options = {"endpoint": endpoint, "username": username, "password": password}
    home = f"/home/{username}/"
    processes = [
        multiprocessing.Process(target=run, args=(directory, number, options)) for number in range(writers)
    ]
    try:
        try:
            h5pyd.Folder(home, **options)
        except OSError:
            h5pyd.Folder(home, mode="x", **options)
        for process in processes:
            process.start()
        for process in processes:
            process.join()
    finally:
        write(directory / "ended.json", [process.exitcode for process in processes])


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:5], int(sys.argv[5]))
