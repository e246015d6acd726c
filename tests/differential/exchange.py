"""Requests as values, and a client that sends them with the ids that its service gave to what was made."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp

PASSWORDS = {
    "admin": "admin-pw",
    "test_user1": "test1-pw",
    "test_user2": "test2-pw",
    "test_user3": "test3-pw",
}
ABSENT = object()
"""No JSON body, as opposed to the body ``null``."""

_TOKEN = re.compile(r"@(\w+)@")
BINARY = "application/octet-stream"


@dataclass(frozen=True, slots=True, eq=False)
class Request:
    """One request. ``@name@`` anywhere in it stands for the id that an earlier answer was kept under."""

    method: str
    path: str
    params: Mapping[str, str] = field(default_factory=dict)
    json: Any = ABSENT
    data: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    user: str | None = "test_user1"
    keep: str | None = None
    """Name for the id in the answer."""
    tags: frozenset[str] = frozenset()
    """What rules may go by, beside the request itself."""
    vital: bool = False
    """Whether the rest of the case makes no sense where only one service succeeds."""

    @property
    def binary(self) -> bool:
        """Whether a binary answer is asked for."""
        return any(name.lower() == "accept" and value == BINARY for name, value in self.headers.items())

    def __str__(self) -> str:
        query = "&".join(f"{name}={value}" for name, value in self.params.items() if name != "domain")
        body = "" if self.json is ABSENT else f" {json.dumps(self.json)}"
        data = "" if self.data is None else f" {self.data[:60]!r} ({len(self.data)} bytes)"
        accept = " accept binary" if self.binary else ""
        return f"{self.method} {self.path}?{query}{body[:600]}{data}{accept} as {self.user}"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: ``json`` is ``ABSENT`` where it is none, by the content type or in fact."""

    status: int
    reason: str
    headers: Mapping[str, str]
    body: bytes
    json: Any = ABSENT

    @property
    def good(self) -> bool:
        return 200 <= self.status < 300

    @property
    def content_type(self) -> str:
        return self.headers.get("Content-Type", "")


class Client:
    """Sends requests to one service."""

    def __init__(self, url: str, *, socket: str | None = None) -> None:
        self._url = url
        self._socket = socket
        self.kept: dict[str, str] = {}

    def apart(self) -> Client:
        """A client over the same connections that keeps ids of its own."""
        client = Client(self._url, socket=self._socket)
        client._session = self._session
        return client

    async def __aenter__(self) -> Client:
        connector = aiohttp.UnixConnector(self._socket) if self._socket else aiohttp.TCPConnector()
        self._session = aiohttp.ClientSession(
            self._url,
            connector=connector,
            timeout=aiohttp.ClientTimeout(60),
            auto_decompress=False,
            skip_auto_headers=("Content-Type", "User-Agent", "Accept-Encoding"),
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()

    async def send(self, request: Request) -> Answer:
        """The answer; a broken connection is an answer of status 0."""
        data = request.data
        if request.json is not ABSENT:
            data = self._fill(json.dumps(request.json)).encode()
        headers = {**_credentials(request.user), **request.headers}
        params = {name: self._fill(value) for name, value in request.params.items()}
        try:
            async with self._session.request(
                request.method, self._fill(request.path), params=params, data=data, headers=headers
            ) as response:
                body = await response.read()
                answer = _answer(response, body)
        except (aiohttp.ClientError, TimeoutError) as error:
            return Answer(0, f"{type(error).__name__}: {error}", {}, b"")
        if request.keep and answer.good and isinstance(answer.json, dict):
            self.kept[request.keep] = str(answer.json.get("id") or answer.json.get("root"))
        return answer

    def _fill(self, text: str) -> str:
        return _TOKEN.sub(lambda match: self.kept.get(match[1], match[0]), text)


def _answer(response: aiohttp.ClientResponse, body: bytes) -> Answer:
    value: Any = ABSENT
    if response.headers.get("Content-Type", "").startswith("application/json"):
        try:
            value = json.loads(body)
        except ValueError:
            value = ABSENT
    return Answer(response.status, response.reason or "", response.headers, body, value)


def _credentials(user: str | None) -> dict[str, str]:
    if user is None:
        return {}
    token = base64.b64encode(f"{user}:{PASSWORDS.get(user, 'wrong-pw')}".encode()).decode()
    return {"Authorization": f"Basic {token}"}
