"""Settings choose the store."""

from pathlib import Path

import pytest

from hsds.config import Settings
from hsds.errors import StoreRefused
from hsds.store.factory import make_small_store, make_store


def test_a_directory_goes_before_a_gateway(tmp_path: Path) -> None:
    settings = Settings(root_dir=tmp_path, aws_s3_gateway="http://s3.example", posix_fsync="data")
    assert repr(make_store(settings)) == f"<PosixStore {tmp_path} fsync=data>"


def test_a_gateway() -> None:
    store = make_store(Settings(aws_s3_gateway="http://s3.example", aws_region="eu-west-1"))
    assert repr(store) == "<S3Store http://s3.example eu-west-1>"


def test_nothing() -> None:
    with pytest.raises(StoreRefused, match="root_dir"):
        make_store(Settings())


async def test_an_observer_hears_of_calls(tmp_path: Path) -> None:
    told = []
    store = make_store(Settings(root_dir=tmp_path), observe=lambda *call: told.append(call))
    await store.start()
    await store.create_bucket("b")
    await store.put("b", "k", b"x")
    await store.close()
    assert [call[0] for call in told] == ["create_bucket", "put"]


def test_a_small_store_is_the_same_by_connections_of_its_own(tmp_path: Path) -> None:
    settings = Settings(aws_s3_gateway="http://s3.example", aws_region="eu-west-1")
    assert repr(make_small_store(settings)) == repr(make_store(settings))
    assert make_small_store(settings) is not make_store(settings)
    assert repr(make_small_store(Settings(root_dir=tmp_path))) == f"<PosixStore {tmp_path} fsync=off>"
