"""Figures of a run: as JSON, and as Markdown tables."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from benchmarks.workload import Goal

OURS, RIVAL, LIMIT = "hsds", "HSDS 1.0.2", "bare server"


@dataclass(frozen=True, slots=True)
class Sample:
    """One run of a workload by one contestant. CPU seconds a unit of work; peak memory in MiB."""

    workload: str
    contestant: str
    unit: str
    rate: float
    cpu: float
    memory: float


@dataclass(frozen=True, slots=True)
class Results:
    """All runs of a suite, in the order of rounds, and peak memory in MiB by what held it."""

    suite: str
    rounds: int
    samples: Sequence[Sample]
    memory: Mapping[str, float]

    def json(self) -> str:
        return json.dumps(asdict(self), indent=1)

    @staticmethod
    def of(found: Mapping[str, Any]) -> Results:
        samples = [Sample(**sample) for sample in found["samples"]]
        return Results(found["suite"], found["rounds"], samples, found["memory"])

    @property
    def workloads(self) -> list[str]:
        return list(dict.fromkeys(sample.workload for sample in self.samples))

    @property
    def contestants(self) -> list[str]:
        return list(dict.fromkeys(sample.contestant for sample in self.samples))

    def runs(self, workload: str, contestant: str) -> list[Sample]:
        return [s for s in self.samples if (s.workload, s.contestant) == (workload, contestant)]

    def ratios(self, workload: str, other: str) -> list[float]:
        """Our rate over the other's, round by round; empty where one of both does not take part."""
        pairs = zip(self.runs(workload, OURS), self.runs(workload, other), strict=False)
        return [a.rate / b.rate for a, b in pairs]


def merged(parts: Sequence[Results]) -> Results:
    """Several runs of a suite, each with other workloads, as one."""
    samples = [sample for part in parts for sample in part.samples]
    memory: dict[str, float] = {}
    for part in parts:
        for name, peak in part.memory.items():
            memory[name] = max(peak, memory.get(name, 0))
    return Results(parts[0].suite, min(part.rounds for part in parts), samples, memory)


def markdown(results: Results, goals: Mapping[str, Goal], memory_goal: float | None) -> str:
    """Median rates and ratios with their spread, what must be reached; then CPU time and memory."""
    others = [name for name in results.contestants if name not in (OURS, RIVAL)]
    rates = [["workload", "unit", OURS, RIVAL, "ratio", "at least", "", *others]]
    costs = [["workload", "per", *(f"{name}, CPU" for name in (OURS, RIVAL)), "ratio"]]
    costs[0] += [f"{name}, peak MiB" for name in (OURS, RIVAL)]
    for workload in results.workloads:
        rates.append(_rates(results, workload, others, goals.get(workload, Goal())))
        if results.runs(workload, OURS):
            costs.append(_costs(results, workload))
    peaks = ", ".join(f"{name} {mib:.0f} MiB" for name, mib in results.memory.items())
    held = f"Peak memory over the whole run: {peaks}{_held(results, memory_goal)}.\n"
    return f"{_table(rates)}\n{_table(costs)}\n{held}"


def missed(results: Results, goals: Mapping[str, Goal]) -> list[str]:
    """The workloads whose goal was not reached, a line each."""
    lines = []
    for workload in results.workloads:
        goal = goals.get(workload, Goal())
        for other, least in ((RIVAL, goal.ratio), (LIMIT, goal.limit)):
            ratios = results.ratios(workload, other)
            if least is not None and ratios and statistics.median(ratios) < least:
                lines.append(f"{workload}: {statistics.median(ratios):.2f} of {other}, not {least:g}")
    return lines


def _rates(results: Results, workload: str, others: Sequence[str], goal: Goal) -> list[str]:
    def rate(name: str) -> str:
        runs = results.runs(workload, name)
        return number(statistics.median(run.rate for run in runs)) if runs else ""

    def beside(name: str) -> str:
        ratios = results.ratios(workload, name)
        if not ratios:
            return rate(name)
        return f"{rate(name)} ({statistics.median(ratios):.2f})"

    ratios = results.ratios(workload, RIVAL)
    least, verdicts = [], []
    for name, wanted, text in ((RIVAL, goal.ratio, "{:g}"), (LIMIT, goal.limit, "{:g} of the bare server")):
        found = results.ratios(workload, name)
        if wanted is not None:
            least.append(text.format(wanted))
            if found:
                verdicts.append(statistics.median(found) >= wanted)
    verdict = ("reached" if all(verdicts) else "**missed**") if verdicts else ""
    units = {sample.unit for sample in results.samples if sample.workload == workload}
    shown = [rate(OURS), rate(RIVAL), spread(ratios), ", ".join(least), verdict]
    return [workload, units.pop(), *shown, *map(beside, others)]


def _costs(results: Results, workload: str) -> list[str]:
    ours, theirs = (results.runs(workload, name) for name in (OURS, RIVAL))
    unit = {sample.unit for sample in ours + theirs}.pop().removesuffix("/s")
    row = [workload, "one" if unit == "1" else unit]
    row += [_time(statistics.median(run.cpu for run in runs)) if runs else "" for runs in (ours, theirs)]
    ratios = [a.cpu / b.cpu for a, b in zip(ours, theirs, strict=False) if b.cpu]
    row.append(f"{statistics.median(ratios):.2f}" if ratios else "")
    return row + [f"{max(run.memory for run in runs):.0f}" if runs else "" for runs in (ours, theirs)]


def _held(results: Results, goal: float | None) -> str:
    if goal is None or RIVAL not in results.memory:
        return ""
    ratio = results.memory[RIVAL] / results.memory[OURS]
    verdict = "reached" if ratio >= goal else "**missed**"
    return f"; {RIVAL} needs {ratio:.1f} times as much, at least {goal:g}: {verdict}"


def _table(rows: Sequence[Sequence[str]]) -> str:
    lines: Iterable[Sequence[str]] = [rows[0], ["---"] * len(rows[0]), *rows[1:]]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


def spread(ratios: Sequence[float]) -> str:
    if not ratios:
        return ""
    return f"**{number(statistics.median(ratios))}** ({number(min(ratios))} to {number(max(ratios))})"


def number(value: float) -> str:
    """Three digits at least."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def _time(seconds: float) -> str:
    for unit, factor in (("s", 1.0), ("ms", 1e3), ("us", 1e6)):
        if seconds * factor >= 1:
            return f"{seconds * factor:.3g} {unit}"
    return f"{seconds * 1e9:.3g} ns"
