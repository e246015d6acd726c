"""The state of a data node that is small enough for a test: caches and the budget of writes of 1 MiB."""

from typing import Any

from hsds.datanode.state import State, make_state
from hsds.store.base import Store

_MIB = 1 << 20


def small_state(store: Store, *, threads: int = 1, **more: Any) -> State:
    """As ``make_state``, whose other arguments may be given."""
    sizes: dict[str, Any] = {"metadata_cache": _MIB, "chunk_cache": _MIB, "write_budget": _MIB}
    return make_state(store, threads=threads, **(sizes | more))
