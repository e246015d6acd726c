"""The state of one service node, made once and passed to whoever needs it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from aiohttp import web

from hsds.budget import ByteBudget
from hsds.config import Settings
from hsds.metrics import Metrics
from hsds.servicenode.auth import Authenticator
from hsds.servicenode.guesses import Guesses
from hsds.servicenode.requestid import make_ids
from hsds.servicenode.specs import SpecCache
from hsds.transport.nodes import DataNodes

State = Literal["INITIALIZING", "WAITING", "READY", "TERMINATING"]


@dataclass(slots=True, kw_only=True)
class ServiceNode:
    """Everything a request can reach. The node itself keeps nothing about domains or objects."""

    settings: Settings
    nodes: DataNodes
    """All data nodes."""
    auth: Authenticator
    """Who the sender of a request is."""
    budget: ByteBudget
    """Bytes of values that all requests together may hold."""
    bodies: ByteBudget
    """Bytes of large JSON bodies held at once. Apart from ``budget``, and always taken before it, so that
    two requests never wait for each other."""
    specs: SpecCache = field(default_factory=SpecCache)
    """What of datasets never changes."""
    guesses: Guesses = field(default_factory=Guesses)
    """What datasets were like when they were last used."""
    metrics: Metrics = field(default_factory=Metrics)
    new_id: Callable[[], str] = field(default_factory=make_ids)
    """Ids that nobody else makes."""
    clock: Callable[[], float] = time.time
    """Seconds since the epoch."""
    start_time: float = field(default_factory=time.time)
    node_id: str = "sn-001"
    dn_urls: tuple[str, ...] = ("in-process",)
    """Where the data nodes are, for people to read."""
    state: State = "READY"
    metrics_public: bool = True
    """Whether the public port answers ``/metrics``."""
    epoch: Callable[[], int | None] = lambda: None
    """Of the view that requests go by, for the log; None where there is no view."""
    cluster: Callable[[], dict[str, Any]] | None = None
    """What ``GET /nodes`` tells. None: this process is all there is."""
    store_state: Callable[[], dict[str, Any]] | None = None
    """What a data node in this process says of its object store, for ``/info``."""


def make_node(
    settings: Settings, nodes: DataNodes, auth: Authenticator, *, metrics: Metrics | None = None
) -> ServiceNode:
    """A service node with the budgets that the settings ask for."""
    return ServiceNode(
        settings=settings,
        nodes=nodes,
        auth=auth,
        budget=ByteBudget(settings.request_memory_size),
        bodies=ByteBudget(settings.request_memory_size),
        metrics=metrics or Metrics(),
        metrics_public=settings.metrics_public is not False,
    )


NODE = web.AppKey("NODE", ServiceNode)
