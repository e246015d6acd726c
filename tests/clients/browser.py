"""H5Web at work: the provider of its npm package in a Node.js process, asked for what its pages ask for."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent / "h5web"
PACKAGE = ("package.json", "package-lock.json", ".npmrc")
NEEDED = ("node", "npm")


def missing_programs() -> list[str]:
    """Of those that H5Web needs."""
    return [name for name in NEEDED if shutil.which(name) is None]


def installed() -> Path:
    """A directory with the script and the packages of the lock file, kept between runs."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "hsds-test-clients"
    versions = hashlib.sha256(b"".join((HERE / name).read_bytes() for name in PACKAGE)).hexdigest()[:12]
    folder = cache / f"h5web-{versions}"
    complete = folder / "complete"
    folder.mkdir(parents=True, exist_ok=True)
    with (cache / f"{folder.name}.lock").open("w") as lock:  # test processes run side by side
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not complete.exists():
            for name in PACKAGE:
                shutil.copy(HERE / name, folder)
            subprocess.run(["npm", "ci", "--loglevel=error"], cwd=folder, check=True, timeout=280)
            complete.touch()
        script = folder / "browse.mjs"  # beside node_modules, where Node.js looks for its imports
        if not script.exists() or script.read_bytes() != (HERE / "browse.mjs").read_bytes():
            shutil.copy(HERE / "browse.mjs", script)
    return folder


class Browser:
    """One file of a service open in H5Web. Also a context manager."""

    def __init__(self, folder: Path, url: str, file: str, *, user: str = "", password: str = "") -> None:
        self.folder = folder
        self.job = {"url": url, "file": file, "user": user, "password": password}

    def __enter__(self) -> Browser:
        self.process = subprocess.Popen(
            ["node", "browse.mjs"],
            cwd=self.folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._tell(self.job)
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate()

    def entity(self, path: str) -> Any:
        """What the explorer and the metadata page show of a group, dataset or datatype."""
        return self._ask("entity", path)

    def children(self, path: str) -> dict[str, Any]:
        """Of a group, by name."""
        return {child["name"]: child for child in self.entity(path)["children"]}

    def attributes(self, path: str) -> dict[str, Any]:
        """The values of all attributes, by name."""
        values: dict[str, Any] = self._ask("attributes", path)
        return values

    def value(self, path: str, selection: str | None = None) -> Any:
        """A value of a dataset, flat; ``selection`` as H5Web writes it, ``0,:,:``."""
        return self._ask("value", path, *([selection] if selection else []))

    def plot(self, path: str, *mapping: int | str) -> tuple[list[int], list[float]]:
        """Shape and numbers of what is drawn; ``mapping`` has "x", "y" or an index for each dimension."""
        drawn = self._ask("plot", path, mapping)
        return drawn["shape"], drawn["data"]

    def accepts(self, path: str) -> bool:
        """Whether the pages for whole values take the value of a dataset."""
        return self._ask("check", path) is True

    def error(self, what: str, *args: Any) -> str:
        """The error that a question ends with."""
        reply = self._reply(what, *args)
        assert "error" in reply, reply
        error: str = reply["error"]
        return error

    def _ask(self, what: str, *args: Any) -> Any:
        reply = self._reply(what, *args)
        assert "error" not in reply, f"{what} {args}: {reply}"
        return reply.get("answer")

    def _reply(self, what: str, *args: Any) -> dict[str, Any]:
        self._tell([what, *args])
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, f"{what} {args}: H5Web ended"
        reply: dict[str, Any] = json.loads(line)
        return reply

    def _tell(self, message: Any) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(message) + "\n")
        self.process.stdin.flush()
