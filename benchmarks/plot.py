"""The ratios of a run as an SVG picture, a row for each workload."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from html import escape

from benchmarks.report import OURS, RIVAL, Results, number
from benchmarks.workload import Goal

LEFT, WIDTH, ROW, TOP = 250, 480, 20, 46
LOW, HIGH = 0.5, 256.0
GOOD, BAD, GREY = "#1f6fb4", "#c23b22", "#8a8a8a"


def plot(results: Results, goals: Mapping[str, Goal]) -> str:
    """Our rates over HSDS's: a dot for each round, a bar at the median, a triangle at what must be reached.

    On a logarithmic axis; red where the goal is missed.
    """
    found = {workload: results.ratios(workload, RIVAL) for workload in results.workloads}
    found = {workload: ratios for workload, ratios in found.items() if ratios}
    height = TOP + ROW * len(found) + 12
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{LEFT + WIDTH + 60}" height="{height}" '
        'font-family="sans-serif" font-size="12">',
        '<rect width="100%" height="100%" fill="white"/>',
        f'<text x="{LEFT}" y="16">how many times as fast as {RIVAL} is {OURS} (triangle: wanted)</text>',
    ]
    tick = LOW
    while tick <= HIGH:
        x, strong = _x(tick), tick in (1, 2)
        stroke = f'stroke="{GREY}" stroke-width="{1.2 if strong else 0.4}"'
        lines.append(f'<line x1="{x}" x2="{x}" y1="{TOP - 8}" y2="{height - 8}" {stroke}/>')
        lines.append(f'<text x="{x}" y="{TOP - 12}" text-anchor="middle" fill="{GREY}">{tick:g}</text>')
        tick *= 2
    for place, (workload, ratios) in enumerate(found.items()):
        lines += _row(TOP + ROW * place + ROW / 2, workload, ratios, goals.get(workload, Goal()).ratio)
    return "\n".join([*lines, "</svg>"]) + "\n"


def _row(y: float, workload: str, ratios: Sequence[float], goal: float | None) -> list[str]:
    middle = statistics.median(ratios)
    colour = BAD if goal is not None and middle < goal else GOOD
    lines = [f'<text x="{LEFT - 12}" y="{y + 4}" text-anchor="end">{escape(workload)}</text>']
    lines += [f'<circle cx="{_x(ratio)}" cy="{y}" r="3" fill="{colour}" opacity="0.4"/>' for ratio in ratios]
    lines.append(f'<rect x="{_x(middle) - 1.5}" y="{y - 7}" width="3" height="14" fill="{colour}"/>')
    if goal is not None:
        x = _x(goal)
        lines.append(f'<path d="M{x} {y + 3} l-4 6 h8 z" fill="none" stroke="{colour}"/>')
    lines.append(f'<text x="{LEFT + WIDTH + 12}" y="{y + 4}" fill="{colour}">{number(middle)}</text>')
    return lines


def _x(ratio: float) -> float:
    share = math.log(min(max(ratio, LOW), HIGH) / LOW) / math.log(HIGH / LOW)
    return round(LEFT + WIDTH * share, 1)
