"""What Prometheus is told of a data node's caches. Names are HSDS's where they mean the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hsds.datanode.cache import ByteLRU
from hsds.datanode.state import State
from hsds.metrics import Metrics, Read


def tell_of_caches(metrics: Metrics, state: State) -> None:
    """Show the caches of JSON objects (``metadata``) and chunks (``chunk``)."""
    caches: dict[str, ByteLRU[Any, Any]] = {"metadata": state.objects.cache, "chunk": state.chunks.cache}

    def each(read: Callable[[ByteLRU[Any, Any]], float]) -> Read:
        return lambda: {(name,): read(cache) for name, cache in caches.items()}

    figures, labels = metrics.figures, ("cache",)
    figures.gauge("hsds_cache_items", "What is remembered", each(len), labels=labels)
    figures.gauge("hsds_cache_mem_used_bytes", "Bytes of it", each(lambda cache: cache.used), labels=labels)
    figures.gauge(
        "hsds_cache_mem_target_bytes",
        "Bytes that it may take",
        each(lambda cache: cache.limit),
        labels=labels,
    )
    figures.counter(
        "hsds_cache_hits_total", "Looks that found something", each(lambda cache: cache.hits), labels=labels
    )
    figures.counter(
        "hsds_cache_misses_total", "Looks that found nothing", each(lambda cache: cache.misses), labels=labels
    )
    figures.counter(
        "hsds_cache_evictions_total",
        "Forgotten for want of room",
        each(lambda cache: cache.evictions),
        labels=labels,
    )
