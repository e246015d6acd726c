"""The port for machines that watch."""

import asyncio
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from urllib.request import urlopen

import aiohttp
import pytest
from aiohttp.test_utils import TestClient, TestServer

from hsds.config import Settings
from hsds.errors import InvalidSettings
from hsds.metrics import METRICS_TYPE, Metrics
from hsds.monitoring import LoopLag, Probes, make_monitoring_app, monitored


def probes_of(metrics: Metrics, *, ready: bool = True, started: bool = True) -> Probes:
    return Probes(started=lambda: started, ready=lambda: ready, render=metrics.render)


async def ask(port: int, path: str) -> tuple[int, str, str]:
    async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}{path}") as answer:
        return answer.status, await answer.text(), answer.headers["Content-Type"]


async def test_the_metrics_page():
    metrics = Metrics()
    async with monitored(Settings(metrics_port=0), metrics, probes_of(metrics)) as port:
        status, text, kind = await ask(port, "/metrics")
    assert (status, kind) == (200, METRICS_TYPE)
    assert "hsds_event_loop_lag_seconds" in text


@pytest.mark.parametrize(("path", "status"), [("/livez", 200), ("/readyz", 503), ("/startupz", 503)])
async def test_liveness_depends_on_nothing_and_the_others_on_what_they_are_about(path, status):
    metrics = Metrics()
    async with monitored(
        Settings(metrics_port=0), metrics, probes_of(metrics, ready=False, started=False)
    ) as port:
        assert (await ask(port, path))[0] == status


async def test_probes_follow_the_state():
    metrics = Metrics()
    states = {"ready": False}
    probes = Probes(started=lambda: True, ready=lambda: states["ready"], render=metrics.render)
    async with monitored(Settings(metrics_port=0), metrics, probes) as port:
        assert (await ask(port, "/readyz"))[0] == 503
        states["ready"] = True
        async with asyncio.timeout(10):
            while (await ask(port, "/readyz"))[0] != 200:  # noqa: ASYNC110 - seen from outside only
                await asyncio.sleep(0.05)


async def test_a_port_in_use_is_named():
    metrics = Metrics()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings = Settings(metrics_port=taken.getsockname()[1])
        with pytest.raises(InvalidSettings, match=r"\(metrics_port\): it is in use"):
            async with monitored(settings, metrics, probes_of(metrics)):
                pass


async def test_probes_are_answered_while_the_loop_is_busy():
    metrics = Metrics()
    async with monitored(Settings(metrics_port=0), metrics, probes_of(metrics)) as port:
        with ThreadPoolExecutor(1) as executor:
            asked = executor.submit(urlopen, f"http://127.0.0.1:{port}/livez", timeout=10)
            while not asked.done():
                time.sleep(0.01)  # noqa: ASYNC251 - the loop does not turn until the answer is there
        assert asked.result().status == 200


async def test_a_loop_that_is_stuck_is_not_alive():
    asked = replace(probes_of(Metrics()), silence=lambda: 11.0)
    async with TestClient(TestServer(make_monitoring_app(asked))) as client, client.get("/livez") as answer:
        assert answer.status == 503
        assert await answer.text() == "the event loop has not turned for 11 s"


def test_silence_lasts_until_the_loop_turns():
    now = [0.0]
    lag = LoopLag(lambda: now[0])
    now[0] = 3.0
    assert lag.silence == 3.0
    lag.late(2.9)
    assert lag.silence == 0.0


async def test_a_blocked_loop_shows():
    metrics = Metrics()
    async with monitored(Settings(metrics_port=0), metrics, probes_of(metrics)):
        await asyncio.sleep(0.15)
        time.sleep(0.5)  # noqa: ASYNC251 - the fault to be seen
        await asyncio.sleep(0.15)
        lag = next(
            float(line.split()[1])
            for line in metrics.render().decode().splitlines()
            if line.startswith("hsds_event_loop_lag_seconds ")
        )
    assert 0.3 < lag < 5


def test_an_old_lag_is_forgotten():
    now = [0.0]
    lag = LoopLag(lambda: now[0])
    lag.late(2.0)
    now[0] = 16.0
    lag.late(0.1)
    assert lag.worst == 2.0
    now[0] = 32.0
    lag.late(0.1)
    assert lag.worst == 0.1
