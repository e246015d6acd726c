"""One service for all tests of the clients, and each of the clients in turn."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hsds.asking import Endpoint
from tests.clients.client import USERS, Client
from tests.clients.environments import CLIENTS, python_of, why_none
from tests.integration.service import Service


def service_in(folder: Path) -> Service:
    """A service with the users that tests act as."""
    passwords = folder / "passwords"
    passwords.write_text("".join(f"{name}:{password}\n" for name, password in USERS.items()))
    flags = ("--root-dir", str(folder / "data"), "--bucket", "clients", "--password-file", str(passwords))
    return Service(folder, *flags)


@pytest.fixture(scope="session")
def shared_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service that stays up for all tests of this process; its data is never cleared."""
    with service_in(tmp_path_factory.mktemp("service")) as service:
        yield service


@pytest.fixture(params=list(CLIENTS))
def client_name(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    if python_of(name) is None:
        pytest.skip(why_none(name))
    return name


@pytest.fixture
def client(client_name: str, shared_service: Service, new_client: Callable[..., Client]) -> Client:
    """A client of the shared service, with a folder of its own there, made without it: that is quicker."""
    made = new_client(client_name, shared_service.url)
    ann = Endpoint(shared_service.url, "ann", USERS["ann"], seconds=60)
    answer = ann.ask("PUT", f"/?domain={made.folder.rstrip('/')}", {"folder": True})
    assert answer.status == 201, answer
    return made


@pytest.fixture
def new_client(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[str, str], Client]:
    def make(name: str, endpoint: str) -> Client:
        python = python_of(name)
        assert python is not None
        work = tmp_path / "work"
        work.mkdir(exist_ok=True)
        folder = f"/home/ann/{re.sub(r'[^a-z0-9]+', '-', request.node.name)}/"
        return Client(name, python, endpoint, folder, work)

    return make
