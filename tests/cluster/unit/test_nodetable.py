"""The table of nodes: every state, every column."""

import time

import pytest

from hsds.cluster.agent import Peers
from hsds.cluster.membership import Timing
from hsds.cluster.static import StaticDiscovery, member_of_url
from hsds.cluster.view import Member, changed, first_view
from hsds.config import Settings
from hsds.datanode.participant import Participant
from hsds.nodetable import table_of_nodes
from hsds.servicenode.auth import make_authenticator
from hsds.servicenode.node import make_node
from hsds.status import table
from hsds.store.memory import MemoryStore
from hsds.transport.following import Follower
from hsds.transport.nodes import DataNodes
from hsds.transport.pinging import Answer, Pinger
from hsds.transport.remote import Connections
from hsds.transport.routing import Router
from tests.transport.serving import signer

URL = "http://10.0.0.1:6101"
DISCOVERY = StaticDiscovery([URL], clock=time.monotonic)


class NoPeers(Peers):
    async def exchange(self, member, word):
        raise AssertionError("nobody is asked")


@pytest.fixture
def participant():
    return Participant(
        member_of_url(URL),
        "c",
        store=MemoryStore(),
        bucket="hsdstest",
        discovery=DISCOVERY,
        peers=NoPeers(),
        timing=Timing(),
        clock=time.monotonic,
    )


def test_what_a_data_node_says_of_itself(participant):
    assert (participant.info()["state"], participant.info()["leased"]) == ("STARTING", False)
    participant.membership.leaving = True
    said = participant.info()
    assert (said["state"], said["node"]["state"]) == ("DRAINING", "TERMINATING")


@pytest.fixture
async def parts():
    """A service node that has asked data nodes in every state."""
    settings = Settings(host="10.0.1.1", sn_port=5101)
    connections = Connections(signer())
    follower = Follower(connections, DISCOVERY)
    router = Router(follower, lambda member: connections.node("10.0.0.1", 1), clock=time.monotonic)
    service = make_node(settings, DataNodes(router), make_authenticator(settings, local_user="joe"))
    pinger = Pinger(connections, follower, me=dict, clock=time.monotonic)
    view = first_view("c", epoch=4)
    for n in range(4):
        view = changed(view, join=Member(f"uid-{n}", f"10.0.0.{n}", 6101, "0.9"))
    follower.learn(view)
    said = {
        "version": "1.0", "start_time": time.time() - 60, "epoch": view.epoch, "leased": True,
        "owned_slots": 1024, "live_slots": 1024, "state": "RUNNING",
        "service_nodes": [{"id": "sn-other", "role": "sn", "state": "DRAINING", "address": "10.0.1.2"}],
    }  # fmt: skip
    now = time.monotonic()
    pinger.answers = {
        "uid-0": Answer(now, said, 12.34),
        "uid-1": Answer(now, said | {"state": "STARTING", "leased": False, "live_slots": 3}),
        "uid-2": Answer(now, said | {"state": "DRAINING"}),
        "uid-3": Answer(now, None),
    }
    yield service, settings, follower, pinger
    service.auth.close()
    await connections.close()


async def test_every_state_and_every_column(parts):
    answer = table_of_nodes(*parts)
    assert (answer["state"], answer["reason"]) == ("WAITING", "data node 1 at 10.0.0.1 has no lease")
    rows = answer["nodes"]
    assert [(row["id"], row["state"]) for row in rows] == [
        ("dn-000", "RUNNING"),
        ("dn-001", "STARTING"),
        ("dn-002", "DRAINING"),
        ("dn-003", "UNREACHABLE"),
        ("sn-001", "RUNNING"),
        ("sn-other", "DRAINING"),
    ]
    assert rows[0]["requests_per_second"] == 12.3
    lines = [" ".join(line.split()) for line in table(answer, now=time.time()).splitlines()]
    epoch = parts[2].view.epoch
    assert lines[2] == f"dn-000 dn 10.0.0.0:6101 RUNNING yes 1024/1024 {epoch} 1.0 1m 12.3"
    assert lines[3].startswith("dn-001 dn 10.0.0.1:6101 STARTING no 3/1024 ")
    assert lines[5] == "dn-003 dn 10.0.0.3:6101 UNREACHABLE - - - 0.9 - -"
    assert lines[6].startswith("sn-001 sn 10.0.1.1:5101 RUNNING - - - ")


async def test_a_service_node_that_ends_says_so(parts):
    parts[0].state = "TERMINATING"
    answer = table_of_nodes(*parts)
    assert answer["state"] == "TERMINATING"
    assert {row["id"]: row["state"] for row in answer["nodes"]}["sn-001"] == "DRAINING"
