"""What a dataset remembers of operations that must not be done twice: by their ids, in its own JSON.

They are stored by the very PUT that carries their effect, so that neither can be there without the other.
HSDS carries unknown members of an object along; clients are never shown this one.
"""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

MEMBER = "operations"
"""Member of a dataset's stored JSON: operation id -> what is kept for it, the oldest first."""
MOST = 64
"""Operations that are remembered."""


def kept(json: Json, operation: str) -> Json | None:
    """What is kept for an operation."""
    found = json.get(MEMBER)
    value = found.get(operation) if isinstance(found, dict) and operation else None
    return value if isinstance(value, dict) else None


def keep(json: Json, operation: str, value: Json) -> None:
    """Remember ``value`` in place of what was kept for the operation; the oldest one may be forgotten."""
    found = json.get(MEMBER)
    entries = {**found} if isinstance(found, dict) else {}
    entries.pop(operation, None)
    entries[operation] = value
    while len(entries) > MOST:
        del entries[next(iter(entries))]
    json[MEMBER] = entries
