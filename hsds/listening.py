"""Where a node listens: a TCP port, a Unix socket, and who could reach it there."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import quote

from aiohttp import web

from hsds.config import Settings
from hsds.errors import InvalidSettings

_BACKLOG = 1024

ProtocolFactory = Callable[[], asyncio.BaseProtocol]


def check_exposure(settings: Settings) -> None:
    """Raise ``InvalidSettings`` where others could reach a service that cannot tell users apart."""
    if settings.sn_port is None or settings.has_users or _is_loopback(settings.host):
        return
    raise InvalidSettings(
        f"will not listen on {settings.host} without authentication: anyone who reaches it could read and "
        "delete everything; give --password-file, or --hs-username and --hs-password"
    )


async def open_sites(runner: web.AppRunner, settings: Settings) -> list[str]:
    """Listen where the settings say; the URLs at which the service is then found.

    Raises ``InvalidSettings`` for a port or a socket that cannot be had.
    """
    urls = []
    if settings.sn_port is not None:
        urls.append(await open_port(runner, settings.host, settings.sn_port))
    if settings.socket is not None:
        urls.append(await open_socket(runner, settings.socket, private=not settings.has_users))
    return urls


def bind(settings: Settings) -> tuple[list[socket.socket], list[str]]:
    """Sockets that listen where the settings say, for who accepts from them; and the URLs.

    Raises as ``open_sites``.
    """
    found: list[socket.socket] = []
    urls = []
    if settings.sn_port is not None:
        host = settings.host
        with _explained(f"{host} port {settings.sn_port}"):
            found += _bind_port(host, settings.sn_port)
        urls.append(_port_url(host, found[0].getsockname()[1]))
    if settings.socket is not None:
        with _explained(f"the socket {settings.socket}"), _mode(private=not settings.has_users):
            _remove_stale(settings.socket)
            listener = socket.socket(socket.AF_UNIX)
            found.append(listener)
            listener.bind(str(settings.socket))
        urls.append(_socket_url(settings.socket))
    for listener in found:
        listener.listen(_BACKLOG)
        listener.setblocking(False)
    return found, urls


def _bind_port(host: str, port: int) -> list[socket.socket]:
    """A socket for each address of a name, all with the same port."""
    listeners: list[socket.socket] = []
    for family, kind, proto, _, address in socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    ):
        listener = socket.socket(family, kind, proto)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        chosen = listeners[0].getsockname()[1] if listeners else port
        listener.bind((address[0], chosen, *address[2:]))
        listeners.append(listener)
    return listeners


async def open_port(runner: web.AppRunner, host: str, port: int) -> str:
    """Listen on a port; the URL. Raises ``InvalidSettings``."""
    with _explained(f"{host} port {port}"):
        await web.TCPSite(runner, host, port, backlog=_BACKLOG).start()
    return _port_url(host, runner.addresses[-1][1])


async def open_socket(runner: web.AppRunner, path: Path, *, private: bool) -> str:
    """Listen on a Unix socket; the URL. ``private`` lets only the user who runs the service connect.

    Raises ``InvalidSettings``.
    """
    with _explained(f"the socket {path}"), _mode(private=private):
        _remove_stale(path)
        await web.UnixSite(runner, path, backlog=_BACKLOG).start()
    return _socket_url(path)


async def serve_port(factory: ProtocolFactory, host: str, port: int, *, key: str) -> asyncio.Server:
    """Listen on a port, of a setting with the name ``key``, and have ``factory`` make the protocols of
    connections. Raises ``InvalidSettings``.
    """
    with _explained(f"{host} port {port} ({key})"):
        return await asyncio.get_running_loop().create_server(factory, host, port, backlog=_BACKLOG)


async def serve_socket(factory: ProtocolFactory, path: Path) -> asyncio.Server:
    """The same on a Unix socket, to which only the user who runs the service connects."""
    with _explained(f"the socket {path}"), _mode(private=True):
        _remove_stale(path)
        return await asyncio.get_running_loop().create_unix_server(factory, path, backlog=_BACKLOG)


@contextmanager
def _explained(place: str) -> Iterator[None]:
    """Translates what the system says of a place that cannot be had."""
    try:
        yield
    except OSError as error:
        raise InvalidSettings(f"cannot listen on {place}: {_reason(error)}") from error


@contextmanager
def _mode(*, private: bool) -> Iterator[None]:
    """The mode that a socket is made with."""
    mask = os.umask(0o177 if private else 0o111)
    try:
        yield
    finally:
        os.umask(mask)


def _port_url(host: str, port: int) -> str:
    name = f"[{host}]" if ":" in host else host
    return f"http://{name}:{port}"


def _remove_stale(path: Path) -> None:
    """Remove what a killed process left; a socket on which somebody answers is ``EADDRINUSE``."""
    try:
        if not stat.S_ISSOCK(path.stat().st_mode):
            raise FileExistsError(errno.EEXIST, "there is a file of that name")
    except FileNotFoundError:
        return
    with socket.socket(socket.AF_UNIX) as client:
        try:
            client.connect(str(path))
        except ConnectionRefusedError:
            path.unlink()
            return
    raise OSError(errno.EADDRINUSE, "in use")


def _socket_url(path: Path) -> str:
    """As h5pyd and others that speak HTTP over Unix sockets write it."""
    return f"http+unix://{quote(str(path.resolve()), safe='')}"


def _is_loopback(host: str) -> bool:
    """Whether only this machine reaches ``host``, an address or a name."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        pass
    try:
        found = {info[4][0] for info in socket.getaddrinfo(host, None)}
    except OSError as error:
        raise InvalidSettings(f"--host {host}: {error.strerror}") from error
    return all(ip_address(str(address).partition("%")[0]).is_loopback for address in found)


def _reason(error: OSError) -> str:
    match error.errno:
        case errno.EADDRINUSE:
            return "it is in use; is the service running already?"
        case errno.EADDRNOTAVAIL:
            return "this machine has no such address"
        case errno.EACCES:
            return "not permitted"
    return error.strerror or str(error)
