"""Nodes as processes: found, numbered, joined, left and killed, while every byte stays what it was."""

import asyncio
import json
import os
import subprocess
import sys
import time

import numpy as np
import pytest

from tests.cluster.processes import ROOT, Cluster
from tests.tools.kubeaccount import ServiceAccountFolder, pod_environment
from tests.tools.kubeapi import KubeApi

SN = "127.0.0.10"
LEASE = 80
"""Seconds; longer than anything else here may take."""
FILE = "?domain=/home/joe/x.h5"
VALUES = np.arange(40_000, dtype="<i4").reshape(200, 200)


def make_dataset(cluster, sn=SN):
    """A file with a dataset of 100 chunks; the path of its values."""
    assert cluster.ask(sn, "PUT", f"/{FILE}")[0] == 201
    layout = {"class": "H5D_CHUNKED", "dims": [20, 20]}
    body = {"type": "H5T_STD_I32LE", "shape": [200, 200], "creationProperties": {"layout": layout}}
    status, dataset = cluster.ask(sn, "POST", f"/datasets{FILE}", body)
    assert status == 201
    path = f"/datasets/{dataset['id']}/value{FILE}"
    assert cluster.ask(sn, "PUT", path, VALUES.tobytes(), binary=True)[0] == 200
    return path


def read(cluster, path, sn=SN):
    status, data = cluster.ask(sn, "GET", path, binary=True)
    assert status == 200, data
    return np.frombuffer(data, "<i4").reshape(200, 200)


def urls(*addresses):
    return ("--discovery", "static", "--dn-urls", ",".join(f"http://{a}:6101" for a in addresses))


def status(endpoint, *flags, password="joe"):
    """``hsds status`` of a service: exit status and output."""
    environ = os.environ | {"HS_USERNAME": "joe", "HS_PASSWORD": password, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-m", "hsds", "status", "--endpoint", endpoint, *flags],
        capture_output=True,
        text=True,
        check=False,
        env=environ,
    )
    return done.returncode, done.stdout


def test_data_nodes_from_the_configuration(tmp_path):
    first, second = "127.0.0.2", "127.0.0.11"
    with Cluster(tmp_path, *urls(second, first), "--lease-time", str(LEASE)) as cluster:
        cluster.start("sn", SN)
        cluster.start("dn", first)
        cluster.start("dn", second)
        rows = cluster.wait_ready(SN, 2)
        assert [(row["number"], row["address"]) for row in rows] == [(0, first), (1, second)], "by numeric IP"
        assert sum(row["live_slots"] for row in rows) == 4096
        path = make_dataset(cluster)
        assert np.array_equal(read(cluster, path), VALUES)
        code, text = status(f"http://{SN}:5101")
        assert code == 0
        assert "RUNNING" in text
        assert text.startswith("READY, epoch ")
        started = time.monotonic()
        assert cluster.stop(first) == 0
        assert np.array_equal(read(cluster, path), VALUES)
        assert time.monotonic() - started < LEASE / 2, "nobody waits for the lease of one that leaves"
        assert cluster.wait_ready(SN, 1)[0]["live_slots"] == 4096
        cluster.start("dn", first)
        cluster.wait_ready(SN, 2)
        assert np.array_equal(read(cluster, path), VALUES)
        answer = json.loads(status(f"http://{SN}:5101", "--json")[1])
        assert [row["role"] for row in answer["nodes"]] == ["dn", "dn", "sn"]
        assert cluster.stop(SN) == 0
    assert status(f"http://{SN}:5101")[0] == 2


def test_both_roles_in_each_process(tmp_path):
    first, second = "127.0.0.3", "127.0.0.4"
    with Cluster(tmp_path, *urls(first, second)) as cluster:
        for address in (first, second):
            cluster.start("node --roles sn,dn", address)
        cluster.wait_ready(first, 2)
        path = make_dataset(cluster, first)
        cluster.wait_ready(second, 2)
        assert np.array_equal(read(cluster, path, second), VALUES)
        until = time.monotonic() + 10
        while sorted(row["role"] for row in cluster.nodes(second)["nodes"]) != ["dn", "dn", "sn", "sn"]:
            assert time.monotonic() < until, "a service node knows of the others by what they ask"
            time.sleep(0.1)
        assert cluster.stop(first) == 0
        assert np.array_equal(read(cluster, path, second), VALUES)


@pytest.fixture
async def api(authority, tmp_path):
    async with KubeApi(authority) as api:
        api.access.let_watch(tmp_path, "token")
        yield api


async def test_pods(api, authority, tmp_path):
    """Pods join, are killed with their pod deleted by force, and restart in place."""

    sn = "127.0.0.20"  # tests may run side by side
    account = ServiceAccountFolder(tmp_path / "account", namespace="t", token="token", ca=authority.ca)
    environ = {name.upper(): value for name, value in pod_environment(api.port).items()}
    flags = ("--k8s-account-dir", str(account.folder), "--lease-time", "2")

    def act(cluster, what, *arguments, **options):
        return asyncio.to_thread(getattr(cluster, what), *arguments, **options)

    def run_pod(cluster, address):
        uid = api.run(address)
        cluster.start("dn", address, POD_UID=uid, POD_IP=address, **environ)
        return uid

    with Cluster(tmp_path, *flags) as cluster:
        cluster.start("sn", sn, POD_UID="sn-1", POD_IP=sn, **environ)
        pods = {address: run_pod(cluster, address) for address in ("127.0.0.21", "127.0.0.22")}
        await act(cluster, "wait_ready", sn, 2)
        path = await asyncio.to_thread(make_dataset, cluster, sn)
        pods["127.0.0.23"] = run_pod(cluster, "127.0.0.23")
        rows = await act(cluster, "wait_ready", sn, 3)
        assert [row["uid"] for row in rows] == list(pods.values())
        assert np.array_equal(await asyncio.to_thread(read, cluster, path, sn), VALUES)
        cluster.kill("127.0.0.22")  # as when its machine is lost
        api.force_delete(pods["127.0.0.22"])
        assert np.array_equal(await asyncio.to_thread(read, cluster, path, sn), VALUES)
        await act(cluster, "wait_ready", sn, 2)
        cluster.kill("127.0.0.23")
        cluster.start("dn", "127.0.0.23", POD_UID=pods["127.0.0.23"], POD_IP="127.0.0.23", **environ)
        assert np.array_equal(await asyncio.to_thread(read, cluster, path, sn), VALUES)
        await act(cluster, "wait_ready", sn, 2)
    # who does not see itself looks for its own pod
    assert api.access.used - {("get", "pods")} == {("list", "pods"), ("watch", "pods")}
