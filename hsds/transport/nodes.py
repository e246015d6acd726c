"""All data nodes as one: finds the owner of each operation's key, asks, and puts the answers together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

from hsds.errors import HsdsError
from hsds.transport.base import DataNode, Trace
from hsds.transport.ops import Op

R = TypeVar("R")


class DataNodes:
    """What handlers of the service node talk to. With one data node there is nothing to split."""

    def __init__(self, node: DataNode) -> None:
        self._node = node

    @property
    def distant(self) -> bool:
        """Whether questions mean trips, so that two at once are better than one after another."""
        return self._node.distant

    async def call(self, op: Op[R], trace: Trace) -> R:
        """Carry out one operation; raises its ``HsdsError``."""
        (result,) = await self._node.execute((op,), trace)
        if isinstance(result, HsdsError):
            raise result
        return result  # type: ignore[no-any-return]  # an Op[R] is answered by an R

    def known(self, op: Op[R]) -> R | None:
        """What an operation answers, where that takes no waiting and is no error; else None."""
        result = self._node.known(op)
        return None if isinstance(result, HsdsError) else result

    async def gather(self, ops: Iterable[Op[R]], trace: Trace) -> list[R]:
        """Carry out many; raises the first error in request order, after all have ended."""
        results = await self.settle(ops, trace)
        for result in results:
            if isinstance(result, HsdsError):
                raise result
        return results  # type: ignore[return-value]  # no errors are left in it

    async def settle(self, ops: Iterable[Op[R]], trace: Trace) -> Sequence[R | HsdsError]:
        """Carry out many; each result or error in its place."""
        ops = tuple(ops)
        return await self._node.execute(ops, trace) if ops else ()
