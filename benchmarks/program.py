"""Programs in other environments that take part in a benchmark: local libraries, and clients."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.processes import CHECKOUT, Command, Group
from benchmarks.workload import Contestant, Figures, Turn, Workload


class Program:
    """A module of ``benchmarks.programs`` run by another python. A context manager."""

    def __init__(self, environment: Path, module: str, **environ: str) -> None:
        self._words = [str(environment / "bin" / "python"), "-m", f"benchmarks.programs.{module}"]
        self._environ = {**os.environ, "PYTHONPATH": str(CHECKOUT), **environ}
        self.group = Group()
        self._environ.setdefault("BENCH_FOLDER", str(self.group.folder))

    def __enter__(self) -> Program:
        self._process = self.group.start(Command(self._words, self._environ, pipes=True))
        return self

    def __exit__(self, *_: object) -> None:
        self.group.end()
        self.group.remove()

    def ask(self, **request: Any) -> dict[str, Any]:
        """A request as ``programs.speaking`` has them; its answer."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(request).encode() + b"\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        answer: dict[str, Any] = json.loads(line) if line else {"error": self.group.log()}
        if "error" in answer:
            raise RuntimeError(f"{self._words[-1]}: {answer['error']}")
        return answer

    def prepare(self, name: str, key: str, values: Mapping[str, Any]) -> None:
        self.ask(**{"prepare": name, "as": key, "with": dict(values)})

    def seconds(self, key: str) -> float:
        """Those of one run that was made ready."""
        seconds: float = self.ask(run=key)["seconds"]
        return seconds


class Local(Contestant):
    """A library that does the same on local files: what a user would pick instead."""

    def __init__(self, name: str, program: Program) -> None:
        self.name = name
        self._program = program
        self._names: Sequence[str] = program.ask(list=None)["names"]

    def takes(self, workload: Workload) -> bool:
        return workload.name in self._names

    def prepare(self, workload: Workload) -> Turn:
        program, key = self._program, workload.name
        program.prepare(key, key, {})

        def turn() -> Figures:
            program.ask(fresh=key)
            program.group.restart_peak()
            before = program.group.cpu_seconds()
            seconds = program.seconds(key)
            return Figures(seconds, program.group.cpu_seconds() - before, program.group.peak())

        return turn

    def memory(self) -> tuple[str, float]:
        return self.name, self._program.group.whole_peak()
