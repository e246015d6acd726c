"""What the protocol costs: requests of data nodes to store, API and one another, counted in a simulation.

``python -m tests.simulation.cost 10 30 100`` prints a table for so many data nodes without clients.
"""

import sys
from collections import Counter

from hsds.cluster.agent import RECORD
from tests.simulation.cluster import Cluster

KINDS = {f"GET {RECORD}": "GETs", f"PUT {RECORD}": "PUTs", "LIST": "LISTs", "word": "words"}
QUIET = 60.0
"""Seconds over which a rate is taken."""
CHANGE = 14.0
"""Seconds within which a change is over, T and the new ``settled`` included."""


def cost(nodes):
    """Requests per second of a cluster that is left alone, and those that one change adds to them."""
    cluster = Cluster(1, services=0)
    for _ in range(nodes):
        cluster.start_pod()
    cluster.run(3 * CHANGE)
    quiet = _counted(cluster, QUIET, lambda: None)
    rates = {kind: quiet[kind] / QUIET for kind in KINDS.values()}
    uids = sorted(cluster.pods)

    def extra(change):
        found = _counted(cluster, CHANGE, change)
        return {kind: round(found[kind] - rates[kind] * CHANGE) for kind in KINDS.values()}

    found = {
        "a second": rates,
        "one joins": extra(cluster.start_pod),
        "one leaves": extra(lambda: cluster.delete_pod(uids[0])),
        "one is lost": extra(lambda: cluster.lose_node(uids[1], 0.0)),
    }
    live = [node for node in cluster.nodes.values() if not node.process.dead]
    assert sum(node.serving().bit_count() for node in live) == 4096
    cluster.loop.close()
    return found


def _counted(cluster, seconds, change):
    cluster.counts.clear()
    change()
    cluster.run(seconds)
    return Counter({KINDS[kind]: count for kind, count in cluster.counts.items() if kind in KINDS})


def main():
    print("| data nodes | when | " + " | ".join(KINDS.values()) + " |")
    print("|---|---|" + "---|" * len(KINDS))
    for nodes in map(int, sys.argv[1:]):
        for when, counts in cost(nodes).items():
            print(f"| {nodes} | {when} | " + " | ".join(f"{count:g}" for count in counts.values()) + " |")


if __name__ == "__main__":
    main()
