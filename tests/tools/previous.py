"""The release before this one, as a tree of its code: what pods still run while a new version comes."""

import os
import subprocess
import tarfile
from io import BytesIO
from pathlib import Path

CHECKOUT = Path(__file__).parents[2]
FIRST = "4cbfa4bacc938fabb493db3bd61632c5ca1089f3"
"""The first commit whose nodes may be mixed with ours; as long as there is no tag of a release."""


def previous() -> str:
    """Tag or commit of the previous release; ``HSDS_TEST_PREVIOUS`` names another."""
    if named := os.environ.get("HSDS_TEST_PREVIOUS"):
        return named
    tag = _git("describe", "--tags", "--match", "v[0-9]*", "--abbrev=0", "HEAD^")
    return tag.stdout.decode().strip() if tag.returncode == 0 else FIRST


def unpack(release: str, folder: Path) -> Path:
    """Its package in ``folder``. Fails where the clone has no such commit."""
    archive = _git("archive", release, "hsds")
    if archive.returncode:
        shallow = _git("rev-parse", "--is-shallow-repository").stdout.strip() == b"true"
        why = (
            "this clone is shallow: fetch all of it (git fetch --unshallow)"
            if shallow
            else "git does not have it"
        )
        raise AssertionError(
            f"no code of the previous release, {release}: {why}: {archive.stderr.decode().strip()}"
        )
    with tarfile.open(fileobj=BytesIO(archive.stdout)) as tree:
        tree.extractall(folder)  # made by git just now; Python 3.11.2 has no filters
    return folder


def _git(*words: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(["git", "-C", str(CHECKOUT), *words], capture_output=True, check=False)
