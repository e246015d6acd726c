"""What h5pyd 0.24 imports for ``endpoint="local"``: a service of one's own, for as long as files are open.

The client makes an ``HsdsApp`` for every file, calls ``run`` around each request and ``stop`` at the end.
All of them over one storage, in whatever process, share one ``hsds serve`` at a Unix socket: it starts with
the first and ends with the last. Who uses it holds a shared lock of a file, which the system gives back even
for a process that is killed.
"""

from __future__ import annotations

import atexit
import fcntl
import hashlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO
from urllib.parse import quote

from hsds.configsources import load_settings

_START_SECONDS = 30.0
_STOP_SECONDS = 30.0
_POLL = 0.02


class HsdsApp:
    """A user of the shared service.

    There are no passwords: only the user who runs it can reach the socket. ``username`` is as whom everybody
    acts; ``password`` and ``dn_count`` are taken and have no meaning here. Storage is as for ``hsds serve``:
    ``root_dir``, else what the environment says, else ``./hsds-data``.
    """

    def __init__(
        self,
        username: str | None = None,
        password: str | None = None,
        dn_count: int = 1,
        logfile: str | None = None,
        socket_dir: str | None = None,
        *,
        root_dir: str | None = None,
    ) -> None:
        self._username = username
        self._flags = ["--root-dir", str(Path(root_dir).resolve())] if root_dir else []
        self._flags += ["--logfile", logfile] if logfile else []
        name = f"hsds-{_storage_digest(root_dir)}"
        self._folder = _private_folder(socket_dir)
        self._socket = self._folder / f"{name}.sock"
        self._pid_file = self._folder / f"{name}.pid"
        self._lock_file = self._folder / f"{name}.lock"
        self._users_file = self._folder / f"{name}.users"
        self._using: IO[bytes] | None = None

    def __repr__(self) -> str:
        return f"<HsdsApp {self.endpoint}{'' if self._using else ', not running'}>"

    @property
    def endpoint(self) -> str:
        """Where it is, as h5pyd and others that speak HTTP over Unix sockets write it."""
        return f"http+unix://{quote(str(self._socket), safe='')}"

    def run(self) -> None:
        """See to it that the service runs. Raises ``OSError`` with its own words where it will not."""
        if self._using is not None and self._answers():
            return
        with self._alone():
            if self._using is None:
                self._using = self._users_file.open("ab")
                fcntl.flock(self._using, fcntl.LOCK_SH)
                atexit.register(self.stop)
            if not self._answers():
                self._start()

    def stop(self) -> None:
        """Use it no longer. The last user ends it, and waits until all is stored and the storage is free."""
        using, self._using = self._using, None
        if using is None:
            return
        atexit.unregister(self.stop)
        with self._alone(), using, suppress(BlockingIOError):
            fcntl.flock(using, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._end()

    def _start(self) -> None:
        environ = dict(os.environ)
        if self._username:
            environ["LOGNAME"] = self._username  # a service without passwords asks the system who runs it
        command = [sys.executable, "-m", "hsds", "serve", "--socket", str(self._socket), *self._flags]
        with tempfile.TemporaryFile() as errors:
            process = subprocess.Popen(
                command,
                env=environ,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                start_new_session=True,  # Ctrl-C is for the program, which may still have data to flush
            )
            self._pid_file.write_text(str(process.pid))
            until = time.monotonic() + _START_SECONDS
            while not self._answers():
                if process.poll() is not None or time.monotonic() > until:
                    process.kill()
                    process.wait()
                    errors.seek(0)
                    words = errors.read().decode(errors="replace").strip()
                    raise OSError(words or "hsds serve did not start")
                time.sleep(_POLL)
        process.returncode = 0  # whoever is last ends it: it is not this object's to wait for

    def _end(self) -> None:
        """Tell it to end. Only what answers at the socket has the process id of the file."""
        if not self._answers():
            return
        pid = int(self._pid_file.read_text())
        os.kill(pid, signal.SIGTERM)
        until = time.monotonic() + _STOP_SECONDS
        while not _has_ended(pid) and time.monotonic() < until:
            time.sleep(_POLL)
        self._pid_file.unlink(missing_ok=True)

    def _answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as client:
            try:
                client.connect(str(self._socket))
            except OSError:
                return False
        return True

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Nobody else starts or ends it meanwhile."""
        with self._lock_file.open("ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


def _storage_digest(root_dir: str | None) -> str:
    """Short text for the storage that a service started here and now would use: who shares it share that."""
    flags = {"root_dir": root_dir} if root_dir else {}
    config = os.environ.get("CONFIG_DIR")
    loaded = load_settings(flags=flags, environ=os.environ, config=Path(config) if config else None)
    settings = loaded.settings
    place = settings.root_dir or settings.aws_s3_gateway or "hsds-data"
    where = place if isinstance(place, str) and "://" in place else str(Path(place).resolve())
    return hashlib.sha256(f"{where}\n{settings.bucket_name}".encode()).hexdigest()[:12]


def _private_folder(socket_dir: str | None) -> Path:
    """The client's folder for sockets, unless it is another user's: there anybody might listen."""
    folder = Path(socket_dir) if socket_dir else None
    if folder is None or not folder.is_dir() or folder.stat().st_uid != os.getuid():
        folder = Path(tempfile.gettempdir(), f"hsds-{os.getuid()}")
        folder.mkdir(mode=0o700, exist_ok=True)
    if folder.is_symlink() or folder.stat().st_uid != os.getuid():
        raise OSError(f"{folder} is another user's")
    folder.chmod(0o700)
    return folder.resolve()


def _has_ended(pid: int) -> bool:
    """Whether a process is gone; a child of this one is asked for its exit status."""
    try:
        return os.waitpid(pid, os.WNOHANG)[0] == pid
    except ChildProcessError:
        pass
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False
