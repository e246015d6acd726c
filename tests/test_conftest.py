"""The tests' own machinery: skips fail in CI, and what a run starts ends with it."""

import asyncio
import os
import subprocess
import sys
import time
from asyncio.subprocess import PIPE, STDOUT
from pathlib import Path

import pytest

from tests.tools.ceph import SCRIPT, Guard

PROJECT = Path(__file__).parents[1]

SKIPPED_TEST = """
import pytest

def test_passes():
    pass

def test_skipped():
    pytest.skip("no server here")

@pytest.mark.skipif(True, reason="not on this machine")
def test_marked():
    pass

@pytest.mark.xfail(reason="known")
def test_expected_failure():
    raise AssertionError
"""

SKIPPED_MODULE = """
import pytest
pytest.importorskip("no_such_module_at_all")
"""


async def run_pytest(directory: Path, ci: str | None) -> tuple[int | None, str]:
    environment = {name: value for name, value in os.environ.items() if name not in ("CI", "PYTEST_ADDOPTS")}
    if ci is not None:
        environment["CI"] = ci
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "pytest", "-q", "-rA", "-p", "tests.conftest", "-p", "no:cacheprovider"),
        *("-o", "addopts=", "--rootdir", str(directory), str(directory)),
        cwd=PROJECT,
        env=environment,
        stdout=PIPE,
        stderr=STDOUT,
    )
    output, _ = await process.communicate()
    return process.returncode, output.decode()


@pytest.mark.parametrize("ci", [None, "false"])
async def test_elsewhere_skips_are_skips(tmp_path: Path, ci: str | None) -> None:
    (tmp_path / "test_it.py").write_text(SKIPPED_TEST)
    (tmp_path / "test_module.py").write_text(SKIPPED_MODULE)
    code, output = await run_pytest(tmp_path, ci)
    assert "1 passed, 3 skipped, 1 xfailed" in output
    assert code == 0


async def test_in_ci_skips_are_failures(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(SKIPPED_TEST)
    code, output = await run_pytest(tmp_path, "true")
    assert "1 failed, 1 passed, 1 xfailed, 1 error" in output
    assert "no server here" in output
    assert "not on this machine" in output
    assert code == 1


async def test_in_ci_skipped_modules_are_failures(tmp_path: Path) -> None:
    (tmp_path / "test_module.py").write_text(SKIPPED_MODULE)
    code, output = await run_pytest(tmp_path, "true")
    assert "no_such_module_at_all" in output
    assert code != 0


HOLD = """
import sys, time
from pathlib import Path
from tests.tools.ceph import Guard
guard = Guard(Path(sys.argv[1]))
print(guard.process.pid, flush=True)
time.sleep(60)
"""


def test_a_killed_run_leaves_nothing(tmp_path: Path) -> None:
    """The guard stops the daemons that the pid files name; here one stand-in for them."""
    run = tmp_path / "ceph0" / "run"
    run.mkdir(parents=True)
    (run.parent / "ceph.conf").write_text("")
    with subprocess.Popen(["sleep", "60"]) as daemon:
        (run / "osd.0.pid").write_text(f"{daemon.pid}\n")
        command = [sys.executable, "-c", HOLD, str(tmp_path)]
        with subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE) as holder:
            assert holder.stdout
            assert holder.stdout.readline()
            assert tmp_path.exists()
            holder.kill()
        assert daemon.wait(30) != 0
    until = time.monotonic() + 20
    while tmp_path.exists() and time.monotonic() < until:
        time.sleep(0.05)
    assert not tmp_path.exists()


def test_an_ended_run_leaves_nothing(tmp_path: Path) -> None:
    directory = tmp_path / "shared"
    directory.mkdir()
    Guard(directory).close()
    assert not directory.exists()
    assert SCRIPT.is_file()
