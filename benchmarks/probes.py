"""How long probes take while a service node and a data node have all they can do.

    python -m benchmarks.probes [--seconds 20]

32 clients write and read some MiB at a time, half of them gzip-compressed, and as JSON; meanwhile each probe
of each node is asked ten times a second, each time over a new connection, as the kubelet does.
"""

import argparse
import base64
import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import numpy as np

SN, DN = "127.0.60.1", "127.0.60.2"
PORTS = ((SN, 5101), (SN, 9100), (DN, 6101), (DN, 9100))
CLIENTS, ROWS, ROW = 32, 8, 250_000
AUTH = "Basic " + base64.b64encode(b"joe:joe").decode()


def start(folder: Path, role: str, address: str) -> subprocess.Popen[bytes]:
    """A node over a directory."""
    files = {"root-dir": "data", "password-file": "passwd", "node-secret-file": "secret"}
    words = [word for name, file in files.items() for word in (f"--{name}", str(folder / file))]
    words += ["--host", address, "--discovery", "static", "--dn-urls", f"http://{DN}:6101"]
    with (folder / f"{role}.log").open("wb") as log:
        return subprocess.Popen([sys.executable, "-m", "hsds", role, *words], stdout=log, stderr=log)


def ask(
    connection: HTTPConnection, method: str, path: str, domain: str, body: Any = None, **headers: str
) -> bytes:
    """One request; its body. Anything but 2xx is an error."""
    data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    kind = "application/octet-stream" if isinstance(body, bytes) else "application/json"
    given = {"Authorization": AUTH, "Content-Type": kind, **headers}
    connection.request(method, f"{path}{'&' if '?' in path else '?'}domain={domain}", data, given)
    with connection.getresponse() as answer:
        text = answer.read()
        if answer.status >= 300:
            raise RuntimeError(f"{method} {path}: {answer.status} {text[:200]!r}")
        return text


def client(number: int, until: float, done: list[int]) -> None:
    """One client of the load: the same 8 MiB written and read in all ways. ``done`` counts by client."""
    connection, domain = HTTPConnection(SN, 5101, timeout=180), f"/home/joe/probes-{number}.h5"
    ask(connection, "PUT", "/", domain)
    layout: dict[str, Any] = {"layout": {"class": "H5D_CHUNKED", "dims": [1, ROW]}}
    if number % 2:
        layout["filters"] = [{"class": "H5Z_FILTER_DEFLATE", "id": 1, "level": 4, "name": "deflate"}]
    body = {"type": "H5T_STD_I32LE", "shape": [ROWS, ROW], "creationProperties": layout}
    value = f"/datasets/{json.loads(ask(connection, 'POST', '/datasets', domain, body))['id']}/value"
    binary = {"Accept": "application/octet-stream"}
    choose = random.Random(number)
    values = np.arange(ROWS * ROW, dtype="<i4") % 10_007
    text = {"value": values[: 2 * ROW].reshape(2, ROW).tolist()}
    while time.time() < until:
        match choose.randrange(5):
            case 0 | 1:
                ask(connection, "PUT", value, domain, values.tobytes())
            case 2 | 3:
                ask(connection, "GET", value, domain, **binary)
            case _:
                ask(connection, "PUT", f"{value}?select=[0:2,0:{ROW}]", domain, text)
                ask(connection, "GET", f"{value}?select=[0:2,0:{ROW}]", domain)
        done[number] += 1


def load(seconds: float) -> None:
    """All clients, in this process."""
    until = time.time() + seconds
    done = [0] * CLIENTS
    threads = [threading.Thread(target=client, args=(number, until, done)) for number in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(f"{sum(done) / seconds:.1f} steps of clients a second")


def probe(place: tuple[str, int], path: str, until: float, found: list[float]) -> None:
    """Ask again and again. A probe that fails counts as ten seconds."""
    while time.time() < until:
        began = time.perf_counter()
        try:
            connection = HTTPConnection(*place, timeout=10)
            connection.request("GET", path)
            good = connection.getresponse().status == 200
            connection.close()
        except OSError:
            good = False
        found.append(time.perf_counter() - began if good else 10.0)
        time.sleep(0.1)


def probes(seconds: float) -> dict[str, list[float]]:
    """Seconds that each probe took."""
    until = time.time() + seconds
    found: dict[str, list[float]] = {}
    threads = []
    for place in PORTS:
        for path in ("/livez", "/readyz"):
            taken = found[f"{'SN' if place[0] == SN else 'DN'} {place[1]} {path}"] = []
            threads.append(threading.Thread(target=probe, args=(place, path, until, taken)))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def table(found: dict[str, list[float]]) -> str:
    """The figures in milliseconds, as Markdown."""
    lines = ["| probe | asked | median | p99 | longest |", "|---|---|---|---|---|"]
    for name, seconds in found.items():
        median, p99, longest = (1000 * float(np.quantile(seconds, q)) for q in (0.5, 0.99, 1.0))
        lines.append(f"| {name} | {len(seconds)} | {median:.1f} ms | {p99:.1f} ms | {longest:.1f} ms |")
    return "\n".join(lines)


def main(words: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.probes", description=__doc__)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--load", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args(words)
    if options.load:
        load(options.seconds)
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "secret").write_text("a-secret-of-the-nodes\n")
        (folder / "passwd").write_text("joe:joe\n")
        nodes = [start(folder, "sn", SN), start(folder, "dn", DN)]
        try:
            while any(seconds[-1] >= 10 for seconds in probes(0.2).values()):
                time.sleep(0.2)
            command = [
                sys.executable,
                "-m",
                "benchmarks.probes",
                "--load",
                "--seconds",
                str(options.seconds + 3),
            ]
            clients = subprocess.Popen(command, env=os.environ)
            time.sleep(3)
            print(table(probes(options.seconds)))
            if clients.wait():
                raise SystemExit("the load failed")
        finally:
            for node in nodes:
                node.terminate()
                node.wait()


if __name__ == "__main__":
    main(sys.argv[1:])
