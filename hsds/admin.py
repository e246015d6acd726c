"""``hsds admin``: what an administrator does to a running service, over REST like anybody else.

Which service and as whom is said as `asking` has it; ``HS_BUCKET`` or a flag names the bucket.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import quote

from hsds.asking import Endpoint, NoAnswerError, add_flags
from hsds.errors import AdminError

_SECONDS = 100.0  # longer than a service holds a request while its data nodes change
_COMMANDS = "mkhome"

Json = dict[str, Any]


class Service:
    """A running service, asked as one user."""

    def __init__(self, endpoint: Endpoint, bucket: str | None) -> None:
        self._endpoint = endpoint
        self._bucket = bucket

    def domain(self, path: str) -> Json | None:
        """A domain or folder as it is; None where there is none."""
        return self._ask("GET", path, None, (404, 410))

    def make_folder(self, path: str, owner: str | None = None) -> bool:
        """Make a folder. False if there is one already. Raises ``AdminError`` where the service refuses."""
        body: Json = {"folder": True} | ({"owner": owner} if owner else {})
        return self._ask("PUT", path, body, (409,)) is not None

    def _ask(self, method: str, path: str, body: Json | None, fine: Sequence[int]) -> Json | None:
        """What is answered; None for a status that is ``fine`` though it is one of failure."""
        bucket = f"&bucket={quote(self._bucket)}" if self._bucket else ""
        try:
            answer = self._endpoint.ask(method, f"/?domain={quote(path, safe='/')}{bucket}", body)
        except NoAnswerError as error:
            raise AdminError(str(error)) from None
        if answer.json is None and answer.status not in fine:
            raise AdminError(f"{method} {path}: {answer.status} {answer.reason}")
        found: Json | None = answer.json
        return found


def run(words: Sequence[str], parser: Callable[..., argparse.ArgumentParser]) -> str:
    """Carry out ``hsds admin ...``; what to say of it. ``parser`` makes the kind of parser that is wanted.

    Raises ``InvalidSettings`` for a command line that cannot be, ``AdminError`` for what did not work.
    """
    options = _options(words, parser)
    endpoint = Endpoint(options.endpoint, options.username, options.password, _SECONDS)
    return make_home(Service(endpoint, options.bucket), options.user)


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
    add_flags(mkhome, user="the administrator")
    bucket = "the bucket, if not the default one (HS_BUCKET)"
    mkhome.add_argument("--bucket", default=os.environ.get("HS_BUCKET"), metavar="NAME", help=bucket)
    return top.parse_args(words)
