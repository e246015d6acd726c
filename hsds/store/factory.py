"""Which store the settings ask for. The one module of this package that knows them."""

from __future__ import annotations

from dataclasses import replace

from hsds.config import Settings
from hsds.errors import StoreRefused
from hsds.store.base import Store
from hsds.store.observed import Observe, ObservedStore
from hsds.store.posix import PosixStore
from hsds.store.s3 import S3Store
from hsds.store.s3_client import S3Options

_FEW = 4
"""Connections, or threads, of a store for one small object."""


def make_store(settings: Settings, *, observe: Observe | None = None) -> Store:
    """The store of ``root_dir``, else that of ``aws_s3_gateway``; not started yet.

    ``observe`` is told of every call. Raises ``StoreRefused`` when neither is set.
    """
    if settings.root_dir is not None:
        return _observed(PosixStore(settings.root_dir, fsync=settings.posix_fsync), observe)
    return _observed(S3Store(_s3_options(settings)), observe)


def make_small_store(settings: Settings, *, observe: Observe | None = None) -> Store:
    """The same store by a few connections, or threads, of its own.

    For what must be read in time, however many calls wait for a turn on the others.
    """
    if settings.root_dir is not None:
        return _observed(PosixStore(settings.root_dir, fsync=settings.posix_fsync, threads=_FEW), observe)
    return _observed(S3Store(replace(_s3_options(settings), connections=_FEW)), observe)


def _observed(store: Store, observe: Observe | None) -> Store:
    return store if observe is None else ObservedStore(store, observe)


def _s3_options(settings: Settings) -> S3Options:
    if settings.aws_s3_gateway is None:
        raise StoreRefused("no storage is configured: set root_dir, or aws_s3_gateway")
    return S3Options(
        endpoint=settings.aws_s3_gateway,
        region=settings.aws_region,
        access_key_id=settings.aws_access_key_id,
        secret_access_key=settings.aws_secret_access_key,
        session_token=settings.aws_session_token,
        credentials_dir=settings.aws_credentials_dir,
        anonymous=settings.aws_s3_no_sign_request,
        ca_bundle=settings.aws_s3_ca_bundle,
        connections=settings.aio_max_pool_connections,
    )
