"""What every process of a service is made of: loop, signals, store, data node, service node, sockets."""

from __future__ import annotations

import asyncio
import fcntl
import gc
import getpass
import importlib
import logging
import os
import re
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any

from hsds import logs
from hsds.config import MIB, Settings
from hsds.configsources import Loaded
from hsds.datanode.gate import Gate
from hsds.datanode.node import LocalDataNode
from hsds.datanode.state import make_state
from hsds.errors import BucketNotFound, HsdsError, InvalidInput, InvalidSettings, StoreError
from hsds.listening import open_sites
from hsds.malloc import give_back_freed, keep_freed, use_few_arenas
from hsds.memorylimit import Role, container_limit, fitted, sizes_used
from hsds.metrics import Metrics
from hsds.servicenode.auth import make_authenticator
from hsds.servicenode.node import ServiceNode, make_node
from hsds.servicenode.runner import Runner
from hsds.store.base import Store
from hsds.store.factory import make_small_store, make_store
from hsds.store.health import StoreHealth
from hsds.store.patient import PatientStore
from hsds.store.probe import PREFIX as PROBES
from hsds.store.probe import probe
from hsds.transport.nodes import DataNodes

DRAIN_SECONDS = 22.0
"""For requests in flight when the process is told to end."""
GRACE_SECONDS = 25.0
"""Until requests are cancelled that have not ended by then; Kubernetes kills after 30."""
_KEEPALIVE_SECONDS = 3630.0
"""Longer than clients and proxies keep idle connections: who closes first must not be us."""
_READ_BUFFER = 256 * 1024
_LOOK_AGAIN_SECONDS = 3.0
"""Between two looks at a store that cannot be used yet."""

log = logging.getLogger(__name__)


def run(
    loaded: Loaded,
    settings: Settings,
    life: Callable[[Settings], Coroutine[Any, Any, None]],
    *,
    roles: Sequence[Role],
    name: str,
    processes: int = 1,
) -> None:
    """Run ``life`` to its end, logging as ``name``, with caches and budgets of which as many as ``processes``
    fit into the container.

    ``InvalidSettings`` for what prevents the start.
    """
    try:
        logs.configure(settings, node=name)
    except OSError as error:
        raise InvalidSettings(f"logfile {settings.logfile} cannot be opened: {error.strerror}") from error
    if loaded.ignored:
        log.warning("ignored, these settings of HSDS have no meaning here: %s", ", ".join(loaded.ignored))
    settings = _in_container(settings, roles, processes)
    gc.freeze()  # what was imported stays: looking through it for garbage holds the loop up for 0.1 s
    try:
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            runner.run(life(settings))
    except InvalidSettings:
        raise
    except HsdsError as error:  # once it serves, errors are answers to requests
        raise InvalidSettings(f"cannot start: {error}") from error


def _in_container(settings: Settings, roles: Sequence[Role], processes: int) -> Settings:
    """With sizes for this process's share of the container's limit of memory, if it has one."""
    limit = container_limit()
    use_few_arenas()
    if "dn" in roles:
        give_back_freed()
    elif limit is None:
        keep_freed()
    if limit is None:
        return settings
    settings = fitted(settings, limit, roles, processes=processes)
    log.info(
        "the container may take %d MiB: %s%s",
        limit // MIB,
        ", ".join(f"{key} {getattr(settings, key) // MIB}m" for key in sizes_used(roles)),
        f", for each of {processes} processes" if processes > 1 else "",
    )
    return settings


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop's, where it is installed."""
    with suppress(ImportError):
        factory: Callable[[], asyncio.AbstractEventLoop] = importlib.import_module("uvloop").new_event_loop
        return factory
    return None


def on_signals(stop: asyncio.Event) -> None:
    """SIGTERM and Ctrl-C end in order, Ctrl-C during that at once."""

    def interrupt() -> None:
        if stop.is_set():
            os._exit(130)
        stop.set()

    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGINT, interrupt)
    loop.add_signal_handler(signal.SIGTERM, stop.set)


class Stopped(Exception):
    """The process was told to end while it still waited for what it needs to begin."""


@contextmanager
def using(root_dir: Path | None, *, shared: bool = False) -> Iterator[int | None]:
    """Keep others out of the directory who know nothing of us: each would trust its own caches.

    ``shared`` is for nodes of a cluster, which know of one another. Yields the file descriptor that holds the
    lock; processes that inherit it hold it, too. ``InvalidSettings`` if others are in the directory.
    """
    if root_dir is None:
        yield None
        return
    notes = root_dir / ".hsds"
    try:
        notes.mkdir(parents=True, exist_ok=True)
        file = (notes / "serve.lock").open("a")
    except OSError as error:
        raise InvalidSettings(f"root_dir {root_dir} cannot be used: {error.strerror}") from error
    with file:
        try:
            fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise InvalidSettings(f"root_dir {root_dir} is being served by another process") from error
        except OSError as error:  # some file systems of several machines have none
            if not shared:
                raise InvalidSettings(f"root_dir {root_dir} cannot be locked: {error.strerror}") from error
        yield file.fileno()


@asynccontextmanager
async def open_store(
    settings: Settings, metrics: Metrics, *, alone: bool = True, stop: asyncio.Event | None = None
) -> AsyncIterator[Store]:
    """The store, with the default bucket in it.

    Unless this process is ``alone`` with it, a store that ignores conditions is refused. A fault is
    ``InvalidSettings``; with ``stop`` it is logged, and waited for to be mended until ``stop`` is set
    (``Stopped``).
    """
    said = ""
    while True:
        try:
            store = await _open(settings, metrics, alone=alone)
            break
        except StoreError as error:
            fault = _told(error, settings.bucket_name)
            if stop is None:
                raise InvalidSettings(fault) from error
        if fault != said:
            log.error("%s; looking again every %g s", fault, _LOOK_AGAIN_SECONDS)
            said = fault
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), _LOOK_AGAIN_SECONDS)
            raise Stopped
    if said:
        log.info("bucket %s can be used now", settings.bucket_name)
    try:
        yield store
    finally:
        await store.close()


@asynccontextmanager
async def open_record_store(
    settings: Settings, metrics: Metrics, health: StoreHealth
) -> AsyncIterator[Store]:
    """The same store once more, for the record that the lease rests on: bulk writes that use up all
    connections of the other must not hold up a renewal. It is not waited for in an outage.
    """
    store = make_small_store(settings, observe=metrics.observe_store)
    await store.start()
    try:
        yield PatientStore(store, patience=0.0, bucket=settings.bucket_name, health=health)
    finally:
        await store.close()


def _told(error: StoreError, bucket: str) -> str:
    text = re.sub(rf"/{re.escape(PROBES)}[0-9a-f-]+", "", str(error))  # a new name each time
    if isinstance(error, BucketNotFound):
        return f"there is no bucket {bucket}: {text}"
    return f"bucket {bucket} cannot be used: {text}"


async def _open(settings: Settings, metrics: Metrics, *, alone: bool) -> Store:
    """A store that was seen to work. Raises ``StoreError``, and ``InvalidSettings`` for what stays so."""
    try:
        store = make_store(settings, observe=metrics.observe_store)
    except StoreError as error:
        raise InvalidSettings(f"cannot start: {error}") from error
    await store.start()
    try:
        if settings.root_dir is not None:
            await store.create_bucket(settings.bucket_name)
        await _try_out(store, settings, alone=alone)
    except BaseException:
        await store.close()
        raise
    return store


async def _try_out(store: Store, settings: Settings, *, alone: bool) -> None:
    """See whether the store answers, takes our key, has the bucket, and honours conditions."""
    if settings.aws_s3_no_sign_request:
        await store.list(settings.bucket_name, limit=1)
        return
    conditions = await probe(store, settings.bucket_name)
    if not conditions.safe and not alone:
        raise InvalidSettings(
            f"the store ignores {conditions.ignored()}: data nodes would overwrite one another's changes"
        )
    if not conditions.safe:
        log.warning(
            "the store ignores %s: nothing else may write to the bucket while this service runs",
            conditions.ignored(),
        )


@asynccontextmanager
async def data_node(
    settings: Settings, store: Store, health: StoreHealth, *, gate: Gate | None = None
) -> AsyncIterator[LocalDataNode]:
    """A data node over an open store; it owns what ``gate`` says, everything without one."""
    state = make_state(
        PatientStore(store, patience=settings.hold_timeout, bucket=settings.bucket_name, health=health),
        metadata_cache=settings.metadata_mem_cache_size,
        chunk_cache=settings.chunk_mem_cache_size,
        write_budget=settings.request_memory_size,
        threads=min(32, (os.cpu_count() or 1) + 4),
        patience=settings.hold_timeout,
        flush_max_age=settings.flush_max_age if settings.durability == "flush" else None,
        gate=gate,
    )
    node = LocalDataNode(state, hold_timeout=settings.hold_timeout, trouble=lambda: health.reason)
    try:
        yield node
    finally:
        await node.close()


def service_node(settings: Settings, nodes: DataNodes, metrics: Metrics) -> ServiceNode:
    """A service node over these data nodes. Close its ``auth`` at the end."""
    try:
        auth = make_authenticator(settings, local_user=local_user())
    except InvalidInput as error:
        raise InvalidSettings(str(error)) from error
    return make_node(settings, nodes, auth, metrics=metrics)


def local_user() -> str:
    """The name of who runs this, also where the system has none for the number."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # KeyError before Python 3.13
        return f"user{os.getuid()}"


@asynccontextmanager
async def listening(
    node: ServiceNode, sites: Callable[[Runner], Awaitable[list[str]]] | None = None
) -> AsyncIterator[list[str]]:
    """Answer requests; at the end take no more, and finish those in flight.

    ``sites`` opens where they come from and tells the URLs; without, the settings say where.
    """
    runner = Runner(
        node,
        keepalive_timeout=_KEEPALIVE_SECONDS,
        read_bufsize=_READ_BUFFER,
        shutdown_timeout=GRACE_SECONDS - DRAIN_SECONDS,
    )
    await runner.setup()
    try:
        yield await (open_sites(runner, node.settings) if sites is None else sites(runner))
        await runner.drain(DRAIN_SECONDS)
    finally:
        await runner.cleanup()
