"""The long form of the simulation, in portions: ``python -m tests.long.simulation COUNT [--first N]``.

Seeds are run from ``--first`` on, a batch at a time, for ``--seconds`` at most; the last line says how many
were run, and where the next portion begins.
"""

import argparse
import gc
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from itertools import islice

from tests.simulation.history import Violation
from tests.simulation.nemesis import run_seed

BATCH = 50


def batch(first, count):
    """Run some seeds: how many calls there were, the longest wait, and what went wrong."""
    calls, longest, wrong = 0, 0.0, []
    for seed in range(first, first + count):
        try:
            cluster = run_seed(seed)
        except Violation as violation:
            wrong.append((seed, str(violation)[:300]))
            continue
        calls += len(cluster.history.calls)
        longest = max(longest, *(call.answered - call.start for call in cluster.history.calls))
    gc.collect()
    return calls, longest, wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("count", type=int)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--processes", type=int, default=None, help="default: one a core")
    parser.add_argument("--seconds", type=float, default=float("inf"))
    options = parser.parse_args()
    began, done, calls, longest, wrong = time.monotonic(), 0, 0, 0.0, []
    end = options.first + options.count
    with ProcessPoolExecutor(options.processes, max_tasks_per_child=20) as pool:
        starts = iter(range(options.first, end, BATCH))
        while time.monotonic() - began < options.seconds:
            some = [(first, min(BATCH, end - first)) for first in islice(starts, pool._max_workers)]
            if not some:
                break
            for (_, count), result in zip(some, pool.map(batch, *zip(*some, strict=True)), strict=True):
                more, wait, faults = result
                done, calls, longest = done + count, calls + more, max(longest, wait)
                for seed, text in faults:
                    print(f"seed {seed}: {text}", flush=True)
                wrong += faults
    seconds = time.monotonic() - began
    print(
        f"{done} seeds from {options.first} on, {calls} calls, longest wait {longest:.1f} s, "
        f"{len(wrong)} wrong, in {seconds:.0f} s; next: {options.first + done}"
    )
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
