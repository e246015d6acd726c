"""What Prometheus is told of a data node."""

from hsds.cluster.figures import tell_of_membership
from hsds.cluster.membership import Membership, Timing
from hsds.cluster.view import Member
from hsds.datanode.figures import tell_of_caches
from hsds.datanode.state import make_state
from hsds.metrics import Metrics
from hsds.store.memory import MemoryStore


def shown(metrics: Metrics) -> dict[str, float]:
    lines = metrics.render().decode().splitlines()
    return {
        name: float(value) for name, _, value in (line.rpartition(" ") for line in lines if line[:1] != "#")
    }


async def test_caches():
    metrics = Metrics()
    state = make_state(MemoryStore(), metadata_cache=100, chunk_cache=1000, write_budget=100, threads=1)
    tell_of_caches(metrics, state)
    for number in range(3):
        state.objects.cache.put(("bucket", str(number)), None, 40)
    state.objects.cache.get(("bucket", "2"))
    state.objects.cache.get(("bucket", "9"))
    figures = shown(metrics)
    of = {name: figures[f'hsds_cache_{name}{{cache="metadata"}}'] for name in (
        "items", "mem_used_bytes", "mem_target_bytes", "hits_total", "misses_total", "evictions_total",
    )}  # fmt: skip
    assert of == {
        "items": 2, "mem_used_bytes": 80, "mem_target_bytes": 100,
        "hits_total": 1, "misses_total": 1, "evictions_total": 1,
    }  # fmt: skip
    assert figures['hsds_cache_mem_target_bytes{cache="chunk"}'] == 1000
    state.executor.shutdown()


def test_a_member_that_is_none_yet():
    metrics = Metrics()
    membership = Membership(Member("uid", "10.0.0.1", 6101), "c", timing=Timing(), first_epoch=lambda: 1)
    tell_of_membership(metrics, membership, lambda: 5.0)
    figures = shown(metrics)
    names = ("hsds_leased", "hsds_view_epoch", "hsds_slots_owned", "hsds_slots_live")
    assert [figures[name] for name in names] == [0, -1, 0, 0]
    assert figures["hsds_lease_age_seconds"] != figures["hsds_lease_age_seconds"]  # NaN
