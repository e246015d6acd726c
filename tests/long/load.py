"""Clients beside a service: started, ended, and what all of them saw."""

import asyncio
import json
import os
import subprocess
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.clients.environments import python_of

PROGRAM = Path(__file__).parent / "programs" / "clients.py"
WRITERS, READERS = 8, 4
BOARD_BYTES = 33 * 3 * 8
"""For each writer."""


@dataclass
class Outcome:
    """What clients saw from ``began`` to ``ended``."""

    writers: int
    operations: int = 0
    errors: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    longest: float = 0.0
    longest_before: float = 0.0

    def row(self, name):
        """A row of a table: operations, errors, lost, stale, longest request, and longest one before."""
        return (
            f"| {name} | {self.operations} | {len(self.errors)} | {len(self.lost)} | {len(self.wrong)} "
            f"| {self.longest:.2f} | {self.longest_before:.2f} |"
        )

    def check(self):
        assert not self.errors, self.errors[:5]
        assert not self.lost, self.lost[:5]
        assert not self.wrong, self.wrong[:5]
        assert self.operations > 100


@dataclass
class Load:
    """Running clients. What happens to the service should happen between ``begin`` and ``end``."""

    folder: Path
    processes: dict[str, subprocess.Popen]
    writers: int
    began: float = 0.0
    outcome: Outcome | None = None

    def begin(self):
        self.began = time.monotonic()

    async def end(self, seconds=180):
        """Have the clients stop and writers verify; sets ``outcome``."""
        ended = time.monotonic()
        (self.folder / "stop").touch()
        for name, process in self.processes.items():
            assert await asyncio.to_thread(process.wait, seconds) == 0, self.said(name)
        outcome = self.outcome = Outcome(self.writers)
        for path in self.folder.glob("operations-*"):
            for line in path.read_text().splitlines():
                start, end, longest, kind, error, wrong = json.loads(line)
                outcome.operations += 1
                if end < self.began:
                    outcome.longest_before = max(outcome.longest_before, longest)
                elif start < ended:
                    outcome.longest = max(outcome.longest, longest)
                if error:
                    outcome.errors.append(f"{path.name} {start - self.began:.1f} {kind}: {error}")
                if wrong:
                    outcome.wrong.append(f"{path.name} {start - self.began:.1f}: {wrong}")
        verdicts = list(self.folder.glob("verdict-*"))
        assert len(verdicts) == self.writers
        for path in verdicts:
            outcome.lost += json.loads(path.read_text())
        return outcome

    def said(self, name):
        return (self.folder / f"{name}.log").read_text()[-3000:]


@asynccontextmanager
async def load(folder, endpoint, user, password, *, writers=WRITERS, readers=READERS, tries=1):
    """h5pyd 1.0.0 against an endpoint, warm: all files are there and all clients are at work."""
    python = python_of("h5pyd1")
    assert python is not None
    folder.mkdir()
    (folder / "board").write_bytes(bytes(writers * BOARD_BYTES))
    environ = _clean_environment() | {"HS_USERNAME": user, "HS_PASSWORD": password, "TRIES": str(tries)}
    running = Load(folder, {}, writers)

    def start(kind, number):
        name = f"{kind}-{number}"
        with (folder / f"{name}.log").open("wb") as log:
            words = [python, PROGRAM, folder, endpoint, kind, str(number), str(writers)]
            running.processes[name] = subprocess.Popen(words, stdout=log, stderr=log, env=environ)

    try:
        for number in range(writers):
            start("writer", number)
        await _until(running, lambda: len(list(folder.glob("ready-*"))) == writers)
        for number in range(readers):
            start("reader", number)
        await _until(running, lambda: all(path.stat().st_size for path in folder.glob("operations-*")))
        await _until(running, lambda: len(list(folder.glob("operations-*"))) == writers + readers)
        await asyncio.sleep(4)
        running.begin()
        yield running
    finally:
        for process in running.processes.values():
            process.kill()
            process.wait()


async def _until(running, condition, seconds=90):
    until = time.monotonic() + seconds
    while not condition():
        for name, process in running.processes.items():
            assert process.poll() is None, running.said(name)
        assert time.monotonic() < until, "the clients do not get to work"
        await asyncio.sleep(0.1)


def _clean_environment():
    """The environment without what would configure a client."""
    return {k: v for k, v in os.environ.items() if not k.startswith(("HS_", "PYTHON", "AWS_"))}
