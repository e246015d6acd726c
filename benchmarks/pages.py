"""What a MiB in a new file costs on this machine: in the page cache, leaving it once on disk, and past it.

    python -m benchmarks.pages [--folder DIR] [--mib 128]

Three rounds of each, and the first files written once more: their pages are at hand. Figures of
``docs/benchmarks.md``.
"""

from __future__ import annotations

import argparse
import mmap
import os
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

MIB = 1 << 20
_DONT_CACHE = 0x80  # RWF_DONTCACHE of linux/fs.h


def write(paths: Iterable[Path], data: memoryview, *, create: bool, open_flags: int, flags: int) -> str:
    """Write a MiB to each path: milliseconds and CPU milliseconds a MiB."""
    mode = os.O_WRONLY | open_flags | (os.O_CREAT | os.O_EXCL if create else 0)
    count, began, cpu = 0, time.perf_counter(), time.process_time()
    for path in paths:
        file = os.open(path, mode, 0o666)
        os.pwritev(file, [data], 0, flags)
        os.close(file)
        count += 1
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    return f"{1000 * seconds / count:.2f} ms, {1000 * cpu / count:.2f} ms of CPU a MiB"


def main(folder: Path, mib: int) -> None:
    page_aligned = mmap.mmap(-1, MIB)
    page_aligned.write(os.urandom(MIB))
    data = memoryview(page_aligned)
    ways = {"page cache": (0, 0), "RWF_DONTCACHE": (0, _DONT_CACHE), "O_DIRECT": (os.O_DIRECT, 0)}
    for number in range(3):
        for name, (open_flags, flags) in ways.items():
            paths = [folder / f"{name}-{number}-{i}" for i in range(mib)]
            found = write(paths, data, create=True, open_flags=open_flags, flags=flags)
            sys.stdout.write(f"{name}: {found}\n")
    paths = [folder / f"page cache-0-{i}" for i in range(mib)]
    sys.stdout.write(f"written again: {write(paths, data, create=False, open_flags=0, flags=0)}\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()))
    parser.add_argument("--mib", type=int, default=128)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pages-", dir=args.folder) as name:
        main(Path(name), args.mib)
