"""The data nodes of a cluster as one data node: each operation goes to the owners of its keys.

An owner that refuses, cannot be reached or does not answer may have lost the slot: the view is learned anew
and the operation sent again, to whoever owns it then, until ``hold_timeout`` is over. All sendings of one
operation have one id, so that a data node knows them for what they are.
"""

from __future__ import annotations

import asyncio
import itertools
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from hsds.cluster.view import Member, View
from hsds.errors import HsdsError, NotOwner, Unavailable
from hsds.transport.base import Attempt, DataNode, Trace
from hsds.transport.ops import Op, UpdateWhere
from hsds.transport.splitting import Part, counts, first_part, merge, prepared, split

_STEPS = (0.02, 0.05, 0.1, 0.2)
"""Seconds before an operation is sent again; the last for ever."""
_LOOK = 1.0
"""Seconds after which who watches for data nodes that leave looks whether anybody waits for one."""


class Views(ABC):
    """The newest view that this service node knows, and how it learns of newer ones."""

    @property
    @abstractmethod
    def view(self) -> View | None:
        """The newest view known."""

    @abstractmethod
    async def refresh(self) -> None:
        """Ask data nodes for their view; many callers share one question. No answer is no error."""

    @abstractmethod
    async def newer(self, epoch: int) -> View:
        """Wait for a view newer than ``epoch``."""


@dataclass(slots=True)
class _Job:
    """One operation until it is done: what is still to be sent, and what has come back."""

    op: Op[Any]
    id: str
    place: int
    parts: list[Op[Any]]
    """Not being carried out at present."""
    later: list[UpdateWhere] = field(default_factory=list)
    """To be sent when what is under way has ended."""
    under_way: int = 0
    number: int = 0
    results: list[Any] = field(default_factory=list)
    error: HsdsError | None = None
    """What stood in the way last, or for good."""
    final: bool = False


@dataclass(slots=True)
class _Share:
    """What is sent to one data node in one request."""

    member: Member
    epoch: int
    items: list[tuple[_Job, Op[Any], Attempt]]


class Router(DataNode):
    """Sends operations to their owners. ``connect`` gives the data node of a member."""

    distant = True

    def __init__(
        self,
        views: Views,
        connect: Callable[[Member], DataNode],
        *,
        clock: Callable[[], float],
        hold_timeout: float = 90.0,
        attempt_timeout: float = 15.0,
    ) -> None:
        self._views = views
        self._connect = connect
        self._clock = clock
        self._hold_timeout = hold_timeout
        self._attempt_timeout = attempt_timeout
        self._departures = _Departures(views)
        self._serial = itertools.count(1)
        self.held = 0
        """Operations that were sent more than once, ever."""
        self.holding = 0
        """Requests that wait at present for a data node that can answer them, not for its answer."""
        self.held_seconds = 0.0
        """For how long requests have waited so, all together."""

    @property
    def name(self) -> str:
        view = self._views.view
        return f"{len(view.members) if view else 0} data nodes"

    async def execute(self, ops: Sequence[Op[Any]], trace: Trace) -> Sequence[Any | HsdsError]:
        deadline = self._clock() + self._hold_timeout
        if trace.deadline is not None:
            deadline = min(deadline, trace.deadline)
        jobs = [
            _Job(op, f"{trace.request_id}/{next(self._serial)}", place, [prepared(op)])
            for place, op in enumerate(ops)
        ]
        await self._carry(jobs, Trace(trace.request_id, deadline))
        return [self._outcome(job) for job in jobs]

    def _outcome(self, job: _Job) -> Any | HsdsError:
        if not job.final and (job.parts or job.under_way):
            reason = job.error or ("none has answered" if job.under_way else "no data node is known")
            return Unavailable(f"the data could not be reached in time: {reason}", retry_after=5.0)
        if job.error is not None:
            return job.error
        return merge(job.op, job.results)

    async def _carry(self, jobs: list[_Job], trace: Trace, share: _Share | None = None) -> None:
        """Send ``share`` first, then what is left, until nothing is or time is over.

        Every share but one goes its own way, in a task: whatever waits for one node holds up no other. Most
        requests concern one node, or two, and tasks cost more than the question.
        """
        others: list[asyncio.Task[None]] = []
        steps = itertools.chain(_STEPS, itertools.repeat(_STEPS[-1]))
        try:
            while True:
                if share is None:
                    share, *rest = self._shares(job for job in jobs if not job.final) or (None,)
                    others += [asyncio.create_task(self._carry(jobs, trace, each)) for each in rest]
                if share is not None:
                    await self._send(share, trace)
                    share = None
                left = (trace.deadline or 0) - self._clock()
                if left <= 0 or not any(job.parts for job in jobs if not job.final):
                    break
                await self._pause(min(left, next(steps)))
            for task in others:
                await task
        finally:
            under_way = [task for task in others if not task.done()]
            for task in under_way:
                task.cancel()
            if under_way:  # what they hold is the caller's, who may give it back after this
                await asyncio.gather(*under_way, return_exceptions=True)

    async def _pause(self, seconds: float) -> None:
        """Learn a newer view if there is one; else wait a little."""
        view = self._views.view
        epoch = -1 if view is None else view.epoch
        began = self._clock()
        self.holding += 1
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(max(seconds, 0.001)):
                    await self._views.newer(epoch)
        finally:
            self.holding -= 1
            self.held_seconds += self._clock() - began

    def _shares(self, jobs: Iterable[_Job]) -> list[_Share]:
        """Split what is to be sent by owner. Takes the parts out of their jobs."""
        view = self._views.view
        if view is None or not view.members:
            return []
        shares: dict[str, _Share] = {}
        for job in jobs:
            parts, job.parts = job.parts, []
            for part in parts:
                for uid, op in self._split(job, part, view):
                    if uid not in shares:
                        member = view.member(uid)
                        assert member is not None
                        shares[uid] = _Share(member, view.epoch, [])
                    job.number += 1
                    job.under_way += 1
                    shares[uid].items.append((job, op, Attempt(job.id, job.number)))
        return list(shares.values())

    def _split(self, job: _Job, part: Op[Any], view: View) -> list[Part]:
        if isinstance(part, UpdateWhere) and counts(part) and len(view.members) > 1:
            first, rest = first_part(part, view)
            if rest is not None:
                job.later.append(rest)
            return [first]
        return split(part, view)

    async def _send(self, share: _Share, trace: Trace) -> None:
        """One request to one data node; what did not succeed is put back into the jobs."""
        asked = [op for _, op, _ in share.items]
        attempts = tuple(attempt for _, _, attempt in share.items)
        sent = Trace(trace.request_id, trace.deadline, share.epoch, attempts)
        results = await self._ask(share, asked, sent)
        refused = False
        for (job, op, _), result in zip(share.items, results, strict=True):
            job.under_way -= 1
            if isinstance(result, (NotOwner, Unavailable)):
                refused = True
                job.error = result
                job.parts.append(op)
                self.held += 1
            elif isinstance(result, HsdsError):
                job.error, job.final = result, True
            else:
                job.results.append(result)
                if job.later:
                    self._go_on(job)
                if not job.parts and not job.under_way and not job.final:
                    job.error, job.final = None, True
        if refused:
            await self._views.refresh()

    def _go_on(self, job: _Job) -> None:
        """The next part of an operation that counts what it finds."""
        rest = job.later.pop()
        assert isinstance(job.op, UpdateWhere)  # nothing else is sent in parts one after another
        left = job.op.limit - sum(len(hits.values) for hits in job.results)
        if left > 0:
            job.parts.append(replace(rest, limit=left))

    async def _ask(self, share: _Share, asked: list[Op[Any]], trace: Trace) -> Sequence[Any | HsdsError]:
        """The answers, or for each operation why there are none: no answer in time, or another owner now."""
        left = (trace.deadline or 0) - self._clock()
        try:
            async with asyncio.timeout(min(self._attempt_timeout, max(left, 0.0))) as limit:
                self._departures.watch(limit, share.member.uid, share.epoch)
                try:
                    return await self._connect(share.member).execute(asked, trace)
                finally:
                    self._departures.forget(limit)
        except TimeoutError:
            view = self._views.view
            here = view is None or share.member.uid in view.uids
            reason = "no answer in time" if here else "another data node owns it now"
            return [Unavailable(f"data node {share.member.address}: {reason}")] * len(asked)
        except Unavailable as error:
            return [error] * len(asked)


class _Departures:
    """Ends the waiting for data nodes that leave the view: who vanished does not answer.

    One task watches for all requests under way, and for a moment longer: one a request would cost as much
    as the request.
    """

    def __init__(self, views: Views) -> None:
        self._views = views
        self._waiting: dict[asyncio.Timeout, str] = {}
        """By what ends the waiting, the uid of who is waited for."""
        self._watching: asyncio.Task[None] | None = None

    def watch(self, limit: asyncio.Timeout, uid: str, epoch: int) -> None:
        """Until ``forget``, ``limit`` is over when a view newer than ``epoch`` comes without ``uid``."""
        view = self._views.view
        if view is not None and view.epoch > epoch and uid not in view.uids:
            limit.reschedule(asyncio.get_running_loop().time())
        self._waiting[limit] = uid
        if self._watching is None or self._watching.done():
            self._watching = asyncio.create_task(self._watch(epoch))

    def forget(self, limit: asyncio.Timeout) -> None:
        """The waiting has ended."""
        del self._waiting[limit]

    async def _watch(self, epoch: int) -> None:
        while self._waiting:
            with suppress(TimeoutError):
                async with asyncio.timeout(_LOOK):
                    epoch = (await self._views.newer(epoch)).epoch
            view = self._views.view
            for limit, uid in self._waiting.items():
                if view is not None and uid not in view.uids and not limit.expired():
                    limit.reschedule(asyncio.get_running_loop().time())
