"""What the socket between service node and data node costs: a warm read with it and without, in one run.

``python -m benchmarks.transport`` starts a service node with a data node in its process, and service nodes
whose data nodes are other processes, over TCP and over Unix sockets; then asks them in turn.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import uvloop
from aiohttp import web

from benchmarks.client import PASSWORD, USER, Connection, Request, make
from hsds.budget import ByteBudget
from hsds.cluster.membership import Word
from hsds.cluster.view import View
from hsds.config import Settings
from hsds.datanode.app import DataNodeApp
from hsds.datanode.node import LocalDataNode
from hsds.datanode.standing import Json, Standing
from hsds.datanode.state import make_state
from hsds.metrics import Metrics
from hsds.servicenode.auth import make_authenticator
from hsds.servicenode.homes import make_standing_folders
from hsds.servicenode.node import make_node
from hsds.servicenode.runner import Runner
from hsds.store.memory import MemoryStore
from hsds.transport.base import DataNode
from hsds.transport.linkserver import LinkServer
from hsds.transport.nodes import DataNodes
from hsds.transport.remote import Connections
from hsds.transport.signing import Signer

_SIZES = {"400 B": 100, "40 kB": 10_000, "4 MB": 1_000_000}
_SIGNER = Signer(lambda: (b"a secret for benchmarks",))


class _Alone(Standing):
    """A data node without a cluster."""

    started = True
    ready = True
    view: View | None = None

    async def newer(self, epoch: int) -> View:
        return await asyncio.get_running_loop().create_future()

    def hear(self, word: Word) -> Word:
        return word

    def info(self) -> Json:
        return {}


@asynccontextmanager
async def _local() -> AsyncIterator[LocalDataNode]:
    store = MemoryStore()
    await store.start()
    await store.create_bucket("bench")
    size = 1 << 27
    state = make_state(store, metadata_cache=size, chunk_cache=size, write_budget=size, threads=2)
    node = LocalDataNode(state)
    yield node
    await node.close()


async def _serve_data(socket: str) -> None:
    async with _local() as node:
        app = DataNodeApp(
            node=node,
            standing=_Alone(),
            signer=_SIGNER,
            metrics=Metrics(),
            bodies=ByteBudget(1 << 27),
            answers=ByteBudget(1 << 27),
        )
        runner, loop = web.AppRunner(app.make(), access_log=None), asyncio.get_running_loop()
        await runner.setup()
        links = LinkServer(app.routes(), runner.server)
        if socket.startswith("/"):
            await loop.create_unix_server(links, socket)
        else:
            await loop.create_server(links, "127.0.0.1", int(socket))
        await _wait()


async def _serve(node: DataNode, socket: str) -> None:
    settings = Settings(bucket_name="bench", hs_username=USER, hs_password=PASSWORD, log_level="WARNING")
    service = make_node(settings, DataNodes(node), make_authenticator(settings, local_user=USER))
    await make_standing_folders(service, USER)
    runner = Runner(service, read_bufsize=1 << 18)
    await runner.setup()
    await _listen(runner, socket)


async def _listen(runner: web.AppRunner, socket: str) -> None:
    if socket.startswith("/"):
        await web.UnixSite(runner, socket).start()
    else:
        await web.TCPSite(runner, "127.0.0.1", int(socket)).start()
    await _wait()


async def _wait() -> None:
    print("ready", flush=True)
    await asyncio.Event().wait()


async def _role(role: str, socket: str, data_node: str) -> None:
    match role:
        case "dn":
            await _serve_data(socket)
        case "in-process":
            async with _local() as node:
                await _serve(node, socket)
        case _:
            address = (data_node, 0) if data_node.startswith("/") else ("127.0.0.1", int(data_node))
            await _serve(Connections(_SIGNER).node(*address), socket)


def _start(role: str, socket: str, data_node: str = "") -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "benchmarks.transport", "--role", role, "--socket", socket]
    process = subprocess.Popen([*command, "--data-node", data_node], stdout=subprocess.PIPE)
    assert process.stdout is not None
    if not process.stdout.readline():
        raise SystemExit(f"{role} did not start")
    return process


def _prepare(address: str, count: int) -> Request:
    """A dataset in one chunk, and the request that reads it."""
    connection, domain = Connection(address), {"domain": f"/home/{USER}/{count}"}
    connection.ask(make("PUT", "/", domain))
    shape = {"type": "H5T_STD_I32LE", "shape": [count], "creationProperties": {"layout": _layout(count)}}
    dataset = connection.json(make("POST", "/datasets", domain, body=shape))["id"]
    values = np.arange(count, dtype="<i4").tobytes()
    path = f"/datasets/{dataset}/value"
    connection.ask(make("PUT", path, domain, body=values))
    connection.close()
    return make("GET", path, domain, expect=values, binary=True)


def _layout(count: int) -> dict[str, object]:
    return {"class": "H5D_CHUNKED", "dims": [count]}


def _time(address: str, request: Request, number: int) -> float:
    """Seconds of one request, the median of ``number``."""
    connection = Connection(address)
    taken = []
    for _ in range(number):
        started = time.perf_counter()
        connection.ask(request)
        taken.append(time.perf_counter() - started)
    connection.close()
    return statistics.median(taken)


def measure(servers: dict[str, str], rounds: int, number: int) -> dict[str, dict[str, float]]:
    """Milliseconds of a read by size and by server, the median of rounds."""
    results = {}
    for size, count in _SIZES.items():
        requests = {name: _prepare(address, count) for name, address in servers.items()}
        taken: dict[str, list[float]] = {name: [] for name in servers}
        for _ in range(rounds):
            for name, address in servers.items():
                taken[name].append(_time(address, requests[name], max(20, number // max(1, count // 10_000))))
        results[size] = {name: 1000 * statistics.median(times) for name, times in taken.items()}
    return results


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--number", type=int, default=400)
    for hidden in ("--role", "--socket", "--data-node"):
        parser.add_argument(hidden, help=argparse.SUPPRESS)
    options = parser.parse_args(argv)
    if options.role:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_role(options.role, options.socket, options.data_node))
        return
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        socket = {name: str(Path(folder, f"{name}.sock")) for name in ("in-process", "tcp", "unix", "dn")}
        processes = []
        try:
            processes.append(_start("in-process", socket["in-process"]))
            processes.append(_start("dn", "7101"))
            processes.append(_start("dn", socket["dn"]))
            processes.append(_start("remote", socket["tcp"], "7101"))
            processes.append(_start("remote", socket["unix"], socket["dn"]))
            del socket["dn"]
            print(json.dumps(measure(socket, options.rounds, options.number), indent=1))
        finally:
            for process in processes:
                process.terminate()
                process.wait()


if __name__ == "__main__":
    main()
