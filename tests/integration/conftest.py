"""Services for tests, and clients for them."""

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.integration.rest import Rest
from tests.integration.service import Service


@pytest.fixture
def service(tmp_path) -> Iterator[Service]:
    """A service over a directory, without passwords."""
    with Service(tmp_path) as running:
        yield running


@pytest.fixture
async def rest(service) -> AsyncIterator[Rest]:
    """A client of ``service``."""
    async with Rest(service.url) as client:
        yield client
