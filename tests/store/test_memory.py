"""The memory store keeps the contract, with either kind of ETag."""

import pytest

from hsds.store.base import Store
from hsds.store.memory import MemoryStore
from tests.store.conformance import StoreConformance


class TestMemoryStore(StoreConformance):
    @pytest.fixture(params=[True, False], ids=["content-etags", "unique-etags"])
    def store(self, request: pytest.FixtureRequest) -> Store:
        return MemoryStore(["bucket1"], content_etags=request.param)

    @pytest.fixture
    def bucket(self) -> str:
        return "bucket1"


async def test_equal_bytes_have_equal_etags_only_if_asked() -> None:
    like_s3, unique = MemoryStore(["b"]), MemoryStore(["b"], content_etags=False)
    assert await like_s3.put("b", "k", b"x") == await like_s3.put("b", "k", b"x")
    assert await unique.put("b", "k", b"x") != await unique.put("b", "k", b"x")


def test_repr_states_its_contents() -> None:
    assert repr(MemoryStore(["b"])) == "<MemoryStore objects by bucket: {'b': 0}>"
