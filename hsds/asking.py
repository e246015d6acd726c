"""A running service as the command line asks it: over REST, like any client.

Where and as whom is said as h5pyd's tools take it: ``HS_ENDPOINT``, ``HS_USERNAME`` and ``HS_PASSWORD`` in
the environment, or by flags. A password is better not given as a flag, which others can see.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any, Final
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

_ENDPOINT: Final = "http://127.0.0.1:5101"


class NoAnswerError(Exception):
    """Nobody answers at the endpoint, or not as a service would."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the service said. ``json`` is None where ``status`` is one of failure."""

    status: int
    reason: str
    json: Any


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A service, asked as one user."""

    url: str
    username: str | None
    password: str | None
    seconds: float
    """For an answer to come."""

    def ask(self, method: str, path: str, body: Any = None) -> Answer:
        """Send a request with JSON, and read what comes back. Raises ``NoAnswerError``."""
        if urlsplit(self.url).scheme not in ("http", "https"):
            raise NoAnswerError(f"endpoint {self.url} is not an http:// or https:// URL")
        headers = {} if body is None else {"Content-Type": "application/json"}
        if self.username is not None:
            token = base64.b64encode(f"{self.username}:{self.password or ''}".encode()).decode()
            headers["Authorization"] = f"Basic {token}"
        data = None if body is None else json.dumps(body).encode()
        request = Request(self.url.rstrip("/") + path, data, headers, method=method)
        try:
            with urlopen(request, timeout=self.seconds) as answer:
                return Answer(answer.status, answer.reason, json.load(answer))
        except HTTPError as error:
            return Answer(error.code, error.reason, None)
        except (OSError, ValueError, HTTPException) as error:
            reason = getattr(error, "reason", error)
            raise NoAnswerError(f"{self.url} does not answer as a service would: {reason}") from None


def add_flags(parser: argparse.ArgumentParser, *, user: str) -> None:
    """``--endpoint``, ``--username`` and ``--password``; ``user`` says who should ask."""
    environ = os.environ.get
    endpoint = environ("HS_ENDPOINT", _ENDPOINT)
    for flag, default, metavar, text in (
        ("--endpoint", endpoint, "URL", f"the service (HS_ENDPOINT, else {_ENDPOINT})"),
        ("--username", environ("HS_USERNAME"), "NAME", f"{user} (HS_USERNAME)"),
        ("--password", environ("HS_PASSWORD"), "TEXT", "the password; better in HS_PASSWORD"),
    ):
        parser.add_argument(flag, default=default, metavar=metavar, help=text)
