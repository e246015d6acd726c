"""``hsds sn``, ``hsds dn`` and ``hsds node``: one process of a cluster, with one role or both.

Here is the life of the process: the order in which its roles start and end, and when it is ready. What they
are made of is in ``datarole`` and ``servicerole``.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any, Final

import hsds
from hsds.config import Settings
from hsds.configsources import Loaded
from hsds.datarole import DataRole, data_role
from hsds.errors import HsdsError
from hsds.identity import discovery_of, secrets_of
from hsds.listening import check_exposure
from hsds.memorylimit import Role
from hsds.metrics import Metrics
from hsds.monitoring import Probes, monitored
from hsds.post import Post
from hsds.process import Stopped, on_signals, run
from hsds.roles import ROLES, Shared
from hsds.servicenode.node import ServiceNode
from hsds.servicenode.service import render
from hsds.servicerole import service_role

_LOOK_SECONDS: Final = 0.05

log = logging.getLogger(__name__)


def run_node(loaded: Loaded, roles: Sequence[Role], environ: Mapping[str, str]) -> None:
    """Run a process with these roles until SIGTERM. ``InvalidSettings`` for what prevents the start.

    ``environ`` is where Kubernetes says how its API is reached.
    """
    settings = loaded.settings
    if "sn" in roles:
        check_exposure(settings)

    def live(fitted: Settings) -> Coroutine[Any, Any, None]:
        return _Process(fitted, tuple(roles), environ).live()

    run(loaded, settings, live, roles=roles, name="-".join(roles))


def run_worker(loaded: Loaded, post: Post) -> None:
    """As ``run_node`` with both roles, one of several at the same ``post``."""

    def live(settings: Settings) -> Coroutine[Any, Any, None]:
        return _Process(settings, ROLES, {}, post=post).live()

    run(loaded, loaded.settings, live, roles=ROLES, name=post.name)


@dataclass(slots=True)
class _Process:
    """A process, from its start to its end."""

    settings: Settings
    roles: tuple[Role, ...]
    environ: Mapping[str, str]
    post: Post | None = None
    """Of a process that was started with others like it."""
    metrics: Metrics = field(default_factory=Metrics)
    data: DataRole | None = None
    service: ServiceNode | None = None
    up: bool = False
    joined: bool = False
    """Whether the data node has once taken over what it owned."""

    async def live(self) -> None:
        """From the start to the end."""
        stop = asyncio.Event()
        on_signals(stop)
        if self.post is not None:
            self.post.take_up(stop.set)
        try:
            async with asyncio.TaskGroup() as group:
                await self._run(group, stop)
        except BaseExceptionGroup as errors:  # an error raised in an `except*` would be a group again
            fault: BaseException = errors
            while isinstance(fault, BaseExceptionGroup) and len(fault.exceptions) == 1:
                (fault,) = fault.exceptions
            if isinstance(fault, Stopped):
                log.info("ended before it had begun")
                return
            if isinstance(fault, HsdsError):
                raise fault from None
            raise
        log.info("ended")

    async def _run(self, group: asyncio.TaskGroup, stop: asyncio.Event) -> None:
        """Start everything, wait for the end, and end it in order."""
        settings, metrics, post = self.settings, self.metrics, self.post
        async with AsyncExitStack() as stack:
            secrets = secrets_of(settings)
            discovery = await stack.enter_async_context(discovery_of(settings, self.environ))
            shared = Shared(settings, metrics, secrets, discovery, group, stop, post)
            await stack.enter_async_context(shared.meanwhile(discovery.run()))
            if post is None:  # else there would be as many as processes for one port
                probes = Probes(started=lambda: self.up, ready=self._ready, render=self._render)
                await stack.enter_async_context(monitored(settings, metrics, probes))
            if "dn" in self.roles:
                self.data = await stack.enter_async_context(data_role(shared))
            if post is not None:
                stack.push_async_callback(post.drained)
                await stack.enter_async_context(shared.meanwhile(self._report(post)))
            if "sn" in self.roles:
                self.service = await stack.enter_async_context(service_role(shared, self.data))
            self.up = True
            log.info("hsds %s runs as %s", hsds.__version__, " and ".join(self.roles))
            await stop.wait()
            log.info("ending: finishing the requests in flight")

    async def _report(self, post: Post) -> None:
        """Tell when all is well for the first time."""
        while not (self._ready() and self.service and self.service.state == "READY"):  # noqa: ASYNC110 - polls
            await asyncio.sleep(_LOOK_SECONDS)
        post.ready()

    def _ready(self) -> bool:
        """A data node is ready when it has taken over, for the sake of rollouts. With a service node beside
        it, it is enough that it once had: others that come and go must not empty the Service.
        """
        if self.data is not None:
            alone = self.service is None
            self.joined = self.data.participant.ready or (self.joined and not alone)
        fit = self.service is None or self.service.state in ("WAITING", "READY")
        return self.up and fit and (self.data is None or self.joined)

    def _render(self) -> bytes:
        if self.service is not None:
            return render(self.service)
        self.metrics.ready.set(self._ready())
        return self.metrics.render()
