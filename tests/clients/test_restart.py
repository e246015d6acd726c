"""What a client has written is there after the service ended, in peace or not, and was started again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.clients.client import Client
from tests.clients.conftest import service_in


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_everything_is_there(
    client_name: str, new_client: Callable[[str, str], Client], tmp_path: Path, end: str
) -> None:
    with service_in(tmp_path) as service:
        client = new_client(client_name, service.url)
        client.did("hstouch", client.folder)
        client.program("keeping", client.folder, "write").json()
        if end == "stop":
            assert service.stop() == 0
        else:
            service.kill()
        service.start()
        client = new_client(client_name, service.url)
        client.program("keeping", client.folder, "read").json()
