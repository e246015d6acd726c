"""The clients of ``test_cluster_long`` at HSDS 1.0.2 with four data nodes, one of them killed and restarted.

It reports what was refused and what was lost, for ``docs/reliability.md``, and asserts only that it could.

    HSDS_TEST_HSDS102=/path/to/env/bin/python pytest -s tests/long/test_cluster_hsds102.py
"""

import asyncio
import os
import subprocess
import time
from pathlib import Path

import pytest

from tests.clients.environments import python_of, why_none
from tests.long.load import load
from tests.tools.hsds102 import PASSWORD, USER, Hsds102, stored_at

pytestmark = [
    pytest.mark.timeout(240),
    pytest.mark.skipif("HSDS_TEST_HSDS102" not in os.environ, reason="HSDS_TEST_HSDS102 is not set"),
    pytest.mark.skipif(python_of("h5pyd1") is None, reason=why_none("h5pyd1")),
]


async def test_a_data_node_killed_and_restarted(tmp_path, s3_server, s3_bucket):
    with Hsds102(os.environ["HSDS_TEST_HSDS102"], data_nodes=4, **stored_at(s3_server, s3_bucket)) as service:
        await make_folders(service)
        endpoint = "http+unix://" + f"{service.folder}/sn_1.sock".replace("/", "%2F")
        again = []
        try:
            async with load(tmp_path / "load", endpoint, USER, PASSWORD, tries=20) as running:
                again.append(await asyncio.to_thread(kill_and_restart, service))
                await asyncio.sleep(10)
                await service.wait()
                await asyncio.sleep(10)
                outcome = await running.end()
        finally:
            for process in again:
                process.kill()
                process.wait()
        print("\n" + outcome.row("HSDS 1.0.2, one data-node process killed and restarted"))
        print(*outcome.errors[:3], *outcome.lost[:3], *outcome.wrong[:3], sep="\n")
        assert outcome.operations > 100


async def make_folders(service):
    """It may give up its start, or answer 500 at first: then it is started again."""
    for _ in range(4):
        try:
            await service.wait(30)
            async with service.rest() as rest:
                for folder in ("/home", f"/home/{USER}"):
                    status, reason, _ = await rest.send("PUT", "/", folder, json={"folder": True})
                    assert status in (201, 409), reason
        except AssertionError:
            service.kill()
            service.start()
        else:
            return
    raise AssertionError("HSDS does not start")


def kill_and_restart(service):
    """``kill -9`` one data node, and a second later start it as it was started; the new process."""
    pid = data_nodes(service)[0]
    proc = Path(f"/proc/{pid}")
    words = [word.decode() for word in (proc / "cmdline").read_bytes().split(b"\0")[:-1]]
    pairs = [pair.decode().partition("=") for pair in (proc / "environ").read_bytes().split(b"\0")[:-1]]
    folder = (proc / "cwd").readlink()
    os.kill(pid, 9)
    time.sleep(1)
    (number,) = (int(word.partition("=")[2]) for word in words if word.startswith("--node_number="))
    (service.folder / f"dn_{number + 1}.sock").unlink()
    return subprocess.Popen(words, env={name: value for name, _, value in pairs}, cwd=folder)


def data_nodes(service):
    """Process ids of the data nodes of a service."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words, group = path.read_bytes(), os.getpgid(int(path.parent.name))
        except OSError:  # it has ended meanwhile
            continue
        if b"--node_type=dn" in words and group == service.process.pid:
            found.append(int(path.parent.name))
    return sorted(found)
