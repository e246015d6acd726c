"""Changes on their way into a store that does not answer, refuses, or changes hands."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from hsds.budget import ByteBudget
from hsds.datanode.cache import ByteLRU
from hsds.datanode.change import Basis, Outcome
from hsds.datanode.commit import Committer
from hsds.datanode.documents import JSON, ChunkCodec
from hsds.datanode.gate import Gate, Hold, OpenGate
from hsds.datanode.reader import Reader
from hsds.errors import Conflict, NotFound, NotOwner, StoreUnavailable
from hsds.hdf5.dataset import DatasetSpec
from hsds.hdf5.filters import MARK_BYTES
from hsds.hdf5.ids import new_object_id, new_root_id
from hsds.hdf5.jsontext import loads
from tests.tools.scripted import ScriptedStore

KEY = ("b", "k")


@pytest.fixture
def make():
    with ThreadPoolExecutor(1) as executor:

        def build(store, *, gate=None, patience=90.0):
            gate = gate or OpenGate()
            reader = Reader(store, ByteLRU(1 << 20), executor, gate)
            return Committer(store, reader, gate, budget=ByteBudget(1 << 20), patience=patience)

        yield build


def add(name):
    def apply(value):
        value = value if value is not None else {"n": {}}
        value["n"][name] = 1
        return Outcome(value, len(value["n"]))

    return apply


def grow(value):
    """Not safe to apply twice. As every change of an object does, it makes bytes that never come back."""
    value = value or {"rows": 0}
    value["rows"] += 1
    return Outcome(value, value["rows"])


def remove(value):
    if value is None:
        raise NotFound("no such thing")
    return Outcome(None)


def remove_if_any(_value):
    return Outcome(None)


async def stored(store):
    blob = await store.get(*KEY)
    return loads(bytes(blob.data)) if len(blob.data) else None


@pytest.mark.parametrize(
    "script", [(), ("lost",), ("done",), ("busy",), ("lost", "done"), ("busy", "lost", "lost")]
)
@pytest.mark.parametrize("change", [grow, add("a")])
async def test_takes_effect_once_whatever_the_store_answers(make, script, change):
    store = ScriptedStore(*script)
    committer = make(store)
    assert await committer.change(KEY, JSON, change) == 1
    assert await stored(store) in ({"rows": 1}, {"n": {"a": 1}})
    assert await committer.change(KEY, JSON, change) == (2 if change is grow else 1)


async def test_a_put_that_lands_after_it_was_read_back_counts_once(make):
    """Timed out, not there when read back, there when the next PUT meets its condition."""
    store = ScriptedStore("ok", "late")
    committer = make(store)
    await committer.change(KEY, JSON, grow)

    real = store._write

    async def land_first(write, *args, **kwargs):
        if store.count("put") == 3:
            await store.land()
        return await real(write, *args, **kwargs)

    store._write = land_first
    assert await committer.change(KEY, JSON, grow) == 2
    assert await stored(store) == {"rows": 2}


async def test_a_put_that_lands_after_its_successor_is_refused(make):
    store = ScriptedStore("ok", "late")
    committer = make(store)
    await committer.change(KEY, JSON, grow)
    await committer.change(KEY, JSON, grow)
    await store.land()
    assert await stored(store) == {"rows": 2}
    assert store.calls[-2:] == ["late PreconditionFailed", "get"]


async def test_a_store_that_is_down_is_waited_for(make):
    store = ScriptedStore("done")
    committer = make(store)
    store.before_put = lambda: setattr(store, "down", True)
    task = asyncio.create_task(committer.change(KEY, JSON, grow))
    await asyncio.sleep(0.2)
    assert not task.done()
    assert store.count("get") >= 2, "it is asked again and again"
    store.before_put, store.down = lambda: None, False
    assert await task == 1
    assert await stored(store) == {"rows": 1}


async def test_patience_ends_and_the_next_change_goes_on(make):
    store = ScriptedStore("ok")
    committer = make(store, patience=0.3)
    await committer.change(KEY, JSON, grow)
    store.down = True
    first = asyncio.create_task(committer.change(KEY, JSON, grow))
    await asyncio.sleep(0.1)
    second = asyncio.create_task(committer.change(KEY, JSON, grow))
    results = await asyncio.gather(first, second, return_exceptions=True)
    assert [type(result) for result in results] == [StoreUnavailable] * 2
    store.down = False
    assert await committer.change(KEY, JSON, grow) == 2


async def test_declined_puts_are_not_read_back(make):
    store = ScriptedStore("ok", "busy", "busy")
    committer = make(store)
    await committer.change(KEY, JSON, grow)
    gets = store.count("get")
    await committer.change(KEY, JSON, grow)
    assert store.count("get") == gets


async def test_a_refused_change_stays_refused_on_a_retry(make):
    """Told "no" on the state of the first attempt, it must not slip into the second one."""
    store = ScriptedStore()
    committer = make(store)
    await committer.change(KEY, JSON, add("x"))

    def only_without_x(value):
        if "x" in value["n"]:
            raise Conflict("x is there")
        return Outcome({"n": {**value["n"], "late": 1}})

    async def rival_removes_x():
        blob = await store.get(*KEY)
        await type(store).__mro__[1].put(store, *KEY, b'{"n":{}}', if_match=blob.etag)

    rivals = [rival_removes_x()]
    real = store._write

    async def with_rival(write, *args, **kwargs):
        if rivals:
            await rivals.pop()
        return await real(write, *args, **kwargs)

    store._write = with_rival
    results = await asyncio.gather(
        committer.change(KEY, JSON, only_without_x),
        committer.change(KEY, JSON, add("y")),
        return_exceptions=True,
    )
    assert isinstance(results[0], Conflict)
    assert results[1] == 1
    assert await stored(store) == {"n": {"y": 1}}


async def test_a_fault_takes_only_its_own_change_down(make):
    store = ScriptedStore()
    committer = make(store)

    def broken(value):
        value["n"].clear()
        raise TypeError("a bug")

    results = await asyncio.gather(
        *(committer.change(KEY, JSON, change) for change in (add("a"), broken, add("b"))),
        return_exceptions=True,
    )
    assert [results[0], type(results[1]), results[2]] == [1, TypeError, 2]
    assert await stored(store) == {"n": {"a": 1, "b": 1}}


@pytest.mark.parametrize("conditional", [False, True])
async def test_deletes(make, conditional):
    store = ScriptedStore(conditional_delete=conditional)
    committer = make(store)
    await committer.change(KEY, JSON, remove_if_any)
    assert store.count("put") + store.count("delete") == 0, "what is not there is not deleted"
    await committer.change(KEY, JSON, add("a"))
    await committer.change(KEY, JSON, remove)
    writes = store.count("put") + store.count("delete")
    await committer.change(KEY, JSON, remove_if_any)
    assert store.count("put") + store.count("delete") == writes, "nor what is deleted already"
    with pytest.raises(NotFound):
        await committer.change(KEY, JSON, remove)
    again = make(store)
    await again.change(KEY, JSON, remove_if_any)
    assert await again.change(KEY, JSON, add("b"), Basis.ABSENT) == 1


@pytest.mark.parametrize("script", [("ok", "done"), ("ok", "lost"), ("ok", "busy")])
@pytest.mark.parametrize("conditional", [False, True])
async def test_a_delete_without_an_answer(make, script, conditional):
    store = ScriptedStore(*script, conditional_delete=conditional)
    committer = make(store)
    await committer.change(KEY, JSON, add("a"))
    await committer.change(KEY, JSON, remove)
    with pytest.raises(NotFound):
        await committer.change(KEY, JSON, remove)


async def test_created_and_deleted_in_one_batch_is_no_proof_of_absence(make):
    store = ScriptedStore()
    await store.put(*KEY, b'{"n":{"old":1}}')

    def create(value):
        if value is not None:
            raise Conflict("exists")
        return Outcome({"n": {}})

    committer = make(store)
    results = await asyncio.gather(
        committer.change(KEY, JSON, create, Basis.ABSENT),
        committer.change(KEY, JSON, remove_if_any),
        return_exceptions=True,
    )
    assert isinstance(results[0], Conflict)
    assert await stored(store) is None


class MovingGate(Gate):
    """One slot whose tenure the test counts up."""

    tenure = 0

    def hold(self, key):
        return Hold(0, self.tenure)

    def valid(self, hold):
        return hold.tenure == self.tenure


async def test_what_is_left_of_a_batch_is_not_applied_to_nothing(make):
    """A whole replacement, asked for in an earlier tenure, falls out: the change behind it must read."""
    store, gate = ScriptedStore(), MovingGate()
    await store.put(*KEY, b'{"n":{"old":1}}')
    committer = make(store, gate=gate)
    replace = asyncio.create_task(committer.change(KEY, JSON, lambda _: Outcome({"n": {}}), Basis.NOTHING))
    await asyncio.sleep(0)
    gate.tenure += 1
    assert await committer.change(KEY, JSON, add("new")) == 2
    with pytest.raises(NotOwner):
        await replace
    assert await stored(store) == {"n": {"old": 1, "new": 1}}


async def test_nothing_is_decided_by_what_an_earlier_tenure_knew(make):
    """While a share of the budget is waited for the key moves away, changes there, and comes back."""
    store, gate = ScriptedStore(), MovingGate()
    committer = make(store, gate=gate)
    await committer.change(KEY, JSON, add("a"))

    class Heavy(type(JSON)):
        weight = 1 << 20

    def nothing_new(value):
        return Outcome(value, sorted(value["n"]), changed=False)

    await committer.budget.acquire(1)
    old = asyncio.create_task(committer.change(KEY, Heavy(), nothing_new))
    await asyncio.sleep(0.01)
    gate.tenure += 1
    committer.reader.forget(KEY)
    await store.put(*KEY, b'{"n":{"b":1}}')
    new = asyncio.create_task(committer.change(KEY, Heavy(), nothing_new))
    await asyncio.sleep(0.01)
    committer.budget.release(1)
    with pytest.raises(NotOwner):
        await old
    assert await new == ["b"]


async def test_abandoned_changes_are_told(make):
    store = ScriptedStore()
    store.down = True
    committer = make(store)
    tasks = [asyncio.create_task(committer.change(KEY, JSON, grow)) for _ in range(3)]
    await asyncio.sleep(0.05)
    await committer.abandon()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert all("stopping" in str(result) for result in results)


def chunk_codec(*filters):
    properties = {"layout": {"class": "H5D_CHUNKED", "dims": [8]}, "filters": list(filters)}
    json = {"id": new_object_id(new_root_id(), "datasets"), "type": "H5T_STD_I32LE", "shape": SHAPE}
    return ChunkCodec(DatasetSpec.from_json({**json, "creationProperties": properties}))


SHAPE = {"class": "H5S_SIMPLE", "dims": [8]}
COMPRESSED = pytest.mark.parametrize(
    "filters", [("gzip",), ("shuffle", "gzip"), ("zstd",), ("bitshuffle", "lz4")], ids="-".join
)


@COMPRESSED
async def test_a_chunk_that_came_back_to_its_elements_is_not_its_former_self(make, filters):
    """Changed by a PUT that is late, changed again, changed back: the late one meets another ETag."""
    store, codec = ScriptedStore("ok", "late"), chunk_codec(*filters)
    committer = make(store)
    for value in (1, 2, 1):
        chunk = np.full(8, value, "<i4")
        await committer.change(KEY, codec, lambda _, chunk=chunk: Outcome(chunk), Basis.NOTHING)
    await store.land()
    assert store.calls[-1] == "late PreconditionFailed"
    assert (codec.decode((await store.get(*KEY)).data) == 1).all()


@COMPRESSED
async def test_a_chunk_does_not_grow_by_being_written_again(make, filters):
    store, codec = ScriptedStore(), chunk_codec(*filters)
    committer = make(store)
    seen = []
    for _ in range(5):
        await committer.change(KEY, codec, lambda _: Outcome(np.arange(8, dtype="<i4")), Basis.NOTHING)
        seen.append(bytes((await store.get(*KEY)).data))
    assert len(set(seen)) == 5
    first, *others = map(len, seen)
    assert first < others[0] <= first + MARK_BYTES + 1
    assert len(set(others)) == 1


@COMPRESSED
async def test_a_chunk_is_sent_again_in_the_same_bytes(make, filters, monkeypatch):
    """So a PUT that was taken for lost and its repeat are one."""
    store, codec = ScriptedStore("ok", "late", "lost", "late", "ok"), chunk_codec(*filters)
    committer = make(store)
    sent, encode = [], ChunkCodec.encode
    monkeypatch.setattr(ChunkCodec, "encode", lambda *args: sent.append(encode(*args)) or sent[-1])
    for value in (1, 2):
        chunk = np.full(8, value, "<i4")
        await committer.change(KEY, codec, lambda _, chunk=chunk: Outcome(chunk), Basis.NOTHING)
    before = (await store.get(*KEY)).etag
    await store.land()
    assert (await store.get(*KEY)).etag == before
    assert store.count("late PreconditionFailed") == 2
    assert len({bytes(data) for data in sent[1:]}) == 1
