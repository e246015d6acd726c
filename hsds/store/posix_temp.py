"""Files on their way into the POSIX store: where they are made, how they take an object's place, and when
their bytes go to disk.

ext4 taught all of it. A rename over a file begins to write the new bytes out before it returns: 0.3 to 3 ms,
a hundred times an exchange of the two names. And without a journal it looks at every inode of a block group
that was freed in the last minute before it takes one: a thousand puts a second made each take 0.5 ms longer
while all temporary files were in one directory, and so in one group.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import itertools
import os
import stat
import struct
import sys
import threading
import time
import uuid
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from hsds.store.posix_spares import Spares

_FOLDERS = 64
_STALE = 3600.0
"""Seconds after which a temporary file is taken for the leftover of a killed process."""
_UNSETTLED = 256
"""Most files that are kept open to be written out in a moment."""

_REWRITE = os.O_WRONLY | os.O_CLOEXEC
_WRITE = _REWRITE | os.O_CREAT | os.O_EXCL
_GET_FLAGS, _SET_FLAGS, _TOP_DIRECTORY = 0x80086601, 0x40086602, 0x20000  # linux/fs.h: FS_IOC_*, FS_TOPDIR_FL
_EXCHANGE, _BEGIN_TO_WRITE = 2, 2  # RENAME_EXCHANGE of renameat2, SYNC_FILE_RANGE_WRITE of sync_file_range


class TempFiles:
    """Makes files in the folders of one directory, which ends with the process that made them."""

    def __init__(self, path: Path, *, reuse: bool) -> None:
        """``reuse`` is whether files that were objects may serve again.

        Not where a power cut counts: it may undo that one was taken away, and not what was written into it;
        and only where making files is slow.
        """
        _spread(path)
        for i in range(_FOLDERS):
            (path / f"{i:02x}").mkdir(exist_ok=True)
        self.directory = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        """What the names of the files are relative to."""
        self._prefix = uuid.uuid4().hex
        self._serial = itertools.count()
        self._spares = Spares()
        self._reuse = reuse and makes_files_slowly(path)

    def close(self) -> None:
        for name in self._spares.drain():
            self.remove(name)
        os.close(self.directory)

    def open(self, size: int) -> tuple[str, int, int]:
        """A file for ``size`` bytes: its name, its descriptor, and the bytes that it has had before."""
        spare = self._spares.take(size)
        if spare is not None:
            with suppress(FileNotFoundError):  # another process took it for a leftover
                return spare[0], os.open(spare[0], _REWRITE, dir_fd=self.directory), spare[1]
        name = self._name()
        return name, os.open(name, _WRITE, 0o666, dir_fd=self.directory), 0

    def retire(self, name: str, found: os.stat_result) -> None:
        """A file, which was an object, may serve the next."""
        if not (self._reuse and _is_ours(found) and self._spares.add(name, found.st_size)):
            self.remove(name)

    def take(self, path: bytes, root: int, found: os.stat_result) -> None:
        """Take away the file at ``path`` of ``root``."""
        name = self._name()
        if self._reuse and _is_ours(found) and self._spares.add(name, found.st_size):
            os.rename(path, name, src_dir_fd=root, dst_dir_fd=self.directory)
        else:
            os.unlink(path, dir_fd=root)

    def _name(self) -> str:
        serial = next(self._serial)
        return f"{serial % _FOLDERS:02x}/{self._prefix}-{serial}"

    def place_directory(self, path: bytes, root: int) -> None:
        """Make the directory ``path`` of ``root``. Raises ``FileExistsError`` and what else prevents it.

        Made here it costs 50 us; in its place, near objects that come and go, ext4 takes 130 to 250 us to
        find an inode for it.
        """
        name = self._name()
        os.mkdir(name, dir_fd=self.directory)
        try:
            os.rename(name, path, src_dir_fd=self.directory, dst_dir_fd=root)
        except OSError as error:
            os.rmdir(name, dir_fd=self.directory)
            if error.errno == errno.ENOTEMPTY:
                raise FileExistsError(errno.EEXIST, "a directory") from None
            raise

    def remove(self, name: str) -> None:
        """Remove a file that may be gone already."""
        with suppress(OSError):
            os.unlink(name, dir_fd=self.directory)

    def exchange(self, name: str, path: bytes, root: int) -> bool:
        """Let a file change places with the one at ``path`` of ``root``. False if the system cannot."""
        if _renameat2 is None:
            return False
        return bool(_renameat2(self.directory, name.encode(), root, path, _EXCHANGE) == 0)

    def remove_stale(self) -> None:
        """Remove what killed processes have left."""
        before = time.time() - _STALE
        for folder, folders, names, directory in os.fwalk(dir_fd=self.directory):
            for name in names:
                with suppress(FileNotFoundError):
                    if os.stat(name, dir_fd=directory).st_mtime < before:
                        self.remove(f"{folder}/{name}")
            for name in folders if folder != "." else ():
                with suppress(OSError):
                    if os.stat(name, dir_fd=directory).st_mtime < before:
                        os.rmdir(name, dir_fd=directory)


class Unsettled:
    """Files that replaced others a moment ago, and whose bytes nobody has begun to write to disk.

    A power cut could leave such a file empty. So the system is soon told to begin; an object that is
    replaced again before that is never written at all.
    """

    def __init__(self) -> None:
        self._files: OrderedDict[bytes, int] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._files)

    def add(self, path: bytes, file: int) -> None:
        """Take over the open ``file``, which is at ``path`` now."""
        oldest = None
        with self._lock:
            outdated = self._files.pop(path, None)
            self._files[path] = file
            if len(self._files) > _UNSETTLED:
                _, oldest = self._files.popitem(last=False)
        if outdated is not None:
            os.close(outdated)
        if oldest is not None:
            _begin_to_write(oldest)

    def drop(self, path: bytes) -> None:
        """The file at ``path`` is being removed: nothing of it need ever be written."""
        with self._lock:
            file = self._files.pop(path, None)
        if file is not None:
            os.close(file)

    def settle(self) -> None:
        """Have the system begin with all of them."""
        while True:
            with self._lock:
                if not self._files:
                    return
                _, file = self._files.popitem(last=False)
            _begin_to_write(file)


def _is_ours(found: os.stat_result) -> bool:
    """Whether a file can be written into, and nobody has another name for it, e.g. in a backup of links."""
    return found.st_nlink == 1 and found.st_uid == os.geteuid() and bool(found.st_mode & stat.S_IWUSR)


def _begin_to_write(file: int) -> None:
    if _sync_file_range is not None:
        _sync_file_range(file, 0, 0, _BEGIN_TO_WRITE)
    os.close(file)


def makes_files_slowly(path: Path, system: Path = Path("/sys")) -> bool:
    """Whether ``path`` is on ext4 without a journal, as far as ``system`` tells (see ``Spares``).

    It is no file system for who fears power cuts, and none that other machines share.
    """
    device = path.stat().st_dev
    block = system / f"dev/block/{os.major(device)}:{os.minor(device)}"
    with suppress(OSError):
        return (system / "fs/ext4" / block.resolve().name / "journal_task").read_text().strip() == "<none>"
    return False


def _spread(path: Path) -> None:
    """Have ext4 put each new folder of ``path`` into another block group; elsewhere it changes nothing."""
    if sys.platform != "linux":  # the numbers may mean something else
        return
    with suppress(OSError):
        directory = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            (flags,) = struct.unpack("l", fcntl.ioctl(directory, _GET_FLAGS, bytes(struct.calcsize("l"))))
            fcntl.ioctl(directory, _SET_FLAGS, struct.pack("l", flags | _TOP_DIRECTORY))
        finally:
            os.close(directory)


def _of_libc(name: str, *arguments: Any) -> Callable[..., int] | None:
    """A function of the C library that Python does not offer; None where there is none."""
    try:
        function = ctypes.CDLL(None)[name]
    except (OSError, AttributeError):
        return None
    function.argtypes = arguments
    return function


_renameat2 = _of_libc(
    "renameat2", ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_uint
)
_sync_file_range = _of_libc("sync_file_range", ctypes.c_int, ctypes.c_int64, ctypes.c_int64, ctypes.c_uint)
