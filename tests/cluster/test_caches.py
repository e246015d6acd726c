"""What moves when a data node joins, and what does not: slots, and what is cached in them."""

import re
from urllib.request import urlopen

import numpy as np

from tests.cluster.processes import Cluster
from tests.cluster.test_processes import VALUES, make_dataset, read, urls
from tests.simulation.cluster import Cluster as SimulatedCluster

SN, FIRST, SECOND, THIRD = "127.0.0.30", "127.0.0.31", "127.0.0.32", "127.0.0.33"


def chunks(address):
    """Looks into the cache of chunks of a data node that found something, and that did not."""
    with urlopen(f"http://{address}:9100/metrics", timeout=10) as answer:
        text = answer.read().decode()
    return tuple(
        float(re.search(rf'(?m)^hsds_cache_{what}_total{{cache="chunk"}} (\S+)', text)[1])
        for what in ("hits", "misses")
    )


def test_chunks_that_do_not_move_stay_cached(tmp_path):
    with Cluster(tmp_path, *urls(FIRST, SECOND, THIRD)) as cluster:
        cluster.start("sn", SN)
        cluster.start("dn", FIRST)
        cluster.start("dn", SECOND)
        cluster.wait_ready(SN, 2)
        path = make_dataset(cluster, SN)
        assert np.array_equal(read(cluster, path, SN), VALUES)
        before = [chunks(address) for address in (FIRST, SECOND)]
        cluster.start("dn", THIRD)
        cluster.wait_ready(SN, 3)
        assert np.array_equal(read(cluster, path, SN), VALUES)
        after = [chunks(address) for address in (FIRST, SECOND)]
        hits = sum(now[0] - then[0] for then, now in zip(before, after, strict=True))
        assert [now[1] for now in after] == [then[1] for then in before], "nothing was read again"
        assert 0 < chunks(THIRD)[1] == 100 - hits


def test_ten_and_one_more_read_again_only_what_moved():
    cluster = SimulatedCluster(1, paths=400, services=1, clients=0)
    for _ in range(10):
        cluster.start_pod()
    cluster.run(30)
    (client,) = cluster.clients

    def all_at_once(work):
        for path in cluster.paths:
            client.process.spawn(work(path))
        cluster.run(10)
        return sum(count for what, count in cluster.counts.items() if what.startswith("GET sim/"))

    all_at_once(lambda path: client.append(path, f"x{path}"))
    cluster.counts.clear()
    assert all_at_once(client.read) == 0, "what was written is cached"
    eleventh = cluster.nodes[cluster.start_pod()]
    cluster.run(20)
    moved = all_at_once(client.read)
    assert moved == len(eleventh.node.state.objects.cache)
    assert 0 < moved < 0.12 * len(cluster.paths) * 1.3
    cluster.loop.close()
