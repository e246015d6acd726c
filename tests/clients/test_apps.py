"""The command-line apps that come with the clients."""

from __future__ import annotations

import re
from pathlib import Path

import h5py
import numpy as np
import pytest

from tests.clients.client import Client


@pytest.fixture
def source(client: Client) -> Path:
    """A small HDF5 file on the client's machine."""
    path = client.work / "small.h5"
    with h5py.File(path, "w") as f:
        f.create_dataset("g1/g1.1/d", data=np.arange(100).reshape(10, 10), chunks=(5, 5), compression="gzip")
        f.create_dataset("text", data="ünïcode")
        f["g1"].attrs["unit"] = "K"
        f["soft"] = h5py.SoftLink("/g1")
        f["external"] = h5py.ExternalLink("other.h5", "/x")
    return path


@pytest.fixture
def loaded(client: Client, source: Path) -> str:
    """The domain that the small file was loaded into."""
    client.did("hsload", str(source), client.folder)
    return client.folder + source.name


def compared(client: Client, path: Path, other: str) -> list[str]:
    differences: list[str] = client.program("compare", str(path), other).json()
    return differences


def listed(client: Client) -> list[str]:
    """Names in the test's folder, as hsls lists them."""
    lines = client.did("hsls", client.folder).splitlines()
    names = [line.split()[-1] for line in lines if client.folder in line]
    return sorted(name.removeprefix(client.folder).rstrip("/") for name in names if name != client.folder)


def test_hsinfo(client: Client) -> None:
    said = client.did("hsinfo")
    assert re.search(r"server state: *READY", said)
    assert re.search(r"username: *ann", said)
    assert "/home/ann" in said
    assert re.search(r"server version: *1\.0\.2", said)


def test_hsinfo_with_a_wrong_password(client: Client) -> None:
    said = client.app("hsinfo", "-u", "ann", "-p", "wrong").text
    assert "READY" not in said


def test_hstouch_is_a_new_users_first_command(client: Client) -> None:
    user = client.name
    client.did("hstouch", f"/home/{user}/file.h5", user=user)
    assert f"/home/{user}/file.h5" in client.did("hsls", f"/home/{user}/", user=user)
    assert client.app("hstouch", "/home/admin/file.h5", user=user).status != 0


def test_hstouch_makes_folders_and_files(client: Client) -> None:
    client.did("hstouch", client.folder + "sub/")
    client.did("hstouch", client.folder + "file.h5")
    client.did("hstouch", client.folder + "file.h5")  # one that is there
    client.did("hstouch", client.folder + "sub/file.h5")
    assert listed(client) == ["file.h5", "sub"]
    assert client.app("hstouch", client.folder + "no/such/folder/").status != 0


def test_hstouch_twice_keeps_the_file(client: Client, loaded: str, source: Path) -> None:
    client.did("hstouch", loaded)
    client.did("hstouch", loaded)
    assert [line for line in compared(client, source, loaded) if "hstouch" not in line] == []


def test_hsls_walks_a_file(client: Client, loaded: str) -> None:
    said = client.did("hsls", "-r", loaded)
    assert re.search(r"^/g1/g1\.1/d\s+Dataset \{10, 10\}", said, re.MULTILINE)
    assert re.search(r"^/g1/g1\.1\s+Group", said, re.MULTILINE)
    assert re.search(r"^/text\s+Dataset", said, re.MULTILINE)
    assert re.search(r"^/soft\s+SoftLink \{/?g1\}", said, re.MULTILINE)
    assert re.search(r"^/external\s+ExternalLink", said, re.MULTILINE)


def test_hsls_lists_folders(client: Client, loaded: str) -> None:
    client.did("hstouch", client.folder + "sub/")
    client.did("hstouch", client.folder + "sub/deep.h5")
    assert listed(client) == ["small.h5", "sub"]
    verbose = client.did("hsls", "-v", client.folder)
    assert "small.h5" in verbose
    assert "deep.h5" in client.did("hsls", "-r", client.folder)
    assert "unit" in client.did("hsls", "-r", "--showattrs", loaded)


def test_hsload_and_hsget(client: Client, loaded: str, source: Path) -> None:
    assert compared(client, source, loaded) == []
    client.did("hsget", loaded, "got.h5")
    assert compared(client, source, str(client.work / "got.h5")) == []


def test_hsload_to_a_named_domain(client: Client, source: Path) -> None:
    client.did("hsload", str(source), client.folder + "other-name.h5")
    assert compared(client, source, client.folder + "other-name.h5") == []
    client.did("hsload", str(source), client.folder + "other-name.h5")  # over itself
    assert compared(client, source, client.folder + "other-name.h5") == []


@pytest.mark.parametrize("app", ["hscp", "hscopy"])
def test_hscp(client: Client, loaded: str, source: Path, app: str) -> None:
    client.did(app, loaded, client.folder + "copy.h5")
    assert listed(client) == ["copy.h5", "small.h5"]
    assert compared(client, source, client.folder + "copy.h5") == []


def test_hsmv(client: Client, loaded: str, source: Path) -> None:
    client.did("hsmv", loaded, client.folder + "moved.h5")
    assert listed(client) == ["moved.h5"]
    if client.old:  # the new client loses what it moves, whatever the server
        assert compared(client, source, client.folder + "moved.h5") == []


def test_hsdiff(client: Client, loaded: str, source: Path) -> None:
    assert client.app("hsdiff", str(source), loaded).status == 0
    with h5py.File(source, "a") as f:
        f["g1/g1.1/d"][3, 4] = -1
    assert "d" in client.app("hsdiff", str(source), loaded).text


def test_hsacl(client: Client, loaded: str) -> None:
    assert "ann" in client.did("hsacl", loaded)
    assert "bob" not in client.did("hsacl", loaded)
    client.did("hsacl", loaded, "+r", "bob")
    row = next(line for line in client.did("hsacl", loaded).splitlines() if "bob" in line)
    assert row.split() == ["bob", "False", "True", "False", "False", "False", "False"]
    client.did("hsls", "-r", loaded, user="bob")
    client.did("hsacl", loaded, "-r", "bob")
    assert client.app("hsget", loaded, "bobs.h5", user="bob").status != 0
    client.did("hsacl", client.folder, "+cr", "bob")
    client.did("hstouch", client.folder + "bobs.h5", user="bob")


def test_hsstat(client: Client, loaded: str) -> None:
    said = client.did("hsstat", loaded)
    assert loaded in said
    assert re.search(r"owner: *ann", said)
    assert re.search(r"num chunks: *[45]\b", said)  # with or without one for the scalar
    assert re.search(r"allocated_bytes: *[1-9]", said)
    assert client.folder.rstrip("/") in client.did("hsstat", client.folder)


@pytest.mark.parametrize("app", ["hsrm", "hsdel"])
def test_hsrm(client: Client, loaded: str, app: str) -> None:
    client.did("hstouch", client.folder + "sub/")
    client.did("hstouch", client.folder + "sub/file.h5")
    assert client.app(app, client.folder + "nothing.h5").status != 0
    assert "sub-items" in client.app(app, client.folder + "sub/").text
    assert listed(client) == ["small.h5", "sub"]
    client.did(app, loaded)
    client.did(app, client.folder + "sub/file.h5")
    client.did(app, client.folder + "sub/")
    assert listed(client) == []


def test_hsconfigure_is_not_asked_questions(client: Client) -> None:
    """The settings that it would write are those of the environment; it only asks whether they work."""
    config = client.work / ".hscfg"
    config.write_text(f"hs_endpoint = {client.endpoint}\nhs_username = ann\nhs_password = secret-a\n")
    assert "READY" in client.did("hsinfo")
