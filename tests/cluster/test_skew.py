"""Old and new versions side by side: a rollout from the previous release to this one, and back, under load.

Pods are replaced as the manifests have it: one more first, then one less; connections go where a Service
would send them. h5pyd writes and reads all the time, verifies every byte and counts every error.
"""

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.clients.environments import python_of, why_none
from tests.cluster.processes import ROOT, Cluster
from tests.k8s.test_as_in_pods import get
from tests.tools.kubeaccount import ServiceAccountFolder, pod_environment
from tests.tools.kubeapi import KubeApi
from tests.tools.kubeservice import KubeService
from tests.tools.previous import previous, unpack

LOAD = Path(__file__).parents[1] / "k8s" / "programs" / "load.py"
WRITERS = 3


class Pods:
    """Pods of both kinds, each with the code of a tree."""

    def __init__(self, cluster, api, account):
        self.cluster, self.api, self.account = cluster, api, account
        self.uids = {}
        self.service = KubeService()

    async def start(self, role, address, tree):
        """Run one until its readiness probe says yes."""
        labels = {"app": "hsds"} if role == "dn" else {"app": "other"}
        uid = self.uids[address] = self.api.run(address, labels=labels)
        environ = {name.upper(): value for name, value in pod_environment(self.api.port).items()}
        environ |= {"POD_UID": uid, "POD_IP": address, "PYTHONPATH": str(tree)}
        self.cluster.start(role, address, "--k8s-account-dir", str(self.account), **environ)
        port = 6101 if role == "dn" else 5101
        async with asyncio.timeout(60):
            while (await asyncio.to_thread(get, f"http://{address}:{port}/readyz"))[0] != 200:
                assert self.cluster.running[address].poll() is None, self.cluster.log(address)
                await asyncio.sleep(0.1)
        if role == "sn":
            self.service.endpoints.append((address, 5101))

    async def end(self, address):
        """End one as Kubernetes does: no new connections, a little later SIGTERM."""
        self.api.terminate(self.uids[address])
        if (address, 5101) in self.service.endpoints:
            self.service.endpoints.remove((address, 5101))
            await asyncio.sleep(0.5)
        assert await asyncio.to_thread(self.cluster.stop, address, 60) == 0, self.cluster.log(address)
        self.api.finish(self.uids.pop(address))


@pytest.fixture
async def pods(authority, tmp_path):
    async with KubeApi(authority) as api:
        api.access.let_watch(tmp_path, "token")
        account = ServiceAccountFolder(tmp_path / "account", namespace="t", token="token", ca=authority.ca)
        with Cluster(tmp_path) as cluster:
            made = Pods(cluster, api, account.folder)
            async with made.service:
                yield made


def where(tree):
    """The package that processes of a tree run."""
    environ = os.environ | {"PYTHONPATH": str(tree)}
    code = "import hsds; print(hsds.__file__)"
    return subprocess.run(
        [sys.executable, "-c", code], env=environ, cwd="/", capture_output=True, text=True, check=True
    ).stdout


@pytest.mark.timeout(280)
async def test_a_rollout_from_the_previous_release_and_back(pods, tmp_path):
    python = python_of("h5pyd1")
    if python is None:
        pytest.skip(why_none("h5pyd1"))
    old, new = unpack(previous(), tmp_path / "previous"), ROOT
    assert str(old) in where(old)
    assert str(new) in where(new)
    for role, address in (
        ("dn", "127.0.44.1"),
        ("dn", "127.0.44.2"),
        ("sn", "127.0.44.3"),
        ("sn", "127.0.44.4"),
    ):
        await pods.start(role, address, old)

    figures = tmp_path / "figures"
    figures.mkdir()
    load = start_load(python, figures, pods.service.url)
    try:
        async with asyncio.timeout(30):
            while len(list(figures.glob("stats-*"))) < WRITERS:  # noqa: ASYNC110 - nothing tells
                await asyncio.sleep(0.1)
        # each kind of old node meets each kind of new one
        await roll(pods, figures, "up", new, 11, ("dn", 1), ("sn", 3), ("dn", 2), ("sn", 4))
        await roll(pods, figures, "down", old, 21, ("sn", 13), ("dn", 11), ("sn", 14), ("dn", 12))
        (figures / "stop").touch()
        await asyncio.to_thread(load.wait, 60)
    finally:
        load.kill()
        load.wait()
    assert json.loads((figures / "ended.json").read_text()) == [0] * WRITERS
    phases = {}
    for number in range(WRITERS):
        assert json.loads((figures / f"verdict-{number}.json").read_text())["lost"] == 0
        for phase, seen in json.loads((figures / f"stats-{number}.json").read_text()).items():
            assert (seen["errors"], seen["stale"]) == (0, 0), (phase, seen)
            phases[phase] = phases.get(phase, 0) + seen["operations"]
    assert {"up", "down"} <= set(phases)
    print(phases)


def start_load(python, figures, url):
    words = [python, LOAD, figures, url, "joe", "joe", WRITERS]
    return subprocess.Popen([str(word) for word in words])


async def roll(pods, figures, phase, tree, first, *order):
    """Replace pods one by one; the new ones have the numbers from ``first`` on."""
    (figures / "phase").write_text(phase)
    for role, number in order:
        replacement = first + (number % 10) - 1
        await pods.start(role, f"127.0.44.{replacement}", tree)
        await asyncio.sleep(1)  # of load on both
        await pods.end(f"127.0.44.{number}")
