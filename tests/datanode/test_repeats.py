"""What a data node remembers of the attempts of a request, and for how long."""

import asyncio
import gc
import weakref
from dataclasses import dataclass

import numpy as np
import pytest

from hsds.datanode.repeats import Repeats
from hsds.errors import Conflict, NotOwner, Unavailable
from hsds.transport.base import Attempt
from hsds.transport.ops import Created, CreateObject


@dataclass
class Write:
    values: np.ndarray | None = None
    only: int | None = None


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


class Work:
    """Counts how often it is done."""

    def __init__(self, *results, until=None):
        self.results, self.until, self.done = list(results), until, 0

    async def __call__(self):
        self.done += 1
        if self.until is not None:
            await self.until.wait()
        return self.results.pop(0) if self.results else "done"


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def repeats(clock):
    return Repeats(clock, keep=180)


async def test_a_second_attempt_joins_the_first(repeats):
    end = asyncio.Event()
    work = Work(until=end)
    first = asyncio.create_task(repeats.run(Attempt("a", 1), Write(), work))
    await asyncio.sleep(0)
    second = asyncio.create_task(repeats.run(Attempt("a", 2), Write(), work))
    await asyncio.sleep(0)
    end.set()
    assert await asyncio.gather(first, second) == ["done", "done"]
    assert work.done == 1


@pytest.mark.parametrize("result", ["done", None, Conflict("taken")])
async def test_a_later_attempt_is_answered_with_the_result(repeats, result):
    work = Work(result)
    for number in (1, 2, 3):
        assert await repeats.run(Attempt("a", number), Write(), work) is result
    assert work.done == 1


@pytest.mark.parametrize("result", [NotOwner("no"), Unavailable("no")])
async def test_what_did_not_happen_is_done_again(repeats, result):
    work = Work(result, "done")
    assert await repeats.run(Attempt("a", 1), Write(), work) is result
    assert await repeats.run(Attempt("a", 2), Write(), work) == "done"


async def test_other_slots_are_other_work(repeats):
    work = Work("first", "second")
    assert await repeats.run(Attempt("a", 1), Write(only=1), work) == "first"
    assert await repeats.run(Attempt("a", 2), Write(only=2), work) == "second"


async def test_an_attempt_that_is_overtaken_does_nothing(repeats):
    work = Work()
    await repeats.run(Attempt("a", 2), Write(), work)
    assert isinstance(await repeats.run(Attempt("a", 1), Write(), work), NotOwner)
    assert work.done == 1


async def test_a_fault_is_no_result(repeats):
    async def fail():
        raise RuntimeError("a fault of ours")

    with pytest.raises(RuntimeError):
        await repeats.run(Attempt("a", 1), Write(), fail)
    assert await repeats.run(Attempt("a", 2), Write(), Work()) == "done"


async def test_values_are_not_kept(repeats):
    """They would be all that was written in the last minutes."""
    values = np.zeros(1000)
    kept = weakref.ref(values)

    async def write(op):
        return None

    op = Write(values)
    await repeats.run(Attempt("a", 1), op, lambda op=op: write(op))
    await asyncio.sleep(0)
    del values, op
    gc.collect()
    assert kept() is None
    assert len(repeats) == 1


async def test_what_was_made_is_not_kept_either(repeats):
    """A later attempt brings it along, and is told what the first was told."""

    class Json(dict):
        """A dictionary that can be watched."""

    async def create(op):
        return Created(op.json, new=True)

    op = CreateObject("b", "g-1", Json(attributes={}))
    kept = weakref.ref(op.json)
    await repeats.run(Attempt("a", 1), op, lambda op=op: create(op))
    await asyncio.sleep(0)
    del op
    gc.collect()
    assert kept() is None
    again = CreateObject("b", "g-1", {"attributes": {}})
    assert await repeats.run(Attempt("a", 2), again, Work()) == Created({"attributes": {}}, new=True)
    there = Created({"attributes": {"by": "somebody else"}}, new=False)
    for number in (1, 2):
        assert await repeats.run(Attempt("b", number), again, Work(there)) is there


async def test_attempts_are_forgotten_in_time(repeats, clock):
    for number in range(10):
        clock.now = float(number)
        await repeats.run(Attempt(f"a{number}", 1), Write(), Work())
    await asyncio.sleep(0)
    clock.now = 185.0
    await repeats.run(Attempt("b", 1), Write(), Work())
    assert len(repeats) == 5
