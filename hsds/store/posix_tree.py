"""Paths of the POSIX store: checked, their parents made and removed, conflicts named, errors mapped.

Paths are bytes relative to the open root directory: ``bucket/key`` in UTF-8. Keys that the file system
cannot hold under their own name are refused here.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

from hsds.errors import BucketNotFound, InvalidKey, StoreRefused, StoreUnavailable
from hsds.store.names import check_bucket, check_key, label
from hsds.store.posix_temp import TempFiles

OWN_DIR = ".hsds"
"""Directory beside the buckets for temporary files and locks; never inside a bucket, where HSDS would take
a stray file under a dataset for a chunk."""

_NOTES = b".hsds/"
_NAME_MAX = 255
_ATTEMPTS = 100
"""How often a put makes its directories again that racing deletes of their last objects take away."""

_REFUSED = {errno.EACCES, errno.EPERM, errno.EROFS, errno.EXDEV}
_INVALID = {errno.ENAMETOOLONG, errno.EILSEQ}


@contextmanager
def map_exceptions(bucket: str, key: str = "") -> Iterator[None]:
    """Translates ``OSError`` into the errors of a store."""
    try:
        yield
    except OSError as error:
        text = f"{label(bucket, key)}: {os.strerror(error.errno) if error.errno else error}"
        if error.errno in _INVALID:
            raise InvalidKey(text) from error
        if error.errno in _REFUSED:
            raise StoreRefused(text) from error
        raise StoreUnavailable(text) from error


def check_posix_bucket(bucket: str) -> bytes:
    """The directory of a bucket. Raises ``InvalidKey``."""
    check_bucket(bucket)
    if bucket == OWN_DIR:
        raise InvalidKey(f"{OWN_DIR} is no bucket: the store keeps its own files there")
    return bucket.encode()


def check_path(bucket: str, key: str) -> bytes:
    """The path of an object. Raises ``InvalidKey`` for keys that no file can be called."""
    directory = check_posix_bucket(bucket)
    raw = check_key(key)
    if raw[0] == 47 or raw[-1] == 47 or b"//" in raw:
        raise InvalidKey(f"key {key!r} holds an empty segment")
    if len(raw) > _NAME_MAX and any(len(segment) > _NAME_MAX for segment in raw.split(b"/")):
        raise InvalidKey(f"key {key[:60]!r}... holds a segment of more than {_NAME_MAX} bytes")
    return b"%s/%s" % (directory, raw)


class Tree:
    """The directories below ``root``, an open file descriptor that stays the caller's. New ones are made by
    ``temp``.
    """

    def __init__(self, root: int, temp: TempFiles) -> None:
        self._root = root
        self._temp = temp

    def check_bucket_exists(self, path: bytes) -> None:
        """Raises ``BucketNotFound`` where the first segment of ``path`` is no directory."""
        bucket = path.partition(b"/")[0]
        try:
            if stat.S_ISDIR(os.stat(bucket, dir_fd=self._root).st_mode):
                return
        except FileNotFoundError:
            pass
        raise BucketNotFound(f"bucket {bucket.decode()} does not exist")

    def find(self, path: bytes) -> os.stat_result | None:
        """What is known of the file at ``path``; None where there is none. Raises ``BucketNotFound``."""
        try:
            found = os.stat(path, dir_fd=self._root)
            if stat.S_ISREG(found.st_mode):
                return found
        except (FileNotFoundError, NotADirectoryError):
            self.check_bucket_exists(path)
        return None

    def place(self, name: str, path: bytes) -> None:
        """Rename the temporary file ``name`` to ``path``, making the parents of ``path``.

        Raises ``BucketNotFound``, and ``InvalidKey`` where one of the two keys is a directory of the other.
        """
        for _ in range(_ATTEMPTS):
            try:
                os.rename(name, path, src_dir_fd=self._temp.directory, dst_dir_fd=self._root)
            except FileNotFoundError:
                self._make_parents(path)
            except NotADirectoryError:
                raise InvalidKey(f"{_text(path)} lies below an object: {self._object_above(path)}") from None
            except IsADirectoryError:
                self._remove_empty(path)
            else:
                return
        raise StoreUnavailable(f"{_text(path)}: its directory, or that of temporary files, keeps vanishing")

    def prune_all(self, paths: Sequence[bytes]) -> None:
        """``prune`` each of these."""
        for path in paths:
            self.prune(path)

    def prune(self, path: bytes) -> None:
        """Remove the directories above ``path`` that are empty now, up to the bucket.

        Those of the service's own notes stay: each deletion of a domain makes a note and removes it again.
        """
        if path.partition(b"/")[2].startswith(_NOTES):
            return
        with suppress(OSError):  # not empty, or another process was faster: either way it is not ours
            for parent in _parents(path)[:0:-1]:
                os.rmdir(parent, dir_fd=self._root)

    def sync(self, path: bytes) -> None:
        """Wait until the directories above ``path`` are on disk."""
        for parent in reversed(_parents(path)):
            with suppress(FileNotFoundError):  # pruned meanwhile by a delete
                directory = os.open(parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=self._root)
                try:
                    os.fsync(directory)
                finally:
                    os.close(directory)

    def _make_parents(self, path: bytes) -> None:
        """From the last one up to one that is there, and down again: mostly only the last is missing."""
        self.check_bucket_exists(path)
        parents = _parents(path)[1:]
        missing = len(parents) - 1
        while missing > 0 and not self._is_there(parents[missing - 1]):
            missing -= 1
        # A parent that vanishes again, or is a file, is found by the next attempt to rename.
        with suppress(FileExistsError, FileNotFoundError, NotADirectoryError):
            for parent in parents[missing:]:
                with suppress(FileExistsError):
                    self._temp.place_directory(parent, self._root)

    def _is_there(self, path: bytes) -> bool:
        try:
            os.stat(path, dir_fd=self._root)
        except (FileNotFoundError, NotADirectoryError):
            return False
        return True

    def _remove_empty(self, path: bytes) -> None:
        """Clear ``path`` of a directory without entries, which a killed process may have left."""
        try:
            os.rmdir(path, dir_fd=self._root)
        except FileNotFoundError:
            pass
        except OSError:
            raise InvalidKey(f"{_text(path)} is a directory of other objects") from None

    def _object_above(self, path: bytes) -> str:
        return next((_text(parent) for parent in _parents(path) if self.find(parent)), "gone by now")


def _parents(path: bytes) -> list[bytes]:
    """Directories above ``path``, the bucket first."""
    cuts = [i for i, byte in enumerate(path) if byte == 47]
    return [path[:cut] for cut in cuts]


def _text(path: bytes) -> str:
    bucket, _, key = path.decode().partition("/")
    return label(bucket, key)
