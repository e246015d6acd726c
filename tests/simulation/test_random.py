"""Random faults over many seeds, each of which tells all. ``tests/long`` has the long form."""

import gc
import itertools

import pytest

from tests.simulation.history import Call, History, Violation
from tests.simulation.mutants import MUTANTS
from tests.simulation.nemesis import run_seed
from tests.simulation.test_directed import CATCHES

SEEDS, AT_ONCE = 500, 10


@pytest.mark.parametrize("first", range(0, SEEDS, AT_ONCE))
def test_no_seed_shows_a_fault(first):
    for seed in range(first, first + AT_ONCE):
        try:
            run_seed(seed)
        except Violation as violation:
            raise AssertionError(f"seed {seed}: {violation}") from violation
    gc.collect()


def run_seeds(count, parts):
    for seed in range(count):
        run_seed(seed, parts=parts)


EASY = [
    "no lease",
    "lease without slot",
    "no takeover wait",
    "nobody before",
    "last owner only",
    "short history",
    "old releases counted",
    "waits cut short",
    "nothing dropped",
    "no memory of attempts",
]


@pytest.mark.parametrize("mutant", EASY)
def test_random_faults_alone_find_it(mutant):
    with pytest.raises(Violation):
        run_seeds(SEEDS, MUTANTS[mutant])


def test_every_mutant_is_sought():
    assert {*EASY, *itertools.chain(*CATCHES.values())} == set(MUTANTS)


def test_a_seed_reproduces_a_run():
    one, two = run_seed(11), run_seed(11)
    assert one.loop.steps == two.loop.steps
    assert [str(call) for call in one.history.calls] == [str(call) for call in two.history.calls]


def history(*calls):
    return History([Call("k", *call) for call in calls])


@pytest.mark.parametrize(
    ("calls", "final"),
    [
        ([("a", 0, 1, ["a"]), (None, 2, 3, [])], ["a"]),  # a stale read
        ([("a", 0, 1, ["a"])], []),  # a lost write
        ([("a", 0, 1, ["a"]), ("b", 2, 3, ["a", "b"])], ["a", "b", "a"]),  # applied again after its answer
        ([("a", 0, 1, ["a"]), (None, 0, 1, ["b"])], ["a"]),  # something that never was
        ([(None, 0, 1, ["a"]), ("a", 2, 3, ["a"])], ["a"]),  # seen before it was asked for
        (
            [("a", 0, 9, ["a", "a"]), (None, 1, 2, ["a", "a"]), (None, 3, 4, ["a"])],
            ["a", "a"],
        ),  # seen and gone
    ],
)
def test_the_checker_sees(calls, final):
    with pytest.raises(Violation):
        history(*calls).check({"k": final})


def test_the_checker_allows_what_was_never_answered_to_happen_late_and_twice():
    history(("a", 0, float("inf"), None), ("b", 1, 2, ["b"]), (None, 3, 4, ["b", "a"])).check(
        {"k": ["b", "a", "a"]}
    )
