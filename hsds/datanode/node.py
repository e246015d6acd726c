"""The data node: carries out operations on the keys that it owns."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from hsds.cluster.slots import Mask
from hsds.datanode.chunkquery import ChunkQuery
from hsds.datanode.chunkread import ChunkReader
from hsds.datanode.chunkwrite import ChunkWriter
from hsds.datanode.domains import Domains
from hsds.datanode.gate import EPOCH
from hsds.datanode.objects import Objects
from hsds.datanode.repeats import Repeats
from hsds.datanode.roots import Roots
from hsds.datanode.state import State
from hsds.datanode.sweep import Sweeper
from hsds.errors import HsdsError, Unavailable
from hsds.transport import ops
from hsds.transport.base import Attempt, DataNode, Trace

Handler = Callable[[Any], Awaitable[Any]]
_DRAIN_SECONDS = 10.0
"""For changes under way when the node ends."""

log = logging.getLogger(__name__)
READS = frozenset(
    {
        ops.GetObject,
        ops.GetLinks,
        ops.GetAttributes,
        ops.GetDomain,
        ops.ListDomains,
        ops.GetRootStats,
        ops.GetDatasetStats,
        ops.GetKept,
        ops.ReadChunks,
        ops.QueryChunks,
    }
)
"""Operations that change nothing: they may be carried out as often as they are asked for."""
LONG = frozenset(
    {
        ops.ListDomains,
        ops.DeleteRoot,
        ops.GetRootStats,
        ops.GetDatasetStats,
        ops.Rescan,
        ops.Flush,
        ops.TrimChunks,
        ops.QueryChunks,
        ops.UpdateWhere,
    }
)
"""Operations on as many keys as there are. They take their time while the store answers; each of their keys
is waited for by itself."""


class LocalDataNode(DataNode):
    """A data node in this process, over a store that is open. Owns every key."""

    def __init__(
        self,
        state: State,
        *,
        name: str = "dn-001",
        hold_timeout: float = 90.0,
        trouble: Callable[[], str] = lambda: "",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``trouble`` says what is known to be wrong with the store at present; ``clock`` is that of
        ``Trace.deadline``.
        """
        self.state = state
        self._clock = clock
        self._trouble = trouble
        self._repeats = Repeats(clock, keep=2 * hold_timeout)
        self.sweeper = Sweeper(state, again=2 * hold_timeout)
        self._name = name
        self._objects = objects = Objects(state, self.sweeper)
        domains = Domains(state, self.sweeper)
        roots = Roots(state, self.sweeper)
        chunks, writer, query = ChunkReader(state), ChunkWriter(state), ChunkQuery(state)
        self._handlers: dict[type[ops.Op[Any]], Handler] = {
            ops.GetObject: objects.get,
            ops.CreateObject: objects.create,
            ops.DeleteObject: objects.delete,
            ops.GetLinks: objects.links,
            ops.UpdateLinks: objects.update_links,
            ops.GetAttributes: objects.attributes,
            ops.UpdateAttributes: objects.update_attributes,
            ops.Resize: objects.resize,
            ops.GetKept: objects.get_kept,
            ops.Keep: objects.keep,
            ops.GetDomain: domains.get,
            ops.CreateDomain: domains.create,
            ops.DeleteDomain: domains.delete,
            ops.UpdateAcl: domains.update_acl,
            ops.ListDomains: domains.list,
            ops.DeleteRoot: roots.delete,
            ops.GetRootStats: roots.stats,
            ops.GetDatasetStats: roots.dataset_stats,
            ops.Rescan: roots.rescan,
            ops.Flush: roots.flush,
            ops.ReadChunks: chunks.read,
            ops.WriteChunks: writer.write,
            ops.TrimChunks: writer.trim,
            ops.QueryChunks: query.query,
            ops.UpdateWhere: query.update,
        }
        self._known: dict[type[ops.Op[Any]], Callable[[Any], Any]] = {
            ops.GetObject: objects.known,
            ops.GetDomain: domains.known,
            ops.ReadChunks: chunks.known,
        }

    def __repr__(self) -> str:
        return f"<LocalDataNode {self._name} over {self.state.store.name}>"

    @property
    def name(self) -> str:
        return self._name

    def moved(self, *, gained: Mask, lost: Mask, kept: Mask) -> None:
        """What this node owns has changed."""
        self.state.moved(lost=lost, kept=kept)
        if gained:
            self.sweeper.look_again()

    async def start(self, bucket: str) -> None:
        """Take up what an earlier process left to be done in ``bucket``."""
        await self.sweeper.resume(bucket)

    async def close(self) -> None:
        """End when every change that was asked for has ended, or cannot. The store stays open."""
        for shelf in (self.state.objects, self.state.chunks):
            try:
                await asyncio.wait_for(shelf.committer.drain(), _DRAIN_SECONDS)
            except TimeoutError:
                log.error("the object store does not answer: changes that nobody was told of are given up")
                await shelf.committer.abandon()
        await self._objects.close()
        await self.sweeper.close()
        self.state.executor.shutdown(wait=False)

    async def execute(self, ops: Sequence[ops.Op[Any]], trace: Trace) -> Sequence[Any | HsdsError]:
        EPOCH.set(trace.epoch)
        results = [self.known(op) for op in ops]
        waiting = [place for place, result in enumerate(results) if result is None]
        if not waiting:
            return results
        attempts = trace.attempts or (None,) * len(ops)
        rest = [self._attempt(ops[place], attempts[place], trace) for place in waiting]
        # one alone is the common case; a gather costs a task
        done = (await rest[0],) if len(rest) == 1 else await asyncio.gather(*rest)
        for place, result in zip(waiting, done, strict=True):
            results[place] = result
        return results

    def known(self, op: ops.Op[Any]) -> Any | HsdsError | None:
        """What is read from memory. Timers and tasks, which waiting needs, take longer than such a read."""
        look = self._known.get(type(op))
        try:
            return None if look is None else look(op)
        except HsdsError as error:
            return error
        except Exception as error:  # noqa: BLE001 - see _execute
            return _fault(op, error)

    async def _attempt(self, op: ops.Op[Any], attempt: Attempt | None, trace: Trace) -> Any | HsdsError:
        if attempt is None or type(op) in READS:
            return await self._execute(op, trace.deadline)
        return await self._repeats.run(attempt, op, lambda: self._execute(op, trace.deadline))

    async def _execute(self, op: ops.Op[Any], deadline: float | None) -> Any | HsdsError:
        """Whatever the operation waits for, an answer comes by the deadline. What it sent to the store by
        then may still take effect.
        """
        left = None if deadline is None or type(op) in LONG else max(0.0, deadline - self._clock())
        try:
            async with asyncio.timeout(left) as scope:
                result = await self._handlers[type(op)](op)
            if type(op) not in READS:
                self.sweeper.know(op.bucket)
            return result
        except HsdsError as error:
            return error
        except TimeoutError:
            if not scope.expired():
                raise
            reason = self._trouble() or "the object store has not answered"
            return Unavailable(f"no answer in time: {reason}", retry_after=5.0)
        except Exception as error:  # noqa: BLE001 - without an answer it would be asked again and again
            return _fault(op, error)


def _fault(op: ops.Op[Any], error: Exception) -> HsdsError:
    """The answer where an operation met a fault of ours, which is logged."""
    log.error("%s failed", type(op).__name__, exc_info=error)
    return HsdsError(f"the data node failed: {type(error).__name__}")
