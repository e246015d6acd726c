"""A Ceph gateway for the tests of one run: started by the first test that needs S3, gone when the run is.

The process that began the run (with pytest-xdist its controller) holds a guard, a shell that waits for a
pipe to close. However that process ends, killed included, the guard stops the daemons and removes the files.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import socket
import subprocess
from dataclasses import asdict, dataclass
from json import dumps, loads
from pathlib import Path
from tempfile import mkdtemp

SCRIPT = Path(__file__).with_name("s3ceph.sh")
PROGRAMS = ("ceph", "ceph-mon", "ceph-osd", "monmaptool", "radosgw", "radosgw-admin")

_GUARD = """
while read line; do :; done
for group in "$2"/*/starting; do [ -f "$group" ] && kill -- -"$(cat "$group")"; done
for state in "$2"/*/ceph.conf; do [ -f "$state" ] && sh "$1" "$(dirname "$state")" 0 stop; done
rm -rf "$2"
"""


@dataclass(frozen=True)
class S3Server:
    """An S3 endpoint and keys that may make buckets there."""

    endpoint: str
    access_key: str
    secret_key: str


class Guard:
    """Ends the daemons below ``directory`` when this process closes it, or dies."""

    def __init__(self, directory: Path) -> None:
        self.process = subprocess.Popen(
            ["sh", "-c", _GUARD, "guard", str(SCRIPT), str(directory)],
            stdin=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is for pytest
        )

    def close(self) -> None:
        assert self.process.stdin
        self.process.stdin.close()
        self.process.wait()


def missing_programs() -> list[str]:
    """What a gateway needs and is not installed."""
    return [program for program in PROGRAMS if shutil.which(program) is None]


def shared_gateway(directory: Path) -> S3Server:
    """The gateway of the run whose files are below ``directory``; starts it unless another worker has."""
    with (directory / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        note = directory / "server.json"
        if not note.exists():
            note.write_text(dumps(asdict(_start(directory))))
        return S3Server(**loads(note.read_text()))


def _start(directory: Path) -> S3Server:
    for _ in range(3):  # another process may take a port first
        state, port = Path(mkdtemp(prefix="ceph", dir=directory)), _free_port()
        environment = {**os.environ, "S3_BYTES": os.environ.get("S3_BYTES", str(8 * 1024**3))}
        began = subprocess.Popen(
            ["sh", str(SCRIPT), str(state), str(port), "start"],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=(state / "start.log").open("w"),  # no pipe: the daemons would hold it open
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        starting = state / "starting"  # tells the guard what to end if we are killed now
        starting.write_text(str(began.pid))
        code = began.wait(timeout=120)
        starting.unlink()
        if code == 0:
            return S3Server(f"http://127.0.0.1:{port}", "AKIATEST", "secretsecret")
        subprocess.run(["sh", str(SCRIPT), str(state), str(port), "stop"], check=False)
    raise RuntimeError(f"the Ceph gateway does not start: {(state / 'start.log').read_text()[-2000:]}")


def _free_port() -> int:
    """A port that is free with its successor, which the monitor takes."""
    while True:
        with socket.socket() as first, socket.socket() as second:
            first.bind(("127.0.0.1", 0))
            port: int = first.getsockname()[1]
            try:
                second.bind(("127.0.0.1", port + 1))
            except OSError:
                continue
            return port
