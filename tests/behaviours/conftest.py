"""A file of test_user1 in a whole service, spoken to in raw HTTP as h5pyd 1.x would."""

from __future__ import annotations

import pytest

from tests.behaviours.client import Client
from tests.servicenode.conftest import data_node, password_lines, service, settings
from tests.servicenode.objectfile import make_file

__all__ = ["data_node", "password_lines", "service", "settings"]


@pytest.fixture
async def file(service) -> Client:
    made = await make_file(service)
    return Client(made.service, made.path, made.root)
