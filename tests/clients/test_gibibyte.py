"""A gibibyte goes through a service that may take 600 MiB, at default settings."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.clients.client import Client
from tests.clients.conftest import service_in


@pytest.mark.timeout(900)
def test_a_gibibyte(client_name: str, new_client: Callable[[str, str], Client], tmp_path: Path) -> None:
    with service_in(tmp_path) as service:
        new_client(client_name, service.url).program("gibibyte", "/home/ann/gib.h5").json()
        peak = service.peak_memory // 2**20
    print("peak", peak, "MiB")
    assert peak < 600
