"""What lies behind a key: a JSON object or a chunk; how it is parsed, copied and written back."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Final, Generic, Protocol, TypeVar

import numpy as np

from hsds.errors import StoreError
from hsds.hdf5 import jsonvalue
from hsds.hdf5.dataset import DatasetSpec
from hsds.hdf5.filters import MARK_BYTES
from hsds.store.base import Buffer

V = TypeVar("V")
Json = dict[str, Any]
Array = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True)
class Entry(Generic[V]):
    """The last stored state of a key: its value and ETag.

    A key without an object has neither. A tombstone (an object of no bytes) has an ETag and no value. Values
    are shared with readers and are never changed in place.
    """

    value: V | None
    etag: str | None


ABSENT: Entry[Any] = Entry(None, None)
ABSENT_COST: Final = 448
"""Bytes that it takes to know that there is nothing under a key: measured, most of them are the cache's."""
_CHUNK_COST: Final = 704
"""Bytes that a cached chunk takes beside its values, measured."""


class Codec(Protocol[V]):
    """Turns store bytes into values and back."""

    @property
    def weight(self) -> int:
        """Bytes that a change of a value takes while it is under way; 0 for no more than its encoded form."""

    def decode(self, data: Buffer) -> V:
        """Parse store bytes (at least one). Raises ``StoreError`` where they are not what they should be."""

    def encode(self, value: V, before: str | None) -> Buffer:
        """Bytes for the store. ``before`` is the ETag of what they replace.

        The same value after the same state has the same bytes, so that a PUT can be sent again. After
        another state they are others, where the encoding has room for the difference: else a PUT that lands
        late could meet the ETag that it expects although the key has changed, and changed back, since.
        """

    def copy(self, value: V) -> V:
        """A private copy that mutations may change."""

    def cost(self, value: V, stored: int) -> int:
        """Bytes of memory that the value takes, given its size in the store."""

    def heavy(self, nbytes: int) -> bool:
        """Whether coding that many bytes is work for an executor rather than for the event loop."""


class JsonCodec:
    """A group, dataset, datatype or domain: a JSON object."""

    weight = 0

    def decode(self, data: Buffer) -> Json:
        try:
            value = jsonvalue.loads(bytes(data))
        except ValueError as error:
            raise StoreError(f"stored JSON cannot be read: {error}") from error
        if not isinstance(value, dict):
            raise StoreError("stored JSON is not an object")
        return value

    def encode(self, value: Json, before: str | None) -> Buffer:
        """Whoever changes an object moves its ``lastModified`` on (``objects.touch``): mark enough."""
        return jsonvalue.dumps(value)

    def copy(self, value: Json) -> Json:
        """Two levels deep: mutations replace members of the object and of its maps, never anything below."""
        return {k: dict(v) if isinstance(v, dict) else v for k, v in value.items()}

    def cost(self, value: Json, stored: int) -> int:
        return 512 + 8 * stored  # measured: parsed JSON of links and attributes takes 6 to 8 times its text

    def heavy(self, nbytes: int) -> bool:
        return nbytes > 1 << 20


JSON = JsonCodec()


class ChunkCodec:
    """A chunk of one dataset: an array of the chunk's full shape."""

    __slots__ = ("spec",)

    def __init__(self, spec: DatasetSpec) -> None:
        self.spec = spec

    @property
    def weight(self) -> int:
        return self.spec.chunk_nbytes

    def decode(self, data: Buffer) -> Array:
        try:
            return self.spec.decode(data)
        except (ValueError, RuntimeError) as error:
            raise StoreError(f"stored chunk of {self.spec.id} cannot be decoded: {error}") from error

    def encode(self, value: Array, before: str | None) -> Buffer:
        mark = b"" if before is None else blake2b(before.encode(), digest_size=MARK_BYTES).digest()
        return memoryview(self.spec.encode(value, mark)).cast("B")

    def copy(self, value: Array) -> Array:
        return value.copy()

    def cost(self, value: Array, stored: int) -> int:
        if value.dtype.hasobject:
            return int(value.nbytes + 64 * value.size + 2 * stored)  # a header an element, and its bytes
        return _CHUNK_COST + int(value.nbytes)

    def heavy(self, nbytes: int) -> bool:
        if self.spec.pipeline.compressor is None and not self.spec.datatype.variable:
            return False  # the stored bytes are the value's own
        return nbytes > (1 << 16)
