"""The one interface through which a service node reaches a data node."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hsds.errors import HsdsError
from hsds.transport.ops import Op


@dataclass(frozen=True, slots=True)
class Attempt:
    """One sending of an operation. All sendings of one operation have its id, and rising numbers."""

    id: str
    number: int


@dataclass(frozen=True, slots=True)
class Trace:
    """What travels with every request to a data node: who asked, and by when an answer is of use."""

    request_id: str
    deadline: float | None = None
    """``time.monotonic()`` of this machine; None for no limit. A remote form sends what is left of it."""
    epoch: int | None = None
    """Epoch of the view by which the data node was chosen; None where there is only one."""
    attempts: tuple[Attempt, ...] = ()
    """One for each operation, where an operation may be sent more than once."""


class DataNode(ABC):
    """A data node as others see it. Implemented by the node itself and by its remote forms."""

    distant = False
    """Whether a question means a trip to another process."""

    @abstractmethod
    async def execute(self, ops: Sequence[Op[Any]], trace: Trace) -> Sequence[Any | HsdsError]:
        """Carry out operations, at once where they are independent, and answer in their order.

        Reads of a batch may be answered before any of its changes begins. An operation that fails has the
        ``HsdsError`` in the place of its result; the others are unaffected.
        """

    def known(self, op: Op[Any]) -> Any | HsdsError | None:
        """What an operation answers, where that takes no waiting; None where it may."""
        return None

    @property
    @abstractmethod
    def name(self) -> str:
        """How the node appears to people and in ``dn_urls``."""
