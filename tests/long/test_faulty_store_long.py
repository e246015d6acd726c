"""Minutes of writing over a store of which a part of all calls fails: few, many, and half of them.

HSDS_TEST_SECONDS=240 pytest -s tests/long/test_faulty_store_long.py
"""

from __future__ import annotations

import os

import pytest

from tests.integration.test_faulty_store import torment
from tests.tools.faultproxy import FAULTS

SECONDS = float(os.environ.get("HSDS_TEST_SECONDS", "240"))

pytestmark = pytest.mark.timeout(2 * SECONDS + 600)


@pytest.mark.parametrize("rate", [0.1, 0.25, 0.5])
async def test_nothing_is_lost_or_doubled_in_minutes(tmp_path, s3_server, s3_bucket, rate):
    result = await torment(tmp_path, s3_server, s3_bucket, SECONDS / 3, rate)
    assert result.found.clean
    assert result.faults.keys() == FAULTS.keys()
    assert result.unknown > 20
    assert result.unanswered > 0, "clients, too, were left without an answer"
