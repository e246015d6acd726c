"""The image, built as its recipe says and run as a cluster runs it: not root, nothing writable but /tmp."""

import json
import re
import shutil
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.image.engine import USER, Engine, contained, missing

pytestmark = [pytest.mark.skipif(missing() is not None, reason=str(missing())), pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def engine(tmp_path_factory) -> Iterator[Engine]:
    directory = tmp_path_factory.mktemp("engine")
    yield Engine(directory)
    shutil.rmtree(directory)  # a gigabyte


@pytest.fixture(scope="module")
def image(engine: Engine) -> str:
    return engine.build(engine.make_base())


@pytest.fixture(scope="module")
def root(engine: Engine, image: str) -> Iterator[Path]:
    yield engine.mount(image)
    engine("rm", "--all")


def test_its_configuration(engine, image):
    config = json.loads(engine("inspect", "--type", "image", image))["OCIv1"]["config"]
    assert config["User"] == USER
    assert config["Entrypoint"] == ["hsds"]
    assert set(config["ExposedPorts"]) == {"5101/tcp", "6101/tcp", "9100/tcp"}
    names = {"title", "description", "licenses", "version", "revision"}
    assert {f"org.opencontainers.image.{name}" for name in names} <= set(config["Labels"])


def test_it_holds_what_runs_and_nothing_else(root):
    packages = {path.name for path in next(root.glob("opt/hsds/lib/python3*/site-packages")).iterdir()}
    assert {"hsds", "numpy", "kubernetes_asyncio"} <= packages
    assert not {"pip", "setuptools", "pytest", "tests"} & packages
    assert not (root / "src").exists()


def test_the_service_runs_as_its_user_on_a_read_only_root_and_ends_in_order(root):
    command = contained(
        root, "/usr/bin/env", "-i", "HOME=/tmp", "PATH=/opt/hsds/bin:/usr/bin:/bin", "PYTHONUNBUFFERED=1",
        "hsds", "serve", "--port", "0", "--root-dir", "/tmp/data",
    )  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            line = process.stdout.readline()
            found = re.search(r"http://127\.0\.0\.1:\d+", line)
            assert found, line + process.stdout.read()
            status = dict(
                line.split(":\t") for line in Path(f"/proc/{process.pid}/status").read_text().splitlines()
            )
            assert status["Uid"].split() == ["10001"] * 4
            for path in ("/livez", "/readyz", "/startupz", "/metrics"):
                with urllib.request.urlopen(found[0] + path, timeout=10) as answer:
                    assert answer.status == 200
            process.send_signal(signal.SIGTERM)
            assert process.wait(30) == 0
        finally:
            process.kill()


def status_in_time(url: str) -> int:
    """The status, asked again for a while where it is 503: how a node is is told ten times a second."""
    until = time.monotonic() + 20
    while True:
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            if error.code != 503 or time.monotonic() > until:
                return error.code
        time.sleep(0.05)


def test_a_node_answers_probes_from_its_other_process(root):
    """Which is started with the image's Python, as its user, and needs no file but its own."""
    flags = "--host 127.0.0.49 --sn-port 0 --discovery static --dn-urls http://127.0.0.49:6101"
    files = "--node-secret-file /tmp/secret --password-file /tmp/passwd"
    script = (
        "echo a-secret-of-the-nodes > /tmp/secret; echo admin:admin > /tmp/passwd; "
        f"exec hsds sn {flags} {files}"
    )
    command = contained(
        root, "/usr/bin/env", "-i", "HOME=/tmp", "PATH=/opt/hsds/bin:/usr/bin:/bin", "/bin/sh", "-c", script
    )
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            for line in process.stderr:
                if "runs as sn" in line:
                    break
            answers = {}
            for path in ("/livez", "/startupz", "/metrics"):
                answers[path] = status_in_time(f"http://127.0.0.49:9100{path}")
            assert answers == {"/livez": 200, "/startupz": 200, "/metrics": 200}
            process.send_signal(signal.SIGTERM)
            assert process.wait(30) == 0
        finally:
            process.kill()


def test_nothing_but_tmp_is_writable(root):
    script = "touch /tmp/x && ! touch /x 2>/dev/null && ! touch /opt/hsds/x 2>/dev/null && echo so it is"
    done = subprocess.run(
        contained(root, "/bin/sh", "-c", script), capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "so it is"
