"""What a data node says in its log when it runs and is not seen, which it cannot mend itself."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable
from typing import Final

from hsds.cluster.discovery import Discovery
from hsds.config import Settings
from hsds.errors import Unavailable

_PATIENCE: Final = 10.0
"""Seconds between looks: Kubernetes itself needs some to tell that a pod runs."""

log = logging.getLogger(__name__)


async def tell_if_unseen(
    discovery: Discovery, uid: str, settings: Settings, *, member: Callable[[], bool]
) -> None:
    """Say why discovery does not show this data node, until it is a member. Each reason is said once."""
    name = settings.pod_name or socket.gethostname()
    said: str | None = None
    while not member():
        await asyncio.sleep(_PATIENCE)
        seen = discovery.hint()
        if member() or seen is None or uid in seen:  # that there is no answer is told by who asks
            continue
        try:
            why = await discovery.why_unseen(name, uid)
        except Unavailable as error:
            why = str(error)
        if why is not None and why != said:
            log.error("nobody sees this data node, and it waits for that: %s", why)
            said = why
