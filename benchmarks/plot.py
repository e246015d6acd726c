"""The ratios of a run as an SVG picture, a row for each workload."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from html import escape

from benchmarks.report import Sample

LEFT, WIDTH, ROW, TOP = 250, 480, 20, 46
LOW, HIGH = 0.5, 64.0
COLOUR, GREY = "#1f6fb4", "#8a8a8a"


def plot(samples: Sequence[Sample]) -> str:
    """The picture of the first server's rates over the second's; they are ours and HSDS's, if it ran."""
    ours, other = list(dict.fromkeys(sample.server for sample in samples))[:2]
    found: dict[str, list[float]] = {}
    for workload in dict.fromkeys(sample.workload for sample in samples):
        rates = [
            [s.rate for s in samples if (s.workload, s.server) == (workload, server)]
            for server in (ours, other)
        ]
        if all(rates):
            found[workload] = [a / b for a, b in zip(*rates, strict=True)]
    return picture(found, ours, other)


def picture(found: dict[str, list[float]], ours: str, other: str) -> str:
    """A dot for each round, a bar at the median, on a logarithmic axis."""
    height = TOP + ROW * len(found) + 12
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{LEFT + WIDTH + 60}" height="{height}" '
        'font-family="sans-serif" font-size="12">',
        '<rect width="100%" height="100%" fill="white"/>',
        f'<text x="{LEFT}" y="16">how many times as fast as {escape(other)} is {escape(ours)}</text>',
    ]
    tick = LOW
    while tick <= HIGH:
        x, strong = _x(tick), tick in (1, 2)
        stroke = f'stroke="{GREY}" stroke-width="{1.2 if strong else 0.4}"'
        lines.append(f'<line x1="{x}" x2="{x}" y1="{TOP - 8}" y2="{height - 8}" {stroke}/>')
        lines.append(f'<text x="{x}" y="{TOP - 12}" text-anchor="middle" fill="{GREY}">{tick:g}</text>')
        tick *= 2
    for number, (workload, values) in enumerate(found.items()):
        y, middle = TOP + ROW * number + ROW / 2, statistics.median(values)
        lines.append(f'<text x="{LEFT - 12}" y="{y + 4}" text-anchor="end">{escape(workload)}</text>')
        lines += [f'<circle cx="{_x(v)}" cy="{y}" r="3" fill="{COLOUR}" opacity="0.4"/>' for v in values]
        lines.append(f'<rect x="{_x(middle) - 1.5}" y="{y - 7}" width="3" height="14" fill="{COLOUR}"/>')
        lines.append(f'<text x="{LEFT + WIDTH + 12}" y="{y + 4}" fill="{COLOUR}">{middle:.1f}</text>')
    return "\n".join([*lines, "</svg>"]) + "\n"


def _x(ratio: float) -> float:
    share = math.log(min(max(ratio, LOW), HIGH) / LOW) / math.log(HIGH / LOW)
    return round(LEFT + WIDTH * share, 1)
