"""HSDS itself, as a process over the directory of a bucket: a black box of which a test knows the contract.

It listens on Unix sockets only, so that any number of tests can run it side by side.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import suppress
from http.client import HTTPConnection
from pathlib import Path

VERSIONS = {"HSDS_TEST_HSDS094": "0.9.4", "HSDS_TEST_HSDS102": "1.0.2"}
"""Environment variables with the Python of an environment that has HSDS, and the version it should be."""
BUCKET = "hsdstest"


class Incumbent:
    """HSDS over ``root_dir``. Also a context manager; leaving it stops the process in order.

    It has one data node: with several it answers 500 for partitioned chunks, its own ones too.
    """

    def __init__(self, python: str, root_dir: Path, password_file: Path, **environ: str) -> None:
        self.root_dir = root_dir
        self._command = [str(Path(python).parent / "hsds"), "--count", "1", "--loglevel", "WARN"]
        self._command += ["--root_dir", str(root_dir), "--password_file", str(password_file)]
        self._environ = environ

    def __enter__(self) -> Incumbent:
        self._sockets = tempfile.mkdtemp(prefix="hs-")  # the path of a socket must be short
        self.socket = f"{self._sockets}/sn_1.sock"
        (self.root_dir / BUCKET).mkdir(parents=True, exist_ok=True)
        self.process = subprocess.Popen(
            [*self._command, "--socket_dir", self._sockets],
            cwd=self._sockets,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            env=_environ() | {"BUCKET_NAME": BUCKET} | self._environ,
        )
        until = time.monotonic() + 60
        while not self._is_ready():
            assert self.process.poll() is None, self.log
            assert time.monotonic() < until, self.log
            time.sleep(0.2)
        return self

    def __exit__(self, *_: object) -> None:
        """SIGTERM makes it write what it has kept back; its children are waited for as well."""
        self.process.send_signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(30)
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGTERM)
        until = time.monotonic() + 30
        while _alive(self.process.pid) and time.monotonic() < until:
            time.sleep(0.1)
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        shutil.rmtree(self._sockets, ignore_errors=True)

    @property
    def log(self) -> str:
        """What it has written so far."""
        path = Path(self._sockets, "hs.log")
        return path.read_text() if path.exists() else "no log"

    def _is_ready(self) -> bool:
        """Whether it says so, and its data nodes answer too: they may be later."""
        status, body = self._get("/about")
        if status != 200 or json.loads(body)["state"] != "READY":
            return False
        return all(self._get(f"/?domain=/none/such{i}.h5")[0] == 404 for i in range(8))

    def _get(self, path: str) -> tuple[int, bytes]:
        connection = _SocketConnection(self.socket)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read()
        except OSError:
            return 0, b""
        finally:
            connection.close()


class _SocketConnection(HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=5)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(5)
        self.sock.connect(self._path)


def _alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def _environ() -> dict[str, str]:
    """Ours without the path of our own package, which has the same name."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
