"""Initialisers: what chunks hold that nobody wrote, where that is not the fill value."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import Any

import numpy as np

from hsds.errors import InvalidInput, NotSupported
from hsds.hdf5.datatype import Datatype, Float, Integer


@dataclass(frozen=True, slots=True)
class Arange:
    """Element i of a one-dimensional dataset is ``start + i * step``."""

    start: int | float
    step: int | float
    dtype: np.dtype[Any]

    def chunk(self, start: tuple[int, ...], shape: tuple[int, ...]) -> np.ndarray:
        """The elements from index ``start`` on, of ``shape`` (both of length 1). Integers wrap as in C."""
        (first,), (count,) = start, shape
        if isinstance(self.start, int) and isinstance(self.step, int) and self.dtype.kind in "iu":
            index = np.arange(first, first + count, dtype=np.uint64)
            values = index * np.uint64(self.step % 2**64) + np.uint64(self.start % 2**64)
            return values.astype(self.dtype)
        with np.errstate(over="ignore", invalid="ignore"):
            return (self.start + np.arange(first, first + count) * float(self.step)).astype(self.dtype)


@dataclass(frozen=True, slots=True)
class ForeignInitializer:
    """An initialiser that HSDS runs as an external program; known, so that such datasets can be opened."""

    name: str

    def chunk(self, start: tuple[int, ...], shape: tuple[int, ...]) -> np.ndarray:
        raise NotSupported(f"initializer {self.name} is not supported")


Initializer = Arange | ForeignInitializer


def parse_initializer(
    creation_properties: dict[str, Any], datatype: Datatype, rank: int
) -> Initializer | None:
    """The initialiser of a dataset, or None: ``["arange", "--start=10", "--step=2"]``.

    Raises:
        InvalidInput: it is not one, or does not go with the datatype or the rank of the dataset.
    """
    words = creation_properties.get("initializer")
    if words is None:
        return None
    if not isinstance(words, list) or not words or not all(isinstance(word, str) for word in words):
        raise InvalidInput("initializer: expected a list of text, the name first")
    name, *arguments = words
    if name == "chunklocator":
        return ForeignInitializer(name)
    if name != "arange":
        raise InvalidInput(f"initializer: {name[:80]!r} is not known, arange is")
    if rank != 1 or not isinstance(datatype, Integer | Float):
        raise InvalidInput("initializer: arange needs a one-dimensional dataset of integers or floats")
    start: int | float = 0
    step: int | float = 1
    for argument in arguments:
        match argument.split("=", 1):
            case ["--start", text]:
                start = _number(text)
            case ["--step", text]:
                step = _number(text)
            case _:
                raise InvalidInput(f"initializer: arange takes --start= and --step=, not {argument[:80]!r}")
    return Arange(start, step, datatype.dtype)


def _number(text: str) -> int | float:
    try:
        return int(text)
    except ValueError:
        pass
    try:
        value = float(text)
    except ValueError:
        raise InvalidInput(f"initializer: {text[:80]!r} is not a number") from None
    if not isfinite(value):
        raise InvalidInput("initializer: numbers are finite")
    return value
