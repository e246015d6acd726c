"""Log lines: plain text for people, JSON for machines, and the line that each request leaves.

Everything is logged below the logger ``hsds``. Extra members that the JSON form knows are in ``MEMBERS``.
"""

from __future__ import annotations

import logging
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from operator import attrgetter
from typing import Any

import orjson

from hsds.config import Settings

ROOT = "hsds"
MEMBERS = (
    "request_id", "method", "route", "path", "domain", "user", "status", "bytes", "seconds", "epoch",
    "operations", "error",
)  # fmt: skip
_ESCAPES = {code: repr(chr(code))[1:-1] for code in (*range(32), 127, 0x85, 0x2028, 0x2029)}
"""What would break a line, or move the cursor of who reads it."""

_JSON_ESCAPES = {0x85: "\\u0085", 0x2028: "\\u2028", 0x2029: "\\u2029"}
"""Ends of line to some readers that JSON itself leaves alone."""


class TextFormatter(logging.Formatter):
    """``<prefix><time> LEVEL> [request id] message``."""

    def __init__(self, *, prefix: str = "", timestamps: bool = True) -> None:
        super().__init__()
        self._prefix = prefix
        self._timestamps = timestamps

    def format(self, record: logging.LogRecord) -> str:
        time = f"{_time(record)} " if self._timestamps else ""
        trace = getattr(record, "request_id", None)
        message = record.getMessage()
        if not message.isprintable():
            message = message.translate(_ESCAPES)
        line = f"{self._prefix}{time}{record.levelname}> {f'[{trace}] ' if trace else ''}{message}"
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


class JsonFormatter(logging.Formatter):
    """One JSON object a line: ``time, level, node, msg`` and those of ``MEMBERS`` that the record has."""

    def __init__(self, *, node: str) -> None:
        super().__init__()
        self._node = node

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": _time(record),
            "level": record.levelname,
            "node": self._node,
            "msg": record.getMessage(),
        }
        line.update((name, value) for name in MEMBERS if (value := getattr(record, name, None)) is not None)
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        text = orjson.dumps(line, default=str).decode()
        return text if text.isprintable() else text.translate(_JSON_ESCAPES)


def configure(settings: Settings, *, node: str) -> logging.Logger:
    """Send the log lines of this process to standard error, or to ``settings.logfile``.

    Raises ``OSError`` when that file cannot be opened. ``node`` is the name of this process in JSON lines.
    """
    handler: logging.Handler = (
        logging.StreamHandler(sys.stderr)
        if settings.logfile is None
        else logging.FileHandler(settings.logfile, encoding="utf-8")
    )
    if settings.log_format == "json":
        handler.setFormatter(JsonFormatter(node=node))
    else:
        prefix = settings.log_prefix or ""
        handler.setFormatter(TextFormatter(prefix=prefix, timestamps=settings.log_timestamps))
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False  # looked up for each line
    logger = logging.getLogger(ROOT)
    logger.handlers[:] = [handler]
    logger.setLevel(settings.log_level)
    logger.propagate = False
    for library in ("aiohttp", "asyncio"):  # what they say is about connections and our own mistakes
        logging.getLogger(library).handlers[:] = [handler]
        logging.getLogger(library).propagate = False
    return logger


@dataclass(frozen=True, slots=True)
class Access:
    """What the line of one request tells. ``path`` is as sent, percent-encoded, without the query."""

    request_id: str
    method: str
    route: str
    """The template of the path."""
    path: str
    domain: str | None
    user: str | None
    status: int
    bytes: int | None
    """Length of the answer's body; None where it is not known."""
    seconds: float
    epoch: int | None = None
    """Of the view by which the request was routed."""
    operations: str | None = None
    """What a data node was asked to do."""
    error: str | None = None
    """Why the request was refused, as its client was told."""


_MEMBERS_OF = attrgetter(*MEMBERS)


def log_access(logger: logging.Logger, access: Access) -> None:
    """Write the line of one request, at level INFO."""
    if not logger.isEnabledFor(logging.INFO):
        return
    domain = f"{access.domain or access.operations} " if access.domain or access.operations else ""
    size = "?" if access.bytes is None else access.bytes
    line = (
        f"{access.method} {access.path} {domain}{access.status} {size} bytes {access.seconds * 1000:.1f} ms"
        f"{f': {access.error}' if access.error else ''}"
    )
    # Made by hand: info() looks for its caller and checks the names of extra members, a twentieth of the time
    # of a small request.
    record = logging.LogRecord(logger.name, logging.INFO, "", 0, line, None, None)
    record.__dict__.update(zip(MEMBERS, _MEMBERS_OF(access), strict=True))
    logger.handle(record)


def _time(record: logging.LogRecord) -> str:
    whole = int(record.created)
    return f"{_second(whole)}.{int((record.created - whole) * 1000):03}Z"


@lru_cache(4)
def _second(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}"
