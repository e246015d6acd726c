"""The long form of the simulation: ``python -m tests.long.simulation 10000 [first]``, one core a process."""

import gc
import sys
import time
from concurrent.futures import ProcessPoolExecutor

from tests.simulation.history import Violation
from tests.simulation.nemesis import run_seed

BATCH = 50


def batch(first):
    """Run some seeds: how many calls there were, the longest wait, and what went wrong."""
    calls, longest, wrong = 0, 0.0, []
    for seed in range(first, first + BATCH):
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
    count, first = int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0
    began, calls, longest, wrong = time.monotonic(), 0, 0.0, []
    with ProcessPoolExecutor(max_tasks_per_child=20) as pool:
        for more, wait, faults in pool.map(batch, range(first, first + count, BATCH)):
            calls, longest = calls + more, max(longest, wait)
            for seed, text in faults:
                print(f"seed {seed}: {text}", flush=True)
            wrong += faults
    seconds = time.monotonic() - began
    print(
        f"{count} seeds, {calls} calls, longest wait {longest:.1f} s, {len(wrong)} wrong, in {seconds:.0f} s"
    )
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
