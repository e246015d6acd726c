"""Whom to trust when S3 is spoken to over TLS."""

from __future__ import annotations

import ssl
from pathlib import Path

from hsds.errors import StoreRefused


def trust(ca_bundle: Path | None) -> ssl.SSLContext | bool:
    """For aiohttp: the authorities of a PEM file, or those of the system.

    Raises ``StoreRefused`` for a file that is missing or holds no certificates.
    """
    if ca_bundle is None:
        return True
    if not ca_bundle.is_file():
        raise StoreRefused(f"aws_s3_ca_bundle: there is no file {ca_bundle}")
    try:
        return ssl.create_default_context(cafile=ca_bundle)
    except (ssl.SSLError, OSError) as error:
        raise StoreRefused(f"aws_s3_ca_bundle: {ca_bundle} holds no certificates") from error
