"""Conversions of large values, made beside the event loop: probes and other requests go on meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, TypeVar

T = TypeVar("T")

LARGE: Final = 1 << 20
"""Bytes from which on Python takes so long for values one by one that others would notice."""


async def aside(nbytes: int, work: Callable[[], T]) -> T:
    """What ``work`` returns, which is about ``nbytes`` bytes of values: done in a thread if they are many."""
    return await asyncio.to_thread(work) if nbytes >= LARGE else work()
