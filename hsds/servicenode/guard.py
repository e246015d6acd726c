"""Keeps web pages away from a service without passwords: only the machine itself may name it.

A page in the user's browser can send requests to localhost, and after DNS rebinding read the answers. It
cannot forge the ``Host`` and ``Origin`` headers, so that what does not say "this machine" there is refused.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from urllib.parse import urlsplit

from hsds.errors import NotPermitted


def check_local(headers: Mapping[str, str]) -> None:
    """Raise ``NotPermitted`` unless the request names this machine, and comes from no page of another."""
    host = headers.get("Host", "localhost")
    if not _is_local(host):
        raise NotPermitted(
            f"Host {host} is refused: this service has no passwords and answers only to localhost"
        )
    origin = headers.get("Origin")
    if origin is not None and not _is_local_origin(origin):
        raise NotPermitted(
            f"Origin {origin} is refused: this service has no passwords and answers no foreign web pages"
        )


def _is_local_origin(origin: str) -> bool:
    try:
        return _is_local(urlsplit(origin).netloc)
    except ValueError:
        return False


def _is_local(host: str) -> bool:
    """``localhost``, ``127.x.x.x`` or ``[::1]``, with or without a port."""
    name = host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]
    if name == "127.0.0.1" or name.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
