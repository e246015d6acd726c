"""``hsds admin``: what an administrator does to a running service, over REST like anybody else.

Who asks and where is said as h5pyd's tools take it: ``HS_ENDPOINT``, ``HS_USERNAME``, ``HS_PASSWORD`` and
``HS_BUCKET`` in the environment, or by flags. A password is better not given as a flag, which others can see.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
from collections.abc import Callable, Sequence
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote, urlsplit
from urllib.request import Request, urlopen

from hsds.errors import AdminError

_ENDPOINT = "http://127.0.0.1:5101"
_SECONDS = 100.0  # longer than a service holds a request while its data nodes change
_COMMANDS = "mkhome"

Json = dict[str, Any]


class Service:
    """A running service, asked as one user."""

    def __init__(self, endpoint: str, username: str | None, password: str | None, bucket: str | None) -> None:
        if urlsplit(endpoint).scheme not in ("http", "https"):
            raise AdminError(f"endpoint {endpoint} is not an http:// or https:// URL")
        self._endpoint = endpoint.rstrip("/")
        self._bucket = bucket
        self._headers = {"Content-Type": "application/json"}
        if username is not None:
            token = base64.b64encode(f"{username}:{password or ''}".encode()).decode()
            self._headers["Authorization"] = f"Basic {token}"

    def domain(self, path: str) -> Json | None:
        """A domain or folder as it is; None where there is none."""
        status, data = self._ask("GET", path, None)
        return data if status == 200 else None

    def make_folder(self, path: str, owner: str | None = None) -> bool:
        """Make a folder. False if there is one already. Raises ``AdminError`` where the service refuses."""
        body: Json = {"folder": True} | ({"owner": owner} if owner else {})
        return self._ask("PUT", path, body)[0] == 201

    def _ask(self, method: str, path: str, body: Json | None) -> tuple[int, Json]:
        bucket = f"&bucket={quote(self._bucket)}" if self._bucket else ""
        url = f"{self._endpoint}/?domain={quote(path, safe='/')}{bucket}"
        data = None if body is None else json.dumps(body).encode()
        request = Request(url, data, self._headers, method=method)
        try:
            with urlopen(request, timeout=_SECONDS) as answer:
                return answer.status, json.load(answer)
        except HTTPError as error:
            if error.code in ((404, 410) if method == "GET" else (409,)):
                return error.code, {}
            raise AdminError(f"{method} {path}: {error.code} {error.reason}") from None
        except (OSError, ValueError, HTTPException) as error:
            reason = getattr(error, "reason", error)
            raise AdminError(f"{self._endpoint} does not answer as a service would: {reason}") from None


def run(words: Sequence[str], parser: Callable[..., argparse.ArgumentParser]) -> str:
    """Carry out ``hsds admin ...``; what to say of it. ``parser`` makes the kind of parser that is wanted.

    Raises ``InvalidSettings`` for a command line that cannot be, ``AdminError`` for what did not work.
    """
    options = _options(words, parser)
    service = Service(options.endpoint, options.username, options.password, options.bucket)
    return make_home(service, options.user)


def make_home(service: Service, user: str) -> str:
    """Make ``/home/USER``, owned by the user, and ``/home`` where that is missing. What is there stays."""
    if "/" in user or user in {"", ".", ".."}:
        raise AdminError(f"{user!r} cannot be the name of a user with a home")
    home = f"/home/{user}"
    service.make_folder("/home")
    if service.make_folder(home, owner=user):
        return f"made {home}, owned by {user}"
    present = service.domain(home) or {}
    if present.get("class") != "folder":
        raise AdminError(f"{home} exists and is not a folder")
    if present.get("owner") != user:
        raise AdminError(f"{home} exists and is owned by {present.get('owner')}")
    return f"{home} exists already"


def _options(words: Sequence[str], parser: Callable[..., argparse.ArgumentParser]) -> argparse.Namespace:
    top = parser(prog="hsds admin", description="Work on a running service as its administrator.")
    mkhome = top.add_subparsers(dest="command", metavar=_COMMANDS, required=True).add_parser(
        "mkhome", help="make a user's home folder", description="Make /home/USER, owned by USER."
    )
    mkhome.add_argument("user", metavar="USER")
    environ = os.environ.get
    endpoint = environ("HS_ENDPOINT", _ENDPOINT)
    for flag, default, metavar, text in (
        ("--endpoint", endpoint, "URL", f"the service (HS_ENDPOINT, else {_ENDPOINT})"),
        ("--username", environ("HS_USERNAME"), "NAME", "the administrator (HS_USERNAME)"),
        ("--password", environ("HS_PASSWORD"), "TEXT", "the password; better in HS_PASSWORD"),
        ("--bucket", environ("HS_BUCKET"), "NAME", "the bucket, if not the default one (HS_BUCKET)"),
    ):
        mkhome.add_argument(flag, default=default, metavar=metavar, help=text)
    return top.parse_args(words)
