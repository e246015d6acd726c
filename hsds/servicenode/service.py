"""About the service itself: ``/about``, ``/info``, probes and metrics. Answered in every state."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any

from aiohttp import web

from hsds import __version__
from hsds.metrics import METRICS_TYPE
from hsds.servicenode.call import Call, Route
from hsds.servicenode.domainjson import HSDS_VERSION
from hsds.servicenode.node import ServiceNode
from hsds.servicenode.replies import TEXT_TYPE, error_reply, json_reply

Json = dict[str, Any]


async def about(call: Call) -> web.StreamResponse:
    """What the service is, and who the caller is to it."""
    node, settings = call.node, call.settings
    return json_reply(
        {
            "start_time": int(node.start_time),
            "state": node.state,
            "hsds_version": HSDS_VERSION,
            "version": __version__,
            "name": settings.server_name,
            "greeting": settings.greeting,
            "about": settings.about,
            "node_count": len(node.dn_urls),
            "dn_urls": node.dn_urls,
            "dn_ids": [f"dn-{number:03}" for number, _ in enumerate(node.dn_urls, 1)],
            "username": call.user.name or "anonymous",
            "isadmin": call.user.is_admin,
            "durability": settings.durability,
        }
    )


async def info(call: Call) -> web.StreamResponse:
    """State and load of this node."""
    node = call.node
    state = {
        "id": node.node_id,
        "type": "sn",
        "start_time": int(node.start_time),
        "state": node.state,
        "node_count": len(node.dn_urls),
    }
    return json_reply(
        {
            "node": state,
            "cpu": _cpu(),
            "diskio": {},
            "netio": {},
            "memory": _memory(),
            "disk": _disk(),
            "log_stats": {},
            "req_count": node.metrics.request_counts(),
            **({} if node.store_state is None else {"store": node.store_state()}),
        }
    )


async def livez(call: Call) -> web.StreamResponse:
    """The event loop turns."""
    return web.Response(body=b"ok", headers={"Content-Type": TEXT_TYPE})


async def startupz(call: Call) -> web.StreamResponse:
    """Start-up is over: a node that answers has done it."""
    return web.Response(body=b"ok", headers={"Content-Type": TEXT_TYPE})


async def readyz(call: Call) -> web.StreamResponse:
    """Whether to send requests here."""
    if call.node.state in {"INITIALIZING", "TERMINATING"}:
        return error_reply(503, f"State is {call.node.state}", {"Retry-After": "1"})
    return web.Response(body=b"ok", headers={"Content-Type": TEXT_TYPE})


async def metrics(call: Call) -> web.StreamResponse:
    """Everything that is counted, for Prometheus; not for the public where nodes have a port for it."""
    if not call.node.metrics_public:
        return error_reply(404, "No route /metrics")
    return web.Response(body=render(call.node), headers={"Content-Type": METRICS_TYPE})


def render(node: ServiceNode) -> bytes:
    """The metrics page, with what is not counted but looked up filled in."""
    metrics = node.metrics
    metrics.info.labels("sn", node.node_id, __version__).set(1)
    metrics.ready.set(node.state == "READY")
    metrics.start_time.set(node.start_time)
    metrics.active_dns.set(len(node.dn_urls))
    metrics.tell_of_budgets(values=node.budget, bodies=node.bodies)
    return metrics.render()


def _cpu() -> Json:
    cores = os.cpu_count() or 1
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    return {"percent": round(min(100.0, 100 * load / cores), 1), "cores": cores}


def _memory() -> Json:
    """Bytes of the machine's memory; zeros where the system does not tell in Linux's way."""
    found: dict[str, int] = {}
    with suppress(OSError, ValueError):
        for line in Path("/proc/meminfo").read_text("ascii").splitlines():
            name, _, value = line.partition(":")
            found[name] = int(value.split()[0]) * 1024
    total, available = found.get("MemTotal", 0), found.get("MemAvailable", 0)
    swap, swap_free = found.get("SwapTotal", 0), found.get("SwapFree", 0)
    return {
        "phys_total": total,
        "phys_available": available,
        "swap_total": swap,
        "swap_used": swap - swap_free,
        "swap_free": swap_free,
        "percent": round(100 * (total - available) / total, 1) if total else 0.0,
    }


def _disk() -> Json:
    """Bytes of the file system that the process stands in."""
    usage = shutil.disk_usage(Path.cwd())
    percent = round(100 * usage.used / usage.total, 1) if usage.total else 0.0
    return {"total": usage.total, "used": usage.used, "free": usage.free, "percent": percent}


OPEN_ROUTES: tuple[Route, ...] = (
    ("GET", "/about", about),
    ("GET", "/info", info),
    ("GET", "/livez", livez),
    ("GET", "/readyz", readyz),
    ("GET", "/startupz", startupz),
    ("GET", "/metrics", metrics),
)
