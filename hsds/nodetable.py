"""What a service node tells people of the cluster: its state, and the table of nodes."""

from __future__ import annotations

import logging
from typing import Any

from hsds.cluster.view import Member
from hsds.config import Settings
from hsds.servicenode.node import ServiceNode
from hsds.servicenode.nodes import row_of
from hsds.transport.following import Follower
from hsds.transport.pinging import Pinger

Json = dict[str, Any]
log = logging.getLogger(__name__)


def observe(service: ServiceNode, follower: Follower, pinger: Pinger) -> None:
    """Show in the service node what the last round of pings said."""
    view = follower.view
    if view is not None:
        service.dn_urls = tuple(_url(member) for member in view.members)
    if service.state != "TERMINATING":
        state, reason = pinger.state()
        if state != service.state:
            log.info("state is %s%s", state, f": {reason}" if reason else "")
        service.state = state


def own_row(service: ServiceNode, settings: Settings) -> Json:
    """This service node in the table of nodes."""
    return row_of(service) | {"address": settings.pod_ip or settings.host, "port": settings.sn_port}


def table_of_nodes(service: ServiceNode, settings: Settings, follower: Follower, pinger: Pinger) -> Json:
    """The answer to ``GET /nodes``."""
    view, (state, reason) = follower.view, pinger.state()
    rows: list[Json] = []
    others: dict[str, Json] = {}
    for number, member in enumerate(() if view is None else view.members):
        answer = pinger.answers.get(member.uid)
        base = {"id": f"dn-{number:03d}", "number": number, "role": "dn", "uid": member.uid}
        base |= {"address": member.address, "port": member.port, "version": member.version}
        if answer is None or answer.info is None:
            rows.append(base | {"state": "UNREACHABLE"})
            continue
        said = dict(answer.info)
        others |= {str(row.get("id")): row for row in said.pop("service_nodes", ())}
        rows.append(base | said | {"number": number, "requests_per_second": round(answer.rate, 1)})
    mine = own_row(service, settings)
    others[mine["id"]] = mine
    return {
        "state": "TERMINATING" if service.state == "TERMINATING" else state,
        "reason": reason,
        "epoch": None if view is None else view.epoch,
        "nodes": [*rows, *(others[id_] for id_ in sorted(others))],
    }


def _url(member: Member) -> str:
    host = f"[{member.address}]" if ":" in member.address else member.address
    return f"http://{host}:{member.port}"
