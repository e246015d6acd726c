"""``hsds serve``: a service node and a data node in one process, joined by a function call.

Here is the life of that process, from settings to exit; what it listens on is in ``listening``. With
``--workers N`` there are several, and the life of these is in ``supervisor``.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

import hsds
from hsds.config import Settings
from hsds.configsources import Loaded
from hsds.listening import check_exposure
from hsds.memorylimit import Role
from hsds.metrics import Metrics
from hsds.process import data_node, listening, local_user, on_signals, open_store, run, service_node, using
from hsds.servicenode.homes import make_standing_folders
from hsds.store.health import StoreHealth
from hsds.supervisor import supervise
from hsds.transport.nodes import DataNodes

DEFAULT_ROOT_DIR = Path("hsds-data")
_ROLES: Final[tuple[Role, ...]] = ("sn", "dn")

log = logging.getLogger(__name__)


def serve(loaded: Loaded) -> None:
    """Serve until SIGTERM or Ctrl-C. Raises ``InvalidSettings`` for what prevents the start."""
    settings = _with_storage(loaded.settings)
    check_exposure(settings)
    if settings.workers > 1:
        run(loaded, settings, _supervise, roles=_ROLES, name="supervisor", processes=settings.workers)
    else:
        run(loaded, settings, _serve, roles=_ROLES, name="sn-001")


def _with_storage(settings: Settings) -> Settings:
    """A directory of the user's when nothing is said of storage."""
    if settings.root_dir is None and settings.aws_s3_gateway is None:
        return settings.model_copy(update={"root_dir": DEFAULT_ROOT_DIR})
    return settings


async def _supervise(settings: Settings) -> None:
    with using(settings.root_dir) as lock:
        await supervise(settings, lock=lock, ready=lambda urls: _welcome(settings, urls))


async def _serve(settings: Settings) -> None:
    stop = asyncio.Event()
    on_signals(stop)
    metrics = Metrics()
    async with AsyncExitStack() as stack:
        stack.enter_context(using(settings.root_dir))
        store = await stack.enter_async_context(open_store(settings, metrics))
        health = StoreHealth()
        metrics.store_failing.set_function(lambda: health.failing_seconds)
        owner = await stack.enter_async_context(data_node(settings, store, health))
        await owner.start(settings.bucket_name)
        stack.callback(asyncio.create_task(owner.sweeper.follow()).cancel)
        node = service_node(settings, DataNodes(owner), metrics)
        node.store_state = health.to_json
        stack.callback(node.auth.close)
        if not settings.aws_s3_no_sign_request:
            await make_standing_folders(node, None if settings.has_users else local_user())
        urls = await stack.enter_async_context(listening(node))
        _welcome(settings, urls)
        await stop.wait()
        log.info("ending: finishing the requests in flight")
    log.info("ended")


def _welcome(settings: Settings, urls: list[str]) -> None:
    """Tell the person at the terminal what is there, and without passwords how to use it."""
    where = settings.root_dir if settings.root_dir is not None else settings.aws_s3_gateway
    lines = [
        f"hsds {hsds.__version__} serves bucket {settings.bucket_name} of {where} at {' and '.join(urls)}"
    ]
    if not settings.has_users:
        user = local_user()
        lines += [
            f"No passwords are set: it answers this machine only, where all act as {user}. In Python:",
            "    import h5pyd",
            f'    f = h5pyd.File("/home/{user}/first.h5", "w", endpoint="{urls[0]}")',
            '    f["x"] = range(10)',
        ]
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()
