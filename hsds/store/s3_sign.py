"""Signatures of requests to S3: AWS Signature Version 4, for requests that are signed in their headers.

Written out here because the general signer of botocore, and the request objects that it works on, cost more
CPU than all the rest of a small request. The algorithm is described in "Authenticating Requests: Using the
Authorization Header (AWS Signature Version 4)" of the Amazon S3 API Reference; the tests compare the result
with botocore's.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256
from typing import Protocol
from urllib.parse import quote

UNSIGNED = "UNSIGNED-PAYLOAD"
"""In place of the hash of a body that TLS protects."""


class Keys(Protocol):
    """What a request is signed with."""

    access_key: str
    secret_key: str
    token: str | None


def encode_path(path: str) -> str:
    """A path as it is sent and signed: UTF-8, all escaped but letters, digits and ``-._~/``."""
    return quote(path, safe="/-._~")


def encode_query(parameters: Iterable[tuple[str, str]]) -> str:
    """A query string as it is sent and signed: sorted, each name with ``=`` even without a value."""
    pairs = sorted((quote(name, safe="-._~"), quote(value, safe="-._~")) for name, value in parameters)
    return "&".join(f"{name}={value}" for name, value in pairs)


def sign(
    keys: Keys,
    *,
    region: str,
    method: str,
    path: str,
    query: str,
    headers: dict[str, str],
    payload_hash: str,
    now: float,
) -> None:
    """Add the date, the hash of the body and the signature to ``headers``, which must have ``Host``.

    ``path`` and ``query`` are encoded as above; ``payload_hash`` is SHA-256 in hex, or ``UNSIGNED``; ``now``
    is seconds since the epoch by the server's clock. All headers present are signed.
    """
    stamp = datetime.fromtimestamp(now, UTC).strftime("%Y%m%dT%H%M%SZ")
    headers["X-Amz-Date"] = stamp
    headers["X-Amz-Content-SHA256"] = payload_hash
    if keys.token:
        headers["X-Amz-Security-Token"] = keys.token
    named = sorted((name.lower(), " ".join(value.split())) for name, value in headers.items())
    signed = ";".join(name for name, _ in named)
    canonical = "\n".join(
        (method, path, query, *(f"{name}:{value}" for name, value in named), "", signed, payload_hash)
    )
    scope = f"{stamp[:8]}/{region}/s3/aws4_request"
    text = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{sha256(canonical.encode()).hexdigest()}"
    signature = hmac.new(_signing_key(keys.secret_key, stamp[:8], region), text.encode(), sha256).hexdigest()
    credential = f"{keys.access_key}/{scope}"
    headers["Authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={signed}, Signature={signature}"
    )


@lru_cache(maxsize=8)
def _signing_key(secret: str, date: str, region: str) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in (date, region, "s3", "aws4_request"):
        key = hmac.digest(key, part.encode(), sha256)
    return key
