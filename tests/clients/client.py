"""A client at work: programs and command-line apps run by the client's own python, as a user of a service."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PROGRAMS = Path(__file__).parent / "programs"
USERS = {"ann": "secret-a", "bob": "secret-b", "admin": "secret-c", "h5pyd1": "new-1", "h5pyd024": "new-0"}
"""Those named as a client do nothing but what they do first, in one test."""


@dataclass(frozen=True)
class Done:
    """What a process said, and how it ended."""

    status: int
    output: str
    errors: str

    @property
    def text(self) -> str:
        return self.output + self.errors

    def json(self) -> Any:
        """The last line of its output; the process must have ended well."""
        assert self.status == 0, self.text[-5000:]
        return json.loads(self.output.splitlines()[-1])


@dataclass(frozen=True)
class Client:
    """A release of h5pyd in an environment of its own."""

    name: str
    python: Path
    endpoint: str
    folder: str
    """A folder of the service for one test (``/home/ann/.../``)."""
    work: Path
    """A directory for one test, in which everything runs."""

    @property
    def old(self) -> bool:
        return self.name == "h5pyd024"

    def program(self, name: str, *args: str, user: str = "ann") -> Done:
        """Run a script of ``programs/``."""
        return self._run([str(self.python), str(PROGRAMS / f"{name}.py"), *args], user)

    def app(self, name: str, *args: str, user: str = "ann") -> Done:
        """Run a command-line app of h5pyd, such as ``hsls``."""
        return self._run([str(self.python.parent / name), *args], user)

    def did(self, name: str, *args: str, user: str = "ann") -> str:
        """What an app printed; it must have ended well."""
        done = self.app(name, *args, user=user)
        assert done.status == 0, f"{name} {' '.join(args)}: {done.text[-5000:]}"
        return done.output

    def _run(self, command: list[str], user: str) -> Done:
        done = subprocess.run(
            command,
            cwd=self.work,
            env=self._environ(user),
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def _environ(self, user: str) -> Mapping[str, str]:
        own = ("HS_", "H5PYD", "PYTHON", "HSDS_")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(own)}
        return kept | {
            "HOME": str(self.work),  # ~/.hscfg of the person who runs the tests is not for them
            "HS_ENDPOINT": self.endpoint,
            "HS_USERNAME": user,
            "HS_PASSWORD": USERS[user],
            "HS_TEST_OTHER": f"bob:{USERS['bob']}",
            "PYTHONWARNINGS": "ignore",
        }
