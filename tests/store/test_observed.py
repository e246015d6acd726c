"""The observing store keeps the contract and tells of every call."""

import pytest

from hsds.errors import KeyNotFound, PreconditionFailed
from hsds.store.base import Store
from hsds.store.memory import MemoryStore
from hsds.store.observed import ObservedStore
from tests.store.conformance import StoreConformance


class TestObservedStore(StoreConformance):
    @pytest.fixture
    def store(self) -> Store:
        return ObservedStore(MemoryStore(["bucket1"]), lambda *_: None)

    @pytest.fixture
    def bucket(self) -> str:
        return "bucket1"


async def test_calls_are_told_with_their_outcome() -> None:
    told: list[tuple[str, str, int]] = []

    def observe(kind: str, seconds: float, status: str, nbytes: int) -> None:
        assert 0 <= seconds < 60
        told.append((kind, status, nbytes))

    store = ObservedStore(MemoryStore(["b"]), observe)
    await store.put("b", "k", b"four", if_none_match=True)
    with pytest.raises(PreconditionFailed):
        await store.put("b", "k", b"", if_none_match=True)
    await store.get("b", "k")
    with pytest.raises(KeyNotFound):
        await store.get("b", "missing")
    await store.get_many("b", ["k", "missing"])
    await store.head("b", "k")
    await store.list("b")
    assert [info.key async for info in store.list_all("b")] == ["k"]
    await store.delete("b", "k")
    assert told == [
        ("put", "ok", 4),
        ("put", "PreconditionFailed", 0),
        ("get", "ok", 4),
        ("get", "KeyNotFound", 0),
        ("get", "ok", 4),
        ("get", "KeyNotFound", 0),
        ("head", "ok", 0),
        ("list", "ok", 0),
        ("list_all", "ok", 0),
        ("delete", "ok", 0),
    ]


def test_it_passes_for_the_store_inside() -> None:
    inner = MemoryStore(["b"])
    store = ObservedStore(inner, lambda *_: None)
    assert (store.name, store.conditional_delete, repr(store)) == ("memory", True, repr(inner))
