"""A deployment on this machine: pods as processes with loopback addresses, their API server and Service.

What Kubernetes does to pods is done here by hand, and in the order that a real API server was seen to show.
"""

import asyncio
import signal
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from tests.cluster.namespaces import Network
from tests.cluster.processes import ROOT, Cluster
from tests.tools import kubepods
from tests.tools.kubeaccount import USER, ServiceAccountFolder, pod_environment
from tests.tools.kubeapi import KubeApi
from tests.tools.kubeservice import KubeService

SLEEP = 5.0
"""Of the manifests' preStop hook of service nodes."""


@dataclass
class Pods:
    """Pods of data nodes ``<net>.1..`` and service nodes ``<net>.101..``."""

    api: KubeApi
    service: KubeService
    cluster: Cluster
    account: ServiceAccountFolder
    net: str
    uids: dict[str, str] = field(default_factory=dict)
    """Address of a data node -> uid of its pod."""
    sns: list[str] = field(default_factory=list)
    started: int = 0
    network: Network | None = None
    """Where each data node has a namespace of its own."""

    def address(self, base=0):
        self.started += 1
        return f"{self.net}.{base + self.started}"

    @property
    def dns(self):
        return list(self.uids)

    # -- data nodes ----------------------------------------------------------------------------------

    def launch(self, count=1):
        """Start data nodes together; their addresses."""
        addresses = [self.address() for _ in range(count)]
        for address in addresses:
            uid = self.uids[address] = self.api.create()
            self.api.change(uid, kubepods.scheduled)
            self.api.change(uid, kubepods.starting)
            if self.network is not None:
                self.network.add(address)
                self.cluster.prefixes[address] = self.network.prefix(address)
            self.start_dn(address)
            self.api.change(uid, kubepods.running, address)
        return addresses

    async def join(self, count=1):
        """Start data nodes together, and wait until all are ready."""
        await self.ready(self.launch(count))

    async def ready(self, addresses):
        for address in addresses:
            await self.until_ready(address)
            self.api.change(self.uids[address], kubepods.ready)

    def start_dn(self, address):
        """Start the process of a pod, for the first time or in place."""
        self.start("dn", address, self.uids[address])

    def start(self, role, address, uid):
        environ = pod_environment(self.api.port, self.api.host)
        self.cluster.start(role, address, POD_UID=uid, POD_IP=address, **environ)

    async def leave(self, address):
        """As ``kubectl delete pod``."""
        uid = self.uids.pop(address)
        self.api.terminate(uid)
        assert await asyncio.to_thread(self.cluster.stop, address, 60) == 0, self.cluster.log(address)[-3000:]
        self.api.finish(uid)

    async def restart(self, address, pause=1.0):
        """``kill -9``; the kubelet starts the container again."""
        self.cluster.kill(address)
        await asyncio.sleep(pause)
        self.start_dn(address)

    async def lose(self, address, shown):
        """Its machine is gone; the API shows the pod for a while yet."""
        self.cluster.kill(address)
        await asyncio.sleep(shown)
        self.api.force_delete(self.uids.pop(address))

    def force_delete(self, address):
        """The pod is gone from the API; its process does not know."""
        self.cluster.strays.append(self.cluster.running.pop(address))
        self.api.force_delete(self.uids.pop(address))

    async def freeze(self, address, seconds):
        process = self.cluster.running[address]
        process.send_signal(signal.SIGSTOP)
        await asyncio.sleep(seconds)
        process.send_signal(signal.SIGCONT)

    # -- service nodes -------------------------------------------------------------------------------

    def launch_sn(self, count=1):
        addresses = [self.address(100) for _ in range(count)]
        for address in addresses:
            self.start("sn", address, f"sn-{address}")
        return addresses

    async def join_sn(self, count=1):
        await self.ready_sn(self.launch_sn(count))

    async def ready_sn(self, addresses):
        for address in addresses:
            await self.until_ready(address)
            self.service.endpoints.append((address, 5101))
            self.sns.append(address)

    async def leave_sn(self, address):
        self.sns.remove(address)
        self.service.endpoints.remove((address, 5101))
        await asyncio.sleep(SLEEP)
        assert await asyncio.to_thread(self.cluster.stop, address, 60) == 0, self.cluster.log(address)[-3000:]

    # -- both ----------------------------------------------------------------------------------------

    async def until_ready(self, address, seconds=60):
        """Until the readiness probe succeeds."""
        until = time.monotonic() + seconds
        while not await asyncio.to_thread(_ready, address):
            log = self.cluster.log(address)[-3000:]
            assert self.cluster.running[address].poll() is None, log
            assert time.monotonic() < until, log
            await asyncio.sleep(0.05)

    async def until_all_well(self):
        """Until all nodes are ready, and the folders are there that service nodes make."""
        sn = self.sns[0]
        await asyncio.to_thread(self.cluster.wait_ready, sn, len(self.uids), 60)
        async with asyncio.timeout(60):
            while (await asyncio.to_thread(self.cluster.ask, sn, "GET", "/?domain=/home/joe"))[0] != 200:  # noqa: ASYNC110 - nothing tells
                await asyncio.sleep(0.05)


def _ready(address):
    try:
        with urlopen(f"http://{address}:9100/readyz", timeout=2) as answer:
            return answer.status == 200
    except (URLError, OSError):
        return False


@asynccontextmanager
async def pods(folder: Path, authority, *more, net, storage=(), api_host="127.0.0.1"):
    """No pods yet, but all that they need; the Role is the one that ships. ``more`` are flags of all."""
    async with KubeApi(authority, host=api_host) as api, KubeService() as service:
        api.access.users["token"] = USER
        api.access.bind(
            ROOT / "k8s" / "base" / "accounts.yaml", name="hsds-discovery", user=USER, namespace="t"
        )
        account = ServiceAccountFolder(folder / "account", namespace="t", token="token", ca=authority.ca)
        words = ("--k8s-account-dir", str(account.folder), *more)
        with Cluster(folder, *words, storage=storage) as cluster:
            yield Pods(api, service, cluster, account, net)
        # who does not see itself looks for its own pod
        assert api.access.used - {("get", "pods")} == {("list", "pods"), ("watch", "pods")}
