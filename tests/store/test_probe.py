"""Stores that ignore conditions are found out and named."""

from pathlib import Path

import pytest

from hsds.errors import BucketNotFound, PreconditionFailed
from hsds.store.base import Blob, Buffer
from hsds.store.memory import MemoryStore
from hsds.store.posix import PosixStore
from hsds.store.probe import Conditions, probe
from hsds.store.s3 import S3Store

ALL = Conditions(if_match=True, if_none_match=True, not_modified=True)


class Careless(MemoryStore):
    """Ignores the conditions named in ``ignores``; ``always_fails`` refuses every If-Match."""

    def __init__(self, *ignores: str) -> None:
        super().__init__(["b"])
        self._ignores = ignores

    async def put(
        self,
        bucket: str,
        key: str,
        data: Buffer,
        *,
        if_match: str | None = None,
        if_none_match: bool = False,
    ) -> str:
        if if_match and "always-fails" in self._ignores:
            raise PreconditionFailed("it never matches")
        return await super().put(
            bucket,
            key,
            data,
            if_match=None if "if-match" in self._ignores else if_match,
            if_none_match=if_none_match and "if-none-match" not in self._ignores,
        )

    async def get(self, bucket: str, key: str, *, if_none_match: str | None = None, **options) -> Blob:
        known = None if "not-modified" in self._ignores else if_none_match
        return await super().get(bucket, key, if_none_match=known, **options)


async def test_memory() -> None:
    store = MemoryStore(["b"])
    assert await probe(store, "b") == ALL
    assert ALL.safe
    assert ALL.ignored() == ""
    assert (await store.list("b")).objects == ()


async def test_posix(tmp_path: Path) -> None:
    store = PosixStore(tmp_path)
    await store.start()
    await store.create_bucket("b")
    assert await probe(store, "b") == ALL
    assert (await store.list("b")).objects == ()
    await store.close()


async def test_s3(s3_store: S3Store, s3_bucket: str) -> None:
    assert await probe(s3_store, s3_bucket) == ALL
    assert (await s3_store.list(s3_bucket)).objects == ()


@pytest.mark.parametrize(
    ("ignores", "found", "text"),
    [
        (["if-match"], Conditions(False, True, True), "If-Match on PUT"),
        (["always-fails"], Conditions(False, True, True), "If-Match on PUT"),
        (["if-none-match"], Conditions(True, False, True), "If-None-Match on PUT"),
        (["not-modified"], Conditions(True, True, False), "If-None-Match on GET"),
        (
            ["if-match", "if-none-match"],
            Conditions(False, False, True),
            "If-Match on PUT, If-None-Match on PUT",
        ),
    ],
)
async def test_careless_stores(ignores: list[str], found: Conditions, text: str) -> None:
    store = Careless(*ignores)
    conditions = await probe(store, "b")
    assert conditions == found
    assert conditions.ignored() == text
    assert conditions.safe is (ignores == ["not-modified"])
    assert (await store.list("b")).objects == ()


async def test_no_bucket() -> None:
    with pytest.raises(BucketNotFound):
        await probe(MemoryStore(["b"]), "other")
