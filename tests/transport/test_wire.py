"""Every operation and result reads on the other side as it was written."""

import asyncio
import inspect
import time
from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given, settings

from hsds import errors
from hsds.cluster.slots import chunk_slots, object_slot
from hsds.errors import HsdsError, NotSupported, Unavailable
from hsds.hdf5.dataset import DatasetSpec
from hsds.hdf5.ids import new_object_id, new_root_id
from hsds.hdf5.jsonvalue import from_json, to_json
from hsds.hdf5.keys import object_key
from hsds.hdf5.query import parse_query
from hsds.hdf5.selection import Points, whole
from hsds.hdf5.selecttext import parse_select
from hsds.transport import ops
from hsds.transport.base import Attempt, Trace
from hsds.transport.frames import FrameReader
from hsds.transport.rootstats import DatasetStats, RootStats
from hsds.transport.splitting import parts_of
from hsds.transport.wire import Reply, Wire
from tests.hdf5.typed import VARIABLE_TEXT, all_types, array_of, compound_of, same, typed_values, vlen_of
from tests.transport.test_frames import feed, joined

INT = "H5T_STD_I32LE"
NAN = float("nan")
ID, ROOT = new_object_id(new_root_id(), "groups"), new_root_id()


def spec(type_=INT, dims=(20, 30), chunk=(7, 8)):
    shape = {"class": "H5S_SIMPLE", "dims": list(dims)} if dims else {"class": "H5S_SCALAR"}
    json = {"id": new_object_id(ROOT, "datasets"), "type": type_, "shape": shape}
    if dims:
        json["creationProperties"] = {"layout": {"class": "H5D_CHUNKED", "dims": list(chunk)}}
    return DatasetSpec.from_json(json)


async def receive(frame, places=lambda head: None):
    reader = FrameReader(feed(joined(frame)), limit=1 << 40)
    head = await reader.head()
    return head, await reader.buffers(places(head))


def sent(op):
    """The operation as the other side has it."""
    frame = Wire().put_request((op,), Trace("r"))
    (back,), _ = Wire().get_request(*asyncio.run(receive(frame)))
    return back


def answered(op, result):
    """The result as the one who asked for ``op`` has it."""
    other, wire = sent(op), Wire()
    frame = Wire().put_reply((other,), Reply((result,)))
    head, buffers = asyncio.run(receive(frame, lambda head: wire.places((op,), wire.reply_head((op,), head))))
    (back,) = wire.get_reply((op,), wire.reply_head((op,), head), buffers).results
    return back


def equal(a, b):
    """Equality that looks into arrays, specs and sequences of either kind."""
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        a, b = np.asarray(a), np.asarray(b)
        return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    if isinstance(a, DatasetSpec):
        return a.to_json() == b.to_json()
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(equal, a, b))
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(equal(a[key], b[key]) for key in a)
    if hasattr(a, "__dataclass_fields__") and not isinstance(a, Points):
        return type(a) is type(b) and all(
            equal(getattr(a, f.name), getattr(b, f.name)) for f in fields(a) if f.name != "out"
        )
    return a == b or (a != a and b != b)


TABLE = spec(compound_of(a=INT, b="H5T_IEEE_F64LE"), (10,), (4,))
ROWS = np.array([(1, 2.5), (3, NAN)], TABLE.datatype.dtype)
HITS = ops.Hits(np.array([[1], [7]]), ROWS)
QUERY = parse_query("a > 2 AND b < 1.5", TABLE.datatype)
ATTRIBUTE = {"type": {"class": "H5T_FLOAT", "base": "H5T_IEEE_F64LE"}, "value": [NAN, None, 2**70, "\udcff"]}
STATS = RootStats(1, 2, 3, 4.5, "md5", {"d-1": DatasetStats(1, 2, 3.0), "d-2": DatasetStats(1, 2, 3.0, 9)})
CASES = [
    (ops.GetObject("b", ID, links=True), ops.ObjectState({"id": ID, "a": ATTRIBUTE}, "etag", 3, 4)),
    (ops.CreateObject("b", ID, {"id": ID, "attributes": {"é": ATTRIBUTE}}), ops.Created({"id": ID}, True)),
    (ops.DeleteObject("b", ID), None),
    (ops.GetLinks("b", ID, ("x", "y/z")), ops.LinkPage([("x", {"id": "g-1"}), ("y/z", {})])),
    (ops.GetLinks("b", ID, pattern="a*", marker="", limit=5, creation_order=True), ops.LinkPage(())),
    (ops.UpdateLinks("b", ID, {"x": {"class": "H5L_TYPE_HARD"}}, ("y",), True), True),
    (ops.GetAttributes("b", ID, ()), ops.AttributePage([("x", ATTRIBUTE)])),
    (ops.UpdateAttributes("b", ID, {"x": ATTRIBUTE}), False),
    (ops.Resize("b", ID, (3, 4)), ops.Resized((1, 2), (3, 4))),
    (ops.Resize("b", ID, extend=1, operation="key"), ops.Resized((), ())),
    (ops.GetKept("b", ID, "key"), None),
    (ops.GetKept("b", ID, "key"), {"x": 1}),
    (ops.Keep("b", ID, "key", {"x": None}, seen={}), {"x": None}),
    (ops.GetDomain("b", "/home/é"), ops.DomainState({"owner": "joe"}, "etag")),
    (ops.CreateDomain("b", "/x", {"owner": "joe"}), ops.DomainState({}, "")),
    (ops.DeleteDomain("b", "/x"), None),
    (ops.UpdateAcl("b", "/x", "ann", {"read": True, "update": False}), None),
    (ops.ListDomains("b", "/", marker="/a", limit=3), ["/b", "/c"]),
    (ops.DeleteRoot("b", ROOT), None),
    (ops.GetRootStats("b", ROOT, logical=True), STATS),
    (ops.GetDatasetStats("b", ROOT, "d-1"), DatasetStats(7, 8)),
    (ops.Rescan("b", ROOT), None),
    (ops.Flush("b", ROOT), None),
    (ops.ReadChunks("b", TABLE, parse_select("[2:4]", (10,))), ROWS),
    (ops.ReadChunks("b", TABLE, Points(np.array([[3], [1]]))), ROWS),
    (ops.WriteChunks("b", TABLE, parse_select("[[1,4]]", (10,)), ROWS), None),
    (ops.WriteChunks("b", TABLE, whole((10,)), np.array([(1.5,)], [("b", "<f8")]), fields=("b",)), None),
    (ops.QueryChunks("b", TABLE, whole((10,)), QUERY, limit=3), HITS),
    (ops.UpdateWhere("b", TABLE, whole((10,)), QUERY, {"a": np.array(5, "<i4"), "b": 2.5}, 7, True), HITS),
    (ops.TrimChunks("b", TABLE, (10,), (3,), only=frozenset({1, 4095})), None),
    (ops.TrimChunks("b", TABLE, (10,), (3,), only=frozenset(range(0, 4096, 2))), None),
]  # fmt: skip


@pytest.mark.parametrize(("op", "result"), CASES, ids=lambda value: type(value).__name__)
def test_operations_and_results(op, result):
    assert equal(sent(op), op)
    assert equal(answered(op, result), result)


def test_all_operations_are_among_the_cases():
    known = {one for one in vars(ops).values() if inspect.isclass(one) and issubclass(one, ops.Op)}
    leaves = {one for one in known if not any(one in other.__bases__ for other in known)}
    assert leaves == {type(op) for op, _ in CASES}


@settings(max_examples=150, deadline=None)
@given(typed_values())
def test_values_of_all_types(typed):
    datatype, dims, json = typed
    dataset = spec(datatype.json, dims, [2] * len(dims))
    array = from_json(json, datatype, dims)
    selection = whole(dims or (1,))
    if not dims:
        array = array.reshape(1, *array.shape)
    op = sent(ops.WriteChunks("b", dataset, selection, array))
    assert same(to_json(op.data, datatype), to_json(array, datatype))
    for out in (None, np.empty((*selection.shape,), datatype.dtype)):
        back = answered(ops.ReadChunks("b", dataset, selection, out), array)
        assert same(to_json(back, datatype), to_json(array, datatype))
        assert out is None or back is out


@settings(max_examples=60, deadline=None)
@given(all_types)
def test_specs_of_all_types(json):
    dataset = spec(json)
    assert sent(ops.ReadChunks("b", dataset, whole((20, 30)))).dataset.to_json() == dataset.to_json()


def test_a_spec_is_sent_once_and_parsed_once():
    sender, receiver, dataset = Wire(), Wire(), spec()
    batch = [ops.ReadChunks("b", dataset, whole((20, 30)))] * 3
    found = []
    for _ in range(2):
        frame = sender.put_request(batch, Trace("r"))
        assert len(frame.buffers) == 1
        found += receiver.get_request(*asyncio.run(receive(frame)))[0]
    assert len({id(op.dataset) for op in found}) == 1


SELECTIONS = ["[3:9,4:25]", "[0:20:3,1:30:4]", "[[1,5,19],2:30]", "[[1,5],[29,0]]", "[5,:]", "[0:7,0:8]"]


@pytest.mark.parametrize("text", SELECTIONS)
@pytest.mark.parametrize(
    ("type_", "value"),
    [
        (INT, 1),
        (array_of(INT, 2), [1, 2]),
        (VARIABLE_TEXT, "x"),
        (compound_of(a=INT, b=vlen_of(INT)), [5, [1, 2]]),
    ],
)
def test_what_is_confined_to_slots_carries_just_that(text, type_, value):
    dataset = spec(type_)
    selection = parse_select(text, (20, 30))
    dtype = dataset.datatype.dtype
    values = np.empty(selection.shape, dtype)
    values[...] = from_json([value], dataset.datatype, (1,))[0]
    parts = parts_of(ops.ReadChunks("b", dataset, selection))
    slots = _slots(ops.ReadChunks("b", dataset, selection))
    only = frozenset(slots[::2])
    picked = [p for p, slot in zip(parts, slots, strict=True) if slot in only]
    write = sent(ops.WriteChunks("b", dataset, selection, values, only=only))
    out = np.zeros(selection.shape, dtype)
    read = answered(ops.ReadChunks("b", dataset, selection, out, only=only), values)
    assert read is out
    for piece in picked:
        for got in (write.data, read):
            assert same(
                to_json(got[piece.outer], dataset.datatype), to_json(values[piece.outer], dataset.datatype)
            )
    if isinstance(type_, str):
        others = [p for p in parts if p not in picked]
        assert all((out[p.outer] == 0).all() for p in others), "what others read is left alone"
        whole_op = ops.WriteChunks("b", dataset, selection, values)
        frame = Wire().put_request((ops.WriteChunks("b", dataset, selection, values, only=only),), Trace("r"))
        elements = sum(values[p.outer].size for p in picked)
        assert sum(len(b) for b in frame.buffers[1:] if len(b)) <= 4 * elements + 8 * 60
        assert Wire().put_request((whole_op,), Trace("r")).nbytes >= values.nbytes


def _slots(op):
    indices = np.array([piece.chunk for piece in parts_of(op)])
    return chunk_slots(object_slot(op.bucket, object_key(op.dataset.id)), indices).tolist()


def test_a_repeated_value_is_sent_once():
    data = np.broadcast_to(np.int32(5), (1000, 1000))
    dataset = spec(dims=(1000, 1000), chunk=(100, 100))
    frame = Wire().put_request((ops.WriteChunks("b", dataset, whole((1000, 1000)), data),), Trace("r"))
    assert frame.nbytes < 2000
    only = frozenset(range(0, 4096, 2))
    op = sent(ops.WriteChunks("b", dataset, whole((1000, 1000)), data, only=only))
    assert np.array_equal(np.broadcast_to(op.data, (1000, 1000)), data)


def test_arrays_are_neither_copied_when_sent_nor_when_received():
    data = np.arange(100_000, dtype="<i4")
    dataset = spec(dims=(100_000,), chunk=(1000,))
    frame = Wire().put_request((ops.WriteChunks("b", dataset, whole((100_000,)), data),), Trace("r"))
    assert any(np.shares_memory(np.frombuffer(part, np.uint8), data) for part in frame.parts())
    out = np.empty_like(data)
    assert answered(ops.ReadChunks("b", dataset, whole((100_000,)), out), data) is out
    assert np.array_equal(out, data)


def test_the_trace_travels():
    trace = Trace("r-1", time.monotonic() + 5, 77, (Attempt("r-1/1", 2),))
    frame = Wire().put_request((ops.Flush("b", ROOT),), trace)
    head, buffers = asyncio.run(receive(frame))
    _, back = Wire().get_request(head, buffers, epoch=77)
    assert (back.request_id, back.epoch, back.attempts) == ("r-1", 77, trace.attempts)
    assert 4 < back.deadline - time.monotonic() <= 5


ERRORS = [one for one in vars(errors).values() if inspect.isclass(one) and issubclass(one, HsdsError)]


@pytest.mark.parametrize("kind", ERRORS, ids=lambda kind: kind.__name__)
def test_errors_by_name(kind):
    error = (
        kind("what was wrong", retry_after=7.0) if issubclass(kind, Unavailable) else kind("what was wrong")
    )
    back = answered(ops.Flush("b", ROOT), error)
    assert type(back) is kind
    assert str(back) == "what was wrong"
    assert getattr(back, "retry_after", 7.0) == 7.0


def test_errors_of_other_classes():
    class Own(errors.InvalidInput):
        pass

    assert type(answered(ops.Flush("b", ROOT), Own("x"))) is errors.InvalidInput
    assert type(answered(ops.Flush("b", ROOT), Unlisted("x"))) is HsdsError


class Unlisted(HsdsError):
    pass


def test_what_a_later_version_asks_is_refused():
    wire = Wire()
    with pytest.raises(NotSupported, match="'GetMoon'"):
        wire.get_request(memoryview(b'{"request":"r","ops":[["GetMoon",{}]]}'), ())
    with pytest.raises(NotSupported, match="Flush has no phase"):
        wire.get_request(memoryview(b'{"request":"r","ops":[["Flush",{"bucket":"b","phase":1}]]}'), ())


@pytest.mark.parametrize(
    "head",
    [b"", b"[]", b"{}", b'{"request":"r"}', b'{"request":"r","ops":7}', b'{"request":"r","ops":[7]}',
     b'{"request":"r","ops":[["Flush",7]]}', b'{"request":"r","ops":[["Flush",{}]]}',
     b'{"request":"r","ops":[["ReadChunks",{"bucket":"b","dataset":0,"selection":[[0],[1],[1]]}]]}',
     b'{"request":"r","ops":[["ReadChunks",{"bucket":"b","dataset":"x","selection":7}]]}',
     b'{"request":"r","left":"soon","ops":[]}'],
)  # fmt: skip
def test_bad_heads(head):
    with pytest.raises(errors.InvalidInput):
        Wire().get_request(memoryview(head), ())


@pytest.mark.parametrize(
    "reply",
    [b"{}", b'{"results":[]}', b'{"results":[{"is":[0,[1]]}]}', b'{"results":[{"is":7}]}',
     b'{"results":[{}]}', b'{"results":[{"error":7}]}', b'{"results":[{"is":[1,[2]]}]}',
     b'{"results":[{"is":[1,[1],"O"]}]}', b'{"results":[{"is":[1,[1],"moon"]}]}'],
)  # fmt: skip
@pytest.mark.parametrize("out", [True, False])
def test_bad_replies(reply, out):
    target = np.zeros((20, 30), "<i4") if out else None
    op, wire = ops.ReadChunks("b", spec(), whole((20, 30)), target), Wire()
    with pytest.raises(errors.InvalidInput):  # noqa: PT012 - by the one or by the other
        head = wire.reply_head((op,), memoryview(reply))
        wire.places((op,), head)
        wire.get_reply((op,), head, [memoryview(b""), memoryview(b"abcd")])
