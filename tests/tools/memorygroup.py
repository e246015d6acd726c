"""A control group with a limit of memory, as the container of a pod has, where one can be made here."""

from __future__ import annotations

import contextlib
import itertools
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")
_NUMBERS = itertools.count()


@dataclass(frozen=True, slots=True)
class Kind:
    """Version 1 or 2: where groups are, and what its files are called."""

    name: str
    parent: Path
    limit: str
    peak: str
    oom: str


KINDS = (
    Kind(
        "cgroup v1",
        ROOT / "memory",
        "memory.limit_in_bytes",
        "memory.max_usage_in_bytes",
        "memory.oom_control",
    ),
    Kind("cgroup v2", ROOT, "memory.max", "memory.peak", "memory.events"),
)


@dataclass(frozen=True, slots=True)
class MemoryGroup:
    """A group; ``before`` are the words that start a command in it."""

    kind: Kind
    folder: Path

    @property
    def before(self) -> tuple[str, ...]:
        return "sh", "-c", f'echo $$ > {self.folder}/cgroup.procs && exec "$@"', "sh"

    @property
    def killed(self) -> int:
        """How many processes the kernel has killed for want of memory."""
        lines = (self.folder / self.kind.oom).read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("oom_kill "))


@contextlib.contextmanager
def memory_group(limit: int) -> Iterator[MemoryGroup | None]:
    """A group for ``limit`` bytes, removed at the end; None where none can be made."""
    made = _make(limit)
    try:
        yield made
    finally:
        if made is not None:
            _remove(made.folder)


def _make(limit: int) -> MemoryGroup | None:
    for kind in KINDS:
        folder = kind.parent / f"hsds-test-{os.getpid()}-{next(_NUMBERS)}"
        if not (kind.parent / "cgroup.procs").exists():
            continue
        try:
            folder.mkdir()
        except OSError:
            continue
        try:
            (folder / kind.limit).write_text(str(limit))
        except OSError:
            folder.rmdir()
            continue
        return MemoryGroup(kind, folder)
    return None


def _remove(folder: Path) -> None:
    """Empty groups can be removed as soon as the last process is really gone."""
    until = time.monotonic() + 10
    while True:
        try:
            folder.rmdir()
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)
        else:
            return
