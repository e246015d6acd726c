"""HSDS 1.0.2 as a group of processes on Unix sockets, for comparison: a black box, driven over REST.

``HSDS_TEST_HSDS102`` names the Python of the environment that it is installed in.
"""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import aiohttp

from tests.integration.rest import Rest
from tests.tools.ceph import S3Server

USER, PASSWORD = "admin", "admin"


def stored_at(server: S3Server, bucket: str) -> dict[str, str]:
    """The environment that says to store in a bucket."""
    return {
        "AWS_S3_GATEWAY": server.endpoint,
        "AWS_ACCESS_KEY_ID": server.access_key,
        "AWS_SECRET_ACCESS_KEY": server.secret_key,
        "AWS_REGION": "us-east-1",
        "BUCKET_NAME": bucket,
    }


class Hsds102:
    """A context manager. ``environ`` has its storage: ``ROOT_DIR``, or ``AWS_S3_GATEWAY`` and keys."""

    def __init__(self, python: str, *, data_nodes: int = 1, **environ: str) -> None:
        self._bin = Path(python).parent
        self._data_nodes = data_nodes
        self._environ = environ
        self.folder = Path(tempfile.mkdtemp(prefix="hsds102-"))
        (self.folder / "passwd.txt").write_text(f"{USER}:{PASSWORD}\n")
        self.url = f"unix:{self.folder}/sn_1.sock"

    def __enter__(self) -> Hsds102:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.kill()

    def rest(self, **options: int) -> Rest:
        return Rest(self.url, user=USER, password=PASSWORD, **options)

    def start(self) -> Hsds102:
        for socket in self.folder.glob("*.sock"):
            socket.unlink()
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "AWS_", "HSDS_"))}
        flags = ["--socket_dir", str(self.folder), "--count", str(self._data_nodes)]
        flags += ["--password_file", str(self.folder / "passwd.txt")]
        if "ROOT_DIR" in self._environ:
            flags += ["--root_dir", self._environ["ROOT_DIR"]]
        flags += ["--bucket_name", self._environ["BUCKET_NAME"]]
        with (self.folder / "log.txt").open("ab") as log:
            self.process = subprocess.Popen(
                [str(self._bin / "hsds"), *flags],
                cwd=self.folder,
                env={**kept, "PATH": f"{self._bin}:{kept['PATH']}", **self._environ},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        return self

    async def wait(self, seconds: float = 60.0) -> None:
        """Until it says that it is ready."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            with suppress(aiohttp.ClientError, OSError, AssertionError):
                async with self.rest() as rest:
                    if (await rest.ask("GET", "/about"))["state"] == "READY":
                        return
            time.sleep(0.2)  # noqa: ASYNC251 - nothing else runs meanwhile
        raise AssertionError((self.folder / "log.txt").read_text()[-2000:])

    def kill(self) -> None:
        """End all its processes at once."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
