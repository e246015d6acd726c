"""The S3 store keeps the contract, on a real server."""

import pytest

from hsds.store.s3 import S3Store
from tests.store.conformance import StoreConformance


class TestS3Store(StoreConformance):
    @pytest.fixture
    def store(self, s3_store: S3Store) -> S3Store:
        return s3_store

    @pytest.fixture
    def bucket(self, s3_bucket: str) -> str:
        return s3_bucket
