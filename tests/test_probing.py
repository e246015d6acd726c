"""The process that answers probes."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from http.client import HTTPConnection
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from hsds.config import Settings
from hsds.metrics import Metrics
from hsds.monitoring import Probes, monitored
from hsds.probing import answer

WELL = {"silence": 0.1, "started": True, "ready": True}


@pytest.mark.parametrize(
    ("path", "state", "said"),
    [
        ("/livez", {"started": False, "ready": False}, (200, "ok")),
        ("/livez", {"silence": 9.9}, (200, "ok")),
        ("/livez", {"silence": 11.2}, (503, "the event loop has not turned for 11 s")),
        ("/startupz", {"ready": False}, (200, "ok")),
        ("/startupz", {"started": False}, (503, "not yet")),
        ("/readyz", {"silence": 60}, (200, "ok")),
        ("/readyz", {"ready": False}, (503, "not yet")),
        ("/metrics", {}, None),
        ("/", {}, None),
    ],
)
def test_answers(path, state, said):
    assert answer(path, **(WELL | state)) == said


def probes(metrics):
    return Probes(started=lambda: True, ready=lambda: True, render=metrics.render)


async def get(port, path):
    def ask():
        with urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as reply:
            return reply.status, reply.read()

    return await asyncio.to_thread(ask)


def children():
    return subprocess.run(
        ["ps", "--ppid", str(os.getpid()), "-o", "pid=,args="], capture_output=True, text=True, check=True
    ).stdout.splitlines()


def responders():
    return [int(line.split()[0]) for line in children() if "probing.py" in line]


async def test_one_connection_serves_many_scrapes():
    metrics = Metrics()
    async with monitored(Settings(metrics_port=0), metrics, probes(metrics)) as port:

        def scrape():
            connection = HTTPConnection("127.0.0.1", port, timeout=10)
            for _ in range(3):
                connection.request("GET", "/metrics")
                reply = connection.getresponse()
                assert reply.status == 200
                assert b"hsds_event_loop_lag_seconds" in reply.read()
            connection.request("GET", "/nothing")
            return connection.getresponse().status

        assert await asyncio.to_thread(scrape) == 404


async def test_one_that_ends_is_started_again():
    metrics = Metrics()
    async with monitored(Settings(metrics_port=0), metrics, probes(metrics)) as port:
        await get(port, "/livez")
        (first,) = responders()
        os.kill(first, signal.SIGKILL)
        async with asyncio.timeout(20):
            while responders() in ([], [first]):  # noqa: ASYNC110 - seen from outside only
                await asyncio.sleep(0.05)
        assert (await get(port, "/readyz"))[0] == 200
    assert responders() == []


def test_it_ends_with_its_node():
    code = (
        "import asyncio; from hsds.config import Settings; from hsds.metrics import Metrics\n"
        "from hsds.monitoring import Probes, monitored\n"
        "async def live():\n"
        "    probes = Probes(started=lambda: True, ready=lambda: True, render=bytes)\n"
        "    async with monitored(Settings(metrics_port=0), Metrics(), probes) as port:\n"
        "        print(port, flush=True)\n"
        "        await asyncio.sleep(60)\n"
        "asyncio.run(live())\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as node:
        url = f"http://127.0.0.1:{int(node.stdout.readline())}/livez"
        with urlopen(url, timeout=10) as reply:
            assert reply.status == 200
        node.kill()
        node.wait()
    until = time.monotonic() + 20
    while time.monotonic() < until:
        try:
            urlopen(url, timeout=10).close()
        except (URLError, ConnectionError):
            return
        time.sleep(0.05)
    raise AssertionError("it goes on without its node")
