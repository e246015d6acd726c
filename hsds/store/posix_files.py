"""Objects as files: the blocking work of the POSIX store, one call a thread.

A file is written beside the buckets and takes its place under the lock of its key in one step, so readers
need no lock and see the old object or the new one, whole.
"""

from __future__ import annotations

import os
import stat
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Literal

from hsds.errors import KeyNotFound, NotModified, PreconditionFailed, StoreRefused
from hsds.store.base import Blob, Buffer, ObjectInfo
from hsds.store.names import label
from hsds.store.posix_locks import KeyLocks
from hsds.store.posix_spares import SMALL
from hsds.store.posix_temp import TempFiles, Unsettled
from hsds.store.posix_tree import OWN_DIR, Tree, check_path, check_posix_bucket, map_exceptions
from hsds.store.posix_writing import Writing

Fsync = Literal["off", "data", "full"]
"""What a put waits for: ``off`` the page cache (survives killed processes; after a power cut objects of the
last seconds may be lost, empty, or hold what another held), ``data`` the bytes of the file (a power cut may
lose the newest objects but tears none), ``full`` the directories too."""

_READ = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC  # non-blocking: a FIFO put there by hand must not hang us
_NOWAIT: int | None = getattr(os, "RWF_NOWAIT", None)  # Linux
_sync_data = getattr(os, "fdatasync", os.fsync)  # macOS has only fsync


class Files:
    """The objects of the buckets in directory ``root``. Threads and processes may share the directory."""

    def __init__(self, root: Path, *, fsync: Fsync = "off") -> None:
        """Opens the directory, and makes it where it is missing. The object must not cross a fork."""
        self._fsync = fsync
        self._newest = 0
        self._newest_lock = threading.Lock()
        try:
            for own in ("tmp", "locks"):
                (root / OWN_DIR / own).mkdir(parents=True, exist_ok=True)
            self.root = _open_directory(root)
            self._temp = TempFiles(root / OWN_DIR / "tmp", reuse=fsync == "off")
            locks = _open_directory(root / OWN_DIR / "locks")
            self._locks = KeyLocks(locks)
            os.close(locks)
            self._temp.remove_stale()
        except OSError as error:
            raise StoreRefused(f"root_dir cannot be used: {error}") from error
        self.tree = Tree(self.root, self._temp)
        self.unsettled = Unsettled()
        self._writing = Writing()

    def close(self) -> None:
        """Close all files. No call may be under way."""
        self.unsettled.settle()
        self._locks.close()
        self._temp.close()
        os.close(self.root)

    def create_bucket(self, bucket: str) -> None:
        """Make the directory of a bucket."""
        directory = check_posix_bucket(bucket)
        with map_exceptions(bucket), suppress(FileExistsError):
            os.mkdir(directory, dir_fd=self.root)
        with map_exceptions(bucket):
            self.tree.check_bucket_exists(directory)

    def read(self, bucket: str, key: str, start: int, length: int | None, if_none_match: str | None) -> Blob:
        """See ``Store.get``."""
        blob = self._read(bucket, key, start, length, if_none_match, at_once=False)
        assert blob is not None
        return blob

    def read_at_once(
        self, bucket: str, key: str, start: int, length: int | None, if_none_match: str | None
    ) -> Blob | None:
        """See ``Store.get``; None for what is large, or not in the page cache."""
        return self._read(bucket, key, start, length, if_none_match, at_once=True)

    def _read(
        self,
        bucket: str,
        key: str,
        start: int,
        length: int | None,
        if_none_match: str | None,
        *,
        at_once: bool,
    ) -> Blob | None:
        path = check_path(bucket, key)
        with map_exceptions(bucket, key):
            while True:
                try:
                    file = os.open(path, _READ, dir_fd=self.root)
                except (FileNotFoundError, NotADirectoryError):
                    self.tree.check_bucket_exists(path)
                    raise _missing(bucket, key) from None
                try:
                    found = os.fstat(file)
                    if not stat.S_ISREG(found.st_mode):
                        raise _missing(bucket, key)
                    etag = etag_of(found)
                    if etag == if_none_match:
                        raise NotModified(f"{label(bucket, key)} is still {etag}")
                    if at_once and found.st_size > SMALL:
                        return None
                    stop = found.st_size if length is None else min(start + length, found.st_size)
                    data = _read_range(file, start, stop, at_once=at_once)
                    if data is None:
                        return None
                    if self._is_still(path, found):
                        return Blob(data, etag)
                finally:
                    os.close(file)

    def _is_still(self, path: bytes, found: os.stat_result) -> bool:
        """Whether the file that was ``found`` is at ``path``, and was all the time.

        If not it may have been on its way to hold another object, or have become that since: see ``Spares``.
        """
        try:
            now = os.stat(path, dir_fd=self.root)
        except (FileNotFoundError, NotADirectoryError):
            return False
        return now.st_ino == found.st_ino and now.st_ctime_ns == found.st_ctime_ns

    def read_many(self, bucket: str, keys: Sequence[str]) -> list[Blob | None]:
        """See ``Store.get_many``."""
        blobs: list[Blob | None] = []
        for key in keys:
            try:
                blobs.append(self.read(bucket, key, 0, None, None))
            except KeyNotFound:
                blobs.append(None)
        return blobs

    def write(self, bucket: str, key: str, data: Buffer, if_match: str | None, if_none_match: bool) -> str:
        """See ``Store.put``."""
        path = check_path(bucket, key)
        with map_exceptions(bucket, key):
            if len(data) > SMALL and (if_match is not None or if_none_match):
                # the usual way to lose a race costs no writing
                _check(bucket, key, self.tree.find(path), if_match, if_none_match)
            name, file, before = self._temp.open(len(data))
            settled = True
            try:
                self._writing.write(file, data, present=before)
                if before > len(data):
                    os.ftruncate(file, len(data))
                if self._fsync != "off":
                    _sync_data(file)
                with self._locks.hold(path):
                    held = self.tree.find(path)
                    _check(bucket, key, held, if_match, if_none_match)
                    etag = self._stamp(file, held)
                    if self._fsync == "off" and held and self._temp.exchange(name, path, self.root):
                        settled = False
                    else:
                        self.tree.place(name, path)
                if not settled:
                    assert held is not None
                    self._temp.retire(name, held)
                    self.unsettled.add(path, file)
            except BaseException:
                self._temp.remove(name)
                raise
            finally:
                if settled:
                    os.close(file)
            if self._fsync == "full":
                self.tree.sync(path)
            return etag

    def remove(self, bucket: str, key: str, if_match: str | None) -> bytes | None:
        """See ``Store.delete``. The path, if anything was there: its empty directories are for ``prune``."""
        path = check_path(bucket, key)
        with map_exceptions(bucket, key):
            with self._locks.hold(path):
                held = self.tree.find(path)
                _check(bucket, key, held, if_match, False)
                if held is None:
                    return None
                with suppress(FileNotFoundError):
                    self._temp.take(path, self.root, held)
            self.unsettled.drop(path)
            if self._fsync == "full":
                self.tree.sync(path)
            return path

    def info(self, bucket: str, key: str) -> ObjectInfo:
        """See ``Store.head``."""
        path = check_path(bucket, key)
        with map_exceptions(bucket, key):
            found = self.tree.find(path)
        if found is None:
            raise _missing(bucket, key)
        return info_of(key, found)

    def _stamp(self, file: int, held: os.stat_result | None) -> str:
        """Give the file a modification time that no earlier object of its key had, and return its ETag.

        The clock alone would not do: two puts may fall into one tick, and inode numbers are used again.
        """
        with self._newest_lock:
            after = max(self._newest, held.st_mtime_ns if held else 0)
            self._newest = now = max(time.time_ns(), after + 1)
        os.utime(file, ns=(now, now))
        return etag_of(os.fstat(file))


def etag_of(found: os.stat_result) -> str:
    """The ETag of a file: from one ``fstat``, without its bytes."""
    return f"{found.st_mtime_ns:x}-{found.st_size:x}-{found.st_ino:x}"


def info_of(key: str, found: os.stat_result) -> ObjectInfo:
    """What a listing says of a file."""
    return ObjectInfo(key, found.st_size, etag_of(found), found.st_mtime)


def _open_directory(path: Path) -> int:
    return os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)


def _missing(bucket: str, key: str) -> KeyNotFound:
    return KeyNotFound(f"{label(bucket, key)} does not exist")


def _check(
    bucket: str, key: str, held: os.stat_result | None, if_match: str | None, if_none_match: bool
) -> None:
    if if_none_match and held is not None:
        raise PreconditionFailed(f"{label(bucket, key)} exists")
    found = etag_of(held) if held else None
    if if_match is not None and found != if_match:
        raise PreconditionFailed(f"{label(bucket, key)} is {found or 'missing'}, not {if_match}")


def _read_range(file: int, start: int, stop: int, *, at_once: bool) -> bytes | None:
    """Bytes of a file; with ``at_once`` None where that means waiting for a disk."""
    if start >= stop:
        return b""
    if at_once:
        if _NOWAIT is None:
            return None
        place = bytearray(stop - start)
        try:
            count = os.preadv(file, [place], start, _NOWAIT)
        except OSError:  # nothing of it is in memory, or the file system cannot tell
            return None
        return bytes(place) if count == len(place) else None
    data = os.pread(file, stop - start, start)
    if len(data) == stop - start:
        return data
    parts = [data]  # Linux reads at most 2 GiB at once
    while data:
        start += len(data)
        data = os.pread(file, stop - start, start)
        parts.append(data)
    return b"".join(parts)
