"""The process that answers probes, as the node sees it: started, told how the node is, and kept there."""

from __future__ import annotations

import logging
import mmap
import os
import socket
import subprocess
import sys
import tempfile
import time
from typing import Final

from hsds import probing

_BACKLOG: Final = 128
log = logging.getLogger(__name__)


class ProbeResponder:
    """Listens on ``host`` and ``port``; what is no probe goes on to port ``backend`` of this machine.

    Raises ``OSError`` for a port that cannot be had.
    """

    def __init__(self, host: str, port: int, backend: int) -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listener = socket.create_server((host, port), family=family, backlog=_BACKLOG)
        self._file = _nameless_file(probing.STATE.size)
        self._state = mmap.mmap(self._file, probing.STATE.size)
        self._backend = backend
        self.tell(started=False, ready=False)
        self._process = self._start()

    @property
    def port(self) -> int:
        """The port that it listens on."""
        port: int = self._listener.getsockname()[1]
        return port

    def tell(self, *, started: bool, ready: bool) -> None:
        """The loop turns, and the node is so."""
        probing.STATE.pack_into(self._state, 0, time.monotonic(), started, ready)

    def keep(self) -> None:
        """Start it again if it has ended."""
        if self._process.poll() is not None:
            log.error(
                "what answers probes has ended with status %s, and is started again", self._process.returncode
            )
            self._end()
            self._process = self._start()

    def close(self) -> None:
        """End it, and listen no more."""
        self._process.kill()
        self._end()
        self._listener.close()
        self._state.close()
        os.close(self._file)

    def _start(self) -> subprocess.Popen[bytes]:
        descriptors = (self._listener.fileno(), self._file)
        words = (*map(str, descriptors), str(self._backend))
        return subprocess.Popen(
            [sys.executable, "-I", "-S", probing.__file__, *words],
            stdin=subprocess.PIPE,
            pass_fds=descriptors,
            start_new_session=True,  # Ctrl-C is for the node
        )

    def _end(self) -> None:
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process.wait()


def _nameless_file(size: int) -> int:
    """Descriptor of a file to be shared as memory, which is gone when nobody has it any more."""
    if hasattr(os, "memfd_create"):  # Linux
        file = os.memfd_create("hsds-probes")
    else:
        with tempfile.TemporaryFile() as made:
            file = os.dup(made.fileno())
    os.ftruncate(file, size)
    return file
