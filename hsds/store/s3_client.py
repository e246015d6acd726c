"""The aiobotocore client of the S3 store, set up so that each call is sent once.

A conditional PUT that is sent again after its first effect would be told 412, and the change be made twice
by whoever takes that for a lost race. So nobody below the store repeats anything: neither botocore, nor
aiohttp on a connection that the server closed.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiobotocore.config import AioConfig
from aiobotocore.credentials import AioCredentialResolver
from aiobotocore.httpsession import AIOHTTPSession
from aiobotocore.session import AioSession
from botocore import UNSIGNED
from botocore.exceptions import BotoCoreError

from hsds.errors import StoreRefused
from hsds.store.s3_credentials import FileCredentials


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
    """Most connections open at once; further calls wait for one."""
    connect_timeout: float = 5.0
    read_timeout: float = 30.0
    """Seconds without a byte after which a call is given up, its effect unknown."""
    attempts: int = 4
    """How often a read is sent before it fails. Writes are sent once."""


@asynccontextmanager
async def open_client(options: S3Options) -> AsyncIterator[Any]:
    """An aiobotocore S3 client. Raises ``StoreRefused`` for options that cannot work."""
    session = AioSession()
    if options.credentials_dir is not None and options.access_key_id is None:
        provider = _Fixed(FileCredentials(options.credentials_dir))
        session.register_component("credential_provider", AioCredentialResolver([provider]))
    if options.ca_bundle is not None and not options.ca_bundle.is_file():
        raise StoreRefused(f"aws_s3_ca_bundle: there is no file {options.ca_bundle}")
    config = AioConfig(
        s3={"addressing_style": "path" if options.endpoint else "auto"},
        retries={"mode": "standard", "total_max_attempts": 1},
        max_pool_connections=options.connections,
        connect_timeout=options.connect_timeout,
        read_timeout=options.read_timeout,
        request_checksum_calculation="when_required",  # Ceph and older servers refuse the trailers
        response_checksum_validation="when_required",
        http_session_cls=_SendOnce,
        **({"signature_version": UNSIGNED} if options.anonymous else {}),
    )
    try:
        creation = session.create_client(
            "s3",
            region_name=options.region,
            endpoint_url=options.endpoint,
            aws_access_key_id=options.access_key_id,
            aws_secret_access_key=options.secret_access_key,
            aws_session_token=options.session_token,
            verify=None if options.ca_bundle is None else str(options.ca_bundle),
            config=config,
        )
        client = await creation.__aenter__()
    except (BotoCoreError, ValueError) as error:  # botocore raises ValueError for an endpoint that is no URL
        raise StoreRefused(f"S3 cannot be used: {error}") from error
    client.meta.events.register_last("before-call.s3", _expect_nothing)
    try:
        yield client
    finally:
        await client.__aexit__(None, None, None)


def _expect_nothing(params: dict[str, Any], **_: Any) -> None:
    """``Expect: 100-continue`` costs a round trip, and a wait without end where a server knows it not."""
    params["headers"].pop("Expect", None)


class _Fixed:
    """A provider of credentials that were found already."""

    METHOD = "files"
    CANONICAL_NAME = None

    def __init__(self, credentials: FileCredentials) -> None:
        self._credentials = credentials

    async def load(self) -> FileCredentials:
        return self._credentials


class _SendOnce(AIOHTTPSession):  # type: ignore[misc]  # aiobotocore is untyped
    """aiohttp repeats a PUT when a kept-alive connection proves closed. There is no option against it."""

    async def _get_session(self, proxy_url: str | None) -> Any:
        session = await super()._get_session(proxy_url)
        session._retry_connection = False
        return session
