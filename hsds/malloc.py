"""What glibc's malloc is told about memory that is freed. Where it is another's, nothing is told."""

from __future__ import annotations

import ctypes
import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from hsds.config import MIB

_M_TRIM_THRESHOLD: Final = -1
_M_MMAP_THRESHOLD: Final = -3
_M_ARENA_MAX: Final = -8
_KEPT: Final = 64 * MIB
_LARGEST_KEPT: Final = 32 * MIB
"""More malloc does not take."""
_LARGE: Final = 32 * MIB
"""So much is worth the milliseconds of giving it back."""
_GROWTH: Final = 16 * MIB
_LOOK_SECONDS: Final = 1.0
_SELDOM_SECONDS: Final = 30.0


def use_few_arenas() -> None:
    """Have all threads share two arenas.

    Each thread that decodes chunks would else keep an arena with what its largest chunks took.
    """
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 2)


def keep_freed() -> None:
    """Keep what large values have taken for the next ones.

    malloc gives the end of its heap back to the system when 2 MiB there are free, and gets it again page by
    page: five values of 1 MiB at a time took 200 page faults a MiB and 1.3 ms, now 8 and 0.02 ms. A service
    node does nothing else; a data node's values stay in its cache.
    """
    with suppress(OSError, AttributeError):
        libc = ctypes.CDLL(None)
        libc.mallopt(_M_TRIM_THRESHOLD, _KEPT)
        libc.mallopt(_M_MMAP_THRESHOLD, _LARGEST_KEPT)


def give_back_freed() -> None:
    """Give what is free back to the system from now on, when it has become much.

    By itself malloc does so only at the end of its heap. Between chunks that a cache holds and chunks that it
    has dropped since, a third of a data node's memory was free and taken all the same.
    """
    with suppress(OSError, AttributeError):
        libc = ctypes.CDLL(None)
        libc.mallinfo2.restype = _Mallinfo
        work = (libc.mallinfo2, libc.malloc_trim)
        _resident()
        threading.Thread(target=_give_back, args=work, name="malloc", daemon=True).start()


class _Mallinfo(ctypes.Structure):
    """``struct mallinfo2`` of glibc 2.33 and later, bytes. Source: mallinfo(3)."""

    _fields_ = tuple(
        (name, ctypes.c_size_t)
        for name in (
            "arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks", "uordblks", "fordblks",
            "keepcost",
        )
    )  # fmt: skip


def _give_back(mallinfo: Callable[[], Any], trim: Callable[[int], Any]) -> None:
    """Looks and gives back. Either may hold malloc's locks for some ten milliseconds where the heap is large
    and full of holes, so it looks when the process has grown, and else seldom.
    """

    def unused() -> int:
        """Bytes that malloc has no value in: its free memory, and what the process has besides malloc's."""
        info = mallinfo()
        return max(0, _resident() - int(info.uordblks + info.hblkhd))

    least, seen, due = unused(), _resident(), 0.0
    while True:
        time.sleep(_LOOK_SECONDS)
        with suppress(OSError):  # no file descriptor is left just now
            if _resident() < seen + _GROWTH and time.monotonic() < due:
                continue
            free = unused()
            if free > least + _LARGE:
                trim(0)
                free = unused()
            least, seen, due = min(least, free), _resident(), time.monotonic() + _SELDOM_SECONDS


def _resident() -> int:
    """Bytes of memory that the process has."""
    return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
