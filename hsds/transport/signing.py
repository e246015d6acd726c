"""Signatures of requests between nodes: who does not know the node secret is not answered.

HMAC-SHA256 over method, path, date and epoch, in one header:

    Authorization: HSDS1 <seconds since the epoch> <epoch of the view, or -> <signature in hex>

Bodies are not hashed: values would be read twice. Two secrets are valid at once, so that they can be changed
while the service runs: the file has one a line, the first signs, all are believed. Add the new one as second
line, wait until every node has read it, swap them, wait, and remove the old one.
"""

from __future__ import annotations

import hmac
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

from hsds.errors import InvalidSettings, NotAuthenticated, NotPermitted

HEADER: Final = "Authorization"
WINDOW: Final = 120.0
"""Seconds that a signature is valid for, either way: clocks of nodes differ."""
_SCHEME: Final = "HSDS1"
_LOOK_SECONDS: Final = 1.0
_SHORTEST: Final = 16


class Secrets:
    """The node secrets in a file, read again when it changes."""

    def __init__(self, path: Path, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Raises ``InvalidSettings`` for a file that cannot be read or holds no secret."""
        self._path = path
        self._clock = clock
        self._looked = clock()
        self._stamp = self._stat()
        self._secrets = self._load()

    def __repr__(self) -> str:
        return f"<Secrets of {self._path}>"

    def current(self) -> tuple[bytes, ...]:
        """The secrets, the one to sign with first. A file that has gone bad leaves the last good ones."""
        now = self._clock()
        if now - self._looked >= _LOOK_SECONDS:
            self._looked = now
            try:
                stamp = self._stat()
                if stamp != self._stamp:
                    self._secrets = self._load()
                    self._stamp = stamp
            except InvalidSettings:
                pass  # perhaps it is being replaced: look again
        return self._secrets

    def _stat(self) -> tuple[int, int, int]:
        try:
            found = self._path.stat()  # through the links by which Kubernetes swaps mounted Secrets
        except OSError as error:
            raise InvalidSettings(
                f"node_secret_file {self._path} cannot be read: {error.strerror}"
            ) from error
        return found.st_ino, found.st_mtime_ns, found.st_size

    def _load(self) -> tuple[bytes, ...]:
        try:
            lines = self._path.read_bytes().split()
        except OSError as error:
            raise InvalidSettings(
                f"node_secret_file {self._path} cannot be read: {error.strerror}"
            ) from error
        if not lines or min(map(len, lines)) < _SHORTEST:
            raise InvalidSettings(
                f"node_secret_file {self._path}: expected secrets of {_SHORTEST} or more characters"
            )
        return tuple(lines)


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs what this node sends and checks what it receives. Every answer is the same but for the status."""

    secrets: Callable[[], tuple[bytes, ...]]
    clock: Callable[[], float] = time.time

    def sign(self, method: str, path: str, epoch: int | None) -> str:
        """The value of the header. ``path`` is as sent, with its query."""
        date, said = str(int(self.clock())), "-" if epoch is None else str(epoch)
        return f"{_SCHEME} {date} {said} {_signature(self.secrets()[0], method, path, date, said)}"

    def check(self, header: str | None, method: str, path: str) -> int | None:
        """The epoch that was signed.

        Raises ``NotAuthenticated`` for no signature, and ``NotPermitted`` for one that is wrong or too old.
        """
        scheme, *words = (header or "").split(" ")
        if scheme != _SCHEME:
            raise NotAuthenticated("requests between nodes are signed")
        match words:
            case [date, said, signature] if _number(date) and (said == "-" or _number(said)):
                if self._known(signature, method, path, date, said):
                    return None if said == "-" else int(said)
        raise NotPermitted("the signature is not valid")

    def _known(self, signature: str, method: str, path: str, date: str, epoch: str) -> bool:
        if abs(self.clock() - int(date)) > WINDOW or not signature.isascii():
            return False
        made = [_signature(secret, method, path, date, epoch) for secret in self.secrets()]
        return sum(hmac.compare_digest(one, signature) for one in made) > 0


def _number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 20


@lru_cache(256)
def _signature(secret: bytes, method: str, path: str, date: str, epoch: str) -> str:
    """Remembered, because within a second a node signs nearly the same all the time."""
    signed = f"{method}\n{path}\n{date}\n{epoch}".encode(errors="surrogateescape")
    return hmac.digest(secret, signed, "sha256").hex()
