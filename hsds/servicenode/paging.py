"""What a client says about which of a list it wants: ``Limit``, ``Marker``, ``pattern``, ``CreateOrder``."""

from __future__ import annotations

from dataclasses import dataclass

from hsds.servicenode.call import Call


@dataclass(frozen=True, slots=True)
class Paging:
    """One page of a list, in the terms of ``transport.ops``."""

    limit: int = 0
    """At most so many items; 0 for all."""
    marker: str | None = None
    """Start after this one."""
    pattern: str | None = None
    """Glob over names, applied first."""
    creation_order: bool = False

    @classmethod
    def of(cls, call: Call) -> Paging:
        """What the query string asks for."""
        return cls(
            limit=call.integer("Limit"),
            marker=call.text("Marker") or None,
            pattern=call.text("pattern") or None,
            creation_order=call.flag("CreateOrder"),
        )

    def left(self, taken: int) -> int | None:
        """How many more items fit when ``taken`` have been listed; None for no limit."""
        return max(self.limit - taken, 0) if self.limit else None
