"""The two sides of a frame while it is made and while it is read: its buffers, and the specs of datasets.

A spec is sent as its JSON in a buffer of its own, once a frame. Both sides remember what they made of it, so
that a dataset in use is neither written nor parsed anew.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from hsds.hdf5.dataset import DatasetSpec
from hsds.hdf5.datatype import Datatype
from hsds.hdf5.jsontext import dumps, loads
from hsds.transport.frames import BadFrame, Buffer

Array = np.ndarray[Any, Any]
Json = Any
_SPECS = 1024


class SpecShelf:
    """Specs and their text, for one node."""

    def __init__(self, size: int = _SPECS) -> None:
        self._size = size
        self._texts: WeakKeyDictionary[DatasetSpec, bytes] = WeakKeyDictionary()
        self._specs: OrderedDict[bytes, DatasetSpec] = OrderedDict()

    def text(self, spec: DatasetSpec) -> bytes:
        """The JSON text of a spec."""
        text = self._texts.get(spec)
        if text is None:
            text = self._texts[spec] = dumps(spec.to_json())
        return text

    def spec(self, text: bytes) -> DatasetSpec:
        """The spec of a text; the very same one for the same text, as long as it is in use."""
        spec = self._specs.get(text)
        if spec is None:
            spec = self._specs[text] = DatasetSpec.from_json(loads(text))
            self._texts[spec] = text
            if len(self._specs) > self._size:
                self._specs.popitem(last=False)
        else:
            self._specs.move_to_end(text)
        return spec


@dataclass(slots=True)
class Outgoing:
    """A frame that is being made."""

    shelf: SpecShelf
    buffers: list[Buffer] = field(default_factory=list)
    datatype: Datatype | None = None
    """Of the elements of arrays in the operation at hand."""
    specs: dict[DatasetSpec, int] = field(default_factory=dict)

    def add(self, buffer: Buffer) -> int:
        """Send a buffer along; its number."""
        self.buffers.append(buffer)
        return len(self.buffers) - 1

    def add_spec(self, spec: DatasetSpec) -> int:
        number = self.specs.get(spec)
        if number is None:
            number = self.specs[spec] = self.add(self.shelf.text(spec))
        return number


@dataclass(slots=True)
class Incoming:
    """A frame that is being read."""

    shelf: SpecShelf
    buffers: Sequence[memoryview]
    datatype: Datatype | None = None
    specs: dict[int, DatasetSpec] = field(default_factory=dict)

    def buffer(self, number: Json) -> memoryview:
        if type(number) is not int or not 0 <= number < len(self.buffers):
            raise BadFrame("a frame names a buffer that it does not have")
        return self.buffers[number]

    def spec(self, number: Json) -> DatasetSpec:
        spec = self.specs.get(number)
        if spec is None:
            spec = self.specs[number] = self.shelf.spec(bytes(self.buffer(number)))
        return spec


@dataclass(frozen=True, slots=True)
class Codec:
    """The two directions of a value."""

    put: Callable[[Any, Outgoing], Json]
    get: Callable[[Json, Incoming], Any]
    late: bool = False
    """Whether it needs to know the type of elements, which other fields tell."""
    plain: bool = False
    """Whether the value is JSON as it is."""
