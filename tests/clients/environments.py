"""Where the python of each client is: named by a variable, or made with venv and pip in a cache directory."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from pathlib import Path

CLIENTS = {
    "h5pyd1": ("HSDS_TEST_H5PYD1", "h5pyd==1.0.0"),
    "h5pyd024": ("HSDS_TEST_H5PYD024", "h5pyd==0.24.0"),
}
"""Name in tests -> the variable that holds the path of its python, what pip installs otherwise."""

MAKE = "HSDS_TEST_MAKE_CLIENTS"


def python_of(client: str) -> Path | None:
    """The python that has the client; None if there is none and none is to be made."""
    variable, requirement = CLIENTS[client]
    if named := os.environ.get(variable):
        return Path(named)
    if os.environ.get("CI") == "true" or os.environ.get(MAKE):
        return _made(client, requirement)
    return None


def why_none(client: str) -> str:
    variable, requirement = CLIENTS[client]
    return f"{variable} names no python with {requirement}, and {MAKE} is not set to make one"


def _made(client: str, requirement: str) -> Path:
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "hsds-test-clients"
    cache.mkdir(parents=True, exist_ok=True)
    folder = cache / f"{client}-py{sys.version_info.major}.{sys.version_info.minor}"
    python, complete = folder / "bin" / "python", folder / "complete"
    with (cache / f"{folder.name}.lock").open("w") as lock:  # test processes run side by side
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not complete.exists():
            subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
            subprocess.run([str(python), "-m", "pip", "install", "-q", requirement, "h5py"], check=True)
            complete.touch()
    return python
