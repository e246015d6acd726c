"""Figures of a run as a table, and as JSON."""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Sample:
    """One run of a workload on one server."""

    workload: str
    server: str
    unit: str
    rate: float
    cpu_seconds: float


def markdown(samples: Sequence[Sample], memory: Mapping[str, float], ours: str) -> str:
    """Median rates, and median ratios of our rate to the others' within a round, with their spread."""
    servers = list(dict.fromkeys(sample.server for sample in samples))
    others = [server for server in servers if server != ours]
    head = ["workload", "unit", *servers, *(f"ratio to {other}" for other in others), "CPU ratio"]
    rows = [head, ["---"] * len(head)]
    for workload in dict.fromkeys(sample.workload for sample in samples):
        of = {s: [x for x in samples if x.workload == workload and x.server == s] for s in servers}
        rows.append(_row(workload, of, servers, others, ours))
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    peak = ", ".join(f"{server} {mib:.0f} MiB" for server, mib in memory.items())
    return "\n".join(lines) + f"\n\nPeak memory of all processes after the whole run: {peak}.\n"


def as_json(samples: Sequence[Sample], memory: Mapping[str, float]) -> str:
    """Every single run."""
    return json.dumps({"samples": [asdict(sample) for sample in samples], "memory_mib": memory}, indent=1)


def _row(
    workload: str,
    of: Mapping[str, Sequence[Sample]],
    servers: Sequence[str],
    others: Sequence[str],
    ours: str,
) -> list[str]:
    rates = [_number(statistics.median(x.rate for x in of[s])) if of[s] else "" for s in servers]
    ratios = [
        _spread([a.rate / b.rate for a, b in zip(of[ours], of[o], strict=True)]) for o in others if of[o]
    ]
    ratios += [""] * (len(others) - len(ratios))
    rival = of[others[0]] if others else []
    cpu = [a.cpu_seconds / b.cpu_seconds for a, b in zip(of[ours], rival, strict=False) if b.cpu_seconds]
    unit = of[ours][0].unit
    return [workload, unit, *rates, *ratios, f"{statistics.median(cpu):.2f}" if cpu else ""]


def _spread(ratios: Sequence[float]) -> str:
    return f"**{statistics.median(ratios):.2f}** ({min(ratios):.2f} to {max(ratios):.2f})"


def _number(rate: float) -> str:
    return f"{rate:,.0f}" if rate >= 100 else f"{rate:.1f}"
