"""How the bytes of a new file are written: into the page cache to stay there, or to leave it once on disk.

A virtual machine that gives unused memory back to its host gets each page anew when it is first written to:
2 to 3 ms of CPU for the 256 pages of a MiB that elsewhere cost 0.2. That was more than half of a bulk write.
Where it is so, large files are written with ``RWF_DONTCACHE``: the system begins to write them out at once
and then takes the same pages for the next. Data nodes have caches of their own for what is read again soon.
"""

from __future__ import annotations

import errno
import os
import sys
import time

from hsds.store.base import Buffer
from hsds.store.posix_spares import SMALL

_DONT_CACHE = 0x80
"""RWF_DONTCACHE of linux/fs.h, since Linux 6.14; older systems and some file systems refuse it."""
_DEAR = 1e-3 / (1 << 20)
"""CPU seconds a byte: three times what a page that is at hand costs, a third of one that has to be got."""
_AGAIN = 64
"""Of so many files one stays, to see whether that is still so."""
_REFUSED = {errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS}


class Writing:
    """Writes files, and learns what room in the page cache costs. Threads may share it."""

    def __init__(self) -> None:
        self._dear = False
        self._left = 0
        """Files until one stays. Taken before it is written: of what is written meanwhile nothing stays."""
        self._can_pass = sys.platform == "linux" and hasattr(os, "pwritev")

    def write(self, file: int, data: Buffer, *, present: int) -> None:
        """All of ``data`` from the start of the file, which has pages for ``present`` bytes already."""
        if not self._can_pass or present or len(data) <= SMALL:
            _write_all(file, data, 0)
        elif self._dear and self._left > 0:
            self._left -= 1
            self._write_past(file, data)
        else:
            self._left = _AGAIN - 1
            began = time.thread_time()
            _write_all(file, data, 0)
            self._dear = time.thread_time() - began > _DEAR * len(data)

    def _write_past(self, file: int, data: Buffer) -> None:
        try:
            _write_all(file, data, _DONT_CACHE)
        except OSError as error:
            if error.errno not in _REFUSED:
                raise
            self._can_pass = False
            _write_all(file, data, 0)


def _write_all(file: int, data: Buffer, flags: int) -> None:
    rest, at = memoryview(data), 0
    while rest.nbytes:
        done = os.pwritev(file, [rest], at, flags) if flags else os.write(file, rest)
        rest, at = rest[done:], at + done
