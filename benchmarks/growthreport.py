"""Points of growth as a table and as a picture of small panels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from benchmarks.growth import Point

WIDTH, HEIGHT, MARGIN, GAP, ACROSS = 200, 130, 46, 40, 3
COLOURS = ("#1f6fb4", "#c2691f", "#8a8a8a")


def markdown(points: Sequence[Point]) -> str:
    """A row for each subject and size."""
    servers = list(dict.fromkeys(point.contestant for point in points))
    head = [
        "what",
        "so many",
        *(f"{server}: first, later (ms)" for server in servers),
        "bytes stored by each",
    ]
    rows = [head, ["---"] * len(head)]
    for what, size in dict.fromkeys((point.what, point.size) for point in points):
        found = {p.contestant: p for p in points if (p.what, p.size) == (what, size)}
        cells = [f"{found[s].first:.1f}, {found[s].later:.1f}" if s in found else "" for s in servers]
        stored = [f"{p.stored:,.0f}" for p in found.values() if p.stored is not None]
        rows.append([what, f"{size:,}", *cells, *(stored or [""])])
    return "".join("| " + " | ".join(row) + " |\n" for row in rows)


def picture(points: Sequence[Point]) -> str:
    """A panel for each subject: milliseconds against size, both logarithmic; first requests dashed."""
    subjects = list(dict.fromkeys(point.what for point in points))
    down = math.ceil(len(subjects) / ACROSS)
    width, height = ACROSS * (WIDTH + GAP + MARGIN), down * (HEIGHT + 2 * GAP) + 20
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        'font-family="sans-serif" font-size="11">',
        '<rect width="100%" height="100%" fill="white"/>',
    ]
    servers = list(dict.fromkeys(point.contestant for point in points))
    for number, (server, colour) in enumerate(zip(servers, COLOURS, strict=False)):
        lines.append(f'<text x="{MARGIN + 150 * number}" y="14" fill="{colour}">{escape(server)}</text>')
    lines.append(
        f'<text x="{MARGIN + 150 * len(servers)}" y="14">ms against number; dashed: first request</text>'
    )
    for number, what in enumerate(subjects):
        left = MARGIN + number % ACROSS * (WIDTH + GAP + MARGIN)
        top = 20 + GAP + number // ACROSS * (HEIGHT + 2 * GAP)
        lines += _panel(left, top, what, [p for p in points if p.what == what], servers)
    return "\n".join([*lines, "</svg>"]) + "\n"


def _panel(left: int, top: int, what: str, points: Sequence[Point], servers: Sequence[str]) -> list[str]:
    sizes = sorted({point.size for point in points})
    times = [time for point in points for time in (point.first, point.later)]
    low, high = math.floor(math.log10(min(times))), max(math.ceil(math.log10(max(times))), 1)
    span = math.log10(max(sizes) / min(sizes)) or 1.0

    def place(size: int, time: float) -> str:
        x = left + WIDTH * math.log10(size / min(sizes)) / span
        y = top + HEIGHT - HEIGHT * (math.log10(time) - low) / max(1, high - low)
        return f"{x:.1f},{y:.1f}"

    frame = f'<rect x="{left}" y="{top}" width="{WIDTH}" height="{HEIGHT}" fill="none" stroke="#bbb"/>'
    lines = [frame, f'<text x="{left}" y="{top - 8}">{escape(what)}</text>']
    for power in range(low, high + 1):
        y = place(min(sizes), 10.0**power).split(",")[1]
        lines.append(f'<line x1="{left}" x2="{left + WIDTH}" y1="{y}" y2="{y}" stroke="#ddd"/>')
        lines.append(f'<text x="{left - 5}" y="{float(y) + 4}" text-anchor="end">{10.0**power:g}</text>')
    for size in sizes:
        x = place(size, 1.0).split(",")[0]
        lines.append(f'<text x="{x}" y="{top + HEIGHT + 14}" text-anchor="middle">{size:,}</text>')
    for server, colour in zip(servers, COLOURS, strict=False):
        own = sorted((p for p in points if p.contestant == server), key=lambda point: point.size)
        first = " ".join(place(p.size, p.first) for p in own)
        later = " ".join(place(p.size, p.later) for p in own)
        lines.append(f'<polyline points="{first}" fill="none" stroke="{colour}" stroke-dasharray="4 3"/>')
        lines.append(f'<polyline points="{later}" fill="none" stroke="{colour}" stroke-width="2"/>')
    return lines
