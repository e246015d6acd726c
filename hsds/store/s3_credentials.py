"""AWS credentials: fixed ones, and files that may change at any time, as those of a mounted Secret do."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Protocol

from aiobotocore.credentials import AioCredentials
from botocore.credentials import ReadOnlyCredentials

from hsds.errors import StoreRefused

_FILES = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token")
_Stamp = tuple[tuple[int, int, int] | None, ...]


class AnyCredentials(Protocol):
    """What aiobotocore's credentials, refreshable ones included, and ours have in common."""

    async def get_frozen_credentials(self) -> ReadOnlyCredentials:
        """The keys to sign a request with now."""


class FixedCredentials:
    """Keys that do not change."""

    def __init__(self, keys: ReadOnlyCredentials) -> None:
        self._keys = keys

    async def get_frozen_credentials(self) -> ReadOnlyCredentials:
        return self._keys


class FileCredentials(AioCredentials):  # type: ignore[misc]  # aiobotocore is untyped
    """Keys in the files ``aws_access_key_id``, ``aws_secret_access_key`` and, if any, ``aws_session_token``.

    The client asks for the keys once a request; that the files are unchanged costs three ``stat``. While they
    cannot be read, or change under our eyes, the last complete set is used.
    """

    def __init__(self, directory: Path) -> None:
        """Raises ``StoreRefused`` when the directory holds no keys."""
        self._directory = directory
        self._stamp: _Stamp = ()
        super().__init__("", "", method="files")
        try:
            complete = self._load()
        except OSError as error:
            raise StoreRefused(f"aws_credentials_dir: {error.strerror}: {error.filename}") from error
        if not complete:
            raise StoreRefused(f"aws_credentials_dir: {directory} holds no {_FILES[0]} with {_FILES[1]}")

    def __repr__(self) -> str:
        return f"<FileCredentials of {self._directory}>"

    async def get_frozen_credentials(self) -> ReadOnlyCredentials:
        """The keys as they are in the files now."""
        if self._look() != self._stamp:
            with suppress(OSError):  # between two states of the mount: the next request looks again
                self._load()
        return await super().get_frozen_credentials()

    def _look(self) -> _Stamp:
        return tuple(_stamp(self._directory / name) for name in _FILES)

    def _load(self) -> bool:
        """Read the files; False when they do not hold one complete set, and then nothing changes."""
        before = self._look()
        key, secret = (_read(self._directory / name) for name in _FILES[:2])
        token = _read(self._directory / _FILES[2]) if before[2] else None
        if not key or not secret or self._look() != before:
            return False
        self.access_key, self.secret_key, self.token, self._stamp = key, secret, token, before
        return True


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8").strip()


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
