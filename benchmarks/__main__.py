"""The command: servers side by side, rounds of all workloads, a table. See README.md."""

from __future__ import annotations

import argparse
import random
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from benchmarks.client import run
from benchmarks.plot import plot
from benchmarks.report import Sample, as_json, markdown
from benchmarks.servers import Bare, Hsds102, Ours, Server
from benchmarks.target import Target
from benchmarks.workloads import WORKLOADS, Fresh, Workload


def main() -> None:
    """Measure, and print the table."""
    args = _arguments()
    chosen = [w for w in WORKLOADS if any(word in w.name for word in args.only)] if args.only else WORKLOADS
    if args.list:
        sys.stdout.write("".join(f"{workload.name}\n" for workload in chosen))
        return
    servers: list[Server] = [Ours()]
    if args.hsds_env:
        servers.append(Hsds102(args.hsds_env))
    servers.append(Bare())
    with ExitStack() as stack:
        targets = [Target(stack.enter_context(server)) for server in servers]
        samples = measure(chosen, targets, args.rounds)
        memory = {server.name: server.memory() for server in servers}
    table = markdown(samples, memory, Ours.name)
    if args.json:
        args.json.write_text(as_json(samples, memory))
    if args.markdown:
        args.markdown.write_text(table)
    if args.plot:
        args.plot.write_text(plot(samples))
    sys.stdout.write(table)


def measure(workloads: Sequence[Workload], targets: Sequence[Target], rounds: int) -> list[Sample]:
    """Prepare everything, warm up once, then run ``rounds`` rounds; servers in a new order every time."""
    total = len(workloads) * (rounds + 1)
    samples: list[Sample] = []
    for done, workload in enumerate(workloads):
        ready = [(t, workload.prepare(t)) for t in targets if workload.bare or not t.bare]
        for number in range(rounds + 1):
            _progress(done * (rounds + 1) + number, total, workload.name)
            random.shuffle(ready)
            found = [_sample(workload, target, fresh) for target, fresh in ready]
            if number:  # the first round warms up
                samples += sorted(found, key=lambda s: [t.server.name for t in targets].index(s.server))
    _progress(total, total, "done")
    sys.stderr.write("\n")
    return samples


def _sample(workload: Workload, target: Target, fresh: Fresh) -> Sample:
    requests = fresh()
    before = target.server.cpu_seconds()
    seconds = run(target.server.address, requests, workload.clients)
    cpu = target.server.cpu_seconds() - before
    return Sample(workload.name, target.server.name, workload.unit, workload.amount / seconds, cpu)


def _progress(done: int, total: int, what: str) -> None:
    if sys.stderr.isatty() or done == total or not done:
        width = 30 * done // total
        sys.stderr.write(f"\r[{'#' * width}{'.' * (30 - width)}] {done}/{total} {what:<40}")
        sys.stderr.flush()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("--hsds-env", type=Path, help="environment with HSDS 1.0.2, to measure beside us")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", nargs="+", default=[], help="words; workloads whose name holds one")
    parser.add_argument("--list", action="store_true", help="name the workloads")
    parser.add_argument("--json", type=Path, help="write every run there")
    parser.add_argument("--markdown", type=Path, help="write the table there")
    parser.add_argument("--plot", type=Path, help="write an SVG picture of the ratios there")
    return parser.parse_args()


if __name__ == "__main__":
    main()
