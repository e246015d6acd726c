"""HSDS 1.0.2 as a process: the incumbent, a black box, in an environment of its own.

It listens on Unix sockets only, so that any number of them run beside each other.
"""

from __future__ import annotations

import http.client
import os
import socket
import subprocess
import tempfile
import time
from pathlib import Path

VARIABLE = "HSDS_TEST_HSDS102"
"""Names the python of an environment with HSDS 1.0.2."""
_GUARD = 'read line; kill -9 -"$1"; rm -rf "$2"'
MISSING = f"{VARIABLE} does not name the python of an environment with HSDS 1.0.2"


def reference_python() -> Path | None:
    """The python of the environment, where one is given that has HSDS."""
    python = Path(os.environ.get(VARIABLE, ""))
    return python if python.is_file() and (python.parent / "hsds").is_file() else None


class Reference:
    """A running HSDS with storage of its own. A context manager.

    Its directory is a short one, because the path of a Unix socket has 107 bytes at most.
    """

    def __init__(self, python: Path, passwords: str, *, bucket: str = "hsdstest") -> None:
        self._python = python
        self._passwords = passwords
        self._bucket = bucket

    def __enter__(self) -> Reference:
        self.folder = Path(tempfile.mkdtemp(prefix="hsds102-"))
        self.socket = self.folder / "sn_1.sock"
        (self.folder / "data" / self._bucket).mkdir(parents=True)
        (self.folder / "passwd.txt").write_text(self._passwords)
        with (self.folder / "out.log").open("wb") as log:
            self._process = subprocess.Popen(
                self._command(),
                cwd=self.folder,
                stdout=log,
                stderr=log,
                env={"PATH": f"{self._python.parent}:/usr/bin:/bin", **self._storage()},
                start_new_session=True,
            )
        # ends it and removes its directory when our end of the pipe closes: also if we are killed
        self._guard = subprocess.Popen(
            ["sh", "-c", _GUARD, "guard", str(self._process.pid), str(self.folder)],
            stdin=subprocess.PIPE,
            start_new_session=True,
        )
        try:
            self._wait()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        assert self._guard.stdin is not None
        self._guard.stdin.close()
        self._process.wait()
        self._guard.wait()

    def _storage(self) -> dict[str, str]:
        return {"BUCKET_NAME": self._bucket, "ROOT_DIR": str(self.folder / "data")}

    def _command(self) -> list[str]:
        flags = {
            "root_dir": self.folder / "data",
            "bucket_name": self._bucket,
            "password_file": self.folder / "passwd.txt",
            "socket_dir": self.folder,
            "count": 1,
            "loglevel": "ERROR",
        }
        hsds = [str(self._python), str(self._python.parent / "hsds")]
        return hsds + [text for name, value in flags.items() for text in (f"--{name}", str(value))]

    def _wait(self, seconds: float = 60.0) -> None:
        """Until it says that it is ready."""
        until = time.monotonic() + seconds
        while not self._ready():
            if time.monotonic() > until or self._process.poll() is not None:
                log = (self.folder / "out.log").read_text()
                raise AssertionError(f"HSDS 1.0.2 did not start: {log[-2000:]}")
            time.sleep(0.1)

    def _ready(self) -> bool:
        connection = http.client.HTTPConnection("hsds", timeout=5)
        connection.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connection.sock.connect(str(self.socket))
            connection.request("GET", "/about")
            return b'"READY"' in connection.getresponse().read()
        except OSError:
            return False
        finally:
            connection.close()
