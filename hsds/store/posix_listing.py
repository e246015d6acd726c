"""Listings of the POSIX store in the order of S3, ascending bytes of whole keys; deleting what is listed.

A directory sorts as its name and a slash: ``a-b`` comes before ``a/c``, which comes before ``a0``. Only
directories that may hold keys of the asked range are read, each once.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from heapq import nsmallest
from itertools import islice

from hsds.store.base import ObjectInfo, Page
from hsds.store.names import check_prefix
from hsds.store.posix_files import Files, info_of
from hsds.store.posix_tree import check_posix_bucket, map_exceptions


def list_folder(files: Files, bucket: str, prefix: str, start_after: str, limit: int) -> Page:
    """One page of the files and subdirectories of one directory, the one that ``prefix`` lies in.

    A subdirectory is a common prefix without a look inside: one that a killed process left empty shows too.
    """
    folder = _folder(bucket, prefix)
    with map_exceptions(bucket, prefix):
        files.tree.check_bucket_exists(bucket.encode())
        names = [key for key in _keys(files.root, bucket, folder, prefix) if key > start_after]
        chosen = sorted(names) if len(names) <= limit else nsmallest(limit, names)
        objects = [info for key in chosen if key[-1] != "/" and (info := _info(files.root, bucket, key))]
        prefixes = tuple(key for key in chosen if key[-1] == "/")
        return Page(tuple(objects), prefixes, chosen[-1] if len(names) > limit else None)


def list_tree(files: Files, bucket: str, prefix: str, start_after: str, limit: int) -> Page:
    """One page of all objects below ``prefix``."""
    found = tuple(islice(walk(files, bucket, prefix, start_after), limit + 1))
    return Page(found[:limit], (), found[limit - 1].key if len(found) > limit else None)


def walk(files: Files, bucket: str, prefix: str, start_after: str = "") -> Iterator[ObjectInfo]:
    """All objects below ``prefix`` after ``start_after``, as the iterator is moved on."""
    folder = _folder(bucket, prefix)
    with map_exceptions(bucket, prefix):
        files.tree.check_bucket_exists(bucket.encode())
    levels = [iter((folder,))]
    while levels:
        key = next(levels[-1], None)
        if key is None:
            levels.pop()
        elif key == "" or key[-1] == "/":
            with map_exceptions(bucket, key):
                below = _keys(files.root, bucket, key, prefix)
            levels.append(iter(sorted(k for k in below if _may_follow(k, start_after))))
        else:
            with map_exceptions(bucket, key):
                info = _info(files.root, bucket, key)
            if info:
                yield info


def delete_all(files: Files, bucket: str, prefix: str, keep: str, most: int) -> tuple[int, list[bytes]]:
    """Remove objects below ``prefix``: how many they were, and those paths that are for ``Tree.prune``."""
    found = (info.key for info in walk(files, bucket, prefix) if info.key != keep)
    doomed = list(islice(found, most))
    paths = [files.remove(bucket, key, None) for key in doomed]
    return len(doomed), [path for path in paths if path is not None]


def _may_follow(key: str, start_after: str) -> bool:
    return key > start_after or (key[-1] == "/" and start_after.startswith(key))


def _folder(bucket: str, prefix: str) -> str:
    """The directory that ``prefix`` lies in, as a key that is empty or ends with ``/``."""
    check_posix_bucket(bucket)
    check_prefix(prefix)
    return prefix[: prefix.rfind("/") + 1]


def _keys(root: int, bucket: str, folder: str, prefix: str) -> list[str]:
    """Keys of the files in ``folder`` and, ending with ``/``, its directories; unsorted."""
    if folder.startswith("/") or "//" in folder:
        return []  # no key has an empty segment, and the system would read the directory without it
    path = f"{bucket}/{folder}".encode()
    try:
        directory = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=root)
    except (FileNotFoundError, NotADirectoryError):
        return []
    keys = []
    try:
        with os.scandir(directory) as entries:
            for entry in entries:
                key = f"{folder}{entry.name}/" if entry.is_dir() else f"{folder}{entry.name}"
                if key.startswith(prefix) and (key.isascii() or _is_unicode(key)):
                    keys.append(key)
    finally:
        os.close(directory)
    return keys


def _is_unicode(name: str) -> bool:
    """Whether a name is UTF-8 on disk: other files were not written as objects."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _info(root: int, bucket: str, key: str) -> ObjectInfo | None:
    with suppress(FileNotFoundError, NotADirectoryError):  # deleted meanwhile
        found = os.stat(f"{bucket}/{key}".encode(), dir_fd=root)
        if stat.S_ISREG(found.st_mode):
            return info_of(key, found)
    return None
