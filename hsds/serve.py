"""``hsds serve``: a service node and a data node in one process, joined by a function call.

Here is the life of that process, from settings to exit; what it listens on is in ``listening``.
"""

from __future__ import annotations

import asyncio
import fcntl
import getpass
import importlib
import logging
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from pathlib import Path

import hsds
from hsds import logs
from hsds.config import Settings
from hsds.configsources import Loaded
from hsds.datanode.node import LocalDataNode
from hsds.datanode.state import make_state
from hsds.errors import BucketNotFound, HsdsError, InvalidInput, InvalidSettings
from hsds.listening import check_exposure, open_sites
from hsds.metrics import Metrics
from hsds.servicenode.auth import make_authenticator
from hsds.servicenode.homes import make_standing_folders
from hsds.servicenode.node import ServiceNode, make_node
from hsds.servicenode.runner import Runner
from hsds.store.base import Store
from hsds.store.factory import make_store
from hsds.store.health import StoreHealth
from hsds.store.patient import PatientStore
from hsds.store.probe import probe
from hsds.transport.nodes import DataNodes

DEFAULT_ROOT_DIR = Path("hsds-data")
_DRAIN_SECONDS = 22.0
"""For requests in flight when the process is told to end."""
_GRACE_SECONDS = 25.0
"""Until requests are cancelled that have not ended by then; Kubernetes kills after 30."""
_KEEPALIVE_SECONDS = 3630.0
"""Longer than clients and proxies keep idle connections: who closes first must not be us."""
_READ_BUFFER = 256 * 1024

log = logging.getLogger(__name__)


def serve(loaded: Loaded) -> None:
    """Serve until SIGTERM or Ctrl-C. Raises ``InvalidSettings`` for what prevents the start."""
    settings = _with_storage(loaded.settings)
    check_exposure(settings)
    try:
        logs.configure(settings, node="sn-001")
    except OSError as error:
        raise InvalidSettings(f"logfile {settings.logfile} cannot be opened: {error.strerror}") from error
    if loaded.ignored:
        log.warning("ignored, these settings of HSDS have no meaning here: %s", ", ".join(loaded.ignored))
    try:
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            runner.run(_serve(settings))
    except InvalidSettings:
        raise
    except HsdsError as error:  # once it serves, errors are answers to requests
        raise InvalidSettings(f"cannot start: {error}") from error


def _with_storage(settings: Settings) -> Settings:
    """A directory of the user's when nothing is said of storage."""
    if settings.root_dir is None and settings.aws_s3_gateway is None:
        return settings.model_copy(update={"root_dir": DEFAULT_ROOT_DIR})
    return settings


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop's, where it is installed."""
    with suppress(ImportError):
        factory: Callable[[], asyncio.AbstractEventLoop] = importlib.import_module("uvloop").new_event_loop
        return factory
    return None


async def _serve(settings: Settings) -> None:
    stop = asyncio.Event()
    _on_signals(stop)
    metrics = Metrics()
    async with AsyncExitStack() as stack:
        stack.enter_context(_alone_in(settings.root_dir))
        store = await stack.enter_async_context(_open_store(settings, metrics))
        health = StoreHealth()
        metrics.store_failing.set_function(lambda: health.failing_seconds)
        data_node = await stack.enter_async_context(_data_node(settings, store, health))
        node = _service_node(settings, DataNodes(data_node), metrics)
        node.store_state = health.to_json
        stack.callback(node.auth.close)
        if not settings.aws_s3_no_sign_request:
            await make_standing_folders(node, None if settings.has_users else _local_user())
        urls = await stack.enter_async_context(_listening(node))
        _welcome(settings, urls)
        await stop.wait()
        log.info("ending: finishing the requests in flight")
    log.info("ended")


def _on_signals(stop: asyncio.Event) -> None:
    """SIGTERM and Ctrl-C end in order, Ctrl-C during that at once."""

    def interrupt() -> None:
        if stop.is_set():
            os._exit(130)
        stop.set()

    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGINT, interrupt)
    loop.add_signal_handler(signal.SIGTERM, stop.set)


@contextmanager
def _alone_in(root_dir: Path | None) -> Iterator[None]:
    """Keep a second service out of the directory: each would trust its own caches."""
    if root_dir is None:
        yield
        return
    notes = root_dir / ".hsds"
    try:
        notes.mkdir(parents=True, exist_ok=True)
        file = (notes / "serve.lock").open("a")
    except OSError as error:
        raise InvalidSettings(f"root_dir {root_dir} cannot be used: {error.strerror}") from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise InvalidSettings(f"root_dir {root_dir} is being served by another process") from error
        yield


@asynccontextmanager
async def _open_store(settings: Settings, metrics: Metrics) -> AsyncIterator[Store]:
    """The store, with the default bucket in it."""
    bucket = settings.bucket_name
    store = make_store(settings, observe=metrics.observe_store)
    try:
        await store.start()
        if settings.root_dir is not None:
            await store.create_bucket(bucket)
        await _try_out(store, settings)
    except BucketNotFound as error:
        await store.close()
        raise InvalidSettings(f"there is no bucket {bucket}: {error}") from error
    except HsdsError as error:
        await store.close()
        raise InvalidSettings(f"bucket {bucket} cannot be used: {error}") from error
    try:
        yield store
    finally:
        await store.close()


async def _try_out(store: Store, settings: Settings) -> None:
    """See whether the store answers, takes our key, has the bucket, and honours conditions."""
    if settings.aws_s3_no_sign_request:
        await store.list(settings.bucket_name, limit=1)
        return
    conditions = await probe(store, settings.bucket_name)
    if not conditions.safe:
        log.warning(
            "the store ignores %s: nothing else may write to the bucket while this service runs",
            conditions.ignored(),
        )


@asynccontextmanager
async def _data_node(settings: Settings, store: Store, health: StoreHealth) -> AsyncIterator[LocalDataNode]:
    state = make_state(
        PatientStore(store, patience=settings.hold_timeout, bucket=settings.bucket_name, health=health),
        metadata_cache=settings.metadata_mem_cache_size,
        chunk_cache=settings.chunk_mem_cache_size,
        write_budget=settings.request_memory_size,
        threads=min(32, (os.cpu_count() or 1) + 4),
        patience=settings.hold_timeout,
        flush_max_age=settings.flush_max_age if settings.durability == "flush" else None,
    )
    node = LocalDataNode(state)
    await node.start(settings.bucket_name)
    try:
        yield node
    finally:
        await node.close()


def _service_node(settings: Settings, nodes: DataNodes, metrics: Metrics) -> ServiceNode:
    try:
        auth = make_authenticator(settings, local_user=_local_user())
    except InvalidInput as error:
        raise InvalidSettings(str(error)) from error
    return make_node(settings, nodes, auth, metrics=metrics)


def _local_user() -> str:
    """The name of who runs this, also where the system has none for the number."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # KeyError before Python 3.13
        return f"user{os.getuid()}"


@asynccontextmanager
async def _listening(node: ServiceNode) -> AsyncIterator[list[str]]:
    """Answer requests; at the end take no more, and finish those in flight."""
    runner = Runner(
        node,
        keepalive_timeout=_KEEPALIVE_SECONDS,
        read_bufsize=_READ_BUFFER,
        shutdown_timeout=_GRACE_SECONDS - _DRAIN_SECONDS,
    )
    await runner.setup()
    try:
        yield await open_sites(runner, node.settings)
        await runner.drain(_DRAIN_SECONDS)
    finally:
        await runner.cleanup()


def _welcome(settings: Settings, urls: list[str]) -> None:
    """Tell the person at the terminal what is there, and without passwords how to use it."""
    where = settings.root_dir if settings.root_dir is not None else settings.aws_s3_gateway
    lines = [
        f"hsds {hsds.__version__} serves bucket {settings.bucket_name} of {where} at {' and '.join(urls)}"
    ]
    if not settings.has_users:
        user = _local_user()
        lines += [
            f"No passwords are set: it answers this machine only, where all act as {user}. In Python:",
            "    import h5pyd",
            f'    f = h5pyd.File("/home/{user}/first.h5", "w", endpoint="{urls[0]}")',
            '    f["x"] = range(10)',
        ]
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()
