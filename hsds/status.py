"""``hsds status``: the nodes of a running service and how they are, from any of its service nodes.

Which service and as whom is said as `asking` has it. Exit status: 0 READY, 1 not READY, 2 no answer.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TextIO

from hsds.asking import Endpoint, NoAnswerError, add_flags

_SECONDS: Final = 10.0
_WATCH_SECONDS: Final = 2.0
_COLUMNS: Final = (
    "NODE", "ROLE", "ADDRESS", "STATE", "LEASED", "SLOTS", "EPOCH", "VERSION", "UPTIME", "REQ/S"
)  # fmt: skip

Json = dict[str, Any]


def run(words: Sequence[str], parser: Callable[..., argparse.ArgumentParser], out: TextIO) -> int:
    """Carry out ``hsds status ...``; the exit status. ``parser`` makes the kind of parser that is wanted."""
    options = _options(words, parser)
    while True:
        status = _once(options, out)
        if not options.watch:
            return status
        out.flush()
        time.sleep(_WATCH_SECONDS)


def _once(options: argparse.Namespace, out: TextIO) -> int:
    try:
        answer = ask(options.endpoint, options.username, options.password)
    except NoAnswerError as error:
        out.write(f"hsds: {error}\n")
        return 2
    out.write(json.dumps(answer) + "\n" if options.json else table(answer, now=time.time()))
    return 0 if answer.get("state") == "READY" else 1


def ask(endpoint: str, username: str | None, password: str | None) -> Json:
    """What ``GET /nodes`` answers. Raises ``NoAnswerError``."""
    answer = Endpoint(endpoint, username, password, _SECONDS).ask("GET", "/nodes")
    if answer.status != 200:
        raise NoAnswerError(f"{endpoint} answers {answer.status} {answer.reason}")
    if not isinstance(answer.json, dict):
        raise NoAnswerError(f"{endpoint} does not answer as a service would")
    return answer.json


def table(answer: Json, *, now: float) -> str:
    """The answer for people: a line for the service, and one for each node."""
    epoch = answer.get("epoch")
    reason = f": {answer['reason']}" if answer.get("reason") else ""
    first = f"{answer.get('state')}{reason}" + ("" if epoch is None else f", epoch {epoch}")
    rows = [_COLUMNS, *(_row(node, now) for node in answer.get("nodes", ()))]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_COLUMNS))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]
    return "\n".join([first, *lines]) + "\n"


def _row(node: Mapping[str, Any], now: float) -> tuple[str, ...]:
    def text(name: str) -> str:
        value = node.get(name)
        return "-" if value in (None, "") else str(value)

    address = text("address")
    port = f"[{address}]:{node['port']}" if ":" in address else f"{address}:{node.get('port')}"
    slots = "-" if "live_slots" not in node else f"{node['live_slots']}/{node['owned_slots']}"
    leased = "-" if "leased" not in node else "yes" if node["leased"] else "no"
    started = node.get("start_time")
    return (
        text("id"),
        text("role"),
        port if node.get("port") else address,
        text("state"),
        leased,
        slots,
        text("epoch"),
        text("version"),
        "-" if started is None else _uptime(now - started),
        text("requests_per_second"),
    )


def _uptime(seconds: float) -> str:
    """``3d4h``, ``4h5m``, ``5m6s``, ``7s``."""
    units = (("d", 86400), ("h", 3600), ("m", 60), ("s", 1))
    parts: list[str] = []
    left = max(0, int(seconds))
    for name, size in units:
        count, left = divmod(left, size)
        if count or (name == "s" and not parts):
            parts.append(f"{count}{name}")
    return "".join(parts[:2])


def _options(words: Sequence[str], parser: Callable[..., argparse.ArgumentParser]) -> argparse.Namespace:
    top = parser(prog="hsds status", description="Show the nodes of a running service.")
    add_flags(top, user="any user of it")
    top.add_argument("--json", action="store_true", help="print what the service answered")
    top.add_argument("--watch", action="store_true", help="again every two seconds")
    return top.parse_args(words)
