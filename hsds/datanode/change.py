"""A change of one key: what the commit applies, perhaps more than once, until the store has taken it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any, Generic, TypeVar

from hsds.datanode.gate import Hold

V = TypeVar("V")


class Basis(Enum):
    """What a change must know of the key before it can be applied."""

    READ = "read"
    """Its present value."""
    ABSENT = "absent"
    """Its present value, which most likely is none: try a create first and read only if that fails."""
    NOTHING = "nothing"
    """Nothing: the change replaces the value whole."""


@dataclass(frozen=True, slots=True)
class Outcome(Generic[V]):
    """What a change made of the value (None: deleted), what its requester is told, and whether to store."""

    value: V | None
    result: Any = None
    changed: bool = True


Apply = Callable[[V | None], Outcome[V]]
"""Takes a private copy of the value, which it may change in place, or None where there is none.

Raises an ``HsdsError`` to refuse; the copy must then be as it was, since changes of others go on with it.
"""


@dataclass(slots=True)
class Change(Generic[V]):
    """One requested change of a key, and who waits for it."""

    apply: Apply[V]
    basis: Basis
    hold: Hold
    born: float
    """When it was asked for, in the loop's time."""
    future: asyncio.Future[Any]

    def succeed(self, result: Any) -> None:
        if not self.future.done():
            self.future.set_result(result)

    def fail(self, error: BaseException) -> None:
        if not self.future.done():
            self.future.set_exception(error)
