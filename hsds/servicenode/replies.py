"""Answers: JSON and empty bodies, and errors as clients of HSDS expect them."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from hsds.errors import (
    Conflict,
    Deleted,
    HsdsError,
    InvalidInput,
    NotAuthenticated,
    NotFound,
    NotPermitted,
    NotSupported,
    TooLarge,
    Unavailable,
)
from hsds.hdf5.jsontext import dumps

JSON_TYPE = "application/json; charset=utf-8"
"""Exactly this text: clients and tests compare it whole."""
BINARY_TYPE = "application/octet-stream"
"""Likewise: h5pyd takes a body for binary only if the type equals this."""
TEXT_TYPE = "text/plain; charset=utf-8"

_STATUS: dict[type, int] = {
    InvalidInput: 400,
    NotAuthenticated: 401,
    NotPermitted: 403,
    NotFound: 404,
    Conflict: 409,
    Deleted: 410,
    TooLarge: 413,
    NotSupported: 501,
    Unavailable: 503,
}
_JSON_HEADERS = {"Content-Type": JSON_TYPE}
_BINARY_HEADERS = {"Content-Type": BINARY_TYPE}
_REASON_LENGTH = 250


def json_reply(data: Any, status: int = 200, *, ignore_nan: bool = False) -> web.Response:
    """``data`` as JSON. NaN and infinities go out as such, or as null with ``ignore_nan``."""
    return web.Response(body=dumps(data, ignore_nan=ignore_nan), status=status, headers=_JSON_HEADERS)


def bytes_reply(body: bytes | bytearray | memoryview, status: int = 200) -> web.Response:
    """Bytes of values in one piece. Large ones leave as a stream instead."""
    return web.Response(body=body, status=status, headers=_BINARY_HEADERS)


def empty_reply(status: int = 204) -> web.Response:
    """An answer without a body."""
    return web.Response(status=status)


def status_of(error: HsdsError) -> int:
    """The HTTP status that stands for an error: that of its nearest known class, else 500."""
    return next((_STATUS[kind] for kind in type(error).__mro__ if kind in _STATUS), 500)


def error_reply(status: int, message: str, headers: dict[str, str] | None = None) -> web.Response:
    """An error: the message is the reason phrase, which h5pyd shows, and the body is ``<status>: <message>``.

    The status line takes one line of ASCII: what else the message holds is escaped there.
    """
    line = " ".join(message.split()) or web.Response(status=status).reason or "Error"
    reason = line.encode("ascii", "backslashreplace").decode("ascii")
    if not reason.isprintable():
        reason = "".join(char if char.isprintable() else "?" for char in reason)
    if len(reason) > _REASON_LENGTH:
        reason = reason[: _REASON_LENGTH - 3] + "..."
    body = f"{status}: {line}".encode("utf-8", "backslashreplace")
    return web.Response(
        body=body, status=status, reason=reason, headers={"Content-Type": TEXT_TYPE, **(headers or {})}
    )
