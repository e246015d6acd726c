"""``hsds admin mkhome`` against a service with passwords."""

from __future__ import annotations

import pytest

from hsds import cli
from tests.integration.rest import Rest
from tests.integration.service import Service


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    folder = tmp_path_factory.mktemp("service")
    (folder / "passwd").write_text("admin:secret\njoe:joes-own\n")
    with Service(folder, "--password-file", "passwd") as running:
        yield running


@pytest.fixture
def mkhome(service, monkeypatch, capsys):
    """Runs the command as admin; its exit status and what it said."""
    monkeypatch.setenv("HS_ENDPOINT", service.url)
    monkeypatch.setenv("HS_USERNAME", "admin")
    monkeypatch.setenv("HS_PASSWORD", "secret")
    monkeypatch.delenv("HS_BUCKET", raising=False)

    def run(*words: str) -> tuple[int, str]:
        status = cli.main(["admin", "mkhome", *words])
        said = capsys.readouterr()
        assert (said.out if status else said.err) == ""
        return status, (said.err if status else said.out).strip()

    return run


async def test_the_home_is_the_users(mkhome, service):
    assert mkhome("joe") == (0, "made /home/joe, owned by joe")
    assert mkhome("joe") == (0, "/home/joe exists already")
    async with Rest(service.url, user="joe", password="joes-own") as rest:
        assert (await rest.ask("GET", "/", "/home/joe"))["owner"] == "joe"
        await rest.create("/home/joe/first.h5")


async def test_users_to_come(mkhome, service):
    assert mkhome("not-known-yet")[0] == 0
    async with Rest(service.url, user="admin", password="secret") as rest:
        assert (await rest.ask("GET", "/", "/home/not-known-yet"))["owner"] == "not-known-yet"


async def test_something_else_in_the_way(mkhome, service):
    async with Rest(service.url, user="admin", password="secret") as rest:
        await rest.create("/home/file")
        await rest.folder("/home/admins")
    assert mkhome("file") == (1, "hsds: /home/file exists and is not a folder")
    assert mkhome("admins") == (1, "hsds: /home/admins exists and is owned by admin")
    assert mkhome("a/b")[0] == 1


def test_who_may_not(mkhome):
    status, said = mkhome("anna", "--username", "joe", "--password", "joes-own")
    assert (status, said.split(":")[:2]) == (1, ["hsds", " PUT /home"])
    assert "403" in said
    assert mkhome("anna", "--password", "wrong")[1].endswith("401 Unknown user or wrong password")


def test_no_service_there(mkhome):
    status, said = mkhome("joe", "--endpoint", "http://127.0.0.1:9")
    assert status == 1
    assert "http://127.0.0.1:9 does not answer" in said
    assert mkhome("joe", "--endpoint", "local")[0] == 1


@pytest.mark.parametrize("words", [[], ["mkhome"], ["rmhome", "joe"], ["mkhome", "joe", "--what"]])
def test_mistakes(words, capsys):
    assert cli.main(["admin", *words]) == 2
    assert capsys.readouterr().err.startswith("hsds: ")
