"""Locks on keys that hold between threads and between processes, and vanish with a killed process.

A fixed set of files serves all keys, so nothing has to be cleaned up and no lock file can be deleted under
its holder. Keys that share a file merely wait for each other, for the microseconds that a rename takes.
"""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from zlib import crc32

_FILES = 64
"""Part of the format: processes that share a directory must agree on which file locks a key."""


class KeyLocks:
    """Exclusive locks by key over the files of one directory.

    ``flock`` belongs to an open file, which threads of a process share: hence a thread lock before each. The
    object must not be carried over a fork, since parent and child would then share the open files too.
    """

    def __init__(self, directory: int) -> None:
        """``directory`` is the file descriptor of the directory of lock files."""
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
        self._files = [os.open(f"{i:02x}", flags, 0o666, dir_fd=directory) for i in range(_FILES)]
        self._threads = [threading.Lock() for _ in self._files]

    def close(self) -> None:
        """Close the files. No lock may be held."""
        for file in self._files:
            os.close(file)

    @contextmanager
    def hold(self, key: bytes) -> Iterator[None]:
        """Hold the lock of ``key``; waits for it, whoever has it."""
        i = crc32(key) % _FILES
        with self._threads[i]:
            fcntl.flock(self._files[i], fcntl.LOCK_EX)
            try:
                yield
            finally:
                fcntl.flock(self._files[i], fcntl.LOCK_UN)
