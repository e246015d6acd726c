"""Groups, datasets and committed datatypes: JSON objects by id."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any
from weakref import WeakValueDictionary

from hsds.datanode import operations
from hsds.datanode.change import Basis, Outcome
from hsds.datanode.documents import JSON, Entry
from hsds.datanode.entries import merge, page, pick
from hsds.datanode.gate import Key
from hsds.datanode.state import State
from hsds.datanode.sweep import Sweeper
from hsds.errors import Conflict, Deleted, InvalidInput, NotFound
from hsds.hdf5 import keys
from hsds.hdf5.attribute import equal_attributes
from hsds.hdf5.ids import collection_of, is_root
from hsds.hdf5.link import equal_links
from hsds.transport.ops import (
    AttributePage,
    Created,
    CreateObject,
    DeleteObject,
    GetAttributes,
    GetKept,
    GetLinks,
    GetObject,
    Keep,
    LinkPage,
    ObjectOp,
    ObjectState,
    Resize,
    Resized,
    UpdateAttributes,
    UpdateLinks,
)

Json = dict[str, Any]
_MAPS = ("links", "attributes")
_IDENTITY = ("type", "shape", "creationProperties", "filters")
"""What makes a repeated create the same create."""


class Objects:
    """Reads and changes JSON objects."""

    def __init__(self, state: State, sweeper: Sweeper) -> None:
        self._state = state
        self._sweeper = sweeper
        self._turns: WeakValueDictionary[Key, asyncio.Lock] = WeakValueDictionary()
        self._deleting: set[asyncio.Task[None]] = set()

    async def close(self) -> None:
        """Leave what is being deleted to the next process."""
        tasks = tuple(self._deleting)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _turn(self, op: ObjectOp[Any]) -> asyncio.Lock:
        """Of those who make or delete the object: between its end and the sweep nobody makes it again."""
        turn = self._turns.get(_key(op))
        if turn is None:
            turn = self._turns[_key(op)] = asyncio.Lock()
        return turn

    async def get(self, op: GetObject) -> ObjectState:
        return self._shown(op, await self._state.objects.reader.read(_key(op), JSON))

    def known(self, op: GetObject) -> ObjectState | None:
        """As ``get``, if that is in memory."""
        entry = self._state.objects.reader.known(_key(op))
        return None if entry is None else self._shown(op, entry)

    def _shown(self, op: GetObject, entry: Entry[Json]) -> ObjectState:
        json, etag = self._present(op, entry)
        links, attributes = json.get("links", {}), json.get("attributes", {})
        leave_out = {
            name for name, wanted in zip(_MAPS, (op.links, op.attributes), strict=True) if not wanted
        }
        leave_out.add(operations.MEMBER)
        shown = {name: member for name, member in json.items() if name not in leave_out}
        return ObjectState(shown, etag, len(links), len(attributes))

    async def create(self, op: CreateObject) -> Created:
        async with self._turn(op):
            return await self._create(op)

    async def _create(self, op: CreateObject) -> Created:
        await self._sweeper.free(op.bucket, op.id)
        if is_root(op.id):
            self._state.scans.none_yet(op.bucket, op.id)

        def apply(present: Json | None) -> Outcome[Json]:
            if present is None:
                return Outcome(JSON.copy(op.json), Created(op.json, new=True))
            if any(present.get(name) != op.json.get(name) for name in _IDENTITY):
                raise Conflict(f"{op.id} exists already and is different")
            return Outcome(present, Created(present, new=False), changed=False)

        new = False
        try:
            created: Created = await self._state.objects.committer.change(
                _key(op), JSON, apply, basis=Basis.ABSENT
            )
            new = created.new
        finally:
            if is_root(op.id) and not new:
                self._state.scans.perhaps(op.bucket, op.id)
        if is_root(op.id):
            await self._state.flush(*_key(op))  # before the domain that names it
        self._state.deleted.discard([(op.bucket, op.id)])
        if created.new and collection_of(op.id) == "datasets":
            self._state.sparse.add([(op.bucket, op.id)])
        return created

    async def delete(self, op: DeleteObject) -> None:
        """Goes on when nobody waits any more: with what is deleted its chunks must go, or the next object of
        that id would show them.
        """
        task = asyncio.create_task(self._delete(op))
        self._deleting.add(task)
        task.add_done_callback(self._deleting.discard)
        task.add_done_callback(lambda task: task.cancelled() or task.exception())
        await asyncio.shield(task)

    async def _delete(self, op: DeleteObject) -> None:
        async with self._turn(op):
            is_dataset = collection_of(op.id) == "datasets"
            if is_dataset:
                await self._sweeper.announce(op.bucket, op.id)
                await self._state.flush(op.bucket, keys.dataset_prefix(op.id))
            try:
                await self._change(op, lambda _present: Outcome(None))
            except NotFound:
                if is_dataset:
                    await self._sweeper.recall(op.bucket, op.id)
                raise
            await self._state.flush(*_key(op))
            self._state.deleted.add([(op.bucket, op.id)])
            if is_dataset:
                self._sweeper.sweep(op.bucket, op.id)

    async def links(self, op: GetLinks) -> LinkPage:
        return LinkPage(await self._entries(op, "links", op.titles, "link"))

    async def attributes(self, op: GetAttributes) -> AttributePage:
        return AttributePage(await self._entries(op, "attributes", op.names, "attribute"))

    async def update_links(self, op: UpdateLinks) -> bool:
        return await self._update(op, "links", "link", equal_links)

    async def update_attributes(self, op: UpdateAttributes) -> bool:
        return await self._update(op, "attributes", "attribute", equal_attributes)

    async def resize(self, op: Resize) -> Resized:
        def apply(json: Json) -> Outcome[Json]:
            first = operations.kept(json, op.operation)
            if first is not None:
                return Outcome(json, _first_result(op, first), changed=False)
            before, after = _new_extents(op, json)
            if after == before:
                return Outcome(json, Resized(before, after), changed=False)
            json["shape"] = json["shape"] | {"dims": list(after)}
            if op.operation:
                operations.keep(json, op.operation, {"before": before, "after": after})
            return Outcome(json, Resized(before, after))

        resized: Resized = await self._change(op, apply)
        return resized

    async def get_kept(self, op: GetKept) -> Json | None:
        json, _ = await self._read(op)
        return operations.kept(json, op.operation)

    async def keep(self, op: Keep) -> Json:
        def apply(json: Json) -> Outcome[Json]:
            present = operations.kept(json, op.operation)
            if present != op.seen:
                return Outcome(json, present, changed=False)
            operations.keep(json, op.operation, op.value)
            return Outcome(json, op.value)

        kept: Json = await self._change(op, apply)
        return kept

    async def _read(self, op: ObjectOp[Any]) -> tuple[Json, str]:
        return self._present(op, await self._state.objects.reader.read(_key(op), JSON))

    def _present(self, op: ObjectOp[Any], entry: Entry[Json]) -> tuple[Json, str]:
        if entry.value is None or entry.etag is None:
            raise self._missing(op)
        return entry.value, entry.etag

    def _missing(self, op: ObjectOp[Any]) -> NotFound:
        if (op.bucket, op.id) in self._state.deleted:
            return Deleted(f"{op.id} has been deleted")
        return NotFound(f"{op.id} not found")

    async def _change(self, op: ObjectOp[Any], apply: Callable[[Json], Outcome[Json]]) -> Any:
        """Change an object that must exist; its ``lastModified`` moves on with every change."""

        def touched(json: Json | None) -> Outcome[Json]:
            if json is None:
                raise self._missing(op)
            outcome = apply(json)
            if outcome.changed and outcome.value is not None:
                touch(outcome.value, self._state.clock())
            return outcome

        return await self._state.objects.committer.change(_key(op), JSON, touched)

    async def _entries(
        self, op: GetLinks | GetAttributes, member: str, names: tuple[str, ...] | None, kind: str
    ) -> list[tuple[str, Json]]:
        json, _ = await self._read(op)
        entries = json.get(member, {})
        if names is not None:
            gone = self._state.deleted
            return pick(
                entries, names, kind=kind, deleted=lambda name: (op.bucket, op.id, kind, name) in gone
            )
        return page(
            entries,
            pattern=op.pattern,
            marker=op.marker,
            limit=op.limit,
            creation_order=op.creation_order,
            kind=kind,
        )

    async def _update(
        self, op: UpdateLinks | UpdateAttributes, member: str, kind: str, equal: Callable[[Json, Json], bool]
    ) -> bool:
        def apply(json: Json) -> Outcome[Json]:
            entries = json.setdefault(member, {})
            gone = [name for name in op.delete if name in entries]
            changed = merge(entries, op.put, gone, replace=op.replace, equal=equal, kind=kind)
            return Outcome(json, (changed, gone), changed=changed)

        changed: bool
        changed, gone = await self._change(op, apply)
        self._state.deleted.add((op.bucket, op.id, kind, name) for name in gone)
        self._state.deleted.discard((op.bucket, op.id, kind, name) for name in op.put)
        return changed


def touch(json: Json, now: float) -> None:
    """Move ``lastModified`` on, always by something: an object's bytes never come back to earlier ones.

    A PUT that lands long after its time-out therefore cannot meet the ETag that it expects.
    """
    json["lastModified"] = max(now, json.get("lastModified", 0.0) + 1e-6)


def _key(op: ObjectOp[Any]) -> Key:
    return op.bucket, keys.object_key(op.id)


def _first_result(op: Resize, first: Json) -> Resized:
    before, after = tuple(first.get("before", ())), tuple(first.get("after", ()))
    grown = [b - a for a, b in zip(before, after, strict=True)]
    if not 0 <= op.extend_dim < len(grown) or grown[op.extend_dim] != op.extend or op.dims is not None:
        raise Conflict("this Idempotency-Key was given with another request")
    return Resized(before, after)


def _new_extents(op: Resize, json: Json) -> tuple[tuple[int, ...], tuple[int, ...]]:
    shape = json.get("shape", {})
    if shape.get("class") != "H5S_SIMPLE" or "maxdims" not in shape:
        raise InvalidInput("the dataset is not resizable: it has no maxdims")
    before = tuple(shape["dims"])
    after = op.dims
    if after is None:
        if not 0 <= op.extend_dim < len(before):
            raise InvalidInput(
                f"extend_dim {op.extend_dim} is not an axis of a dataset of rank {len(before)}"
            )
        grown = list(before)
        grown[op.extend_dim] += op.extend
        after = tuple(grown)
    if len(after) != len(before):
        raise InvalidInput(f"shape of rank {len(after)} for a dataset of rank {len(before)}")
    if any(extent < 0 for extent in after):
        raise InvalidInput("extents must not be negative")
    for extent, limit in zip(after, shape["maxdims"], strict=True):
        if isinstance(limit, int) and limit > 0 and extent > limit:
            raise Conflict(f"extent {extent} is beyond the maximum extent {limit}")
    return before, after
