"""Domains and folders: JSON objects by path."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hsds.datanode.change import Basis, Outcome
from hsds.datanode.documents import JSON, Entry
from hsds.datanode.gate import Key
from hsds.datanode.objects import touch
from hsds.datanode.state import State
from hsds.datanode.sweep import Sweeper
from hsds.errors import Conflict, Deleted, NotFound
from hsds.hdf5 import keys
from hsds.transport.ops import (
    CreateDomain,
    DeleteDomain,
    DomainOp,
    DomainState,
    GetDomain,
    ListDomains,
    UpdateAcl,
)

Json = dict[str, Any]
_NOT_FOLDERS = ("db/", ".hsds/")
"""What stands beside the top-level folders in a bucket: objects, and the service's own notes."""
_IDENTITY = ("root", "owner", "created")
"""What two requests to create a domain never have in common: the root's id, or a folder's time stamp."""
_PERMISSIONS = ("create", "read", "update", "delete", "readACL", "updateACL")


class Domains:
    """Reads and changes domains and folders."""

    def __init__(self, state: State, sweeper: Sweeper) -> None:
        self._state = state
        self._sweeper = sweeper

    async def get(self, op: GetDomain) -> DomainState:
        return self._shown(op, await self._state.objects.reader.read(_key(op), JSON))

    def known(self, op: GetDomain) -> DomainState | None:
        """As ``get``, if that is in memory."""
        entry = self._state.objects.reader.known(_key(op))
        return None if entry is None else self._shown(op, entry)

    def _shown(self, op: GetDomain, entry: Entry[Json]) -> DomainState:
        if entry.value is None or entry.etag is None:
            raise self._missing(op)
        return DomainState(entry.value, entry.etag)

    async def create(self, op: CreateDomain) -> DomainState:
        def apply(present: Json | None) -> Outcome[Json]:
            if present is None:
                return Outcome(JSON.copy(op.json))
            if any(present.get(name) != op.json.get(name) for name in _IDENTITY):
                raise Conflict(f"{op.path} exists already")
            return Outcome(present, changed=False)  # made by this request, in an attempt without an answer

        await self._state.objects.committer.change(_key(op), JSON, apply, basis=Basis.ABSENT)
        await self._state.flush(*_key(op))  # listings of folders are the store's
        self._state.deleted.discard([(op.bucket, op.path)])
        return await self.get(GetDomain(op.bucket, op.path))

    async def delete(self, op: DeleteDomain) -> None:
        """Before the domain is gone it is written down what becomes of its root, should this be the end."""
        present = (await self.get(GetDomain(op.bucket, op.path))).json
        if op.root is not None:
            await self._sweeper.announce(op.bucket, op.root, domain=op.path)
        elif "root" in present:
            await self._sweeper.spare(op.bucket, present["root"])

        def apply(present: Json | None) -> Outcome[Json]:
            if present is None or op.root not in (None, present.get("root")):
                raise self._missing(op)
            return Outcome(None)

        await self._state.objects.committer.change(_key(op), JSON, apply)
        await self._state.flush(*_key(op))
        self._state.deleted.add([(op.bucket, op.path)])

    async def update_acl(self, op: UpdateAcl) -> None:
        def apply(json: Json | None) -> Outcome[Json]:
            if json is None:
                raise self._missing(op)
            acls = json.setdefault("acls", {})
            old = acls.get(op.user, {})
            acls[op.user] = {name: bool(op.acl.get(name, old.get(name, False))) for name in _PERMISSIONS}
            touch(json, self._state.clock())
            return Outcome(json)

        await self._state.objects.committer.change(_key(op), JSON, apply)

    async def list(self, op: ListDomains) -> Sequence[str]:
        prefix = keys.folder_prefix(op.path)
        start_after = f"{op.marker.strip('/')}/" if op.marker else ""
        found: list[str] = []
        while True:
            page = await self._state.store.list(
                op.bucket, prefix, delimiter="/", start_after=start_after, limit=min(op.limit or 1000, 1000)
            )
            found += ["/" + name.rstrip("/") for name in page.prefixes if name not in _NOT_FOLDERS]
            if page.next is None or (op.limit and len(found) >= op.limit):
                return found[: op.limit] if op.limit else found
            start_after = page.next

    def _missing(self, op: DomainOp[Any]) -> NotFound:
        if (op.bucket, op.path) in self._state.deleted:
            return Deleted(f"{op.path} has been deleted")
        return NotFound(f"{op.path} not found")


def _key(op: DomainOp[Any]) -> Key:
    return op.bucket, keys.domain_key(op.path)
