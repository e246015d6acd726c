"""Operations and their results as frames, and back.

    request: {"request": id, "left": seconds, "attempts": [[id, number], ...],
              "ops": [[class name, fields], ...]}
    reply:   {"results": [{"is": result} or {"error": [class name, text, ...]}, ...],
              "view": the newest view known}

A result takes its form from the operation that it answers, so replies are read with the request at hand. An
operation or field of a later version is refused by an older one: its sender asks for what would not be done.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from hsds import errors
from hsds.errors import HsdsError, InvalidInput, NotSupported, Unavailable
from hsds.hdf5.dataset import DatasetSpec
from hsds.hdf5.datatype import Datatype
from hsds.hdf5.jsontext import dumps, loads
from hsds.transport import ops
from hsds.transport.base import Attempt, Trace
from hsds.transport.fieldcodecs import codec, element_type, record
from hsds.transport.frames import BadFrame, Frame
from hsds.transport.packing import pack_read, pack_write, unpack_read, unpack_write
from hsds.transport.sides import Codec, Incoming, Json, Outgoing, SpecShelf
from hsds.transport.valuecodecs import CONSTANTS, buffer_of

_ERRORS: Mapping[str, type[HsdsError]] = {
    name: one for name, one in vars(errors).items() if isinstance(one, type) and issubclass(one, HsdsError)
}


@dataclass(frozen=True, slots=True)
class _Form:
    op: Codec
    result: Codec


@dataclass(frozen=True, slots=True)
class Reply:
    """Results in the order of the operations, and the sender's newest view, as JSON, where it was sent."""

    results: Sequence[Any | HsdsError]
    view: Json | None = None


class Wire:
    """Makes and reads frames of operations, for one node."""

    def __init__(self) -> None:
        self._shelf = SpecShelf()

    def put_request(self, batch: Sequence[ops.Op[Any]], trace: Trace) -> Frame:
        """The frame that asks for these operations."""
        to = Outgoing(self._shelf)
        head: dict[str, Json] = {"request": trace.request_id}
        if trace.deadline is not None:
            head["left"] = trace.deadline - time.monotonic()
        if trace.attempts:
            head["attempts"] = [[attempt.id, attempt.number] for attempt in trace.attempts]
        asked = head["ops"] = []
        for op in batch:
            asked.append(_put_op(op, to))
        return Frame(dumps(head), to.buffers)

    def get_request(
        self, head: memoryview, buffers: Sequence[memoryview], *, epoch: int | None = None
    ) -> tuple[list[ops.Op[Any]], Trace]:
        """The operations, and the trace they came with. Raises ``BadFrame`` or ``NotSupported``.

        ``epoch`` is not in the frame, because it is signed.
        """
        json = _object(head)
        source = Incoming(self._shelf, buffers)
        try:
            left = json.get("left")
            trace = Trace(
                str(json["request"]),
                None if left is None else time.monotonic() + float(left),
                epoch,
                tuple([Attempt(id_, number) for id_, number in json.get("attempts", ())]),
            )
            asked = [_get_op(name, fields, source) for name, fields in json["ops"]]
        except InvalidInput:
            raise
        except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
            raise BadFrame(f"the head of the frame cannot be read: {error!r}") from error
        if trace.attempts and len(trace.attempts) != len(asked):
            raise BadFrame("as many attempts are needed as operations")
        return asked, trace

    def put_reply(self, batch: Sequence[ops.Op[Any]], reply: Reply) -> Frame:
        """The frame that answers a request for these operations."""
        to = Outgoing(self._shelf)
        results: list[Json] = []
        for op, result in zip(batch, reply.results, strict=True):
            if isinstance(result, HsdsError):
                results.append({"error": put_error(result)})
            else:
                to.datatype = _elements(op)
                results.append({"is": _FORMS[type(op)].result.put(_packed(op, result), to)})
        head = {"results": results}
        return Frame(dumps(head if reply.view is None else head | {"view": reply.view}), to.buffers)

    def reply_head(self, batch: Sequence[ops.Op[Any]], head: memoryview) -> dict[str, Json]:
        """The head of a reply, read, for ``places`` and ``get_reply``. Raises ``BadFrame``."""
        return _results(head, batch)

    def places(self, batch: Sequence[ops.Op[Any]], head: Mapping[str, Json]) -> dict[int, memoryview]:
        """Where buffers of a reply should go: those that fit the ``out`` of reads. Raises ``BadFrame``."""
        reads = [isinstance(op, ops.ReadChunks) and op.out is not None and op.only is None for op in batch]
        if not any(reads):
            return {}
        try:
            found = [
                buffer_of(result["is"], op.out, op.dataset.datatype)
                for op, read, result in zip(batch, reads, head["results"], strict=True)
                if read and isinstance(op, ops.ReadChunks) and op.out is not None and "is" in result
            ]
        except (TypeError, ValueError) as error:
            raise BadFrame(f"the reply cannot be read: {error!r}") from error
        return dict(place for place in found if place is not None)

    def get_reply(
        self, batch: Sequence[ops.Op[Any]], head: Mapping[str, Json], buffers: Sequence[memoryview]
    ) -> Reply:
        """The reply to a request for these operations. Raises ``BadFrame``."""
        source = Incoming(self._shelf, buffers)
        try:
            results = [_get_result(op, item, source) for op, item in zip(batch, head["results"], strict=True)]
        except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
            raise BadFrame(f"the reply cannot be read: {error!r}") from error
        return Reply(results, head.get("view"))


def put_error(error: HsdsError) -> Json:
    """An error by the name of its class, or of the nearest that every node knows."""
    name = next(one.__name__ for one in type(error).__mro__ if one.__name__ in _ERRORS)
    if isinstance(error, Unavailable):
        return [name, str(error), error.retry_after]
    return [name, str(error)]


def get_error(json: Json) -> HsdsError:
    """The error that was sent. One of a class that only a later version has is a plain ``HsdsError``."""
    name, text, *more = json
    known = _ERRORS.get(name, HsdsError)
    if issubclass(known, Unavailable):
        return known(text, retry_after=float(more[0]) if more else 1.0)
    return known(text)


def _object(head: memoryview) -> dict[str, Json]:
    json = loads(head)
    if not isinstance(json, dict):
        raise BadFrame("the head of the frame is no JSON object")
    return json


def _results(head: memoryview, batch: Sequence[ops.Op[Any]]) -> dict[str, Json]:
    json = _object(head)
    results = json.get("results")
    if not isinstance(results, list) or len(results) != len(batch):
        raise BadFrame("the reply does not answer the request")
    return json


def _put_op(op: ops.Op[Any], to: Outgoing) -> Json:
    to.datatype = _elements(op)
    name, put = type(op).__name__, _FORMS[type(op)].op.put
    if isinstance(op, ops.WriteChunks) and op.only is not None:
        packed = pack_write(op)
        if packed is not None:
            return [name, {**put(packed, to), "packed": True}]
    return [name, put(op, to)]


def _get_op(name: str, fields: Json, source: Incoming) -> ops.Op[Any]:
    form = _BY_NAME.get(name)
    if form is None:
        raise NotSupported(f"this data node has no operation {str(name)[:80]!r}")
    source.datatype = None
    packed = fields.pop("packed", False)
    op: ops.Op[Any] = form.op.get(fields, source)
    return unpack_write(op) if packed and isinstance(op, ops.WriteChunks) else op


def _packed(op: ops.Op[Any], result: Any) -> Any:
    return pack_read(op, result) if isinstance(op, ops.ReadChunks) and op.only is not None else result


def _get_result(op: ops.Op[Any], json: Json, source: Incoming) -> Any:
    if "error" in json:
        return get_error(json["error"])
    source.datatype = _elements(op)
    result = _FORMS[type(op)].result.get(json["is"], source)
    if isinstance(op, ops.ReadChunks) and op.only is not None:
        return unpack_read(op, result)
    if isinstance(op, ops.ReadChunks) and op.out is not None:
        if not _is_memory_of(result, op.out):
            op.out[...] = result
        return op.out
    return result


def _is_memory_of(result: Any, out: Any) -> bool:
    return bool(result.size and result.__array_interface__["data"] == out.__array_interface__["data"])


def _elements(op: ops.Op[Any]) -> Datatype | None:
    dataset = getattr(op, "dataset", None)
    if not isinstance(dataset, DatasetSpec):
        return None
    datatype: Datatype = element_type(dataset, getattr(op, "fields", None))
    return datatype


def _operations() -> list[type[ops.Op[Any]]]:
    """The classes of operations from which no others are derived."""
    found = [one for one in vars(ops).values() if isinstance(one, type) and issubclass(one, ops.Op)]
    return [one for one in found if not any(one in other.__bases__ for other in found)]


def _result_of(op: type) -> Any:
    """``X`` of a class derived from ``Op[X]`` or a subclass of it."""
    (base,) = op.__orig_bases__  # type: ignore[attr-defined]  # as every generic class has
    (result,) = get_args(base)
    return result


_SPECIAL: Mapping[str, Mapping[str, Codec | None]] = {
    "ReadChunks": {"out": None},
    "UpdateWhere": {"values": CONSTANTS},
}
_FORMS = {
    op: _Form(record(op, special=_SPECIAL.get(op.__name__), strict=True), codec(_result_of(op)))
    for op in _operations()
}
_BY_NAME = {op.__name__: form for op, form in _FORMS.items()}
