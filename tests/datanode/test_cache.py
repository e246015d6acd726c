"""The byte-bounded cache against a plain model."""

import tracemalloc
from collections import OrderedDict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hsds.datanode.cache import ByteLRU
from hsds.datanode.documents import ABSENT, ABSENT_COST, ChunkCodec, Entry
from hsds.hdf5 import keys
from hsds.hdf5.ids import new_object_id, new_root_id

ops = st.lists(
    st.tuples(st.sampled_from(["get", "put", "pop"]), st.integers(0, 5), st.integers(0, 40)), max_size=60
)


@given(ops)
def test_keeps_the_most_recent_within_the_limit(steps):
    cache, model = ByteLRU(100), OrderedDict()
    for step, key, cost in steps:
        if step == "get":
            assert cache.get(key) == model.get(key)
            if key in model:
                model.move_to_end(key)
        elif step == "put":
            cache.put(key, cost, cost)
            model.pop(key, None)
            model[key] = cost
            while sum(model.values()) > 100:
                model.popitem(last=False)
        else:
            cache.pop(key)
            model.pop(key, None)
        assert cache.used == sum(model.values()) <= 100
        assert len(cache) == len(model)


def test_a_value_over_the_limit_is_not_kept():
    cache = ByteLRU(10)
    cache.put("a", 1, 5)
    cache.put("b", 2, 11)
    assert cache.get("b") is None
    assert cache.get("a") == 1


def test_drop_by_condition():
    cache = ByteLRU(10)
    for i in range(5):
        cache.put(i, i, 1)
    cache.drop(lambda key: key % 2)
    assert (len(cache), cache.used) == (3, 3)


@pytest.mark.parametrize("entry", [ABSENT, Entry(np.zeros(1, "i1"), "0" * 32)], ids=["absent", "of one byte"])
def test_the_cost_of_small_things_is_what_they_take(entry):
    """Else a cache of so many bytes would take several times that."""
    prefix = keys.dataset_prefix(new_object_id(new_root_id(), "datasets"))
    cost = ABSENT_COST if entry is ABSENT else ChunkCodec.cost(None, entry.value, 1)
    cache = ByteLRU(1 << 30, lambda key: key[0])
    tracemalloc.start()
    try:
        for i in range(5000):
            one = entry if entry is ABSENT else Entry(entry.value.copy(), f"{i:032}")
            cache.put(("bucket", f"{prefix}{i}_0"), (one, 3), cost)
        taken = tracemalloc.get_traced_memory()[0] / 5000
    finally:
        tracemalloc.stop()
    assert 0.6 < taken / cost < 1.2
