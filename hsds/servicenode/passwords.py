"""Password and groups files, re-read when they change, and the check of one password."""

from __future__ import annotations

import hashlib
import hmac
import logging
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import bcrypt

from hsds.errors import InvalidInput

_LOG = logging.getLogger(__name__)
_LOOK_EVERY = 1.0
_BCRYPT = ("$2a$", "$2b$", "$2y$")
_SHORTEST = 3


class WatchedFile(ABC):
    """A small text file whose content counts. ``refresh`` looks at it at most once a second."""

    def __init__(self, path: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self.path = path
        self._clock = clock
        self._looked = clock()
        try:
            self._stamp = self._look()
            self._take(self._lines())
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            raise InvalidInput(f"{path} cannot be read: {reason}") from error

    def refresh(self) -> bool:
        """Whether the content has changed since the last call. A file that cannot be read keeps its last."""
        now = self._clock()
        if now - self._looked < _LOOK_EVERY:
            return False
        self._looked = now
        try:
            stamp = self._look()
            if stamp == self._stamp:
                return False
            self._take(self._lines())
        except (OSError, UnicodeDecodeError) as error:
            _LOG.warning("%s cannot be read, what it said before stays in force: %s", self.path, error)
            return False
        self._stamp = stamp
        return True

    @abstractmethod
    def _take(self, lines: Iterator[tuple[int, str]]) -> None:
        """Replace what is known by what the numbered lines say."""

    def _look(self) -> tuple[int, int, int]:
        status = self.path.stat()
        return status.st_mtime_ns, status.st_size, status.st_ino

    def _lines(self) -> Iterator[tuple[int, str]]:
        for number, line in enumerate(self.path.read_text("utf-8").splitlines(), 1):
            text = line.strip()
            if text and not text.startswith("#"):
                yield number, text


class PasswordFile(WatchedFile):
    """Lines of ``user:password``, the password plain or a bcrypt hash. The first line of a user counts."""

    def _take(self, lines: Iterator[tuple[int, str]]) -> None:
        users: dict[str, str] = {}
        for number, line in lines:
            name, _, rest = line.partition(":")
            name, password = name.strip(), rest.partition(":")[0].strip()
            if min(len(name), len(password)) < _SHORTEST:
                _LOG.warning(
                    "%s line %d is ignored: not user:password of 3 or more characters", self.path, number
                )
            else:
                users.setdefault(name, password)
        self.users: Mapping[str, str] = users


class GroupsFile(WatchedFile):
    """Lines of ``group: user user ...``."""

    def _take(self, lines: Iterator[tuple[int, str]]) -> None:
        groups: dict[str, set[str]] = {}
        for number, line in lines:
            group, colon, members = line.partition(":")
            if not colon or not group.strip():
                _LOG.warning("%s line %d is ignored: not group: user user ...", self.path, number)
                continue
            for member in members.replace(",", " ").split():
                groups.setdefault(member, set()).add(group.strip())
        self._groups = {member: frozenset(names) for member, names in groups.items()}

    def of(self, name: str) -> frozenset[str]:
        """The groups that a user is in."""
        return self._groups.get(name, frozenset())


class Passwords:
    """Where passwords come from: single users given by flags, then a salt, then a file."""

    def __init__(
        self,
        *,
        file: PasswordFile | None = None,
        extra: Mapping[str, str] | None = None,
        salt: str | None = None,
    ) -> None:
        self._file = file
        self._extra = dict(extra or {})
        self._salt = salt

    def refresh(self) -> bool:
        """Whether anything has changed since the last call."""
        return self._file is not None and self._file.refresh()

    def stored(self, name: str) -> str | None:
        """The password of a user as stored, plain or hashed; None for an unknown user."""
        if name in self._extra:
            return self._extra[name]
        if self._salt is not None:
            return hashlib.sha512((name + self._salt).encode()).hexdigest()[:32]
        return self._file.users.get(name) if self._file is not None else None


def matches(password: str, stored: str | None) -> bool:
    """Whether a password is the stored one, in a time that does not tell how much of it is right.

    bcrypt sees 72 bytes of a password at most and refuses NUL.
    """
    given = password.encode("utf-8", "surrogateescape")
    if stored is None:
        hmac.compare_digest(given, b"*" * len(given))
        return False
    if not stored.startswith(_BCRYPT):
        return hmac.compare_digest(given, stored.encode("utf-8", "surrogateescape"))
    if b"\0" in given:
        return False
    try:
        return bcrypt.checkpw(given[:72], stored.encode("ascii", "replace"))
    except ValueError:  # a broken hash in the file opens no door
        return False
