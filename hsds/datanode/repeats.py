"""Attempts of one request: the second joins the first, and one that comes too late does nothing.

A service node that gets no answer sends again, under the same id and with a higher number. The first attempt
may still be at work here, or may still be on its way through the network. It must not take effect after the
second has been answered: by then another client may have written.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from hsds.errors import HsdsError, NotOwner, Unavailable
from hsds.transport.base import Attempt
from hsds.transport.ops import Created, CreateObject, Op

_NONE: Final = object()
"""In the place of a result: there is none, the work was cut off."""
_MADE: Final = object()
"""In the place of a result: the object was made of the JSON that each attempt brings along."""


@dataclass(slots=True)
class _Call:
    """There are as many as changes in the last minutes: one that has ended holds its result and nothing else,
    above all not the values that were written, nor the JSON of what was made.
    """

    number: int
    only: Any
    """The slots that it was about; None for all that the operation names."""
    at: float
    task: asyncio.Task[Any | HsdsError] | None = None
    result: Any = _NONE


def _end(call: _Call, task: asyncio.Task[Any | HsdsError]) -> None:
    call.task = None
    if not task.cancelled() and task.exception() is None:
        result = task.result()
        call.result = _MADE if isinstance(result, Created) and result.new else result


def _result(call: _Call, op: Op[Any]) -> Any:
    if call.result is _MADE and isinstance(op, CreateObject):
        return Created(op.json, new=True)
    return call.result


class Repeats:
    """Remembers the attempts of the last ``keep`` seconds."""

    def __init__(self, clock: Callable[[], float], *, keep: float) -> None:
        self._clock = clock
        self._keep = keep
        self._calls: OrderedDict[str, _Call] = OrderedDict()

    def __len__(self) -> int:
        return len(self._calls)

    async def run(
        self, attempt: Attempt, op: Op[Any], work: Callable[[], Awaitable[Any | HsdsError]]
    ) -> Any | HsdsError:
        """Carry out ``work``, or take part in what an earlier attempt did. Errors come back, not raised."""
        now = self._clock()
        self._expire(now)
        call = self._calls.pop(attempt.id, None)
        if call is not None and attempt.number <= call.number:
            self._calls[attempt.id] = call
            return NotOwner("a later attempt of the same request has arrived before this one")
        task = asyncio.create_task(self._after(call, attempt, op, work))
        self._calls[attempt.id] = mine = _Call(attempt.number, getattr(op, "only", None), now, task)
        task.add_done_callback(partial(_end, mine))
        return await asyncio.shield(task)

    async def _after(
        self, earlier: _Call | None, attempt: Attempt, op: Op[Any], work: Callable[[], Awaitable[Any]]
    ) -> Any | HsdsError:
        if earlier is not None:
            if earlier.task is not None:
                await asyncio.wait((earlier.task,))
            done = earlier.result is not _NONE and not isinstance(earlier.result, (NotOwner, Unavailable))
            if done and earlier.only == getattr(op, "only", None):
                return _result(earlier, op)
            if self._calls[attempt.id].number > attempt.number:
                return NotOwner("a later attempt of the same request has arrived")
        return await work()

    def _expire(self, now: float) -> None:
        while self._calls:
            id_, call = next(iter(self._calls.items()))
            if now - call.at < self._keep:
                return
            if call.task is None:
                del self._calls[id_]
            else:
                call.at = now
                self._calls.move_to_end(id_)
