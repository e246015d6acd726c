"""Processes of a cluster on loopback addresses, each its own pod, over one POSIX directory or a bucket."""

import base64
import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

ROOT = Path(__file__).parents[2]


class Cluster:
    """Processes over one store. A context manager, at whose end all are killed.

    ``storage`` are the flags that name a bucket; without them it is a directory in ``folder``.
    """

    def __init__(self, folder: Path, *flags: str, storage: tuple[str, ...] = ()):
        self.folder = folder
        self.flags = (*(storage or ("--root-dir", str(folder / "data"))), *flags)
        self.running = {}
        self.prefixes = {}
        """Address -> words before the command: what puts the process into a network namespace."""
        self.strays = []
        """Processes that go on though their pods were deleted."""
        (folder / "secret").write_text("a-secret-of-the-nodes\n")
        (folder / "passwd").write_text("joe:joe\n")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in (*self.running.values(), *self.strays):
            process.kill()
            process.wait()

    def start(self, role, address, *flags, **environ):
        """Start a process of a role at an address."""
        files = {"password-file": "passwd", "node-secret-file": "secret"}
        named = [word for name, file in files.items() for word in (f"--{name}", str(self.folder / file))]
        words = ["--host", address, *named, *self.flags, *flags]
        log = (self.folder / f"{address}.log").open("ab")
        self.running[address] = subprocess.Popen(
            [*self.prefixes.get(address, ()), sys.executable, "-m", "hsds", *role.split(), *words],
            stdout=log,
            stderr=log,
            cwd=self.folder,
            env=os.environ | {"PYTHONPATH": str(ROOT)} | environ,
        )

    def stop(self, address, seconds=30):
        """End one as Kubernetes does; its exit status."""
        process = self.running.pop(address)
        process.send_signal(signal.SIGTERM)
        return process.wait(seconds)

    def kill(self, address):
        process = self.running.pop(address)
        process.kill()
        process.wait()

    def log(self, address):
        return (self.folder / f"{address}.log").read_text()

    def ask(self, address, method, path, body=None, *, binary=False, timeout=60):
        """One request to a service node: status and body."""
        token = base64.b64encode(b"joe:joe").decode()
        headers = {"Authorization": f"Basic {token}", "Content-Type": "application/json"}
        if binary:
            headers |= {"Accept": "application/octet-stream", "Content-Type": "application/octet-stream"}
        data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        request = Request(f"http://{address}:5101{path}", data, headers, method=method)
        try:
            with urlopen(request, timeout=timeout) as answer:
                text = answer.read()
                return answer.status, text if binary else json.loads(text)
        except HTTPError as error:
            return error.code, error.reason

    def nodes(self, address):
        """What ``GET /nodes`` says; None while nobody answers."""
        with suppress(OSError):
            status, answer = self.ask(address, "GET", "/nodes", timeout=2)
            return answer if status == 200 else None
        return None

    def wait_ready(self, address, count, seconds=30):
        """Until the service is READY with so many data nodes; the rows of these."""
        until = time.monotonic() + seconds
        while True:
            answer = self.nodes(address)
            rows = [] if answer is None else [row for row in answer["nodes"] if row["role"] == "dn"]
            if answer is not None and answer["state"] == "READY" and len(rows) == count:
                return rows
            assert time.monotonic() < until, (answer, {a: self.log(a)[-2000:] for a in self.running})
            time.sleep(0.05)
