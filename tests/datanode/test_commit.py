"""Group commit: shared PUTs, conditions met and refused, answers that never came."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest

from hsds.budget import ByteBudget
from hsds.datanode.cache import ByteLRU
from hsds.datanode.change import Basis, Outcome
from hsds.datanode.commit import Committer
from hsds.datanode.documents import JSON
from hsds.datanode.gate import OpenGate
from hsds.datanode.reader import Reader
from hsds.errors import Conflict, NotOwner, StoreUnavailable
from hsds.hdf5 import jsonvalue
from hsds.store.memory import MemoryStore
from tests.datanode.test_attempts import add

KEY = ("b", "k")


class CountingStore(MemoryStore):
    """Counts calls, makes PUTs wait for ``gate``, and loses answers on demand."""

    def __init__(self) -> None:
        super().__init__()
        self.puts: list[dict] = []
        self.gets = 0
        self.gate = asyncio.Event()
        self.gate.set()
        self.lose_before = 0
        self.lose_after = 0
        self.seconds = 0.0

    async def get(self, *args, **kwargs):
        self.gets += 1
        return await super().get(*args, **kwargs)

    async def put(self, bucket, key, data, **kwargs):
        self.puts.append(kwargs)
        await self.gate.wait()
        await asyncio.sleep(self.seconds)
        if self.lose_before:
            self.lose_before -= 1
            raise StoreUnavailable("timed out before the effect")
        etag = await super().put(bucket, key, data, **kwargs)
        if self.lose_after:
            self.lose_after -= 1
            raise StoreUnavailable("timed out after the effect")
        return etag


@pytest.fixture
async def store():
    store = CountingStore()
    await store.start()
    await store.create_bucket("b")
    return store


@pytest.fixture
def executor():
    with ThreadPoolExecutor(1) as executor:
        yield executor


def committer_over(store, executor, cache=1 << 20):
    return Committer(
        store, Reader(store, ByteLRU(cache), executor, OpenGate()), OpenGate(), budget=ByteBudget(1 << 20)
    )


@pytest.fixture
def committer(store, executor):
    return committer_over(store, executor)


async def stored(store):
    return jsonvalue.loads(bytes((await store.get(*KEY)).data))


async def test_changes_that_arrive_during_a_put_share_the_next_one(store, committer):
    store.gate.clear()
    tasks = [asyncio.create_task(committer.change(KEY, JSON, add(str(i)))) for i in range(500)]
    await asyncio.sleep(0.01)
    late = [asyncio.create_task(committer.change(KEY, JSON, add(str(i)))) for i in range(500, 1000)]
    await asyncio.sleep(0.01)
    assert not any(task.done() for task in tasks), "nothing is answered before its PUT has returned"
    store.gate.set()
    await asyncio.gather(*tasks, *late)
    assert len(store.puts) == 2
    assert len((await stored(store))["n"]) == 1000


async def test_writers_who_wait_for_their_answers_do_not_fall_into_halves(store, committer):
    """Each of 16 sends its next change when it has an answer: a round of all of them is one PUT."""
    store.seconds = 0.05

    async def writer(name):
        for i in range(8):
            await committer.change(KEY, JSON, add(f"{name}-{i}"))

    await asyncio.gather(*map(writer, range(16)))
    assert len((await stored(store))["n"]) == 128
    assert len(store.puts) < 13, "in halves it would take 16"


async def test_who_does_not_come_back_is_not_waited_for_long(store, committer):
    store.gate.clear()
    first = [asyncio.create_task(committer.change(KEY, JSON, add(f"a{i}"))) for i in range(9)]
    await asyncio.sleep(0)
    last = asyncio.create_task(committer.change(KEY, JSON, add("b")))
    await asyncio.sleep(0.01)
    store.gate.set()
    await asyncio.wait_for(asyncio.gather(*first, last), 5)
    assert len(store.puts) == 2


async def test_first_create_reads_nothing(store, committer):
    await committer.change(KEY, JSON, add("a"), Basis.ABSENT)
    assert (store.gets, store.puts) == (0, [{"if_none_match": True}])


async def test_create_that_meets_an_object_reads_and_applies_again(store, committer):
    await store.put(*KEY, b'{"n":{"old":1}}')
    assert await committer.change(KEY, JSON, add("a"), Basis.ABSENT) == 2
    assert await stored(store) == {"n": {"old": 1, "a": 1}}


async def test_whole_replacement_of_an_unknown_object_reads_no_bytes(store, committer):
    await store.put(*KEY, b'{"n":{"old":1}}')
    gets = store.gets
    await committer.change(KEY, JSON, lambda _: Outcome({"n": {}}), Basis.NOTHING)
    assert store.gets == gets
    assert await stored(store) == {"n": {}}


async def test_two_owners_lose_nothing(store, executor):
    """Both believe that the key is theirs and hold copies; conditions make them see each other's changes."""
    one, two = committer_over(store, executor), committer_over(store, executor)
    for i in range(20):
        await asyncio.gather(
            one.change(KEY, JSON, add(f"one{i}")),
            two.change(KEY, JSON, add(f"two{i}")),
        )
    assert len((await stored(store))["n"]) == 40


async def test_a_refused_change_fails_alone(store, committer):
    store.gate.clear()

    def refuse(value):
        raise Conflict("no")

    tasks = [asyncio.create_task(committer.change(KEY, JSON, a)) for a in (add("a"), refuse, add("b"))]
    await asyncio.sleep(0.01)
    store.gate.set()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(results[1], Conflict)
    assert (await stored(store))["n"] == {"a": 1, "b": 1}


async def test_an_assumption_refuses_nobody(store, committer):
    """A change refused on the assumption that there is no object is tried again on what is there."""
    await store.put(*KEY, b'{"n":{}}')

    def needs_object(value):
        if value is None:
            raise Conflict("absent")
        return Outcome(value | {"seen": True}, "ok")

    assert await committer.change(KEY, JSON, needs_object, Basis.ABSENT) == "ok"


async def test_no_change_puts_nothing(store, committer):
    await committer.change(KEY, JSON, add("a"))
    await committer.change(KEY, JSON, lambda value: Outcome(value, changed=False))
    assert len(store.puts) == 1


@pytest.mark.parametrize("lost", ["lose_before", "lose_after"])
async def test_an_ambiguous_put_is_resolved_by_reading_back(store, committer, lost):
    await committer.change(KEY, JSON, add("a"))
    setattr(store, lost, 1)
    assert await committer.change(KEY, JSON, add("b")) == 2
    assert (await stored(store))["n"] == {"a": 1, "b": 1}


async def test_delete_and_create_again(store, committer):
    await committer.change(KEY, JSON, add("a"))
    await committer.change(KEY, JSON, lambda _: Outcome(None))
    assert await committer.change(KEY, JSON, add("b"), Basis.ABSENT) == 1
    assert (await stored(store))["n"] == {"b": 1}


async def test_a_cancelled_requester_does_not_take_others_down(store, committer):
    store.gate.clear()
    leader = asyncio.create_task(committer.change(KEY, JSON, add("a")))
    other = asyncio.create_task(committer.change(KEY, JSON, add("b")))
    await asyncio.sleep(0.01)
    leader.cancel()
    store.gate.set()
    await other
    await committer.drain()
    assert (await stored(store))["n"] == {"a": 1, "b": 1}


async def test_a_fault_in_one_change_does_not_wedge_the_key(store, committer):
    def broken(value):
        raise TypeError("a bug")

    with pytest.raises(TypeError):
        await committer.change(KEY, JSON, broken)
    assert await committer.change(KEY, JSON, add("a")) == 1


async def test_readers_see_the_stored_state_until_the_put_has_returned(store, executor):
    reader = Reader(store, ByteLRU(1 << 20), executor, OpenGate())
    committer = Committer(store, reader, OpenGate(), budget=ByteBudget(1 << 20))
    await committer.change(KEY, JSON, add("a"))
    store.gate.clear()
    task = asyncio.create_task(committer.change(KEY, JSON, add("b")))
    await asyncio.sleep(0.01)
    assert (await reader.read(KEY, JSON)).value == {"n": {"a": 1}}
    store.gate.set()
    await task
    assert (await reader.read(KEY, JSON)).value == {"n": {"a": 1, "b": 1}}


async def test_a_get_overtaken_by_a_put_is_not_cached(store, executor):
    """The GET starts first and returns old bytes after the PUT has returned."""
    await store.put(*KEY, b'{"n":{"old":1}}')
    hold = asyncio.Event()
    real = store.get_many

    async def slow(bucket, keys):
        blobs = await real(bucket, keys)
        await hold.wait()
        return blobs

    reader = Reader(store, ByteLRU(1 << 20), executor, OpenGate())
    committer = Committer(store, reader, OpenGate(), budget=ByteBudget(1 << 20))
    store.get_many = slow
    reading = asyncio.create_task(reader.read(KEY, JSON))
    await asyncio.sleep(0.01)
    await committer.change(KEY, JSON, lambda _: Outcome({"n": {"new": 1}}), Basis.NOTHING)
    hold.set()
    assert (await reading).value == {"n": {"new": 1}}
    assert reader.peek(KEY).value == {"n": {"new": 1}}


async def test_a_key_that_changes_before_its_get_begins_keeps_no_reader_waiting(store, executor):
    """Nor those of other keys that are read with it."""
    keys = [("b", "k"), ("b", "l")]
    for key in keys:
        await store.put(*key, b'{"n":{}}')
    reader = Reader(store, ByteLRU(1 << 20), executor, OpenGate())
    async with asyncio.timeout(30):
        readers = [asyncio.create_task(reader.read_many(keys, JSON)) for _ in range(2)]
        await asyncio.sleep(0)
        reader.forget(keys[0])
        for entries in await asyncio.gather(*readers):
            assert [entry.value for entry in entries] == [{"n": {}}] * 2


async def test_a_key_that_is_lost_while_others_are_asked_for_keeps_no_reader_waiting(store, executor):
    """The lease runs out between two keys of one request, and is renewed."""
    keys = [("b", "k"), ("b", "l")]
    for key in keys:
        await store.put(*key, b'{"n":{}}')
    checks = iter((True, False))
    gate = OpenGate()
    gate.valid = lambda hold: next(checks, True)
    reader = Reader(store, ByteLRU(1 << 20), executor, gate)
    with pytest.raises(NotOwner):
        await reader.read_many(keys, JSON)
    async with asyncio.timeout(30):
        assert (await reader.read(keys[0], JSON)).value == {"n": {}}


def create(name):
    def apply(value):
        if value is not None:
            raise Conflict(f"{value['by']} was quicker than {name}")
        return Outcome({"by": name})

    return apply


async def test_who_is_refused_because_of_a_change_that_is_not_stored_yet_is_told_when_it_is(store, committer):
    store.gate.clear()
    first, second = (
        asyncio.create_task(committer.change(KEY, JSON, create(name), Basis.ABSENT)) for name in ("a", "b")
    )
    await asyncio.sleep(0.01)
    assert not second.done(), "what it would be told of cannot be read yet"
    store.gate.set()
    await first
    with pytest.raises(Conflict, match="a was quicker than b"):
        await second
    assert await stored(store) == {"by": "a"}


async def test_a_refusal_names_what_the_store_holds_in_the_end(store, committer):
    store.gate.clear()
    first, second = (
        asyncio.create_task(committer.change(KEY, JSON, create(name), Basis.ABSENT)) for name in ("a", "b")
    )
    await asyncio.sleep(0.01)
    await MemoryStore.put(store, *KEY, b'{"by":"c"}')
    store.gate.set()
    for task in (first, second):
        with pytest.raises(Conflict, match="c was quicker"):
            await task
