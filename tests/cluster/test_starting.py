"""Data nodes that cannot start yet: one clear line, probes that say no, and recovery without a restart."""

import asyncio
import json
import subprocess
import sys

import pytest

from tests.cluster.processes import ROOT, Cluster
from tests.k8s.test_as_in_pods import get

PROBES = ("startupz", "readyz")


class Waiting:
    """A data node over S3 that has something to wait for."""

    def __init__(self, folder, server, bucket, address):
        self.address = address
        self.keys = folder / "keys"
        self.keys.mkdir()
        self.write("aws_access_key_id", server.access_key)
        self.write("aws_secret_access_key", server.secret_key)
        flags = ("--discovery", "static", "--dn-urls", f"http://{address}:6101")
        storage = (
            *("--aws-s3-gateway", server.endpoint, "--bucket-name", bucket),
            *("--aws-credentials-dir", str(self.keys)),
        )
        self.cluster = Cluster(
            folder, *flags, "--log-format", "json", "--log-level", "DEBUG", storage=storage
        )

    def write(self, name, text):
        (self.keys / f"{name}.new").write_text(text)
        (self.keys / f"{name}.new").replace(self.keys / name)

    def start(self):
        self.cluster.start("dn", self.address)

    def stop(self, seconds=30):
        return self.cluster.stop(self.address, seconds)

    @property
    def log(self):
        return self.cluster.log(self.address)

    @property
    def faults(self):
        """The lines of the log that tell of faults."""
        lines = [json.loads(line) for line in self.log.splitlines() if line.startswith("{")]
        return [line["msg"] for line in lines if line["level"] in {"ERROR", "WARNING"}]

    async def until(self, true):
        async with asyncio.timeout(60):
            while not await true():
                assert self.cluster.running[self.address].poll() is None, self.log
                await asyncio.sleep(0.1)

    async def says_no_and_lives(self):
        for probe in PROBES:
            assert (await self.probed(9100, probe)) == 503
            assert (await self.probed(6101, probe)) is None  # not listening: to the kubelet that is a no
        assert await self.probed(9100, "livez") == 200

    async def ready(self):
        return await self.probed(6101, "readyz") == 200

    async def probed(self, port, probe):
        return (await asyncio.to_thread(get, f"http://{self.address}:{port}/{probe}"))[0]


@pytest.fixture
def waiting(tmp_path, s3_server):
    made = []

    def make(bucket, address):
        made.append(Waiting(tmp_path, s3_server, bucket, address))
        return made[0]

    yield make
    for one in made:
        one.cluster.__exit__()


async def told(node, *texts):
    """Wait for the one line, and see that there is no second."""

    async def said():
        return bool(node.faults)

    await node.until(said)
    await asyncio.sleep(4)  # looks again meanwhile
    (line,) = node.faults
    for text in texts:
        assert text in line


@pytest.mark.timeout(150)
async def test_a_missing_bucket(waiting, s3_store, s3_bucket):
    bucket = f"{s3_bucket}-late"
    node = waiting(bucket, "127.0.46.1")
    node.start()
    await told(node, f"there is no bucket {bucket}", "looking again every 3 s")
    await node.says_no_and_lives()
    await s3_store.create_bucket(bucket)
    try:
        await node.until(node.ready)
        assert node.stop() == 0
    finally:
        for info in [info async for info in s3_store.list_all(bucket)]:
            await s3_store.delete(bucket, info.key)
        await s3_store.delete_bucket(bucket)


@pytest.mark.timeout(150)
async def test_a_wrong_key(waiting, s3_bucket, s3_server):
    node = waiting(s3_bucket, "127.0.46.2")
    node.write("aws_secret_access_key", "sesame-open")
    node.start()
    await told(node, f"bucket {s3_bucket} cannot be used")
    await node.says_no_and_lives()
    assert "sesame" not in node.log
    node.write("aws_secret_access_key", s3_server.secret_key)
    await node.until(node.ready)
    assert node.stop() == 0
    assert s3_server.secret_key not in node.log


@pytest.mark.timeout(150)
async def test_no_key_at_all_and_an_end_meanwhile(waiting, s3_bucket):
    node = waiting(s3_bucket, "127.0.46.3")
    (node.keys / "aws_access_key_id").unlink()
    node.start()
    await told(node, "aws_credentials_dir")
    await node.says_no_and_lives()
    assert node.stop(10) == 0
    assert "Traceback" not in node.log


EVERY, USERS, STORE = ("sn", "dn", "node"), ("sn", "node"), ("dn", "node")
FAULTS = [
    (EVERY, "bucket_name: [", "override.yml is not YAML"),
    (EVERY, "bucket_nam: x", 'unknown key "bucket_nam"; did you mean "bucket_name"?'),
    (EVERY, "hold_timeout: soon", "hold_timeout"),
    (EVERY, "node_secret_file: /nowhere/secret", "node_secret_file /nowhere/secret cannot be read"),
    (USERS, "password_file: ''", "will not listen on 0.0.0.0 without authentication"),
    (STORE, "root_dir: ''\naws_s3_gateway: ''", "no storage is configured"),
]


@pytest.mark.parametrize(
    ("role", "text", "said"), [(role, text, said) for roles, text, said in FAULTS for role in roles]
)
def test_a_configuration_that_cannot_work(tmp_path, role, text, said):
    """It stays so until somebody changes it, and then the pods are others: nothing waits."""
    (tmp_path / "secret").write_text("a-secret-of-the-nodes\n")
    (tmp_path / "passwd").write_text("joe:joe\n")
    (tmp_path / "config.yml").write_text(
        "host: 0.0.0.0\nsn_port: 0\ndn_port: 6109\nmetrics_port: 0\npod_ip: 127.0.46.9\n"
        "discovery: static\ndn_urls: http://127.0.46.9:6109\n"
        f"root_dir: {tmp_path}/data\npassword_file: {tmp_path}/passwd\nnode_secret_file: {tmp_path}/secret\n"
    )
    (tmp_path / "override.yml").write_text(text + "\n")
    words = [sys.executable, "-m", "hsds", role, *(["--roles", "sn,dn"] if role == "node" else [])]
    done = subprocess.run(
        words,
        cwd=tmp_path,
        env={"CONFIG_DIR": str(tmp_path), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith("hsds: ")
    assert said in line
