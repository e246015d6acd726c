"""Keys in files: found, read again when they change, and never half of them."""

from dataclasses import replace
from pathlib import Path

import pytest

from hsds.errors import StoreRefused
from hsds.store.s3 import S3Store
from hsds.store.s3_client import S3Options
from hsds.store.s3_credentials import FileCredentials


def write(directory: Path, key: str, secret: str, token: str | None = None) -> None:
    directory.mkdir(exist_ok=True)
    (directory / "aws_access_key_id").write_text(f"{key}\n")
    (directory / "aws_secret_access_key").write_text(secret)
    if token:
        (directory / "aws_session_token").write_text(token)


async def keys(credentials: FileCredentials) -> tuple[str, str, str | None]:
    frozen = await credentials.get_frozen_credentials()
    return frozen.access_key, frozen.secret_key, frozen.token


async def test_files_are_read_again_when_they_change(tmp_path: Path) -> None:
    write(tmp_path, "k1", "s1")
    credentials = FileCredentials(tmp_path)
    assert await keys(credentials) == ("k1", "s1", None)
    write(tmp_path, "k2", "s2", "t2")
    assert await keys(credentials) == ("k2", "s2", "t2")
    (tmp_path / "aws_session_token").unlink()
    assert await keys(credentials) == ("k2", "s2", None)


async def test_a_mount_that_is_swapped(tmp_path: Path) -> None:
    """Kubernetes turns one symbolic link to a new directory."""
    write(tmp_path / "v1", "k1", "s1")
    write(tmp_path / "v2", "k2", "s2")
    mount = tmp_path / "mount"
    mount.symlink_to("v1")
    credentials = FileCredentials(mount)
    (tmp_path / "next").symlink_to("v2")
    (tmp_path / "next").rename(mount)
    assert await keys(credentials) == ("k2", "s2", None)


async def test_the_last_complete_set_is_kept(tmp_path: Path) -> None:
    write(tmp_path, "k1", "s1")
    credentials = FileCredentials(tmp_path)
    (tmp_path / "aws_secret_access_key").unlink()
    assert await keys(credentials) == ("k1", "s1", None)
    (tmp_path / "aws_secret_access_key").write_text("")
    assert await keys(credentials) == ("k1", "s1", None)
    write(tmp_path, "k2", "s2")
    assert await keys(credentials) == ("k2", "s2", None)


def test_without_keys_there_is_no_store(tmp_path: Path) -> None:
    with pytest.raises(StoreRefused, match="aws_credentials_dir"):
        FileCredentials(tmp_path)
    write(tmp_path, "", "s")
    with pytest.raises(StoreRefused, match="aws_access_key_id"):
        FileCredentials(tmp_path)


def test_repr_holds_no_key(tmp_path: Path) -> None:
    write(tmp_path, "k-public", "s-secret")
    assert "k-public" not in repr(FileCredentials(tmp_path))
    assert "s-secret" not in repr(FileCredentials(tmp_path))


async def test_a_server_sees_the_change(tmp_path: Path, s3_options: S3Options, s3_bucket: str) -> None:
    assert s3_options.access_key_id
    assert s3_options.secret_access_key
    write(tmp_path, s3_options.access_key_id, "wrong")
    store = S3Store(replace(s3_options, access_key_id=None, secret_access_key=None, credentials_dir=tmp_path))
    await store.start()
    with pytest.raises(StoreRefused, match="403 SignatureDoesNotMatch") as caught:
        await store.put(s3_bucket, "k", b"x")
    assert "wrong" not in str(caught.value)
    write(tmp_path, s3_options.access_key_id, s3_options.secret_access_key)
    await store.put(s3_bucket, "k", b"x")
    await store.close()
