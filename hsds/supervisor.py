"""``hsds serve --workers N``: starts the workers, hands them their connections, restarts and ends them.

The workers are nodes of a small cluster, joined by Unix sockets in a folder of their own. A worker that is
killed is started again at its place. Its slots are served again as soon as it is there: a process that has
ended needs nobody to wait for its lease.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import secrets
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final
from urllib.parse import quote

import orjson

from hsds.cluster.agent import RECORD
from hsds.cluster.view import View, first_view
from hsds.config import Settings
from hsds.errors import InvalidInput, InvalidSettings, KeyNotFound
from hsds.handover import END, LEAVE, Desk
from hsds.listening import bind
from hsds.metrics import Metrics
from hsds.post import Orders
from hsds.process import DRAIN_SECONDS, GRACE_SECONDS, open_store
from hsds.store.base import Store

_QUICK: Final = 10.0
"""A worker that ends before so many seconds is started again later each time, up to as many."""
_LEAVE_SECONDS: Final = 15.0
_ACCEPTED: Final = 64
"""Connections accepted before anything else is done."""
_BREATH: Final = 0.5

log = logging.getLogger(__name__)


async def supervise(settings: Settings, *, lock: int | None, ready: Callable[[list[str]], None]) -> None:
    """Serve with ``settings.workers`` processes until SIGTERM or Ctrl-C.

    ``lock`` is a file descriptor that every worker keeps open; ``ready`` is called with the URLs when all
    serve. Raises ``InvalidSettings`` for what prevents the start.
    """
    if settings.aws_s3_no_sign_request:
        raise InvalidSettings("aws_s3_no_sign_request: several workers keep their view in the bucket")
    cluster = f"serve-{secrets.token_hex(8)}"
    async with open_store(settings, Metrics(), alone=False) as store:
        if settings.root_dir is not None:  # else others might be using the bucket
            await _begin(store, settings.bucket_name, cluster)
    with tempfile.TemporaryDirectory(prefix="hsds-") as folder:
        await _Supervisor(settings, Path(folder), cluster, lock).live(ready)
    log.info("ended")


async def _begin(store: Store, bucket: str, cluster: str) -> None:
    """Write a record without members: whoever is in the present one has ended."""
    epoch = int(time.time())
    with suppress(KeyNotFound, InvalidInput, orjson.JSONDecodeError):
        epoch = max(epoch, View.from_json(orjson.loads(bytes((await store.get(bucket, RECORD)).data))).epoch)
    await store.put(bucket, RECORD, orjson.dumps(first_view(cluster, epoch=epoch + 1).to_json()))


class _Worker:
    """A worker's place, and the process that is in it at present."""

    def __init__(self, number: int, url: str) -> None:
        self.number = number
        self.url = url
        self.process: asyncio.subprocess.Process | None = None
        self.desk: Desk | None = None

    @property
    def drained(self) -> bool:
        """Whether it has no request any more."""
        return self.desk is None or self.desk.drained or not self.desk.open


class _Supervisor:
    """What runs while the workers do."""

    def __init__(self, settings: Settings, folder: Path, cluster: str, lock: int | None) -> None:
        secret = folder / "secret"
        secret.touch(mode=0o600)
        secret.write_text(secrets.token_hex(32))
        paths = [folder / f"worker-{number:03d}" for number in range(1, settings.workers + 1)]
        urls = tuple(f"http+unix://{quote(str(path), safe='')}" for path in paths)
        self._settings = settings.model_copy(
            update={"discovery": "static", "dn_urls": urls, "node_secret_file": secret}
        )
        self._cluster = cluster
        self._lock = () if lock is None else (lock,)
        self._workers = [_Worker(number, url) for number, url in enumerate(urls, 1)]
        self._waiting: list[socket.socket] = []
        self._turn = 0
        self._changed = asyncio.Event()
        self._stop = asyncio.Event()

    async def live(self, ready: Callable[[list[str]], None]) -> None:
        """From the first worker's start to the last one's end."""
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGINT, self._interrupt)
        loop.add_signal_handler(signal.SIGTERM, self._stop.set)
        listeners, urls = bind(self._settings)
        if self._settings.sn_port is not None:  # it may have been 0, for any
            port = listeners[0].getsockname()[1]
            self._settings = self._settings.model_copy(update={"sn_port": port})
        keeping: list[asyncio.Task[None]] = []
        try:
            keeping = [asyncio.create_task(self._keep(worker, urls)) for worker in self._workers]
            if await self._all_ready(keeping):
                for listener in listeners:
                    loop.add_reader(listener, self._accept, listener)
                ready(urls)
                log.info("%d workers serve at %s", len(self._workers), " and ".join(urls))
                await self._stop.wait()
            log.info("ending: finishing the requests in flight")
        finally:
            self._stop.set()
            for listener in listeners:
                loop.remove_reader(listener)
                listener.close()
            await self._end(keeping)
            if self._settings.socket is not None:
                self._settings.socket.unlink(missing_ok=True)

    async def _all_ready(self, keeping: Sequence[asyncio.Task[None]]) -> bool:
        """Wait for the start; False if it is to end already. Raises ``InvalidSettings`` of a worker."""
        stopped = asyncio.create_task(self._stop.wait())
        while not all(worker.desk is not None and worker.desk.ready for worker in self._workers):
            changed = asyncio.create_task(self._changed.wait())
            done, _ = await asyncio.wait((stopped, changed, *keeping), return_when=asyncio.FIRST_COMPLETED)
            changed.cancel()
            self._changed.clear()
            for task in done - {stopped, changed}:
                task.result()
            if stopped in done:
                return False
        stopped.cancel()
        return True

    # -- processes -------------------------------------------------------------------------------------

    async def _keep(self, worker: _Worker, urls: Sequence[str]) -> None:
        """Keep a worker running until the end. Raises ``InvalidSettings`` if it cannot begin at all."""
        pause, served = 0.0, False
        while not self._stop.is_set():
            started = time.monotonic()
            status = await self._run(worker, urls)
            served = served or (worker.desk is not None and worker.desk.ready)
            if self._stop.is_set():
                return
            if not served:
                raise InvalidSettings(f"worker {worker.number} ended at its start with status {status}")
            pause = min(_QUICK, 2 * pause or 0.5) if time.monotonic() - started < _QUICK else 0.0
            log.error("worker %d ended with status %s and is started again", worker.number, status)
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._stop.wait()

    async def _run(self, worker: _Worker, urls: Sequence[str]) -> int:
        """Run a process in a worker's place to its end; its status."""
        ours, theirs = socket.socketpair()
        with theirs:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "hsds.worker",
                str(theirs.fileno()),
                stdin=asyncio.subprocess.PIPE,
                pass_fds=(theirs.fileno(), *self._lock),
                start_new_session=True,  # Ctrl-C is for the supervisor
            )
        worker.process, worker.desk = process, Desk(ours, self._look)
        orders = Orders(
            settings=self._settings,
            number=worker.number,
            cluster=self._cluster,
            url=worker.url,
            public=tuple(urls),
        )
        assert process.stdin is not None
        with suppress(ConnectionError):
            process.stdin.write(orders.to_bytes())
            await process.stdin.drain()
            process.stdin.close()
        status = await process.wait()
        worker.desk.close()
        return status

    def _interrupt(self) -> None:
        """Ctrl-C ends in order, and during that at once."""
        if self._stop.is_set():
            for worker in self._workers:
                self._kill(worker)
            os._exit(130)
        self._stop.set()

    def _kill(self, worker: _Worker) -> None:
        if worker.process is not None and worker.process.returncode is None:
            worker.process.kill()

    async def _end(self, keeping: Sequence[asyncio.Task[None]]) -> None:
        """First all answer what they were asked, then they let go of the data."""
        for connection in self._waiting:
            connection.close()
        for worker in self._workers:
            if worker.desk is not None:
                worker.desk.say(END)
        with suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_SECONDS + GRACE_SECONDS):
                while not all(worker.drained for worker in self._workers):
                    await self._changed.wait()
                    self._changed.clear()
        for worker in self._workers:
            if worker.desk is not None:
                worker.desk.say(LEAVE)
        if keeping:
            await asyncio.wait(keeping, timeout=_LEAVE_SECONDS)
        for worker in self._workers:
            self._kill(worker)
        await asyncio.gather(*keeping, return_exceptions=True)

    # -- connections -----------------------------------------------------------------------------------

    def _accept(self, listener: socket.socket) -> None:
        for _ in range(_ACCEPTED):
            try:
                connection, _ = listener.accept()
            except OSError as error:
                if error.errno in (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM):
                    log.error("connections have to wait: %s", error.strerror)
                    self._pause(listener)
                return
            connection.setblocking(False)
            self._deal(connection)

    def _pause(self, listener: socket.socket) -> None:
        """Accept nothing for a moment."""
        loop = asyncio.get_running_loop()
        loop.remove_reader(listener)

        def again() -> None:
            if not self._stop.is_set():
                loop.add_reader(listener, self._accept, listener)

        loop.call_later(_BREATH, again)

    def _deal(self, connection: socket.socket) -> None:
        """Hand a connection to who has the least to do; it waits if nobody takes it."""
        self._turn += 1
        desks = [worker.desk for worker in self._workers if worker.desk is not None and worker.desk.taking]
        for desk in sorted(desks, key=lambda desk: desk.load):
            if desk.offer(connection, self._turn):
                return
        self._waiting.append(connection)

    def _look(self) -> None:
        """Something was heard of a worker."""
        self._changed.set()
        if self._stop.is_set():
            return
        back = [c for worker in self._workers if worker.desk is not None for c in worker.desk.returned()]
        waiting, self._waiting = back + self._waiting, []
        for connection in waiting:
            self._deal(connection)
        for worker in self._workers:
            desk = worker.desk
            if desk is not None and desk.drained:  # told to end by somebody else: the others go on
                desk.say(LEAVE)
