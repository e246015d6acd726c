"""``durability: flush`` with processes: what was answered for survives every change that is planned."""

from __future__ import annotations

import numpy as np

from tests.cluster.processes import Cluster
from tests.cluster.test_processes import FILE, VALUES, make_dataset, read, urls

SN, FIRST, SECOND = "127.0.0.30", "127.0.0.31", "127.0.0.32"


def chunks(cluster):
    """Chunks of the dataset in the store."""
    return [path for path in cluster.folder.glob("data/*/db/*/d/*/*") if not path.name.startswith(".")]


def write(cluster, path, values):
    assert cluster.ask(SN, "PUT", path, values.tobytes(), binary=True)[0] == 200


def test_nothing_answered_is_lost_by_planned_changes(tmp_path):
    """Data nodes 1 -> 2 -> 1, while nothing is stored for its age."""
    flags = ("--durability", "flush", "--flush-max-age", "3600", "--lease-time", "4")
    with Cluster(tmp_path, *urls(FIRST, SECOND), *flags) as cluster:
        cluster.start("sn", SN)
        cluster.start("dn", FIRST)
        cluster.wait_ready(SN, 1)
        path = make_dataset(cluster, SN)
        assert not chunks(cluster), "all of it is in memory"

        cluster.start("dn", SECOND)
        cluster.wait_ready(SN, 2)
        moved = len(chunks(cluster))
        assert 0 < moved < 100, "what moved is stored, what stayed is not"
        assert np.array_equal(read(cluster, path, SN), VALUES)

        write(cluster, path, VALUES + 1)
        assert cluster.stop(FIRST) == 0
        assert len(chunks(cluster)) > moved
        assert np.array_equal(read(cluster, path, SN), VALUES + 1)
        cluster.wait_ready(SN, 1)

        write(cluster, path, VALUES + 2)
        cluster.start("dn", FIRST)
        cluster.wait_ready(SN, 2)
        write(cluster, path, VALUES + 3)
        assert cluster.ask(SN, "PUT", f"/{FILE}&flush=1", b"", binary=True)[0] in (200, 204)
        for address in (FIRST, SECOND):
            cluster.kill(address)  # all of it was stored by the flush
            cluster.start("dn", address)
        assert np.array_equal(read(cluster, path, SN), VALUES + 3)

        cluster.wait_ready(SN, 2)
        write(cluster, path, VALUES + 4)
        for address in (SECOND, FIRST):  # the end of all: the last stores what is left
            assert cluster.stop(address) == 0
            assert "Traceback" not in cluster.log(address)
        cluster.start("dn", SECOND)
        assert np.array_equal(read(cluster, path, SN), VALUES + 4)
