"""The one tree of errors. What is raised says what was wrong; who answers HTTP decides the status.

The text of an error reaches the user as the reason phrase of the status line, so it names the thing that
was wrong and what would be right, in one line, and never holds a secret.
"""

from __future__ import annotations


class HsdsError(Exception):
    """Base of everything this package raises on purpose."""


class InvalidInput(HsdsError, ValueError):
    """The request cannot be right whatever the state of the service (400)."""


class NotAuthenticated(HsdsError):
    """Who asks is unknown: credentials are missing or wrong (401)."""


class NotPermitted(HsdsError, PermissionError):
    """Who asks is known and may not do this (403)."""


class NotFound(HsdsError, LookupError):
    """What was asked for does not exist (404)."""


class Deleted(NotFound):
    """What was asked for existed and was deleted, as far as this process remembers (410)."""


class Conflict(HsdsError):
    """The state of the object forbids the change, e.g. another link has that title (409)."""


class TooLarge(HsdsError):
    """The request or its answer is over a size limit (413)."""


class NotSupported(HsdsError):
    """Known to the REST API, not offered by this service (501)."""


class Unavailable(HsdsError):
    """The service cannot answer at present; a repeat may succeed (503, with ``Retry-After``)."""

    def __init__(self, message: str, *, retry_after: float = 1.0) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class NotReachable(Unavailable):
    """No answer came from a node. Whether it did, or will do, what was asked is unknown."""


class InvalidSettings(HsdsError, ValueError):
    """The service cannot start as it is configured; the text names the setting and where it was given."""


class AdminError(HsdsError):
    """What an administrator asked of a running service did not work (exit status 1)."""


class NotOwner(HsdsError):
    """This data node does not, or not yet, or not any more, own the key (421). Never shown to users."""


class StoreError(HsdsError):
    """Base of what object stores raise. Callers in the data node translate it or let it become a 503."""


class KeyNotFound(StoreError, NotFound):
    """The store has no object under the key."""


class BucketNotFound(StoreError, NotFound):
    """The store has no such bucket."""


class InvalidKey(StoreError, InvalidInput):
    """The key cannot be a key of this store (``..``, an empty segment, too long, ...)."""


class PreconditionFailed(StoreError):
    """A conditional operation met another ETag than the expected one, or a key that exists or is gone."""


class NotModified(StoreError):
    """A conditional GET found the ETag that the caller already holds."""


class StoreUnavailable(StoreError, Unavailable):
    """The store did not answer, or answered that it cannot now. The effect of a PUT is then unknown."""


class StoreBusy(StoreUnavailable):
    """The store, or the way to it, declined before anything took effect (throttling, no connection)."""


class StoreRefused(StoreError):
    """The store refuses the operation for good: wrong key, no permission, unusable configuration (500)."""
