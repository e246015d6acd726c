"""The servers side by side: this service, HSDS 1.0.2 in an environment of its own, and the bare one.

All listen on Unix sockets: HSDS 1.0.2 takes fixed ports for its data nodes otherwise.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from benchmarks.client import PASSWORD, USER, Connection, WrongAnswerError, make

_STARTS = 4
"""Attempts: HSDS gives its data nodes ten seconds, which a busy machine may not have."""


class Server(ABC):
    """A server as a process group of its own, with a directory of its own. A context manager."""

    name: str

    def __enter__(self) -> Server:
        self.folder = Path(tempfile.mkdtemp(prefix="bench-"))
        self.address = str(self.folder / "sn_1.sock")
        (self.folder / "passwd.txt").write_text(f"{USER}:{PASSWORD}\nadmin:admin-password\n")
        (self.folder / "data" / "bench").mkdir(parents=True)
        self._log = (self.folder / "log.txt").open("wb")
        for left in reversed(range(_STARTS)):
            self._process = subprocess.Popen(
                self.command(),
                cwd=self.runs_in(),
                env=self.environment(),
                stdout=self._log,
                stderr=self._log,
                start_new_session=True,
            )
            try:
                self._wait()
                break
            except BaseException as error:
                self._end()
                if not left or not isinstance(error, RuntimeError):
                    self._clear()
                    raise
        return self

    def __exit__(self, *_: object) -> None:
        self._end()
        self._clear()

    def _end(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGTERM)
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def _clear(self) -> None:
        self._log.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    @abstractmethod
    def command(self) -> Sequence[str]:
        """How it is started."""

    def environment(self) -> dict[str, str]:
        return dict(os.environ)

    def runs_in(self) -> Path:
        """Its working directory: this checkout, whose code is what is measured."""
        return Path(__file__).parents[1]

    def cpu_seconds(self) -> float:
        """CPU time of all its processes so far: ticks are longer than many runs."""
        total = 0
        for pid in self._pids():
            for thread in Path(f"/proc/{pid}/task").iterdir():
                with suppress(OSError):  # it may end at any moment
                    total += int((thread / "schedstat").read_text().split()[0])
        return total / 1e9

    def memory(self) -> float:
        """Peak resident memory of all its processes, MiB."""
        total = 0
        for pid in self._pids():
            for line in Path(f"/proc/{pid}/status").read_text().splitlines():
                if line.startswith("VmHWM:"):
                    total += int(line.split()[1])
        return total / 1024

    def _pids(self) -> list[int]:
        group = self._process.pid
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    if os.getpgid(int(entry.name)) == group:
                        found.append(int(entry.name))
                except ProcessLookupError:
                    continue
        return found

    def _wait(self, seconds: float = 60.0) -> None:
        about = make("GET", "/about", {})
        end = time.monotonic() + seconds
        while time.monotonic() < end and self._process.poll() is None:
            try:
                connection = Connection(self.address)
                if self.ready(bytes(connection.ask(about))):
                    return
            except (OSError, WrongAnswerError):
                pass
            time.sleep(0.2)
        raise RuntimeError(f"{self.name} did not start: {(self.folder / 'log.txt').read_text()[-2000:]}")

    def ready(self, about: bytes) -> bool:
        """Whether it can be measured now, by what it says of itself."""
        return b"READY" in about


class Ours(Server):
    """This service, ``hsds serve`` at its defaults over a POSIX directory."""

    name = "hsds"

    def command(self) -> Sequence[str]:
        flags = ["--root-dir", str(self.folder / "data"), "--bucket", "bench", "--socket", self.address]
        return [
            sys.executable,
            "-m",
            "hsds",
            "serve",
            *flags,
            "--password-file",
            str(self.folder / "passwd.txt"),
        ]


class Hsds102(Server):
    """HSDS 1.0.2 with four data nodes over a POSIX directory, at its defaults."""

    name = "HSDS 1.0.2"

    def __init__(self, environment: Path) -> None:
        self._environment = environment

    def command(self) -> Sequence[str]:
        folder = self.folder
        flags = ["--root_dir", str(folder / "data"), "--bucket_name", "bench"]
        flags += ["--password_file", str(folder / "passwd.txt"), "--count", "4"]
        flags += ["--socket_dir", str(folder)]
        return [str(self._environment / "bin" / "hsds"), *flags]

    def runs_in(self) -> Path:
        return self.folder

    def environment(self) -> dict[str, str]:
        path = f"{self._environment / 'bin'}:{os.environ['PATH']}"
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        return {
            **kept,
            "PATH": path,
            "BUCKET_NAME": "bench",
            "ROOT_DIR": str(self.folder / "data"),
        }


class Bare(Server):
    """aiohttp and uvloop sending bytes."""

    name = "bare server"

    def command(self) -> Sequence[str]:
        return [sys.executable, "-m", "benchmarks.bare", self.address]
