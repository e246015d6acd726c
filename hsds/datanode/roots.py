"""Everything under one root group: deleting it, and counting what is stored."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from hsds.datanode.change import Outcome
from hsds.datanode.documents import JSON
from hsds.datanode.state import State
from hsds.datanode.sweep import Sweeper
from hsds.hdf5 import keys
from hsds.store.base import ObjectInfo
from hsds.transport.ops import DeleteRoot, Flush, GetRootStats, RootStats


class Roots:
    """Operations on whole roots."""

    def __init__(self, state: State, sweeper: Sweeper) -> None:
        self._state = state
        self._sweeper = sweeper

    async def delete(self, op: DeleteRoot) -> None:
        await self._sweeper.announce(op.bucket, op.root)
        key = (op.bucket, keys.object_key(op.root))
        await self._state.objects.committer.change(key, JSON, lambda _present: Outcome(None))
        self._state.deleted.add([(op.bucket, op.root)])
        self._sweeper.sweep(op.bucket, op.root)

    async def flush(self, op: Flush) -> None:
        """Nothing to do: every write was in the store before it was answered."""

    async def stats(self, op: GetRootStats) -> RootStats:
        tally = _Tally()
        async for info in self._state.store.list_all(op.bucket, keys.root_prefix(op.root)):
            tally.add(info)
        return tally.result()


@dataclass(slots=True)
class _Tally:
    """Adds up a listing."""

    counts: dict[str, int] = field(default_factory=lambda: {"group": 0, "dataset": 0, "datatype": 0})
    datasets: dict[str, tuple[int, int]] = field(default_factory=dict)
    metadata_bytes: int = 0
    last_modified: float = 0.0
    etags: list[tuple[str, str]] = field(default_factory=list)

    def add(self, info: ObjectInfo) -> None:
        parsed = keys.parse_key(info.key)
        if parsed is None or not info.size:
            return
        self.last_modified = max(self.last_modified, info.last_modified)
        self.etags.append((info.key, info.etag))
        if parsed.kind == "chunk":
            count, nbytes = self.datasets.get(parsed.id, (0, 0))
            self.datasets[parsed.id] = count + 1, nbytes + info.size
        elif parsed.kind in self.counts:
            self.counts[parsed.kind] += 1
            self.metadata_bytes += info.size

    def result(self) -> RootStats:
        digest = hashlib.md5(usedforsecurity=False)
        for key, etag in sorted(self.etags):
            digest.update(f"{key} {etag}\n".encode())
        return RootStats(
            num_groups=self.counts["group"],
            num_datasets=self.counts["dataset"],
            num_datatypes=self.counts["datatype"],
            num_chunks=sum(count for count, _ in self.datasets.values()),
            allocated_bytes=sum(nbytes for _, nbytes in self.datasets.values()),
            metadata_bytes=self.metadata_bytes,
            last_modified=self.last_modified,
            md5_sum=digest.hexdigest() if self.etags else "",
            datasets=self.datasets,
        )
