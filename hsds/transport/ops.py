"""What a service node can ask of a data node: one small frozen class an operation, and its result.

Operations hold plain values (text, numbers, JSON, numpy arrays, the value classes of ``hdf5``), so that the
same operation can be passed to a function or framed for a socket. Each is safe to repeat.

JSON that comes back is the data node's own cached copy: **read it, never change it**.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, TypeVar

import numpy as np

from hsds.hdf5.dataset import DatasetSpec
from hsds.hdf5.query import Query
from hsds.hdf5.selection import Selection
from hsds.transport.rootstats import DatasetStats, RootStats

R = TypeVar("R")
Json = dict[str, Any]
Array = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True)
class Op(Generic[R]):
    """An operation on one bucket with a result of type ``R``. ``key`` is what ownership is decided by.

    It is not made abstract by ``ABC``: each operation is told from twenty others by ``isinstance``, which
    would take 3 us instead of 0.4.
    """

    bucket: str

    @property
    def key(self) -> str:
        raise NotImplementedError  # each kind of operation has its own


# -- objects: groups, datasets and committed datatypes, by id --------------------------------------


@dataclass(frozen=True, slots=True)
class ObjectState:
    """An object's stored JSON as of ``etag``.

    ``json`` holds ``id, root, created, lastModified`` and what the kind of object has (``type, shape, layout,
    creationProperties``). Without ``links`` / ``attributes`` being asked for, those keys are missing and only
    the counts tell of them.
    """

    json: Json
    etag: str
    link_count: int
    attribute_count: int


@dataclass(frozen=True, slots=True)
class ObjectOp(Op[R]):
    """An operation on one object. Raises ``NotFound`` (``Deleted`` if known to be) when there is none."""

    id: str

    @property
    def key(self) -> str:
        return self.id


@dataclass(frozen=True, slots=True)
class GetObject(ObjectOp[ObjectState]):
    """Read an object; ``links`` and ``attributes`` say which of its maps to include."""

    links: bool = False
    attributes: bool = False


@dataclass(frozen=True, slots=True)
class Created:
    """The stored JSON of an object, and whether this request made it (False: it was there, and equal)."""

    json: Json
    new: bool


@dataclass(frozen=True, slots=True)
class CreateObject(ObjectOp[Created]):
    """Store a new object. An existing one with equal type, shape and creation properties is success (its JSON
    comes back as stored); with others it is a ``Conflict``. A deleted id may be used again.
    """

    json: Json


@dataclass(frozen=True, slots=True)
class DeleteObject(ObjectOp[None]):
    """Delete an object; a dataset's chunks go with it. Links to it stay."""


@dataclass(frozen=True, slots=True)
class LinkPage:
    """Titles with their links, in the asked order."""

    links: Sequence[tuple[str, Json]]


@dataclass(frozen=True, slots=True)
class GetLinks(ObjectOp[LinkPage]):
    """A group's links: those of ``titles`` (each must exist: ``NotFound``), or all, paged.

    ``marker`` is exclusive and must exist; ``pattern`` is a glob over titles, applied before marker and
    limit. ``limit`` 0 means all. Order: title, or creation.
    """

    titles: tuple[str, ...] | None = None
    pattern: str | None = None
    marker: str | None = None
    limit: int = 0
    creation_order: bool = False


@dataclass(frozen=True, slots=True)
class UpdateLinks(ObjectOp[bool]):
    """Put and delete links of one group, all or nothing. True if anything changed.

    ``put`` maps titles to normalised links. An equal link is no change; another one is a ``Conflict`` unless
    ``replace``. Deleting a missing title is no change.
    """

    put: Mapping[str, Json]
    delete: tuple[str, ...] = ()
    replace: bool = False


@dataclass(frozen=True, slots=True)
class AttributePage:
    """Names with their attributes, in the asked order."""

    attributes: Sequence[tuple[str, Json]]


@dataclass(frozen=True, slots=True)
class GetAttributes(ObjectOp[AttributePage]):
    """An object's attributes: those of ``names`` (each must exist), or all, paged as in ``GetLinks``."""

    names: tuple[str, ...] | None = None
    pattern: str | None = None
    marker: str | None = None
    limit: int = 0
    creation_order: bool = False


@dataclass(frozen=True, slots=True)
class UpdateAttributes(ObjectOp[bool]):
    """Put and delete attributes of one object, all or nothing. True if anything changed.

    ``put`` maps names to normalised attributes. An equal attribute (NaN equals NaN) is no change; another is
    a ``Conflict`` unless ``replace``, which keeps the old ``created``. Deleting a missing name is no change.
    """

    put: Mapping[str, Json]
    delete: tuple[str, ...] = ()
    replace: bool = False


@dataclass(frozen=True, slots=True)
class Resized:
    """Extents of a dataset before and after."""

    before: tuple[int, ...]
    after: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Resize(ObjectOp[Resized]):
    """Set a dataset's extents to ``dims``, or make axis ``extend_dim`` longer by ``extend``; atomic.

    Not resizable or of another rank: ``InvalidInput``; beyond maxdims: ``Conflict``. Chunks outside the new
    extents are the caller's to trim first (``TrimChunks``). Making an axis longer is done once for each id in
    ``operation``, as far back as the last 64: a repeat is answered with the first result.
    """

    dims: tuple[int, ...] | None = None
    extend: int = 0
    extend_dim: int = 0
    operation: str = ""


@dataclass(frozen=True, slots=True)
class GetKept(ObjectOp[Json | None]):
    """What ``Keep`` last kept for an operation, if that is among the last 64 of the dataset."""

    operation: str


@dataclass(frozen=True, slots=True)
class Keep(ObjectOp[Json]):
    """Keep something with a dataset for repeats of an operation, if what is kept for it so far is ``seen``.

    Either way the answer is what is kept now.
    """

    operation: str
    value: Json
    seen: Json | None = None


# -- domains and folders, by path ------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class DomainOp(Op[R]):
    """An operation on one domain or folder by its path (``/home/joe/x.h5``, no trailing slash)."""

    path: str

    @property
    def key(self) -> str:
        return self.path


@dataclass(frozen=True, slots=True)
class DomainState:
    """A domain's stored JSON: ``root`` (folders have none), ``owner, acls, created, lastModified``."""

    json: Json
    etag: str


@dataclass(frozen=True, slots=True)
class GetDomain(DomainOp[DomainState]):
    """Read a domain or folder."""


@dataclass(frozen=True, slots=True)
class CreateDomain(DomainOp[DomainState]):
    """Store a new domain or folder. An existing one is a ``Conflict``."""

    json: Json


@dataclass(frozen=True, slots=True)
class DeleteDomain(DomainOp[None]):
    """Delete the domain object only; its root is another operation.

    ``root`` says that the root is to go with it: should nobody come to say so, it is deleted later. Nothing
    is deleted if the domain has another root by now.
    """

    root: str | None = None


@dataclass(frozen=True, slots=True)
class UpdateAcl(DomainOp[None]):
    """Merge ``acl`` (some of the six permissions) into the entry of ``user``; missing ones start false."""

    user: str
    acl: Mapping[str, bool]


@dataclass(frozen=True, slots=True)
class ListDomains(DomainOp[Sequence[str]]):
    """Paths of the immediate children of a folder (``/`` for the top) in key order.

    They begin after ``marker`` (a child's path, which need not exist). ``limit`` 0 means all. A child may
    prove to hold no domain.
    """

    marker: str | None = None
    limit: int = 0


# -- roots: everything under one root group --------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RootOp(Op[R]):
    """An operation on all objects of one root group."""

    root: str

    @property
    def key(self) -> str:
        return self.root


@dataclass(frozen=True, slots=True)
class DeleteRoot(RootOp[None]):
    """Delete a root group and everything of it. At once invisible; its storage is swept afterwards, also by
    the next process if this one dies.
    """


@dataclass(frozen=True, slots=True)
class GetRootStats(RootOp[RootStats]):
    """Count what is stored under a root, from one listing; remembered until something of it changes.

    ``logical`` asks for logical bytes too, which takes reading the JSON of every dataset.
    """

    logical: bool = False


@dataclass(frozen=True, slots=True)
class GetDatasetStats(RootOp[DatasetStats]):
    """As ``GetRootStats`` for one dataset, without its logical bytes."""

    id: str


@dataclass(frozen=True, slots=True)
class Rescan(RootOp[None]):
    """Write HSDS's scan result of a root, ``.info.json``. The next change of the root removes it again."""


@dataclass(frozen=True, slots=True)
class Flush(RootOp[None]):
    """Return when every answered write of the root is in the store, of keys in the slots of ``only``."""

    only: frozenset[int] | None = field(default=None, kw_only=True)


# -- chunks: values of one dataset -----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ChunkOp(Op[R]):
    """An operation on those chunks of a dataset that ``selection`` touches, or on some of them.

    With ``only`` it is confined to chunks in these slots: what others own is asked of them.
    """

    dataset: DatasetSpec
    selection: Selection
    only: frozenset[int] | None = field(default=None, kw_only=True)

    @property
    def key(self) -> str:
        return self.dataset.id


@dataclass(frozen=True, slots=True)
class ReadChunks(ChunkOp[Array]):
    """Read the selected elements: an array of shape ``selection.shape`` and the dataset's dtype.

    With ``out`` (such an array) they are placed there and ``out`` comes back. Without, the answer may be a
    read-only view of a cached chunk. Chunks never written read as the fill value or the initialiser says.
    """

    out: Array | None = None


@dataclass(frozen=True, slots=True)
class WriteChunks(ChunkOp[None]):
    """Write ``data`` (shape ``selection.shape``, or broadcastable to it) to the selected elements.

    With ``fields`` the data has just these members and the others keep their values. Returns when the store
    has it all. Of a failed write any part may have been stored.
    """

    data: Array
    fields: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Hits:
    """Elements that match a query: ``indices`` (n x rank, int64, absolute) ascending in row-major order, and
    ``values`` (n elements of the dataset's dtype).
    """

    indices: Array
    values: Array


@dataclass(frozen=True, slots=True)
class QueryChunks(ChunkOp[Hits]):
    """Find elements of the selection that match; at most ``limit`` (0: all)."""

    query: Query
    limit: int = 0


@dataclass(frozen=True, slots=True)
class UpdateWhere(ChunkOp[Hits]):
    """Set members (or, for a plain type, the element under the name ``_``) of matching elements; the answer
    holds the new values. With ``or_equal`` elements that have the new values already count as matching.
    """

    query: Query
    values: Mapping[str, Any]
    limit: int = 0
    or_equal: bool = False


@dataclass(frozen=True, slots=True)
class TrimChunks(Op[None]):
    """Reset everything outside ``dims`` to fill, for a dataset that shrinks from ``before`` to ``dims``."""

    dataset: DatasetSpec
    before: tuple[int, ...]
    dims: tuple[int, ...]
    only: frozenset[int] | None = field(default=None, kw_only=True)
    """As in ``ChunkOp``."""

    @property
    def key(self) -> str:
        return self.dataset.id


Durability = Literal["stored", "flush"]
