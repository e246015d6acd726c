"""Who sends a request: HTTP Basic against passwords, or everybody as the one user of a laptop."""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import secrets
from abc import ABC, abstractmethod
from concurrent.futures import ThreadPoolExecutor

from hsds.config import Settings
from hsds.errors import InvalidInput, NotAuthenticated
from hsds.servicenode.passwords import GroupsFile, PasswordFile, Passwords, matches
from hsds.servicenode.permissions import ANONYMOUS, User

_REMEMBERED = 10_000


class Authenticator(ABC):
    """Finds out who sends a request."""

    local = False
    """Whether everybody acts as one local user: then foreign web pages must be kept out (``guard``)."""

    @abstractmethod
    async def identify(self, authorization: str | None) -> User:
        """The user of an ``Authorization`` header, ``ANONYMOUS`` without one.

        Raises ``InvalidInput`` for a header that cannot be read, ``NotAuthenticated`` for wrong credentials.
        """

    @abstractmethod
    def knows(self, name: str) -> bool:
        """Whether there is a user of that name."""

    def acts_as(self, user: User, name: str) -> bool:
        """Whether who logs in as ``name`` acts as ``user``."""
        return user.name == name

    def close(self) -> None:  # noqa: B027 - not every way needs threads
        """Give up threads."""


class LocalAuthenticator(Authenticator):
    """No passwords at all: any or no credentials act as the user who started the service."""

    local = True

    def __init__(self, name: str) -> None:
        self.user = User(name, is_admin=True)

    async def identify(self, authorization: str | None) -> User:
        return self.user

    def knows(self, name: str) -> bool:
        return True

    def acts_as(self, user: User, name: str) -> bool:
        return True


class PasswordAuthenticator(Authenticator):
    """HTTP Basic. A verified header is remembered by a keyed digest until a file changes, because a bcrypt
    hash takes longer to check than most requests to answer.
    """

    def __init__(
        self,
        passwords: Passwords,
        *,
        groups: GroupsFile | None = None,
        admins: frozenset[str] = frozenset({"admin"}),
        admin_group: str | None = None,
    ) -> None:
        self._passwords = passwords
        self._groups = groups
        self._admins = admins
        self._admin_group = admin_group
        self._key = secrets.token_bytes(32)
        self._verified: dict[bytes, User] = {}
        self._checking: dict[bytes, asyncio.Task[User]] = {}
        # Two threads: a flood of wrong passwords must not take the threads that decode chunks.
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="passwords")

    def __repr__(self) -> str:
        return (
            f"<PasswordAuthenticator {len(self._verified)} remembered, {len(self._checking)} being checked>"
        )

    async def identify(self, authorization: str | None) -> User:
        if authorization is None:
            return ANONYMOUS
        self._refresh()
        header = authorization.encode("utf-8", "surrogateescape")
        digest = hashlib.blake2b(header, key=self._key, digest_size=32).digest()
        user = self._verified.get(digest)
        if user is not None:
            return user
        name, password = parse_basic(authorization)
        task = self._checking.get(digest)
        if task is None:  # a hundred requests that start with the same new password check it once
            task = self._checking[digest] = asyncio.create_task(self._check(name, password, digest))
            task.add_done_callback(lambda _: self._checking.pop(digest, None))
        return await asyncio.shield(task)

    def knows(self, name: str) -> bool:
        return self._passwords.stored(name) is not None

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _refresh(self) -> None:
        changed = self._passwords.refresh()
        if self._groups is not None and self._groups.refresh():
            changed = True
        if changed:
            self._verified.clear()

    async def _check(self, name: str, password: str, digest: bytes) -> User:
        stored = self._passwords.stored(name)
        loop = asyncio.get_running_loop()
        if not await loop.run_in_executor(self._threads, matches, password, stored):
            raise NotAuthenticated("Unknown user or wrong password")
        groups = self._groups.of(name) if self._groups is not None else frozenset[str]()
        user = User(name, name in self._admins or self._admin_group in groups, groups)
        if self._passwords.stored(name) == stored:  # still true after the wait
            if len(self._verified) >= _REMEMBERED:
                self._verified.clear()
            self._verified[digest] = user
        return user


def parse_basic(authorization: str) -> tuple[str, str]:
    """User name and password of ``Basic <base64>``."""
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() == "bearer":
        raise NotAuthenticated("Bearer tokens are not accepted here: use HTTP Basic with user and password")
    if scheme.lower() != "basic":
        raise InvalidInput("Authorization header is not of the scheme Basic")
    try:
        text = base64.b64decode(token.strip(), validate=True).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError, ValueError):
        raise InvalidInput("Authorization header is not base64 of user:password") from None
    name, colon, password = text.partition(":")
    if not (name and colon and password):
        raise InvalidInput("Authorization header lacks the user, the colon or the password")
    return name, password


def make_authenticator(settings: Settings, *, local_user: str) -> Authenticator:
    """What the settings ask for: passwords if there are any, else everybody is ``local_user``."""
    if not settings.has_users:
        return LocalAuthenticator(local_user)
    extra = {}
    if settings.hs_username:
        if not settings.hs_password:
            raise InvalidInput("hs_username is set without hs_password")
        extra[settings.hs_username] = settings.hs_password
    file = PasswordFile(settings.password_file) if settings.password_file is not None else None
    return PasswordAuthenticator(
        Passwords(file=file, extra=extra, salt=settings.password_salt),
        groups=GroupsFile(settings.groups_file) if settings.groups_file is not None else None,
        admins=frozenset((settings.admin_user, *extra)),
        admin_group=settings.admin_group,
    )
