"""A service as a subprocess: started, watched, stopped and killed."""

from __future__ import annotations

import asyncio
import os
import queue
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

CHECKOUT = Path(__file__).parents[2]
OWN = (sys.executable, "-m", "hsds", "serve")
_OURS = re.compile(r"(AWS|S3|HSDS|ROOT_DIR|BUCKET_NAME|PASSWORD_FILE|CONFIG_DIR|LOG_).*")


class Service:
    """``hsds serve`` in a directory of its own, on a port that is free. A context manager of both kinds."""

    def __init__(self, folder: Path, *flags: str, port: int = 0, command: Sequence[str] = ()) -> None:
        self.folder = folder
        self.flags = (*flags, "--port", str(port))
        self.command = command or OWN
        self._environ = _environ() if command else _own_environ()
        self.url = ""
        self.welcome: list[str] = []

    def __enter__(self) -> Service:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.kill()

    async def __aenter__(self) -> Service:
        """Let the loop go on meanwhile, in which its store may be."""
        return await asyncio.to_thread(self.start)

    async def __aexit__(self, *_: object) -> None:
        self.kill()

    def start(self, *, seconds: float = 30.0) -> Service:
        """Start it, and wait until it says where it listens."""
        self.log = self.folder / "service.log"
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*self.command, *self.flags],
                cwd=self.folder,
                stdout=subprocess.PIPE,
                stderr=log,
                env=self._environ,
            )
        lines: queue.Queue[bytes] = queue.Queue()
        threading.Thread(target=self._read, args=(lines,), daemon=True).start()
        until = time.monotonic() + seconds
        while not self.url:
            try:
                line = lines.get(timeout=max(0.0, until - time.monotonic())).decode()
            except queue.Empty:
                self.kill()
                raise AssertionError(f"not listening after {seconds} s: {self.log.read_text()}") from None
            assert line, f"ended with {self.process.wait()}: {self.log.read_text()}"
            if found := re.search(r" at (\S+)$", line):
                self.url = found[1]
        return self

    def _read(self, lines: queue.Queue[bytes]) -> None:
        """Pass on the lines of standard output, an empty one at the end."""
        assert self.process.stdout is not None
        self.welcome = []
        for line in iter(self.process.stdout.readline, b""):
            self.welcome.append(line.decode())
            lines.put(line)
        lines.put(b"")

    def stop(self, *, seconds: float = 30.0) -> int:
        """End it as the system would, and its exit status."""
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(seconds)
        self.url = ""
        return status

    def kill(self) -> None:
        """End it at once, wherever it is."""
        self.process.kill()
        self.process.wait()
        self.url = ""

    @property
    def peak_memory(self) -> int:
        """The most bytes of memory that it held so far (Linux)."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        found = re.search(r"VmHWM:\s+(\d+) kB", status)
        assert found
        return int(found[1]) * 1024


def failed_start(folder: Path, *flags: str, **environ: str) -> str:
    """What a service that must not start says; it says one line, and ends with status 2."""
    done = subprocess.run(
        [*OWN, *flags],
        cwd=folder,
        env=_own_environ() | environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2, done.stderr
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("hsds: ")
    assert not done.stdout
    return done.stderr


def _environ() -> dict[str, str]:
    """The environment without what would configure a service."""
    return {name: value for name, value in os.environ.items() if not _OURS.match(name)}


def _own_environ() -> dict[str, str]:
    """That of a service which is this checkout's, whichever one is installed."""
    return _environ() | {"PYTHONPATH": str(CHECKOUT)}
