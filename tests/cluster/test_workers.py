"""``hsds serve --workers N``: processes that share a port and the keys; what happens when one is killed."""

from __future__ import annotations

import http.client
import json
import os
import signal
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest

from tests.clients.client import Client
from tests.clients.environments import python_of, why_none
from tests.integration.service import Service, failed_start

VALUES = np.arange(10_000, dtype="<i4").reshape(100, 100)
DOMAIN = {"X-Hdf-domain": "/home/shared.h5"}


class Workers(Service):
    """A service of several processes, without passwords."""

    def __init__(self, folder: Path, *flags: str, count: int = 3) -> None:
        super().__init__(folder, "--workers", str(count), *flags)

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=60)

    def ask(self, method, path, body=None, *, binary=False, over=None):
        """One request: the answer's JSON, or its bytes."""
        kind = "application/octet-stream" if binary else "application/json"
        data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        connection = over or self.connect()
        connection.request(method, path, data, {"Content-Type": kind, "Accept": kind, **DOMAIN})
        answer = connection.getresponse()
        text = answer.read()
        assert answer.status < 300, (answer.status, text)
        return text if binary else json.loads(text)

    def pids(self):
        """Of the workers."""
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                stat = _text(entry / "stat")
                if stat and int(stat.rpartition(")")[2].split()[1]) == self.process.pid:
                    found.append(int(entry.name))
        return sorted(found)

    def wait_ready(self, seconds=30):
        until = time.monotonic() + seconds
        while True:
            answer = self.ask("GET", "/nodes")
            if answer["state"] == "READY":
                return answer["nodes"]
            assert time.monotonic() < until, (answer, self.log.read_text()[-3000:])
            time.sleep(0.05)

    def make_dataset(self):
        """A dataset of 100 chunks; the path of its values."""
        self.ask("PUT", "/")
        layout = {"class": "H5D_CHUNKED", "dims": [10, 10]}
        body = {"type": "H5T_STD_I32LE", "shape": [100, 100], "creationProperties": {"layout": layout}}
        path = f"/datasets/{self.ask('POST', '/datasets', body)['id']}/value"
        self.ask("PUT", path, VALUES.tobytes(), binary=True)
        return path

    def read(self, path):
        return np.frombuffer(self.ask("GET", path, binary=True), "<i4").reshape(100, 100)


def _text(path):
    try:
        return path.read_text()
    except OSError:
        return ""


def wait_until(what):
    until = time.monotonic() + 30
    while not what():
        assert time.monotonic() < until
        time.sleep(0.05)


def test_they_share_connections_and_keys(tmp_path):
    with Workers(tmp_path) as service:
        roles = Counter(dn=3, sn=3)  # service nodes are known by what they ask, each second
        wait_until(lambda: Counter(row["role"] for row in service.wait_ready()) == roles)
        rows = service.wait_ready()
        slots = [row["live_slots"] for row in rows if row["role"] == "dn"]
        assert sum(slots) == 4096
        assert min(slots) > 1000
        kept = [service.connect() for _ in range(9)]
        answered_by = Counter(service.ask("GET", "/info", over=one)["node"]["id"] for one in kept)
        assert set(answered_by.values()) == {3}, "each has as many of those that last"
        again = {service.ask("GET", "/info", over=one)["node"]["id"] for one in kept[:1] * 5}
        assert len(again) == 1, "a connection stays where it is"
        path = service.make_dataset()
        for _ in range(3):
            assert np.array_equal(service.read(path), VALUES)
        assert service.stop() == 0
        assert service.pids() == []
    with Service(tmp_path) as alone:  # the directory is free, and what one sees the other wrote
        service.url = alone.url
        assert np.array_equal(service.read(path), VALUES)


def test_a_killed_one_comes_back(tmp_path):
    """Every client may be sent to a killed worker's slots; none is told so."""
    with Workers(tmp_path) as service:
        path = service.make_dataset()
        before = service.pids()
        assert len(before) == 3
        os.kill(before[1], signal.SIGKILL)
        assert np.array_equal(service.read(path), VALUES)
        service.ask("PUT", path, (VALUES + 1).tobytes(), binary=True)
        assert np.array_equal(service.read(path), VALUES + 1)
        wait_until(lambda: len(service.pids()) == 3)
        after = service.pids()
        assert set(before) - set(after) == {before[1]}
        service.wait_ready()
        os.kill(after[0], signal.SIGTERM)  # as good as a kill, but in order
        wait_until(lambda: after[0] not in service.pids() and len(service.pids()) == 3)
        assert np.array_equal(service.read(path), VALUES + 1)
        service.wait_ready()
        assert service.stop() == 0


def test_connections_on_their_way_to_a_killed_one_are_answered_by_others(tmp_path):
    with Workers(tmp_path) as service:
        frozen = service.pids()[0]
        os.kill(frozen, signal.SIGSTOP)
        waiting = [service.connect() for _ in range(9)]
        for connection in waiting:
            connection.request("GET", "/livez")
        os.kill(frozen, signal.SIGKILL)
        assert [connection.getresponse().read() for connection in waiting] == [b"ok"] * 9
        wait_until(lambda: len(service.pids()) == 3 and frozen not in service.pids())
        assert {row["port"] for row in service.wait_ready() if row["role"] == "sn"} == {
            urlsplit(service.url).port
        }


def test_clients_see_no_kill(tmp_path):
    """Four programs of h5pyd write and check while each worker in turn is killed."""
    python = python_of("h5pyd1")
    if python is None:
        pytest.skip(why_none("h5pyd1"))
    (tmp_path / "passwords").write_text("ann:secret-a\n")
    with Workers(tmp_path, "--password-file", str(tmp_path / "passwords")) as service:
        client = Client("h5pyd1", python, service.url, "/home/ann/kill/", tmp_path)
        client.did("hstouch", client.folder)
        with ThreadPoolExecutor(4) as pool:
            running = [
                pool.submit(client.program, "steady", f"{client.folder}{n}.h5", "20") for n in range(4)
            ]
            time.sleep(5)
            for pid in service.pids():
                os.kill(pid, signal.SIGKILL)
                wait_until(lambda: len(service.pids()) == 3)
                time.sleep(3)
            done = [future.result().json() for future in running]
        assert all(one["rounds"] > 3 for one in done)
        assert service.stop() == 0


def test_workers_end_with_who_started_them(tmp_path):
    """Also when that is killed; until the last has ended nobody else gets the directory."""
    with Workers(tmp_path) as service:
        path = service.make_dataset()
        pids = service.pids()
        said = failed_start(tmp_path, "--port", "0")
        assert "is being served by another process" in said
        service.kill()
        wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids))
        service.start()
        assert np.array_equal(service.read(path), VALUES)


def test_ctrl_c(tmp_path):
    with Workers(tmp_path, count=2) as service:
        pids = service.pids()
        service.process.send_signal(signal.SIGINT)
        assert service.process.wait(30) == 0
        assert not any(Path(f"/proc/{pid}").exists() for pid in pids)
        assert "Traceback" not in service.log.read_text()


def test_what_prevents_the_start_is_said_once(tmp_path):
    with Service(tmp_path) as other:
        port = str(urlsplit(other.url).port)
        elsewhere = ("--root-dir", str(tmp_path / "elsewhere"))
        assert "in use" in failed_start(tmp_path, "--workers", "2", "--port", port, *elsewhere)
    assert "workers" in failed_start(tmp_path, "--workers", "0")
