"""A group of processes being measured: started, watched (CPU time, peak memory), ended."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).parents[1]
"""Whose code is measured."""


@dataclass(frozen=True, slots=True)
class Command:
    """A process to start; ``pipes`` for those that are spoken to over standard input and output."""

    words: Sequence[str]
    environ: Mapping[str, str]
    folder: Path = CHECKOUT
    pipes: bool = False


class Group:
    """Processes in a group of their own, with a directory of their own."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="bench-"))
        self.started: list[subprocess.Popen[bytes]] = []
        self._log = (self.folder / "log.txt").open("wb")
        self._peaks: dict[int, int] = {}

    def start(self, command: Command) -> subprocess.Popen[bytes]:
        pipe = subprocess.PIPE if command.pipes else None
        process = subprocess.Popen(
            command.words,
            cwd=command.folder,
            env=command.environ,
            stdin=pipe or subprocess.DEVNULL,
            stdout=pipe or self._log,
            stderr=self._log,
            process_group=self.started[0].pid if self.started else 0,
        )
        self.started.append(process)
        return process

    def end(self) -> None:
        """End all; those that do not within 30 s are killed."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            if self.started:
                with suppress(ProcessLookupError):
                    os.killpg(self.started[0].pid, number)
            with suppress(subprocess.TimeoutExpired):
                for process in self.started:
                    process.wait(30)
        self.started = []

    def remove(self) -> None:
        self._log.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def log(self) -> str:
        return (self.folder / "log.txt").read_text(errors="replace")[-2000:]

    def cpu_seconds(self) -> float:
        """CPU time of all its processes so far, to the nanosecond: ticks are longer than many runs."""
        total = 0
        for pid in self._pids():
            with suppress(OSError):  # it may end at any moment
                for thread in Path(f"/proc/{pid}/task").iterdir():
                    total += int((thread / "schedstat").read_text().split()[0])
        return total / 1e9

    def restart_peak(self) -> None:
        """Let ``peak`` count from now."""
        for pid in self._pids():
            self._peaks[pid] = max(self._peaks.get(pid, 0), _high_water(pid))
            with suppress(OSError):
                Path(f"/proc/{pid}/clear_refs").write_text("5")

    def peak(self) -> float:
        """Peak resident memory of all its processes since ``restart_peak``, MiB."""
        return sum(map(_high_water, self._pids())) / 1024

    def whole_peak(self) -> float:
        """Peak resident memory of all its processes since they started, MiB."""
        return sum(max(self._peaks.get(pid, 0), _high_water(pid)) for pid in self._pids()) / 1024

    def _pids(self) -> list[int]:
        group = self.started[0].pid
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                with suppress(ProcessLookupError):
                    if os.getpgid(int(entry.name)) == group:
                        found.append(int(entry.name))
        return found


def _high_water(pid: int) -> int:
    """KiB."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1])
    return 0
