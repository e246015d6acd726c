"""A lean HTTP client over blocking sockets: what is measured should be the server, not the client."""

from __future__ import annotations

import base64
import json
import select
import socket
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

USER, PASSWORD = "bench", "bench-password"
_AUTH = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
_LINE = b"\r\n"
BINARY = "application/octet-stream"


@dataclass(frozen=True)
class Request:
    """A request made ready before the clock starts, and the body that must come back (None: any)."""

    head: bytes
    body: bytes | memoryview = b""
    expect: bytes | None = None
    status: tuple[int, ...] = (200, 201)

    @property
    def line(self) -> str:
        """Method and URL."""
        return self.head.split(b" HTTP/1.1", 1)[0].decode()


def make(
    method: str,
    path: str,
    params: dict[str, Any],
    *,
    body: bytes | memoryview | dict[str, Any] | list[Any] = b"",
    expect: bytes | None = None,
    binary: bool = False,
) -> Request:
    """A request; a dict or list as body is JSON."""
    content = "application/octet-stream"
    if isinstance(body, dict | list):
        body, content = json.dumps(body).encode(), "application/json"
    query = "&".join(f"{key}={quote(str(value), safe='/:,[]')}" for key, value in params.items())
    lines = [f"{method} {path}?{query} HTTP/1.1", "Host: localhost", f"Authorization: Basic {_AUTH}"]
    if binary:
        lines.append(f"Accept: {BINARY}")
    if body or method in {"PUT", "POST"}:
        lines += [f"Content-Type: {content}", f"Content-Length: {len(body)}"]
    return Request(("\r\n".join(lines) + "\r\n\r\n").encode(), body, expect)


class WrongAnswerError(AssertionError):
    """The server answered, but not what it should."""


class Connection:
    """Keep-alive over a Unix socket; connects anew when an answer says that it was the connection's last."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._socket = self._connected()
        self._rest = bytearray()
        self._buffer = bytearray(1 << 16)
        self._large = bytearray()

    def close(self) -> None:
        self._socket.close()

    def renew(self) -> None:
        """Connect anew if the server has closed the connection, as some do with idle ones."""
        if select.select([self._socket], [], [], 0)[0]:  # nothing was asked: there is only the end to read
            self._reconnect()

    def _reconnect(self) -> None:
        self._socket.close()
        self._socket = self._connected()
        self._rest.clear()

    def _connected(self) -> socket.socket:
        connected = socket.socket(socket.AF_UNIX)
        connected.settimeout(120)
        connected.connect(self._address)
        return connected

    def ask(self, request: Request) -> bytearray:
        """Send a request and read its answer; raises ``WrongAnswerError`` if it is not the expected one.

        What is returned may be overwritten by the next answer.
        """
        if len(request.body) < 1 << 14:
            self._socket.sendall(request.head + bytes(request.body))
        else:
            self._socket.sendall(request.head)
            self._socket.sendall(request.body)
        status, headers = self._head()
        body = self._body(headers)
        if headers.get("connection", "").lower() == "close":
            self._reconnect()
        if status == 503:  # a server may ask to be spared for a while; that takes time, as for any client
            time.sleep(0.05)
            return self.ask(request)
        if status not in request.status:
            raise WrongAnswerError(f"{request.line}: {status} {bytes(body[:200])!r}")
        if request.expect is not None and body != request.expect:
            raise WrongAnswerError(f"{request.line}: wrong answer of {len(body)} bytes")
        return body

    def json(self, request: Request) -> Any:
        return json.loads(bytes(self.ask(request)) or b"null")

    def _more(self) -> None:
        count = self._socket.recv_into(self._buffer)
        if not count:
            raise WrongAnswerError("the server closed the connection")
        self._rest += memoryview(self._buffer)[:count]

    def _head(self) -> tuple[int, dict[str, str]]:
        while (end := self._rest.find(b"\r\n\r\n")) < 0:
            self._more()
        lines = bytes(self._rest[:end]).decode("latin-1").split("\r\n")
        del self._rest[: end + 4]
        headers = {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        return int(lines[0].split(" ", 2)[1]), headers

    def _body(self, headers: dict[str, str]) -> bytearray:
        if headers.get("transfer-encoding") == "chunked":
            return self._chunked()
        return self._exactly(int(headers.get("content-length", 0)))

    def _exactly(self, length: int) -> bytearray:
        """The next bytes: a bytearray, because Python compares a memoryview item by item, at 0.5 GiB/s."""
        body = self._large if len(self._large) == length else bytearray(length)
        if length >= 1 << 16:
            self._large = body  # fresh pages would cost as much as the copy
        view = memoryview(body)
        at = min(length, len(self._rest))
        view[:at] = self._rest[:at]
        del self._rest[:at]
        while at < length:
            count = self._socket.recv_into(view[at:])
            if not count:
                raise WrongAnswerError("the server closed the connection in mid-answer")
            at += count
        return body

    def _chunked(self) -> bytearray:
        body = bytearray()
        while True:
            while (end := self._rest.find(_LINE)) < 0:
                self._more()
            length = int(bytes(self._rest[:end]).split(b";")[0], 16)
            del self._rest[: end + 2]
            body += self._exactly(length)
            self._exactly(2)
            if not length:
                return body


def run(address: str, requests: Sequence[Request], clients: int) -> float:
    """Seconds that ``clients`` connections take together for all requests, each taking the next one."""
    connections = [Connection(address) for _ in range(clients)]
    waiting = iter(requests)
    lock = threading.Lock()
    faults: list[BaseException] = []

    def work(connection: Connection) -> None:
        try:
            while not faults:
                with lock:
                    request = next(waiting, None)
                if request is None:
                    return
                connection.ask(request)
        except BaseException as fault:  # noqa: BLE001 - handed to the caller
            faults.append(fault)

    seconds = timed(lambda: _together([lambda c=c: work(c) for c in connections]))
    for connection in connections:
        connection.close()
    if faults:
        raise faults[0]
    return seconds


def timed(action: Callable[[], Any]) -> float:
    """Seconds that ``action`` takes."""
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def _together(actions: Sequence[Callable[[], None]]) -> None:
    if len(actions) == 1:
        actions[0]()
        return
    threads = [threading.Thread(target=action) for action in actions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
