"""Where a node listens: a TCP port, a Unix socket, and who could reach it there."""

from __future__ import annotations

import errno
import os
import socket
import stat
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import quote

from aiohttp import web

from hsds.config import Settings
from hsds.errors import InvalidSettings

_BACKLOG = 1024


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
        urls.append(await _open_port(runner, settings.host, settings.sn_port))
    if settings.socket is not None:
        urls.append(await _open_socket(runner, settings.socket, private=not settings.has_users))
    return urls


async def _open_port(runner: web.AppRunner, host: str, port: int) -> str:
    try:
        await web.TCPSite(runner, host, port, backlog=_BACKLOG).start()
    except OSError as error:
        raise InvalidSettings(f"cannot listen on {host} port {port}: {_reason(error)}") from error
    bound = runner.addresses[-1][1]
    name = f"[{host}]" if ":" in host else host
    return f"http://{name}:{bound}"


async def _open_socket(runner: web.AppRunner, path: Path, *, private: bool) -> str:
    """``private`` lets only the user who runs the service connect."""
    mask = os.umask(0o177 if private else 0o111)
    try:
        _remove_stale(path)
        await web.UnixSite(runner, path, backlog=_BACKLOG).start()
    except OSError as error:
        raise InvalidSettings(f"cannot listen on the socket {path}: {_reason(error)}") from error
    finally:
        os.umask(mask)
    return _socket_url(path)


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
