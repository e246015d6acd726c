"""What all tests share: an S3 server, found or started; and with ``CI=true`` no test is skipped."""

import asyncio
import os
import tempfile
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from hsds.store.s3 import S3Store
from hsds.store.s3_client import S3Options
from tests.tools.ceph import Guard, S3Server, missing_programs, shared_gateway

SHARED = pytest.StashKey[Path]()
GUARD = pytest.StashKey[Guard]()


def pytest_configure(config: pytest.Config) -> None:
    """The first process of the run makes the directory that its workers share, and guards it."""
    workerinput = getattr(config, "workerinput", None)
    if workerinput is not None:
        config.stash[SHARED] = Path(workerinput["hsds_shared"])
        return
    config.stash[SHARED] = Path(tempfile.mkdtemp(prefix="hsds-tests-"))
    config.stash[GUARD] = Guard(config.stash[SHARED])


def pytest_unconfigure(config: pytest.Config) -> None:
    if GUARD in config.stash:
        config.stash[GUARD].close()


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node) -> None:
    """A hook of pytest-xdist: tell a worker where the shared directory is."""
    node.workerinput["hsds_shared"] = str(node.config.stash[SHARED])


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo) -> Iterator[None]:
    return _refuse_skip((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Iterator[None]:
    return _refuse_skip((yield))


def _refuse_skip(report):
    """In CI a skip is a failure: what cannot run there is not tested anywhere."""
    if report.skipped and not hasattr(report, "wasxfail") and os.environ.get("CI", "").lower() == "true":
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"CI=true, where nothing may be skipped. {reason}"
    return report


@pytest.fixture(scope="session")
def s3_server(pytestconfig: pytest.Config) -> S3Server:
    """The server of ``S3_ENDPOINT`` with the AWS keys of the environment, else a Ceph gateway of our own."""
    if endpoint := os.environ.get("S3_ENDPOINT"):
        key = os.environ.get("AWS_ACCESS_KEY_ID", "AKIATEST")
        return S3Server(endpoint, key, os.environ.get("AWS_SECRET_ACCESS_KEY", "secretsecret"))
    if missing := missing_programs():
        pytest.skip(f"S3_ENDPOINT is not set, and no local Ceph gateway: missing {', '.join(missing)}")
    return shared_gateway(pytestconfig.stash[SHARED])


@pytest.fixture
def s3_options(s3_server: S3Server) -> S3Options:
    return S3Options(
        endpoint=s3_server.endpoint,
        access_key_id=s3_server.access_key,
        secret_access_key=s3_server.secret_key,
        read_timeout=60.0,
    )


@pytest.fixture
async def s3_store(s3_options: S3Options) -> AsyncIterator[S3Store]:
    """A started store over the S3 server."""
    store = S3Store(s3_options)
    await store.start()
    yield store
    await store.close()


@pytest.fixture
async def s3_bucket(s3_store: S3Store) -> AsyncIterator[str]:
    """A new bucket for one test; its objects and it are removed afterwards."""
    bucket = f"hsds-test-{uuid.uuid4()}"
    await s3_store.create_bucket(bucket)
    yield bucket
    await remove_bucket(s3_store, bucket)


async def remove_bucket(store: S3Store, bucket: str) -> None:
    """Delete a bucket with all that is in it."""
    keys = [info.key async for info in store.list_all(bucket)]
    await asyncio.gather(*(store.delete(bucket, key) for key in keys))
    await store.delete_bucket(bucket)
