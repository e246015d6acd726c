"""The containers of the manifests as processes: their arguments, environment, configuration and Secrets.

Each is a pod with a loopback address of its own. The API server is a double that enforces the Role of the
manifests. What is mounted at absolute paths lies in a directory here; nothing else is changed.
"""

import asyncio
import base64
import json
import os
import re
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
import yaml

from hsds.cli import main
from tests.k8s.rendering import KUBECTL, TREE, container_of, of_kind, render
from tests.k8s.test_monitoring import asked_for
from tests.tools.kubeaccount import ServiceAccountFolder, pod_environment
from tests.tools.kubeapi import KubeApi

pytestmark = [
    pytest.mark.skipif(KUBECTL is None, reason="no kubectl on this machine"),
    pytest.mark.timeout(240),
]
PASSWORD = "correct horse"
TOKEN = "token-of-the-account"


@dataclass
class Pods:
    """Pods of a rendered overlay, on this machine."""

    api: KubeApi
    folder: Path
    objects: tuple[dict, ...]
    account: Path
    running: dict[str, subprocess.Popen] = field(default_factory=dict)

    def mount(self, secrets: str) -> None:
        """What the kubelet would mount, below ``folder`` instead of ``/``."""
        contents = {item["metadata"]["name"]: item["data"] for item in of_kind(self.objects, "ConfigMap")}
        for item in yaml.safe_load_all(secrets):
            name, data = item["metadata"]["name"], item["data"]
            contents[name] = {key: base64.b64decode(text).decode() for key, text in data.items()}
        for deployment in of_kind(self.objects, "Deployment"):
            volumes = {volume["name"]: volume for volume in deployment["spec"]["template"]["spec"]["volumes"]}
            for mount in container_of(deployment)["volumeMounts"]:
                place, volume = self.path(mount["mountPath"]), volumes[mount["name"]]
                place.mkdir(parents=True, exist_ok=True)
                source = volume.get("secret", {}).get("secretName") or volume.get("configMap", {}).get("name")
                for name, text in contents.get(source, {}).items():
                    (place / name).write_text(re.sub(r"(?m)(?<=: )/(?=config|data)", f"{self.folder}/", text))

    def path(self, absolute: str) -> Path:
        return self.folder / absolute.lstrip("/")

    def start(self, name: str, address: str, **other_labels: str) -> str:
        """Run a pod of a Deployment at an address; its uid."""
        (deployment,) = [d for d in of_kind(self.objects, "Deployment") if d["metadata"]["name"] == name]
        template = deployment["spec"]["template"]
        container = container_of(deployment)
        is_data_node = "dn" in {port["name"] for port in container["ports"]}
        labels = template["metadata"]["labels"] | {
            key.replace("_", "."): x for key, x in other_labels.items()
        }
        names = {} if is_data_node else {"port_name": "sn"}
        uid = self.api.run(address, namespace="hsds", labels=labels, **names)
        fields = {
            "metadata.uid": uid,
            "status.podIP": address,
            "metadata.name": self.api.pods[uid]["metadata"]["name"],
            "metadata.namespace": "hsds",
        }
        environ = {}
        for variable in container["env"]:
            reference = variable.get("valueFrom", {}).get("fieldRef", {}).get("fieldPath")
            environ[variable["name"]] = fields[reference] if reference else str(self.path(variable["value"]))
        words = [sys.executable, "-m", "hsds", *container["args"]]
        ours = ("--host", address, "--k8s-account-dir", str(self.account))  # one network, and one file system
        with (self.folder / f"{address}.log").open("ab") as log:
            self.running[address] = subprocess.Popen(
                [*words, *ours],
                stdout=log,
                stderr=log,
                cwd=self.path("/tmp"),
                env={"PATH": os.environ["PATH"], "PYTHONPATH": str(TREE.parent)} | environ
                | pod_environment(self.api.port),
            )  # fmt: skip
        return uid

    def log(self, address: str) -> str:
        return (self.folder / f"{address}.log").read_text()

    def probe(self, name: str, kind: str, address: str) -> int | None:
        """The status of a probe of the manifest; None while nobody answers."""
        (deployment,) = [d for d in of_kind(self.objects, "Deployment") if d["metadata"]["name"] == name]
        container = container_of(deployment)
        asked = container[kind]["httpGet"]
        (port,) = [port["containerPort"] for port in container["ports"] if port["name"] == asked["port"]]
        return get(f"http://{address}:{port}{asked['path']}", container[kind]["timeoutSeconds"])[0]

    async def until(self, name: str, kind: str, address: str, status: int, seconds: float = 30) -> None:
        try:
            async with asyncio.timeout(seconds):
                while await asyncio.to_thread(self.probe, name, kind, address) != status:
                    assert self.running[address].poll() is None, self.log(address)
                    await asyncio.sleep(0.1)
        except TimeoutError:
            raise AssertionError(f"{kind} of {name} is not {status}: {self.log(address)[-3000:]}") from None


def get(url: str, timeout: float = 10, **headers: str) -> tuple[int | None, str]:
    try:
        with urlopen(Request(url, headers=headers), timeout=timeout) as answer:
            return answer.status, answer.read().decode()
    except HTTPError as error:
        return error.code, error.reason
    except OSError:
        return None, ""


def headers_of(url: str, **headers: str) -> dict[str, str]:
    """The headers of an answer."""
    with urlopen(Request(url, headers=headers), timeout=10) as answer:
        return dict(answer.headers)


async def lines_of(pods: Pods, request_id: str, *addresses: str) -> list[dict]:
    """The log lines of a request at some pods, which come when it has been answered."""
    found: list[dict] = []
    async with asyncio.timeout(20):
        while not found:
            await asyncio.sleep(0.05)
            texts = [pods.log(address) for address in addresses]
            lines = [json.loads(line) for text in texts for line in text.splitlines() if line.endswith("}")]
            found = [line for line in lines if line.get("request_id") == request_id]
    return found


@pytest.fixture
async def api(authority):
    async with KubeApi(authority) as api:
        api.access.users[TOKEN] = "system:serviceaccount:hsds:any"
        yield api


def allowed() -> set[tuple[str, str]]:
    """(verb, resource) of the Role that ships."""
    (role,) = [
        item
        for item in yaml.safe_load_all((TREE / "base" / "accounts.yaml").read_text())
        if item["kind"] == "Role"
    ]
    return {
        (verb, resource) for rule in role["rules"] for verb in rule["verbs"] for resource in rule["resources"]
    }


def allow(api: KubeApi) -> None:
    """Bind the Role that ships."""
    (user,) = api.access.users.values()
    api.access.bind(TREE / "base" / "accounts.yaml", name="hsds-discovery", user=user, namespace="hsds")


@pytest.fixture
def pods_of(api, authority, tmp_path, capsys):
    made: list[Pods] = []

    def make(overlay: str, components: tuple[str, ...] = ()) -> Pods:
        users = tmp_path / "users.txt"
        users.write_text(f"admin:{PASSWORD}\n")
        assert main(["secrets", "--password-file", str(users)]) == 0
        account = ServiceAccountFolder(tmp_path / "account", namespace="hsds", token=TOKEN, ca=authority.ca)
        pods = Pods(api, tmp_path, render(overlay, components), account.folder)
        pods.mount(capsys.readouterr().out)
        made.append(pods)
        return pods

    yield make
    for pods in made:
        for process in pods.running.values():
            process.kill()
            process.wait()


def basic() -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"admin:{PASSWORD}".encode()).decode()}


async def end(pods: Pods, *addresses: str) -> None:
    """As Kubernetes ends pods; within their grace."""
    for address in addresses:
        pods.running[address].send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(pods.running[address].wait, 60) == 0


async def test_two_deployments(api, pods_of):
    allow(api)
    pods = pods_of("posix")
    sn, first, second = "127.0.40.1", "127.0.40.2", "127.0.40.3"
    pods.start("hsds-sn", sn)
    uids = {pods.start("hsds-dn", first), pods.start("hsds-dn", second)}
    for name, address in (("hsds-dn", first), ("hsds-dn", second), ("hsds-sn", sn)):
        for kind in ("startupProbe", "livenessProbe", "readinessProbe"):
            await pods.until(name, kind, address, 200)

    status, text = await asyncio.to_thread(get, f"http://{sn}:5101/nodes", **basic())
    assert status == 200
    assert uids == {row["uid"] for row in json.loads(text)["nodes"] if row["role"] == "dn"}
    assert (await asyncio.to_thread(get, f"http://{sn}:5101/nodes", Authorization="Basic YWRtaW46bm8="))[
        0
    ] == 401
    assert (await asyncio.to_thread(get, f"http://{sn}:5101/metrics"))[0] == 404
    trace_id = "4bf92f3577b34da6a3ce929d0e0e4736"
    given = {"X-Request-ID": "mine-1"}, {"traceparent": f"00-{trace_id}-00f067aa0ba902b7-01"}
    for headers, id_ in zip(given, ("mine-1", trace_id), strict=True):
        echoed = await asyncio.to_thread(headers_of, f"http://{sn}:5101/?domain=/home", **headers, **basic())
        assert echoed["X-Request-ID"] == id_
        assert headers.items() <= echoed.items()
        assert "total;dur=" in echoed["Server-Timing"]
        (line,) = await lines_of(pods, id_, sn)
        assert (line["method"], line["route"], line["domain"], line["status"]) == ("GET", "/", "/home", 200)
        assert line["user"] == "admin"
        assert line["seconds"] > 0
        (told, *_) = await lines_of(pods, id_, first, second)
        assert (told["route"], told["operations"], told["status"]) == ("/execute", "GetDomain", 200)
        assert told["epoch"] == line["epoch"]
        assert told["bytes"] > 0

    (refused,) = (line for line in map(json.loads, pods.log(sn).splitlines()) if line.get("status") == 401)
    assert refused["error"]

    pages = [(await asyncio.to_thread(get, f"http://{address}:9100/metrics"))[1] for address in (sn, first)]
    assert asked_for() <= set(re.findall(r"(?m)^(\w+)", "".join(pages)))

    await end(pods, first, sn, second)
    assert api.access.used < allowed()
    for address in (sn, first, second):
        for line in pods.log(address).splitlines():
            assert {"time", "level", "node", "msg"} <= set(json.loads(line))
        assert not [secret for secret in (PASSWORD, TOKEN) if secret in pods.log(address)]
        assert pods.path("/config/node/secret").read_text().strip() not in pods.log(address)


async def test_one_deployment_with_both_roles(api, pods_of):
    allow(api)
    pods = pods_of("posix", ("one-pod",))
    first, second = "127.0.41.1", "127.0.41.2"
    for address in (first, second):
        pods.start("hsds-dn", address)
    for address in (first, second):
        await pods.until("hsds-dn", "readinessProbe", address, 200)
        assert (await asyncio.to_thread(get, f"http://{address}:5101/nodes", **basic()))[0] == 200
        assert pods.probe("hsds-dn", "livenessProbe", address) == 200
    await end(pods, first, second)


async def test_without_the_role_pods_say_so_live_on_and_recover(api, pods_of):
    pods = pods_of("posix")
    sn, dn = "127.0.42.1", "127.0.42.2"
    pods.start("hsds-sn", sn)
    pods.start("hsds-dn", dn)
    async with asyncio.timeout(30):
        while not all("verbs [get, list, watch]" in pods.log(address) for address in (sn, dn)):  # noqa: ASYNC110 - seen from outside only
            await asyncio.sleep(0.1)
    assert all(process.poll() is None for process in pods.running.values())
    assert pods.probe("hsds-dn", "readinessProbe", dn) != 200
    assert pods.probe("hsds-sn", "readinessProbe", sn) != 200
    for name, address in (("hsds-dn", dn), ("hsds-sn", sn)):
        await pods.until(name, "livenessProbe", address, 200)
    allow(api)
    for name, address in (("hsds-dn", dn), ("hsds-sn", sn)):
        await pods.until(name, "readinessProbe", address, 200, seconds=60)
    await end(pods, sn, dn)


async def test_a_data_node_that_nobody_sees_says_why(api, pods_of):
    """With this every verb of the Role has been used, and no other."""
    allow(api)
    pods = pods_of("posix")
    dn = "127.0.42.3"
    pods.start("hsds-dn", dn, hsds_role="data")
    async with asyncio.timeout(40):
        while "nobody sees this data node" not in pods.log(dn):
            assert pods.running[dn].poll() is None, pods.log(dn)
            await asyncio.sleep(0.1)
    (line,) = [json.loads(line) for line in pods.log(dn).splitlines() if "nobody sees" in line]
    assert line["level"] == "ERROR"
    assert "is not among those labelled app=hsds,hsds.role=dn: its labels are app=hsds," in line["msg"]
    assert "hsds.role=data" in line["msg"]
    assert pods.probe("hsds-dn", "readinessProbe", dn) == 503
    assert pods.probe("hsds-dn", "livenessProbe", dn) == 200
    assert api.access.used == allowed()
    await end(pods, dn)
