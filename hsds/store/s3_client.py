"""One S3 endpoint over HTTP: addresses, signatures, connections. Each call is sent once.

Credentials are those of an aiobotocore session (environment, profile, web identity, instance metadata, each
with its refresh), or of files. Requests do not go through aiobotocore: see ``benchmarks/s3client.py``. Nor
does anybody below the store repeat a request: a conditional PUT that is sent again after its first effect
would be told 412, and the change be made twice by whoever takes that for a lost race.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.request import getproxies, proxy_bypass

import aiohttp
from aiobotocore.session import AioSession
from botocore.credentials import Credentials, ReadOnlyCredentials
from botocore.exceptions import BotoCoreError
from multidict import CIMultiDictProxy
from yarl import URL

from hsds.errors import StoreRefused
from hsds.store.base import Buffer
from hsds.store.s3_ack import acknowledge
from hsds.store.s3_body import body_of
from hsds.store.s3_credentials import AnyCredentials, FileCredentials, FixedCredentials
from hsds.store.s3_errors import no_credentials
from hsds.store.s3_sign import UNSIGNED, encode_path, encode_query, sign
from hsds.store.s3_tls import trust

_INLINE_HASH = 256 * 1024
"""Bytes from which on a body is hashed in a thread."""
_EMPTY_HASH = sha256(b"").hexdigest()
_KEEPALIVE = 12.0
"""Seconds that a connection is kept unused: servers close them after 15 and more."""


@dataclass(frozen=True, slots=True)
class S3Options:
    """Where S3 is and who asks. Keys are taken from here, else ``credentials_dir``, else the AWS chain."""

    endpoint: str | None = None
    """URL of the server; keys are then addressed by path. None: AWS itself."""
    region: str = "us-east-1"
    access_key_id: str | None = None
    secret_access_key: str | None = field(default=None, repr=False)
    session_token: str | None = field(default=None, repr=False)
    credentials_dir: Path | None = None
    """Directory of files with the keys, read again when they change."""
    anonymous: bool = False
    """Whether requests go unsigned, to a public bucket."""
    ca_bundle: Path | None = None
    """PEM file of the authorities to trust. None: those of the system."""
    connections: int = 64
    """Most connections open at once; further calls wait for one, first come, first served."""
    connect_timeout: float = 5.0
    read_timeout: float = 30.0
    """Seconds without a byte, or for a piece of a large body, after which a call is given up: its effect is
    unknown then."""
    attempts: int = 4
    """How often a read is sent before it fails. Writes are sent once."""
    hedge: bool = True
    """Whether a GET that takes unusually long is sent a second time."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What S3 answered, read to its end."""

    status: int
    headers: CIMultiDictProxy[str]
    body: bytes
    keys: ReadOnlyCredentials | None
    """What the request was signed with."""


class S3Client:
    """Sends requests. Raises what aiohttp raises; what answers mean is for the store."""

    def __init__(self, options: S3Options) -> None:
        self._options = options
        self._credentials: AnyCredentials | None = None
        self.clock_offset = 0.0
        """Seconds that the server's clock is ahead of ours, as far as it complained."""

    def __repr__(self) -> str:
        return f"<S3Client {self._options.endpoint or 'AWS'} {self._options.region}>"

    async def start(self) -> None:
        """Raises ``StoreRefused`` for options that cannot work."""
        options = self._options
        self._endpoint = await self._find_endpoint()
        self._signs_bodies = self._endpoint.scheme == "http"
        if not options.anonymous:
            self._credentials = await self._find_credentials()
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=options.connections,
                keepalive_timeout=_KEEPALIVE,
                ttl_dns_cache=30,
                ssl=trust(options.ca_bundle),
            ),
            timeout=aiohttp.ClientTimeout(
                total=None, sock_connect=options.connect_timeout, sock_read=options.read_timeout
            ),
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            skip_auto_headers=("Accept", "Accept-Encoding", "Content-Type", "User-Agent"),
        )
        # aiohttp repeats a PUT when a kept-alive connection proves closed. There is no option against it.
        self._session._retry_connection = False
        host = self._endpoint.host or ""
        self._proxy = None if proxy_bypass(host) else getproxies().get(self._endpoint.scheme)

    async def close(self) -> None:
        await self._session.close()

    async def frozen_keys(self) -> ReadOnlyCredentials | None:
        """The keys that a request would be signed with now; None for anonymous access."""
        return None if self._credentials is None else await self._credentials.get_frozen_credentials()

    def set_clock(self, date: str | None, *, tolerance: float) -> bool:
        """Go by the server's clock, as the ``Date`` of an answer tells it. False if we do already."""
        try:
            offset = parsedate_to_datetime(date or "").timestamp() - time.time()
        except ValueError:
            return False
        if abs(offset - self.clock_offset) <= tolerance:
            return False
        self.clock_offset = offset
        return True

    async def send(
        self,
        method: str,
        bucket: str,
        key: str = "",
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        body: Buffer = b"",
    ) -> Answer:
        """Send a request once and read the answer to its end."""
        host, path = self._address(bucket, key)
        text = encode_query(query.items()) if query else ""
        sent = {"Host": host, **(headers or {})}
        if len(body) or method == "PUT":
            sent["Content-Length"] = str(len(body))
        keys = await self.frozen_keys()
        if keys is not None:
            sign(
                keys,
                region=self._options.region,
                method=method,
                path=path,
                query=text,
                headers=sent,
                payload_hash=await self._hash(body),
                now=time.time() + self.clock_offset,
            )
        base = f"{self._endpoint.scheme}://{host}{path}"
        url = URL(f"{base}?{text}" if text else base, encoded=True)
        async with self._session.request(
            method,
            url,
            headers=sent,
            data=body_of(body, self._options.read_timeout) if len(body) else None,
            allow_redirects=False,
            proxy=self._proxy,
        ) as response:
            acknowledge(response)
            return Answer(response.status, response.headers, await response.read(), keys)

    def _address(self, bucket: str, key: str) -> tuple[str, str]:
        """Host and path. AWS is addressed by host where the bucket's name can be part of one."""
        prefix = self._endpoint.path.rstrip("/")
        host = self._endpoint.host_port_subcomponent or ""
        if self._options.endpoint is None and "." not in bucket and "_" not in bucket and bucket.islower():
            return f"{bucket}.{host}", encode_path(f"{prefix}/{key}")
        return host, encode_path(f"{prefix}/{bucket}" + (f"/{key}" if key else ""))

    async def _hash(self, body: Buffer) -> str:
        if not len(body):
            return _EMPTY_HASH
        if not self._signs_bodies:
            return UNSIGNED
        if len(body) < _INLINE_HASH:
            return sha256(body).hexdigest()
        return await asyncio.to_thread(lambda: sha256(body).hexdigest())

    async def _find_endpoint(self) -> URL:
        options = self._options
        if options.endpoint is None:
            try:
                creation = AioSession().create_client("s3", region_name=options.region)
                async with creation as client:
                    return URL(client.meta.endpoint_url)
            except (BotoCoreError, ValueError) as error:
                raise StoreRefused(f"S3 cannot be used: {error}") from error
        try:
            url = URL(options.endpoint)
        except ValueError as error:
            raise StoreRefused(f"S3 cannot be used: {options.endpoint!r} is no URL") from error
        if url.scheme not in {"http", "https"} or not url.host or url.query_string:
            raise StoreRefused(f"S3 cannot be used: {options.endpoint!r} is no URL of a server")
        return url

    async def _find_credentials(self) -> AnyCredentials:
        options = self._options
        if bool(options.access_key_id) != bool(options.secret_access_key):
            raise StoreRefused("S3 cannot be used: of the access key only the id, or only the secret, is set")
        if options.access_key_id:
            keys = Credentials(options.access_key_id, options.secret_access_key, options.session_token)
            return FixedCredentials(keys.get_frozen_credentials())
        if options.credentials_dir is not None:
            return FileCredentials(options.credentials_dir)
        return _Chain(AioSession())


class _Chain:
    """The AWS chain, searched when the first request is signed."""

    def __init__(self, session: Any) -> None:
        self._session = session
        self._found: AnyCredentials | None = None

    async def get_frozen_credentials(self) -> ReadOnlyCredentials:
        if self._found is None:
            self._found = await self._session.get_credentials()
        if self._found is None:
            raise no_credentials()
        return await self._found.get_frozen_credentials()
