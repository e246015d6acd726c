"""``hsds secrets``: what it prints mounts as the service reads it."""

import base64
from pathlib import Path

import bcrypt
import pytest
import yaml

from hsds.cli import main
from hsds.servicenode.passwords import PasswordFile, matches
from hsds.store.s3_credentials import FileCredentials
from hsds.transport.signing import Secrets
from tests.k8s.schema import FOLDER, faults

KEYS = {"AWS_ACCESS_KEY_ID": "AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY": "verysecret"}


@pytest.fixture(autouse=True)
def no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def users(tmp_path: Path) -> Path:
    path = tmp_path / "users.txt"
    old = bcrypt.hashpw(b"older", bcrypt.gensalt(4)).decode()
    path.write_text(f"# people\nann:plain text\n\nbob:{old}\n")
    return path


def printed(capsys, *words: object) -> dict[str, dict]:
    assert main(["secrets", *map(str, words)]) == 0
    out = capsys.readouterr().out
    return {item["metadata"]["name"]: item for item in yaml.safe_load_all(out)}


def mounted(item: dict, folder: Path) -> Path:
    """The Secret as the kubelet writes it."""
    for name, text in item["data"].items():
        (folder / name).write_bytes(base64.b64decode(text))
    return folder


def test_all_secrets(capsys, users, monkeypatch):
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    found = printed(capsys, "--password-file", users, "--namespace", "hdf")
    assert set(found) == {"user-password", "aws-auth-keys", "node-secret"}
    assert {item["metadata"]["namespace"] for item in found.values()} == {"hdf"}


@pytest.mark.skipif(not FOLDER.is_dir(), reason=f"no OpenAPI documents in {FOLDER}")
def test_they_are_valid(capsys, users):
    for item in printed(capsys, "--password-file", users).values():
        assert not faults(item)


def test_passwords_are_hashed_and_still_open(capsys, users, tmp_path):
    item = printed(capsys, "--password-file", users)["user-password"]
    file = PasswordFile(mounted(item, tmp_path) / "passwd.txt")
    assert file.users["ann"].startswith("$2b$")
    assert matches("plain text", file.users["ann"])
    assert matches("older", file.users["bob"])


def test_no_plain_password_is_printed(capsys, users):
    assert main(["secrets", "--password-file", str(users)]) == 0
    out = capsys.readouterr().out
    decoded = [base64.b64decode(text) for item in yaml.safe_load_all(out) for text in item["data"].values()]
    assert b"plain text" not in out.encode() + b"".join(decoded)


@pytest.mark.parametrize("source", ["environment", "directory"])
async def test_aws_keys(capsys, tmp_path, monkeypatch, source):
    words = []
    if source == "environment":
        for name, value in KEYS.items():
            monkeypatch.setenv(name, value)
    else:
        given = tmp_path / "given"
        given.mkdir()
        for name, value in KEYS.items():
            (given / name.lower()).write_text(value + "\n")
        words = ["--aws-keys", given]
    item = printed(capsys, "--only", "aws", *words)["aws-auth-keys"]
    keys = await FileCredentials(mounted(item, tmp_path)).get_frozen_credentials()
    assert (keys.access_key, keys.secret_key) == tuple(KEYS.values())


def test_a_new_node_secret_each_time(capsys, tmp_path):
    found = []
    for _ in range(2):
        folder = mounted(printed(capsys, "--only", "node")["node-secret"], tmp_path)
        found.append(Secrets(folder / "secret").current())
    assert found[0] != found[1]
    assert all(len(secret) >= 32 for (secret,) in found)


def test_kept_node_secrets(capsys, tmp_path):
    file = tmp_path / "old-and-new"
    file.write_text("a-secret-that-is-old\na-secret-that-is-new\n")
    item = printed(capsys, "--only", "node", "--node-secret-file", file)["node-secret"]
    assert Secrets(mounted(item, tmp_path) / "secret").current() == (
        b"a-secret-that-is-old",
        b"a-secret-that-is-new",
    )


def test_without_keys_and_users_there_is_the_node_secret(capsys):
    assert set(printed(capsys)) == {"node-secret"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--password-file", "no-such-file"], "no-such-file cannot be read: No such file or directory"),
        (["--only", "users"], "--password-file is missing"),
        (["--only", "aws"], "no AWS keys"),
        (["--aws-keys", "."], "holds no aws_access_key_id with aws_secret_access_key"),
        (["--namespace", "Not OK"], '--namespace "Not OK"'),
        (["--passwords", "x"], "unrecognized arguments"),
    ],
)
def test_faults_are_one_line(capsys, words, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["secrets", *words]) == 2
    err = capsys.readouterr().err
    assert said in err
    assert err.count("\n") == 1


@pytest.mark.parametrize("line", ["ann", "ann:", "a:long enough", ":x"])
def test_lines_that_open_no_door_are_refused(capsys, tmp_path, line):
    path = tmp_path / "users.txt"
    path.write_text(f"bob:secret\n{line}\n")
    assert main(["secrets", "--password-file", str(path)]) == 2
    assert "line 2" in capsys.readouterr().err
