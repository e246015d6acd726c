"""``GET /nodes``: all nodes of the service and how they are, for any known user."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from hsds import __version__
from hsds.errors import NotAuthenticated
from hsds.servicenode.call import Call, Route
from hsds.servicenode.node import ServiceNode
from hsds.servicenode.replies import json_reply

Json = dict[str, Any]


async def get_nodes(call: Call) -> web.StreamResponse:
    """State of the service, why it is not READY, and a row for each node."""
    if call.user.name is None:
        raise NotAuthenticated("The nodes are shown to known users only")
    node = call.node
    return json_reply(_alone(node) if node.cluster is None else node.cluster())


def row_of(node: ServiceNode) -> Json:
    """What a service node says of itself."""
    return {
        "id": node.node_id,
        "role": "sn",
        "state": "DRAINING" if node.state == "TERMINATING" else "RUNNING",
        "version": __version__,
        "start_time": node.start_time,
        "requests": sum(node.metrics.request_counts().values()),
        "requests_per_second": node.metrics.rate.per_second(),
    }


def _alone(node: ServiceNode) -> Json:
    """One process with both roles."""
    row = row_of(node) | {"address": node.settings.host, "port": node.settings.sn_port}
    data = row | {"id": "dn-001", "role": "dn", "number": 0}
    return {"state": node.state, "reason": "", "epoch": None, "nodes": [row, data]}


ROUTES: tuple[Route, ...] = (("GET", "/nodes", get_nodes),)
