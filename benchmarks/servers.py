"""The servers side by side: this service, HSDS 1.0.2 in an environment of its own, and the bare one.

All listen on Unix sockets: HSDS 1.0.2 takes fixed ports for its data nodes otherwise.
"""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from benchmarks.client import BINARY, PASSWORD, USER, Connection, Request, WrongAnswerError, make
from benchmarks.processes import CHECKOUT, Command, Group
from benchmarks.storage import BUCKET, Keys, PosixKeys, S3Keys, S3Place

_STARTS = 4
"""Attempts: HSDS gives its data nodes ten seconds, which a busy machine may not have."""


class Server(ABC):
    """A server that answers on a Unix socket. A context manager."""

    name: str
    """Of its column."""
    group: Group
    keys: Keys
    """Where it keeps its objects, once it has started."""
    lacks: frozenset[str] = frozenset()
    """Names of workloads that it cannot serve."""

    def __init__(self, place: S3Place | None = None) -> None:
        self._place = place

    @property
    def title(self) -> str:
        """Of its memory."""
        return self.name

    def __enter__(self) -> Server:
        for left in reversed(range(_STARTS)):
            self.group = Group()
            self.address = str(self.group.folder / "sn_1.sock")
            try:
                self._start()
                break
            except BaseException as error:
                self.__exit__()
                if not left or not isinstance(error, RuntimeError):
                    raise
        return self

    def __exit__(self, *_: object) -> None:
        self.group.end()
        self.group.remove()
        if isinstance(getattr(self, "keys", None), S3Keys):
            self.keys.remove()

    def _start(self) -> None:
        folder = self.group.folder
        (folder / "passwd.txt").write_text(f"{USER}:{PASSWORD}\nadmin:admin-password\n")
        (folder / "data" / BUCKET).mkdir(parents=True)
        self.keys = S3Keys(self._place) if self._place else PosixKeys(folder / "data" / BUCKET)
        for command in self.commands():
            process = self.group.start(command)
        self._wait(process)

    @abstractmethod
    def commands(self) -> Sequence[Command]:
        """What is started; the last answers."""

    def ready(self, about: bytes) -> bool:
        """Whether it can be measured now, by what it says of itself."""
        return b"READY" in about

    def _wait(self, process: subprocess.Popen[bytes], seconds: float = 60.0) -> None:
        about = make("GET", "/about", {})
        end = time.monotonic() + seconds
        while time.monotonic() < end and process.poll() is None:
            try:
                connection = Connection(self.address)
                if self.ready(bytes(connection.ask(about))):
                    return
            except (OSError, WrongAnswerError):
                pass
            time.sleep(0.2)
        raise RuntimeError(f"{self.name} did not start: {self.group.log()}")


class Ours(Server):
    """This service, ``hsds serve`` at its defaults but for ``durability``."""

    name = "hsds"

    def __init__(self, place: S3Place | None = None, *, durability: str = "stored") -> None:
        super().__init__(place)
        self.durability = durability

    @property
    def title(self) -> str:
        return self.name if self.durability == "stored" else f"{self.name} (durability: {self.durability})"

    def commands(self) -> Sequence[Command]:
        return [self._command("serve", "--socket", self.address)]

    def _command(self, role: str, *flags: str, **variables: str) -> Command:
        folder, environ = self.group.folder, _own_environ() | variables
        words = [sys.executable, "-m", "hsds", role, "--password-file", str(folder / "passwd.txt"), *flags]
        if isinstance(self.keys, S3Keys):
            place = self.keys.place
            words += ["--s3-endpoint", place.endpoint, "--bucket", self.keys.bucket]
            environ |= {"AWS_ACCESS_KEY_ID": place.access_key, "AWS_SECRET_ACCESS_KEY": place.secret_key}
        else:
            words += ["--root-dir", str(folder / "data"), "--bucket", BUCKET]
        return Command([*words, "--durability", self.durability], environ)


class OurCluster(Ours):
    """This service as one service node and two data nodes, processes of their own. They speak over Unix
    sockets, as those of HSDS do here.
    """

    def commands(self) -> Sequence[Command]:
        folder, (*monitors, last) = self.group.folder, _free_ports(3)
        secret = folder / "secret"
        secret.write_text("a-secret-of-the-benchmarked-nodes\n")
        places = [str(folder / f"data_node_{number}.sock") for number in (1, 2)]
        urls = ",".join(f"http+unix://{quote(place, safe='')}" for place in places)
        shared = ["--node-secret-file", str(secret), "--discovery", "static", "--dn-urls", urls]
        data = [
            self._command("dn", *shared, "--dn-port", "0", "--metrics-port", str(monitor), POD_IP=place)
            for place, monitor in zip(places, monitors, strict=True)
        ]
        front = self._command("sn", *shared, "--socket", self.address, "--metrics-port", str(last))
        return [*data, front]

    def ready(self, about: bytes) -> bool:
        return b'"READY"' in about


class Hsds102(Server):
    """HSDS 1.0.2 at its defaults, with ``data_nodes`` data nodes."""

    name = "HSDS 1.0.2"

    def __init__(self, environment: Path, place: S3Place | None = None, *, data_nodes: int = 4) -> None:
        super().__init__(place)
        self._environment = environment
        self._data_nodes = data_nodes

    def commands(self) -> Sequence[Command]:
        folder, programs = self.group.folder, self._environment / "bin"
        environ = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        environ["PATH"] = f"{programs}:{environ['PATH']}"
        flags = ["--password_file", str(folder / "passwd.txt"), "--count", str(self._data_nodes)]
        flags += ["--socket_dir", str(folder)]
        if isinstance(self.keys, S3Keys):
            place, bucket = self.keys.place, self.keys.bucket
            environ |= {"AWS_S3_GATEWAY": place.endpoint, "AWS_REGION": "us-east-1"}
            environ |= {"AWS_ACCESS_KEY_ID": place.access_key, "AWS_SECRET_ACCESS_KEY": place.secret_key}
        else:
            bucket = BUCKET
            flags += ["--root_dir", str(folder / "data")]
            environ["ROOT_DIR"] = str(folder / "data")
        environ["BUCKET_NAME"] = bucket
        return [Command([str(programs / "hsds"), *flags, "--bucket_name", bucket], environ, folder)]


class Bare(Server):
    """aiohttp and uvloop sending bytes."""

    name = "bare server"

    def commands(self) -> Sequence[Command]:
        return [Command([sys.executable, "-m", "benchmarks.bare", self.address], _own_environ())]

    def offer(self, target: str, answer: bytes) -> None:
        """Have ``answer`` sent to whoever asks for ``target``, which is path and query."""
        head = f"PUT {target} HTTP/1.1\r\nHost: x\r\nContent-Type: {BINARY}\r\n"
        head += f"Content-Length: {len(answer)}\r\n\r\n"
        connection = Connection(self.address)
        connection.ask(Request(head.encode(), answer))
        connection.close()


class Nginx(Bare):
    """nginx sending files from memory: the limit that a server in C has."""

    name = "nginx"
    lacks = frozenset({"fancy read"})  # its lists are longer than a file's name may be

    def commands(self) -> Sequence[Command]:
        folder = self.group.folder
        self._answers = folder / "answers"
        self._answers.mkdir()
        places = "".join(
            f"{kind}_temp_path {folder / kind};\n"
            for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        (folder / "nginx.conf").write_text(
            _NGINX.format(
                user=getpass.getuser(),
                folder=folder,
                places=places,
                address=self.address,
                answers=self._answers,
            )
        )
        return [Command(["nginx", "-c", str(folder / "nginx.conf"), "-e", "stderr"], dict(os.environ))]

    def offer(self, target: str, answer: bytes) -> None:
        path = self._answers / target.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(answer)


_NGINX = """
user {user};
daemon off;
worker_processes auto;
pid {folder}/nginx.pid;
events {{}}
http {{
    {places}
    access_log off;
    sendfile on;
    keepalive_requests 1000000;
    open_file_cache max=10000;
    default_type application/octet-stream;
    server {{
        listen unix:{address};
        root {answers};
        location = /about {{ return 200 '{{"state": "READY"}}'; }}
        location / {{ try_files $request_uri =404; }}
    }}
}}
"""


def limits() -> list[Server]:
    """The servers that only send bytes: the bare one, and nginx if it is installed."""
    return [Bare(), Nginx()] if shutil.which("nginx") else [Bare()]


def _own_environ() -> dict[str, str]:
    """The environment, with this checkout's modules first."""
    return {**os.environ, "PYTHONPATH": str(CHECKOUT)}


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [found.getsockname()[1] for found in sockets]
    for found in sockets:
        found.close()
    return ports
