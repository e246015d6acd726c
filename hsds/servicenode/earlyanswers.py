"""Answers that have come before their questions, or are on their way, and the memory held for them.

What asks early is in ``early``; the handler of a request asks as ever, and gets what is here.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final, TypeVar

from hsds.budget import ByteBudget
from hsds.errors import HsdsError
from hsds.hdf5.dataset import DatasetSpec
from hsds.transport.ops import Op, ReadChunks

R = TypeVar("R")

NONE: Final = object()
"""In the place of an answer: there is none."""


class EarlyAnswers:
    """Those of one request. ``budget`` is what values are held from."""

    __slots__ = ("_answers", "_budget", "_paid")

    def __init__(self, budget: ByteBudget) -> None:
        self._budget = budget
        self._answers: list[tuple[Op[Any], Any]] = []
        self._paid = 0
        """Bytes that are held for what is on its way."""

    def add(self, op: Op[R], answer: R | HsdsError | asyncio.Task[R]) -> None:
        """Keep the answer to an operation, or the task that brings it."""
        self._answers.append((op, answer))

    def take(self, op: Op[Any]) -> Any:
        """The answer to an operation, not kept longer: a result, an ``HsdsError``, a task, or ``NONE``."""
        for place, (asked, answer) in enumerate(self._answers):
            if type(asked) is type(op) and asked == op:
                del self._answers[place]
                return answer
        return NONE

    def pay(self, nbytes: int) -> bool:
        """Hold bytes for values that are going to be asked for; False if there is no room for them."""
        paid = self._budget.try_acquire(nbytes)
        if paid:
            self._paid += nbytes
        return paid

    async def acquire(self, nbytes: int) -> None:
        """Hold bytes for values: those that are held for them already, if they are. Who takes them gives them
        back.
        """
        if nbytes <= self._paid:
            self._paid -= nbytes
            return
        self.forget()  # who holds some and waits for more may wait for one who does the same
        await self._budget.acquire(nbytes)

    def check(self, spec: DatasetSpec) -> None:
        """Do without answers for a dataset as it was before it became ``spec``."""
        if any(isinstance(op, ReadChunks) and op.dataset is not spec for op, _ in self._answers):
            self.forget()

    def forget(self) -> None:
        """Do without what was asked for early and not needed so far."""
        for _, answer in self._answers:
            if isinstance(answer, asyncio.Task):
                answer.cancel()
        self._answers.clear()
        if self._paid:
            paid, self._paid = self._paid, 0
            self._budget.release(paid)
