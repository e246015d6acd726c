"""What a client says about which of a list it wants: ``Limit``, ``Marker``, ``pattern``, ``CreateOrder``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from hsds.errors import InvalidInput
from hsds.servicenode.call import Call

_SET: Final = re.compile(r"\[!?.[^]]*\]")


def glob_of(call: Call) -> str | None:
    """The glob that names must match, if one is asked for: ``*``, ``?`` and sets such as ``[a-z]``."""
    pattern = call.text("pattern") or None
    if pattern is not None and pattern.count("[") > len(_SET.findall(pattern)):
        raise InvalidInput(f"pattern {pattern!r} has a [ without its ]")
    return pattern


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
            pattern=glob_of(call),
            creation_order=call.flag("CreateOrder"),
        )

    def left(self, taken: int) -> int | None:
        """How many more items fit when ``taken`` have been listed; None for no limit."""
        return max(self.limit - taken, 0) if self.limit else None
