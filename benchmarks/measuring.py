"""Rounds of all workloads of a suite, contestants in a new order every time."""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.report import Results, Sample
from benchmarks.workload import Contestant, Suite, Turn, Workload


class FailedError(Exception):
    """A contestant could not do a workload: what it said."""


def measure(suite: Suite, rounds: int, failed: list[str]) -> Results:
    """Prepare a workload, warm up once, then run ``rounds`` rounds of it; then the next.

    Workloads that a contestant fails at are left out, and added to ``failed``.
    """
    total = len(suite.workloads) * (rounds + 1)
    samples: list[Sample] = []
    for done, workload in enumerate(suite.workloads):
        began = time.monotonic()
        _progress(done * (rounds + 1), total, f"{workload.name}: preparing")
        order, measured = [c.name for c in suite.contestants], []
        prepared = began
        try:
            ready = [_ready(c, workload) for c in suite.contestants if c.takes(workload)]
            prepared = time.monotonic()
            for number in range(rounds + 1):
                _progress(done * (rounds + 1) + number, total, workload.name)
                random.shuffle(ready)
                found = [_sample(workload, name, turn) for name, turn in ready]
                if number:  # the first round warms up
                    measured += sorted(found, key=lambda sample: order.index(sample.contestant))
        except FailedError as error:  # the others are measured all the same: a run takes long
            failed.append(f"{workload.name}: {error}")
            _note(f"failed: {failed[-1]}")
            continue
        samples += measured
        took = (time.monotonic() - prepared) / (rounds + 1)
        _note(f"{workload.name}: {took:.1f} s a round, {prepared - began:.1f} s to prepare")
    _progress(total, total, "done")
    sys.stderr.write("\n")
    memory = dict(contestant.memory() for contestant in suite.contestants)
    return Results(suite.name, rounds, samples, memory)


def _ready(contestant: Contestant, workload: Workload) -> tuple[str, Turn]:
    with _failing(contestant.name):
        return contestant.name, contestant.prepare(workload)


@contextmanager
def _failing(name: str) -> Iterator[None]:
    try:
        yield
    except (RuntimeError, OSError, AssertionError) as error:
        raise FailedError(f"{name}: {str(error)[-2000:]}") from error


def _sample(workload: Workload, name: str, turn: Turn) -> Sample:
    with _failing(name):
        figures = turn()
    rate, cpu = workload.amount / figures.seconds, figures.cpu / workload.amount
    return Sample(workload.name, name, workload.unit, rate, cpu, figures.memory)


def _progress(done: int, total: int, what: str) -> None:
    if sys.stderr.isatty():
        width = 30 * done // total
        sys.stderr.write(f"\r[{'#' * width}{'.' * (30 - width)}] {done}/{total} {what:<60}")
        sys.stderr.flush()


def _note(text: str) -> None:
    """A line for logs, where no bar is drawn."""
    if not sys.stderr.isatty():
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()
