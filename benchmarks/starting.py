"""What it costs to start: seconds from the process to ready, CPU seconds and memory of each kind of node.

    python -m benchmarks.starting [--times 5]

A data node that is alone, then a service node beside it, over a directory; each is ended in order again.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from statistics import median

from benchmarks.probes import DN, SN, start

_TICKS = os.sysconf("SC_CLK_TCK")
_PORTS = {"dn": (DN, 6101), "sn": (SN, 5101)}


@dataclass(frozen=True, slots=True)
class Started:
    """One start, and one end."""

    seconds: float
    cpu: float
    """Seconds, of all its threads."""
    resident: int
    """Bytes."""
    ending: float
    """Seconds from SIGTERM to the exit."""


def ready(place: tuple[str, int]) -> bool:
    """What the readiness probe says."""
    connection = HTTPConnection(*place, timeout=5)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def begin(folder: Path, role: str) -> tuple[subprocess.Popen[bytes], Started]:
    """Start a node and wait until it is ready."""
    began = time.perf_counter()
    process = start(folder, role, _PORTS[role][0])
    while not ready(_PORTS[role]):
        if process.poll() is not None:
            raise SystemExit((folder / f"{role}.log").read_text())
        time.sleep(0.02)
    seconds = time.perf_counter() - began
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    pages = int(Path(f"/proc/{process.pid}/statm").read_text().split()[1])
    cpu = (int(fields[11]) + int(fields[12])) / _TICKS
    return process, Started(seconds, cpu, pages * os.sysconf("SC_PAGE_SIZE"), 0.0)


def end(process: subprocess.Popen[bytes]) -> float:
    """End a node as Kubernetes does; seconds that it took."""
    began = time.perf_counter()
    process.terminate()
    if process.wait(60):
        raise SystemExit(f"exit status {process.returncode}")
    return time.perf_counter() - began


def main(words: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.starting", description=__doc__)
    parser.add_argument("--times", type=int, default=5)
    options = parser.parse_args(words)
    found: dict[str, list[Started]] = {"dn": [], "sn": []}
    for _ in range(options.times):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            (folder / "secret").write_text("a-secret-of-the-nodes\n")
            (folder / "passwd").write_text("joe:joe\n")
            running = [(role, *begin(folder, role)) for role in ("dn", "sn")]
            for role, process, started in reversed(running):
                seconds = end(process)
                found[role].append(Started(started.seconds, started.cpu, started.resident, seconds))
    print("| node | ready after | CPU | memory | ended after |", "|---|---|---|---|---|", sep="\n")
    for role, starts in found.items():
        cells = (
            f"{median(one.seconds for one in starts):.1f} s",
            f"{median(one.cpu for one in starts):.1f} s",
            f"{median(one.resident for one in starts) / 2**20:.0f} MiB",
            f"{median(one.ending for one in starts):.1f} s",
        )
        print(f"| `hsds {role}` | {' | '.join(cells)} |")


if __name__ == "__main__":
    main(sys.argv[1:])
