"""Small work is done in the loop while it is quick, and never for long at once."""

import asyncio
import itertools
import time

import pytest

from hsds.store import posix_pace
from hsds.store.posix_pace import Pace


async def test_work_that_waits_goes_to_threads_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(posix_pace, "_DISTRUST", 0.2)
    pace = Pace()
    for _ in range(3):
        assert pace.quick
        await pace.run(lambda: time.sleep(0.006))
    assert not pace.quick
    await asyncio.sleep(0.25)
    assert pace.quick


async def test_once_slow_is_forgiven() -> None:
    pace = Pace()
    for _ in range(8):
        await pace.run(lambda: time.sleep(0.006))
        for _ in range(80):
            await pace.run(lambda: None)
    assert pace.quick


@pytest.mark.skipif(
    posix_pace._THREAD is None, reason="only Linux tells waiting from being kept from running"
)
async def test_work_that_computes_is_not_taken_for_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(posix_pace, "_waits", lambda: 7)
    pace = Pace()
    for _ in range(5):
        await pace.run(lambda: time.sleep(0.006))
    assert pace.quick


async def test_others_have_their_turn() -> None:
    """Of work for 40 ms not more than a little is done before the loop turns."""
    pace, turns, done = Pace(), [], []

    async def watch() -> None:
        while len(done) < 20:
            turns.append(len(done))
            await asyncio.sleep(0)

    async def work() -> None:
        await pace.run(lambda: time.sleep(0.002))
        done.append(True)

    await asyncio.gather(watch(), *(work() for _ in range(20)))
    steps = [after - before for before, after in itertools.pairwise(turns)]
    assert len(done) == 20
    assert max(steps) <= 4


async def test_who_comes_first_is_served_first() -> None:
    """One that asks again and again keeps nobody from the loop."""
    pace, over = Pace(), asyncio.Event()
    counts = [0] * 4

    async def ask(i: int) -> None:
        while not over.is_set():
            await pace.run(lambda: time.sleep(0.001))
            counts[i] += 1
            if counts[i] == 50:
                over.set()

    await asyncio.gather(*map(ask, range(4)))
    assert min(counts) >= 40


async def test_errors_come_through() -> None:
    with pytest.raises(ValueError, match="x"):
        await Pace().run(lambda: int("x"))
