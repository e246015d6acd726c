"""The README's commands and example, run as printed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

from tests.integration.service import Service

CHECKOUT = Path(__file__).parents[2]
URL = "http://127.0.0.1:5101"


def block(language: str, number: int = 0) -> str:
    """A code block of the README."""
    text = (CHECKOUT / "README.md").read_text()
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)[number]


def test_every_block_is_run_here_or_with_the_manifests():
    text = (CHECKOUT / "README.md").read_text()
    # installed and served; asked; applied (tests/k8s/test_docs.py); tested (by whoever reads this)
    assert re.findall(r"^```(\w+)$", text, re.MULTILINE) == ["sh", "python", "sh", "python", "sh", "sh"]


def test_commands_that_ask(service):
    environ = os.environ | {"HS_ENDPOINT": service.url, "PYTHONPATH": str(CHECKOUT)}
    ours = f"{sys.executable} -m hsds"
    said = [
        subprocess.run(
            line.replace(".venv/bin/hsds", ours).split(),
            env=environ,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for line in block("sh", 1).splitlines()
    ]
    assert said[0] == "made /home/ann, owned by ann\n"
    assert said[1].startswith("READY")


def test_a_service_of_ones_own(tmp_path):
    python = os.environ.get("HSDS_TEST_LOCAL")
    if python is None:
        pytest.skip("HSDS_TEST_LOCAL names no Python with this package and h5pyd 0.24")
    assert run(python, block("python", 1), tmp_path) == "[6 7]\n"
    assert (tmp_path / "hsds-data").is_dir()


def run(python: str, code: str, folder: Path) -> str:
    """What ``code`` prints."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("HS_", "H5PYD"))}
    done = subprocess.run(
        [python, "-c", code],
        cwd=folder,
        env=environ | {"HOME": str(folder)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(params=["HSDS_TEST_H5PYD1", "HSDS_TEST_H5PYD024"])
def python(request) -> str:
    """A Python with one version of h5pyd."""
    found = os.environ.get(request.param)
    if found is None:
        pytest.skip(f"{request.param} names no Python with that h5pyd")
    return found


def test_example(service, tmp_path, python):
    for _ in range(2):  # it can be run again
        assert run(python, block("python").replace(URL, service.url), tmp_path) == "[2 4]\n"


def test_lines_of_the_welcome(service, tmp_path, python):
    code = dedent("".join(line for line in service.welcome if line.startswith("    ")))
    assert service.url in code
    assert run(python, f"{code}print(f['x'][3:5])", tmp_path) == "[3 4]\n"


@pytest.mark.timeout(900)
@pytest.mark.skipif("CI" not in os.environ, reason="installs from the package index; set CI=true")
def test_first_command_and_example_as_printed(tmp_path):
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", str(CHECKOUT), str(clone)], check=True)
    (tmp_path / "bin").mkdir()  # python3 of a fresh machine, not that of these tests
    (tmp_path / "bin" / "python3").symlink_to(Path(sys.base_prefix, "bin", "python3"))
    printed = block("sh").strip()
    command = f"PATH={tmp_path}/bin:$PATH; " + printed.replace("&& .venv/bin/hsds", "&& exec .venv/bin/hsds")
    service = Service(clone, port=5101, command=("bash", "-c", command))
    service.flags = ()
    service.start(seconds=600)
    try:
        assert service.url == URL
        assert run(str(clone / ".venv/bin/python"), block("python"), tmp_path) == "[2 4]\n"
        assert service.stop() == 0
    finally:
        service.kill()
    assert (clone / "hsds-data" / "hsdstest" / "home").is_dir()
