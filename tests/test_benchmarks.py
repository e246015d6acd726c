"""The benchmarks in their smallest form: that they run, check answers, and report what they measured."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest

from benchmarks import suites
from benchmarks.client import Connection, make
from benchmarks.goals import CLUSTER, POSIX, S3
from benchmarks.plot import plot
from benchmarks.program import Local, Program
from benchmarks.report import Results, Sample, markdown, merged, missed
from benchmarks.workload import Goal

ROOT = Path(__file__).parents[1]
CONTESTANTS = {"hsds", "bare server"} | ({"nginx"} if shutil.which("nginx") else set())


def run(folder, *flags):
    files = {"--json": folder / "f.json", "--markdown": folder / "f.md", "--plot": folder / "f.svg"}
    words = [word for flag, file in files.items() for word in (flag, str(file))]
    command = [sys.executable, "-m", "benchmarks", *flags, *words]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(files["--json"].read_text()), files["--markdown"].read_text(), done.stdout


ONE_OF_EACH = (
    "small reads, 1 client",
    "small writes, flush, 1 client",
    "gzip write",
    "bulk read, cold, 1 client",
    "JSON read",
    "compound query",
    "groups created",
    "datasets deleted",
    "attributes read",
    "domains created",
)


def test_a_suite(tmp_path):
    found, table, printed = run(tmp_path, "--rounds", "1", "--only", *ONE_OF_EACH)
    assert {s["contestant"] for s in found["samples"]} == CONTESTANTS
    for name in ONE_OF_EACH:
        rates = [s for s in found["samples"] if name in s["workload"]]
        assert rates, name
        assert all(s["rate"] > 0 and s["cpu"] > 0 and s["memory"] > 1 for s in rates), rates
        assert f"| {name}" in table
    assert "Peak memory" in printed


def test_a_cluster(tmp_path):
    found, *_ = run(tmp_path, "--suite", "cluster", "--rounds", "1", "--only", "links read", "small reads, 1")
    assert {s["contestant"] for s in found["samples"]} == CONTESTANTS


def processes_of(folder):
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):  # it may end at any moment
            words = path.read_bytes()
            found += [words] if str(folder).encode() in words else []
    return found


def test_what_was_started_ends_with_a_run_that_is_told_to_end(tmp_path):
    command = [sys.executable, "-m", "benchmarks", "--rounds", "1000", "--only", "links read"]
    environ = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen(command, cwd=ROOT, env=environ, stdout=subprocess.PIPE) as running:
        try:
            end = time.monotonic() + 60
            while len(list(tmp_path.glob("bench-*/sn_1.sock"))) < len(CONTESTANTS) and time.monotonic() < end:
                time.sleep(0.1)
            started = len(list(tmp_path.glob("bench-*/sn_1.sock")))
            running.terminate()  # before anything is asserted: what it started ends with it
            running.communicate(timeout=60)
        finally:
            running.kill()  # or the end of the block waits for it for ever
    assert started == len(CONTESTANTS)
    assert running.returncode == 128 + signal.SIGTERM
    assert not list(tmp_path.glob("bench-*"))
    assert not processes_of(tmp_path)


@pytest.mark.parametrize("told", [b"Connection: close\r\n", b""])
def test_a_connection_that_the_server_ends_is_made_anew(tmp_path, told):
    """Ours end after a minute, and say so; others end when they were idle."""
    address = str(tmp_path / "s")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(address)
        listening.listen()

        def serve():
            for _ in range(2):
                client, _ = listening.accept()
                with client:
                    client.recv(1 << 16)
                    client.sendall(b"HTTP/1.1 200 OK\r\n" + told + b"Content-Length: 2\r\n\r\nok")
                ended.release()

        ended = threading.Semaphore(0)
        server = threading.Thread(target=serve)
        server.start()
        connection = Connection(address)
        for _ in range(2):
            assert bytes(connection.ask(make("GET", "/", {}))) == b"ok"
            ended.acquire()
            connection.renew()
        connection.close()
        server.join()


def test_growth(tmp_path):
    points, table, _ = run(tmp_path, "--suite", "growth", "--sizes", "12", "300")
    assert {point["size"] for point in points} == {12, 300}
    links = {p["size"]: p["stored"] for p in points if p["what"].startswith("a link put")}
    assert links[300] > links[12] > 0
    assert table.count("\n") == 2 + 2 * len({point["what"] for point in points})
    assert (tmp_path / "f.svg").read_text().startswith("<svg")


def test_goals_are_of_workloads_that_are_there():
    clients = {"h5pyd: load", "h5pyd: walk", "h5pyd: read"}
    for suite, goals in (("posix", POSIX), ("cluster", CLUSTER), ("s3", S3)):
        assert goals.keys() - clients <= set(suites.names(suite, [])), suite


def test_what_h5py_does_beside():
    with Program(Path(sys.prefix), "with_h5py") as program:
        local = Local("h5py", program)
        of = {w.name: w for w in suites.workloads("posix")}
        for name in ("small reads, 1 client", "groups created", "vlen strings read, binary"):
            assert local.takes(of[name])
            assert local.prepare(of[name])().seconds > 0
        assert not local.takes(of["domains created"])
        with pytest.raises(RuntimeError, match="KeyError"):
            program.prepare("no such thing", "x", {})


def samples(workload, ours, theirs):
    return [
        Sample(workload, name, "1/s", rate, 0.001, 100.0)
        for pair in zip(ours, theirs, strict=True)
        for name, rate in zip(("hsds", "HSDS 1.0.2"), pair, strict=True)
    ]


def test_goals_reached_and_missed():
    found = [*samples("quick", [30, 20, 10], [5, 5, 5]), *samples("slow", [3, 4, 5], [2, 2, 2])]
    parts = [
        Results("posix", 3, found[:6], {"hsds": 100.0, "HSDS 1.0.2": 500.0}),
        Results("posix", 3, found[6:], {"hsds": 200.0, "HSDS 1.0.2": 500.0}),
    ]
    results = merged(parts)
    goals = {"quick": Goal(4), "slow": Goal(2.5)}
    assert missed(results, goals) == ["slow: 2.00 of HSDS 1.0.2, not 2.5"]
    table = markdown(results, goals, 4)
    assert "| quick | 1/s | 20.0 | 5.00 | **4.00** (2.00 to 6.00) | 4 | reached |" in table
    assert "| slow | 1/s | 4.00 | 2.00 | **2.00** (1.50 to 2.50) | 2.5 | **missed** |" in table
    assert "needs 2.5 times as much, at least 4: **missed**" in table
    assert Results.of(json.loads(results.json())) == results
    assert plot(results, goals).count("<circle") == 6
