"""``endpoint="local"`` of h5pyd 0.24, in an environment that has both it and this package."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from hsds.hsds_app import HsdsApp

FILES = """
import h5pyd, numpy as np
with h5pyd.File("/home/joe/a.h5", "w", endpoint="local", username="joe", password="x") as a:
    a["x"] = np.arange(1000)
    a.create_group("g").attrs["n"] = [1, 2]
    with h5pyd.File("/home/joe/b.h5", "w", endpoint="local[2]", username="joe") as b:  # while a is open
        b["y"] = np.ones((3, 3))
        assert b.owner == "joe"
    a["z"] = 5  # b took its leave; the service is still there
with h5pyd.File("/home/joe/a.h5", endpoint="local", username="joe", password="x") as a:  # another service
    assert sorted(a) == ["g", "x", "z"]
    assert (a["x"][...] == np.arange(1000)).all()
    assert a["x"][10:20:3].tolist() == [10, 13, 16, 19]
    assert a["g"].attrs["n"].tolist() == [1, 2]
    with h5pyd.File("/home/joe/b.h5", endpoint="local", username="joe") as b:
        assert b["y"][...].sum() == 9
assert list(h5pyd.Folder("/home/joe/", endpoint="local", username="joe")) == ["a.h5", "b.h5"]
print("all is well")
"""

UNCLOSED = """
import h5pyd
f = h5pyd.File("/home/joe/c.h5", "w", endpoint="local", username="joe")
f["x"] = 1
f.flush()
print("all is well")
"""


@pytest.fixture
def python() -> str:
    python = os.environ.get("HSDS_TEST_LOCAL")
    if not python:
        pytest.skip(
            "HSDS_TEST_LOCAL does not name the Python of an environment with h5pyd 0.24 and this package"
        )
    return python


def run(python: str, program: str, folder: Path) -> None:
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("HS_", "HSDS_"))}
    done = subprocess.run(
        [python, "-c", program],
        cwd=folder,
        env=environ | {"ROOT_DIR": str(folder / "data")},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "all is well"


def test_files_and_folders(python, tmp_path):
    run(python, FILES, tmp_path)
    assert_free(tmp_path / "data")


def test_a_file_that_was_never_closed(python, tmp_path):
    run(python, UNCLOSED, tmp_path)
    assert_free(tmp_path / "data")


@pytest.fixture
def app(tmp_path):
    """Makes users of a service over one directory."""
    made = []

    def make() -> HsdsApp:
        app = HsdsApp(username="joe", dn_count=2, root_dir=str(tmp_path / "data"))
        made.append(app)
        return app

    yield make
    for app in made:
        app.stop()


def test_users_share_a_service_that_ends_with_the_last(app, tmp_path):
    first, second = app(), app()
    first.run()
    pid = int(first._pid_file.read_text())
    second.run()
    first.stop()
    second.run()
    assert int(second._pid_file.read_text()) == pid, "it is still the same"
    second.stop()
    assert_free(tmp_path / "data")
    assert not Path(f"/proc/{pid}").exists() or sys.platform != "linux"


def test_a_killed_service_is_started_again(app):
    user = app()
    user.run()
    pid = int(user._pid_file.read_text())
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    while user._answers():
        time.sleep(0.01)
    user.run()
    assert int(user._pid_file.read_text()) != pid


def test_what_prevents_the_start_is_said(tmp_path):
    (tmp_path / "file").write_text("in the way")
    app = HsdsApp(root_dir=str(tmp_path / "file"))
    with pytest.raises(OSError, match="root_dir"):
        app.run()
    app.stop()


def assert_free(root_dir: Path) -> None:
    """No service is left over the directory."""
    app = HsdsApp(root_dir=str(root_dir))
    assert not app._answers()
