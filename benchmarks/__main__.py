"""The command: a suite measured, or earlier results put together; tables, JSON, a plot. See README.md."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from dataclasses import asdict
from pathlib import Path

from benchmarks import growth, growthreport
from benchmarks.measuring import measure
from benchmarks.plot import plot
from benchmarks.report import Results, markdown, merged, missed
from benchmarks.storage import S3Place
from benchmarks.suites import GOALS, MEMORY_GOALS, SUITES, Options, growing, names, running


def main() -> None:
    args = _arguments()
    if args.suite == "growth":
        _grow(args)
        return
    if args.list:
        sys.stdout.write("".join(f"{name}\n" for name in names(args.suite, args.only)))
        return
    failed: list[str] = []
    if args.results:
        results = merged([Results.of(json.loads(path.read_text())) for path in args.results])
    else:
        with running(args.suite, _options(args), args.only) as suite:
            results = measure(suite, args.rounds, failed)
    goals = GOALS[results.suite]
    table = markdown(results, goals, MEMORY_GOALS.get(results.suite))
    for path, text in (
        (args.json, results.json()),
        (args.markdown, table),
        (args.plot, plot(results, goals)),
    ):
        if path:
            path.write_text(text)
    sys.stdout.write(table)
    sys.stdout.write("".join(f"missed: {line}\n" for line in missed(results, goals)))
    if failed:
        sys.exit("".join(f"failed: {line}\n" for line in failed))


def _grow(args: argparse.Namespace) -> None:
    with growing(_options(args)) as targets:
        points = []
        for point in growth.measure(targets, args.sizes, args.only):
            points.append(point)
            sys.stderr.write(f"{point.what}, {point.size:,}, {point.contestant}: {point.later:.1f} ms\n")
    table, picture = growthreport.markdown(points), growthreport.picture(points)
    _write(args, json.dumps([asdict(point) for point in points], indent=1), table, picture)
    sys.stdout.write(table)


def _write(args: argparse.Namespace, data: str, table: str, picture: str) -> None:
    for path, text in ((args.json, data), (args.markdown, table), (args.plot, picture)):
        if path:
            path.write_text(text)


def _options(args: argparse.Namespace) -> Options:
    place = None
    if args.s3_endpoint:
        key, secret = os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"]
        place = S3Place(args.s3_endpoint, key, secret)
    return Options(args.hsds_env, args.beside_env, args.h5pyd_env, args.files, place, args.gibibyte)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("--suite", choices=(*SUITES, "growth"), default="posix")
    parser.add_argument("--hsds-env", type=Path, help="environment with HSDS 1.0.2, to measure beside us")
    parser.add_argument(
        "--h5pyd-env", type=Path, help="environment with h5pyd 1.x, for the client's workloads"
    )
    parser.add_argument("--beside-env", type=Path, help="environment with h5py, zarr and obstore")
    parser.add_argument("--files", type=Path, nargs="+", default=[], help="HDF5 files for h5pyd")
    parser.add_argument("--s3-endpoint", help="an S3 server, keys from the environment; else Ceph is started")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", nargs="+", default=[], help="words; workloads whose name holds one")
    parser.add_argument("--gibibyte", action="store_true", help="also read and write 1 GiB")
    sizes = [10, 1000, 100_000]
    parser.add_argument("--sizes", type=int, nargs="+", default=sizes, help="of the suite growth")
    parser.add_argument("--list", action="store_true", help="name the workloads")
    parser.add_argument("--json", type=Path, help="write every run there")
    parser.add_argument("--markdown", type=Path, help="write the tables there")
    parser.add_argument("--plot", type=Path, help="write an SVG picture of the ratios there")
    parser.add_argument(
        "--results", type=Path, nargs="+", help="measure nothing, put these JSON files together"
    )
    return parser.parse_args()


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))  # the servers end with it
    main()
