"""The end-to-end run itself, without a cluster: kubectl is a double, the load and the service are real."""

import json
import os
import subprocess
import threading
import time
import venv
from pathlib import Path

import pytest

from tests.integration.service import Service
from tests.k8s.rendering import KUBECTL
from tests.k8s.schema import FOLDER, faults

SCRIPT = Path(__file__).with_name("e2e.sh")
PROGRAMS = Path(__file__).with_name("programs")


@pytest.fixture
def service(tmp_path: Path):
    passwords = tmp_path / "passwords"
    passwords.write_text("admin:e2e-password\n")
    with Service(
        tmp_path, "--root-dir", str(tmp_path / "data"), "--password-file", str(passwords)
    ) as started:
        yield started


@pytest.fixture
def environment(tmp_path: Path, service: Service) -> dict[str, str]:
    if KUBECTL is None:
        pytest.skip("no kubectl on this machine")
    if not FOLDER.is_dir():
        pytest.skip(f"no OpenAPI documents in {FOLDER}")
    # like the image's Python, it has no client: what the run brings must be all that the load needs
    venv.create(tmp_path / "empty-python", with_pip=False)
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "kubectl").symlink_to(PROGRAMS / "fake_kubectl.py")
    return dict(os.environ) | {
        "PATH": f"{programs}:{os.environ['PATH']}",
        "FAKE_KUBECTL": str(tmp_path),
        "FAKE_URL": service.url,
        "FAKE_PYTHON": str(tmp_path / "empty-python/bin/python"),
        "REAL_KUBECTL": str(KUBECTL),
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "hush-hush",
    }


def run(environment: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    flags = ("--image", "hsds:test", "--s3-endpoint", "http://s3:9000", "--quiet", "0.3", "--kubelet", "0.1")
    return subprocess.run(
        [SCRIPT, *flags, "--writers", "2", *words],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.timeout(280)
def test_a_good_run(environment, tmp_path):
    done = run(environment)
    assert done.returncode == 0, done.stdout + done.stderr
    lines = [line.split(" | ") for line in done.stdout.splitlines() if line.startswith("| ")]
    assert len(lines) >= 13
    assert all(cells[2:4] == ["0", "0"] for cells in lines[1:])
    assert "Acknowledged values lost: 0. Processes unverified: 0." in done.stdout
    calls = (tmp_path / "calls").read_text()
    assert "delete namespace hsds-e2e" in calls
    assert "delete pod hsds-dn" in calls
    assert "hush-hush" not in calls, "keys are for standard input, not for command lines"
    applied = [json.loads(line) for line in (tmp_path / "applied").read_text().splitlines()]
    for item in (item for one in applied for item in one["items"] if item["kind"] != "RoleBinding"):
        assert not faults(item)


@pytest.mark.timeout(280)
def test_without_a_service_nothing_is_begun(environment, service, tmp_path):
    service.kill()
    done = run(environment)
    assert done.returncode == 1
    assert "FAILED: the load has ended: " in done.stderr
    assert "scale deployment" not in (tmp_path / "calls").read_text()
    assert "delete namespace hsds-e2e" in (tmp_path / "calls").read_text()


@pytest.mark.timeout(280)
def test_a_service_that_loses_data_under_load_is_seen(environment, service, tmp_path):
    """Not one that is gone for good: h5pyd tries again for eight minutes before it says so."""
    calls = tmp_path / "calls"

    def fail():
        while not (calls.exists() and "scale deployment hsds-dn" in calls.read_text()):
            time.sleep(0.05)
        port = service.url.rpartition(":")[2]
        service.kill()
        service.flags += ("--root-dir", str(tmp_path / "empty"), "--port", port)
        service.start()

    failing = threading.Thread(target=fail, daemon=True)
    failing.start()
    done = run(environment)
    failing.join(10)
    assert done.returncode == 1, done.stdout + done.stderr
    rows = [line.split(" | ") for line in done.stdout.splitlines() if line.startswith("| ")]
    assert sum(int(cells[2]) for cells in rows[1:]) >= 2, "each process met it"
    assert "Processes unverified: 2." in done.stdout
