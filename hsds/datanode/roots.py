"""Everything under one root group: deleting it, and counting what is stored."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice

from hsds.datanode.cache import ByteLRU
from hsds.datanode.change import Outcome
from hsds.datanode.documents import JSON
from hsds.datanode.gate import Hold, Key
from hsds.datanode.rootwatch import Watch
from hsds.datanode.state import State
from hsds.datanode.sweep import Sweeper
from hsds.datanode.tally import Tally
from hsds.errors import HsdsError
from hsds.hdf5 import keys
from hsds.hdf5.dataspace import Dataspace
from hsds.hdf5.jsontext import dumps
from hsds.hdf5.typeparse import parse_datatype
from hsds.store.base import Blob
from hsds.transport.ops import DeleteRoot, Flush, GetDatasetStats, GetRootStats, Rescan
from hsds.transport.rootstats import DatasetStats, RootStats

_REMEMBERED = 8 << 20
"""Bytes of counts that are remembered."""
_COST, _DATASET_COST = 1024, 256
_BATCH = 256
_ATTEMPTS = 5
"""Scans of a root that keeps changing."""


@dataclass(frozen=True, slots=True)
class _Counted:
    """Counts, and what they were counted under: right while the one is clean and the other valid.

    Of what other data nodes change this one hears nothing: counts are remembered while it owns every key.
    """

    stats: RootStats
    watch: Watch
    hold: Hold


class Roots:
    """Operations on whole roots."""

    def __init__(self, state: State, sweeper: Sweeper) -> None:
        self._state = state
        self._sweeper = sweeper
        self._counted: ByteLRU[Key, _Counted] = ByteLRU(_REMEMBERED)

    async def delete(self, op: DeleteRoot) -> None:
        await self._sweeper.announce(op.bucket, op.root)
        await self._state.flush(op.bucket, keys.root_prefix(op.root))
        key = (op.bucket, keys.object_key(op.root))
        await self._state.objects.committer.change(key, JSON, lambda _present: Outcome(None))
        await self._state.flush(*key)
        self._state.deleted.add([(op.bucket, op.root)])
        self._sweeper.sweep(op.bucket, op.root)

    async def flush(self, op: Flush) -> None:
        """Little to do, unless the settings say ``durability: flush``.

        Who had the slots before has stored what it answered for before this node is live there.
        """
        self._state.gate.cover(op.only)
        await self._state.flush(op.bucket, keys.root_prefix(op.root))
        self._state.gate.cover(op.only)

    async def stats(self, op: GetRootStats) -> RootStats:
        await self._state.flush(op.bucket, keys.root_prefix(op.root))
        return (await self._count(op.bucket, op.root, logical=op.logical)).stats

    async def dataset_stats(self, op: GetDatasetStats) -> DatasetStats:
        await self._state.flush(op.bucket, keys.dataset_prefix(op.id))
        known = self._known(op.bucket, op.root)
        if known is not None:
            return known.stats.datasets.get(op.id, DatasetStats())
        return (await self._list(op.bucket, keys.dataset_prefix(op.id))).dataset(op.id)

    async def rescan(self, op: Rescan) -> None:
        whole = self._state.gate.whole()
        if whole is None:
            return  # what others change would not remove it: HSDS shows nothing, which is never wrong
        for _ in range(_ATTEMPTS):
            await self._state.flush(op.bucket, keys.root_prefix(op.root))
            start = self._state.clock()
            counted = await self._count(op.bucket, op.root, logical=True)
            info = counted.stats.to_json(op.bucket, start=start, complete=self._state.clock())
            with self._state.gate.sending(whole):
                if not self._state.gate.valid(whole):
                    return
                if await self._state.scans.publish(op.bucket, op.root, dumps(info), counted.watch):
                    return
        # It keeps changing: without .info.json HSDS shows nothing, which is better than what is not so.

    def _known(self, bucket: str, root: str) -> _Counted | None:
        known = self._counted.get((bucket, root))
        if known is None or not known.watch.clean or not self._state.gate.valid(known.hold):
            return None
        return known

    async def _count(self, bucket: str, root: str, *, logical: bool) -> _Counted:
        known = self._known(bucket, root)
        if known is not None and (known.stats.has_logical or not logical):
            return known
        hold, whole = self._state.gate.hold((bucket, keys.object_key(root))), self._state.gate.whole()
        watch = self._state.scans.watch.watch((bucket, keys.root_prefix(root)))
        tally = await self._list(bucket, keys.root_prefix(root))
        sizes = await self._logical_bytes(bucket, tally) if logical else {}
        self._state.gate.check(hold)
        counted = _Counted(tally.result(sizes), watch, whole or hold)
        if watch.clean and whole is not None and self._state.gate.valid(whole):
            self._counted.put((bucket, root), counted, _COST + _DATASET_COST * len(counted.stats.datasets))
        return counted

    async def _list(self, bucket: str, prefix: str) -> Tally:
        tally = Tally()
        async for info in self._state.store.list_all(bucket, prefix):
            tally.add(info)
        return tally

    async def _logical_bytes(self, bucket: str, tally: Tally) -> dict[str, int | None]:
        """Bytes of all values of each dataset, unfiltered; None where that depends on the values."""
        sizes: dict[str, int | None] = {}
        datasets = (id_ for id_ in tally.objects if id_[0] == "d")
        while batch := list(islice(datasets, _BATCH)):
            blobs = await self._state.store.get_many(bucket, [keys.object_key(id_) for id_ in batch])
            sizes |= {id_: _logical(blob) for id_, blob in zip(batch, blobs, strict=True)}
        return sizes


def _logical(blob: Blob | None) -> int | None:
    if blob is None or not len(blob.data):
        return 0
    try:
        json = JSON.decode(blob.data)
        datatype = parse_datatype(json["type"])
        return None if datatype.variable else Dataspace.from_json(json["shape"]).npoints * datatype.itemsize
    except (HsdsError, KeyError):  # something foreign in the bucket has no part in a sum
        return 0
