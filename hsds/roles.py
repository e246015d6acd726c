"""The roles that a process of a cluster may have, and what those of one process share."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final, get_args

from hsds.cluster.discovery import Discovery
from hsds.config import Settings
from hsds.memorylimit import Role
from hsds.metrics import Metrics
from hsds.post import Post
from hsds.transport.signing import Secrets

ROLES: Final[tuple[Role, ...]] = get_args(Role)


@dataclass(frozen=True, slots=True)
class Shared:
    """What the roles of one process share."""

    settings: Settings
    metrics: Metrics
    secrets: Secrets
    discovery: Discovery
    group: asyncio.TaskGroup
    """Of the tasks of the process: if one fails, all fails."""
    stop: asyncio.Event
    """Set when the process is told to end."""
    post: Post | None
    """Of a process that was started with others like it."""

    @asynccontextmanager
    async def meanwhile(self, *works: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
        """Do these in the background until the end of the block. If one fails, all fails."""
        tasks = [self.group.create_task(work) for work in works]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
