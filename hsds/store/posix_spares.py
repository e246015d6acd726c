"""Files that are no object any more, kept for the next one to be written into.

Making a file means finding a free inode, and ext4 without a journal looks at every one that was freed in the
last minutes before it takes one: 180 us where the rest of a small put takes 60. What an object leaves behind
when it is replaced or removed is as good. With a journal nothing is gained, and nothing is kept.

A reader may have opened the file while it was an object. So it rests for a while, and readers look at the
change time again when they have read: see ``Files.read``.
"""

from __future__ import annotations

import threading
import time
from collections import deque

SMALL = 1 << 16
"""Bytes up to which files serve one another; larger ones only objects of the very same size."""
_REST = 0.1
"""Seconds: longer than a tick of the clock that stamps changes of files."""
_MOST = 256
_MOST_BYTES = 64 << 20


class Spares:
    """Names of spare files by the size of what they may hold. Threads may share it."""

    def __init__(self) -> None:
        self._files: dict[int, deque[tuple[float, str, int]]] = {}
        self._count = self._bytes = 0
        self._lock = threading.Lock()

    def add(self, name: str, size: int) -> bool:
        """Keep a file of ``size`` bytes. False if there are enough: it is the caller's to remove."""
        with self._lock:
            if self._count >= _MOST or self._bytes + size > _MOST_BYTES:
                return False
            self._files.setdefault(_kind(size), deque()).append((time.monotonic() + _REST, name, size))
            self._count += 1
            self._bytes += size
            return True

    def take(self, size: int) -> tuple[str, int] | None:
        """A file for ``size`` bytes: its name and the bytes that it has; None where none is ready."""
        kind = _kind(size)
        with self._lock:
            files = self._files.get(kind)
            if not files or files[0][0] > time.monotonic():
                return None
            _, name, present = files.popleft()
            if not files:
                del self._files[kind]
            self._count -= 1
            self._bytes -= present
            return name, present

    def drain(self) -> list[str]:
        """The names of all, which are not kept any more."""
        with self._lock:
            names = [name for files in self._files.values() for _, name, _ in files]
            self._files.clear()
            self._count = self._bytes = 0
            return names


def _kind(size: int) -> int:
    return size if size > SMALL else 0
