"""JSON text that may hold NaN and the infinities, which orjson alone neither writes nor reads."""

from __future__ import annotations

import gc
import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from math import isfinite, isnan
from typing import Any, Final

import numpy as np
import orjson

from hsds.errors import InvalidInput

_NUMPY: Final = orjson.OPT_SERIALIZE_NUMPY
_LARGE: Final = 1 << 18
"""Characters of JSON from which on Python's garbage collector would run while they are parsed."""
MAX_NESTING: Final = 200
"""Lists and objects in one another in a request. Answers add a few, and Python's stack ends near 1000."""


def dumps(value: Any, *, ignore_nan: bool = False) -> bytes:
    """JSON text, in which NaN and the infinities are bare tokens as Python writes them, or null."""
    try:
        text = orjson.dumps(value, option=_NUMPY)
        if ignore_nan or b"null" not in text:
            return text
        marked, found = _mark_nonfinite(value)
        return orjson.dumps(marked, option=_NUMPY) if found else text
    except TypeError:  # integers beyond 64 bits, lone surrogates: the slow encoder knows them
        return _slow_dumps(value, ignore_nan=ignore_nan)


def loads(text: bytes | bytearray | memoryview | str) -> Any:
    """The value of JSON text, which may hold NaN, Infinity and -Infinity.

    Neither parser lets other threads run meanwhile: beside the event loop it would hold that up as long.

    Raises:
        InvalidInput: not JSON.
    """
    if len(text) < _LARGE:
        return _loads(text)
    with _uncollected():
        return _loads(text)


def check_nesting(request: Any) -> None:
    """Whether all that a request, or each of a list of them, says can be stored and shown.

    Its ``value`` is not looked into, which may be 100 MB: it becomes an array and is not written as it came.

    Raises:
        InvalidInput: lists and objects are nested deeper than `MAX_NESTING`.
    """
    level = list(map(_without_value, request if isinstance(request, list) else [request]))
    for _ in range(MAX_NESTING + 1):
        if not level:
            return
        level = [item for held in level for item in _items(held) if isinstance(item, list | dict)]
    raise InvalidInput(f"JSON is nested deeper than {MAX_NESTING} lists and objects")


def _without_value(request: Any) -> Any:
    if not isinstance(request, dict):
        return request
    return {key: item for key, item in request.items() if key != "value"}


def _items(held: Any) -> Iterable[Any]:
    match held:
        case dict():
            return held.values()
        case list():
            return held
    return ()


@contextmanager
def _uncollected() -> Iterator[None]:
    """Without garbage collection: what is parsed is no garbage, and is looked through again and again.

    3 MB of lists of three numbers took 160 ms to parse, and take 18, and 23 for the one look thereafter.
    """
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()


def _loads(text: bytes | bytearray | memoryview | str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        try:  # NaN, Infinity and lone surrogates are Python's JSON, not orjson's
            return json.loads(text if isinstance(text, str) else bytes(text))
        except (ValueError, RecursionError):
            raise InvalidInput(f"not JSON: {error}") from None


def _mark_nonfinite(value: Any) -> tuple[Any, bool]:
    """The value with NaN and infinities replaced by their tokens, and whether there were any."""
    match value:
        case float():
            return (value, False) if isfinite(value) else (orjson.Fragment(_token(value)), True)
        case dict():
            marked = {key: _mark_nonfinite(item) for key, item in value.items()}
            if any(found for _, found in marked.values()):
                return {key: item for key, (item, _) in marked.items()}, True
        case list() | tuple():
            return _mark_list(value)
        case np.ndarray() | np.floating():
            return _mark_nonfinite(value.tolist())
    return value, False


def _mark_list(items: Sequence[Any]) -> tuple[Any, bool]:
    kinds = set(map(type, items))
    if kinds <= {int, str, bool}:
        return items, False
    if kinds <= {float, int} and all(map(isfinite, items)):
        return items, False
    pairs = [_mark_nonfinite(item) for item in items]
    if any(found for _, found in pairs):
        return [item for item, _ in pairs], True
    return items, False


def _token(value: float) -> bytes:
    return b"NaN" if isnan(value) else b"Infinity" if value > 0 else b"-Infinity"


def _slow_dumps(value: Any, *, ignore_nan: bool) -> bytes:
    if ignore_nan:
        value = _without_nonfinite(value)
    return json.dumps(value, separators=(",", ":"), default=_plain).encode("ascii")


def _without_nonfinite(value: Any) -> Any:
    match value:
        case float():
            return value if isfinite(value) else None
        case dict():
            return {key: _without_nonfinite(item) for key, item in value.items()}
        case list() | tuple():
            return [_without_nonfinite(item) for item in value]
    return value


def _plain(value: Any) -> Any:
    """What the slow encoder does not know itself."""
    match value:
        case np.ndarray() | np.generic():
            return value.tolist()
        case orjson.Fragment():
            return json.loads(orjson.dumps(value))
    raise TypeError(f"{type(value).__name__} has no JSON form")
