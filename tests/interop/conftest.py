"""Both versions of HSDS, and this service, over one directory one after another."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from tests.integration.rest import Rest
from tests.integration.service import Service
from tests.interop.incumbent import VERSIONS, Incumbent

Opener = Callable[..., AbstractAsyncContextManager[Rest]]
USERS = ("admin", "test_user1", "test_user2")


class SocketRest(Rest):
    """A client of a service at a Unix socket."""

    def __init__(self, path: str, **who: str) -> None:
        super().__init__("http://localhost", **who)
        self._path = path

    async def __aenter__(self) -> Rest:
        self.session = aiohttp.ClientSession(
            self.url,
            headers=self._headers,
            connector=aiohttp.UnixConnector(self._path),
            timeout=aiohttp.ClientTimeout(120),
        )
        return self


@pytest.fixture(params=VERSIONS, ids=VERSIONS.values())
def incumbent_python(request: pytest.FixtureRequest) -> tuple[str, str]:
    """The Python that has HSDS, and its version."""
    python = os.environ.get(request.param)
    if not python:
        pytest.skip(f"{request.param} does not name the Python of an environment with HSDS")
    return python, VERSIONS[request.param]


@pytest.fixture
def version(incumbent_python: tuple[str, str]) -> str:
    return incumbent_python[1]


@pytest.fixture
def password_file(tmp_path: Path) -> Path:
    file = tmp_path / "passwd.txt"
    file.write_text("".join(f"{user}:test\n" for user in USERS))
    return file


@pytest.fixture
def there(incumbent_python: tuple[str, str], tmp_path: Path, password_file: Path) -> Opener:
    """Runs HSDS over the directory for the time of a context, which gives an admin's client."""

    @asynccontextmanager
    async def opened(**environ: str) -> AsyncIterator[Rest]:
        with Incumbent(incumbent_python[0], tmp_path / "data", password_file, **environ) as incumbent:
            async with SocketRest(incumbent.socket, user="admin", password="test") as rest:
                yield rest

    return opened


@pytest.fixture
def here(tmp_path: Path, password_file: Path) -> Opener:
    """As ``there`` with this service."""

    @asynccontextmanager
    async def opened(*flags: str) -> AsyncIterator[Rest]:
        data = str(tmp_path / "data")
        service = Service(tmp_path, "--root-dir", data, "--password-file", str(password_file), *flags)
        with service:
            async with Rest(service.url, user="admin", password="test") as rest:
                yield rest
            assert service.stop() == 0, service.log.read_text()
        assert "Traceback" not in service.log.read_text()

    return opened
