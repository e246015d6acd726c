"""Files used again: never while a reader may still take them for the object that they were."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from hsds.store import posix_files, posix_temp
from hsds.store.posix import PosixStore
from hsds.store.posix_files import Fsync
from hsds.store.posix_spares import SMALL, Spares
from hsds.store.posix_temp import makes_files_slowly


@pytest.fixture(autouse=True)
def slow_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the file system is."""
    monkeypatch.setattr(posix_temp, "makes_files_slowly", lambda path: True)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[PosixStore]:
    store = PosixStore(tmp_path / "root")
    await store.start()
    await store.create_bucket("b")
    yield store
    await store.close()
    assert [path for path in (tmp_path / "root/.hsds/tmp").rglob("*") if path.is_file()] == []


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files do not rest."""
    monkeypatch.setattr("hsds.store.posix_spares._REST", 0.0)


def inode(tmp_path: Path, key: str) -> int:
    return (tmp_path / "root/b" / key).stat().st_ino


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize("size", [0, 10, SMALL, SMALL + 1])
async def test_what_was_replaced_or_deleted_serves_the_next(
    store: PosixStore, tmp_path: Path, size: int
) -> None:
    await store.put("b", "k", b"0" * size)
    first = inode(tmp_path, "k")
    await store.put("b", "k", b"1" * size)
    await store.put("b", "other", b"2" * size)
    assert inode(tmp_path, "other") == first
    await store.delete("b", "other")
    await store.put("b", "third", b"3" * size)
    assert inode(tmp_path, "third") == first
    assert bytes((await store.get("b", "third")).data) == b"3" * size


@pytest.mark.usefixtures("at_once")
async def test_a_longer_one_is_cut(store: PosixStore) -> None:
    await store.put("b", "k", b"0" * 1000)
    await store.delete("b", "k")
    await store.put("b", "k", b"short")
    assert bytes((await store.get("b", "k")).data) == b"short"
    assert (await store.head("b", "k")).size == 5


async def test_a_file_rests(store: PosixStore, tmp_path: Path) -> None:
    await store.put("b", "k", b"0")
    first = inode(tmp_path, "k")
    await store.delete("b", "k")
    await store.put("b", "k", b"1")
    assert inode(tmp_path, "k") != first
    await asyncio.sleep(0.15)
    await store.put("b", "l", b"2")
    assert inode(tmp_path, "l") == first


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize("before", [True, False])
async def test_a_reader_never_sees_what_comes_next(
    store: PosixStore, monkeypatch: pytest.MonkeyPatch, *, before: bool
) -> None:
    """Between the opening of a file and the reading of it, or after, the file holds another object."""
    await store.put("b", "k", b"old!")
    real, files = posix_files._read_range, store._files
    done = []

    def replaced(*arguments: object, **more: object) -> object:
        data = None if before else real(*arguments, **more)
        if not done:
            done.append(True)
            files.write("b", "k", b"new!", None, False)
            files.write("b", "secret", b"hide", None, False)
        return real(*arguments, **more) if before else data

    monkeypatch.setattr(posix_files, "_read_range", replaced)
    blob = await store.get("b", "k")
    assert bytes(blob.data) == b"new!"
    assert blob.etag == (await store.head("b", "k")).etag
    assert done


@pytest.mark.usefixtures("at_once")
async def test_a_reader_that_stood_still_after_opening_a_file(
    store: PosixStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the time it looks the file is another object, whole and at rest."""
    await store.put("b", "k", b"old!")
    real, files = os.open, store._files
    done = []

    def slow(path: bytes, *arguments: Any, **more: Any) -> int:
        file = real(path, *arguments, **more)
        if path == b"b/k" and not done:
            done.append(os.fstat(file).st_ino)
            files.write("b", "k", b"new!", None, False)
            files.write("b", "secret", b"hide", None, False)
        return file

    monkeypatch.setattr(os, "open", slow)
    blob = await store.get("b", "k")
    assert bytes(blob.data) == b"new!"
    assert blob.etag == (await store.head("b", "k")).etag
    assert done == [os.stat(b"b/secret", dir_fd=files.root).st_ino]


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize("how", ["replaced", "deleted"])
async def test_what_has_another_name_is_left_alone(store: PosixStore, tmp_path: Path, how: str) -> None:
    """E.g. in a backup that is made of links."""
    await store.put("b", "k", b"kept")
    os.link(tmp_path / "root/b/k", tmp_path / "backup")
    if how == "replaced":
        await store.put("b", "k", b"1234")
    else:
        await store.delete("b", "k")
    await store.put("b", "other", b"5678")
    assert (tmp_path / "backup").read_bytes() == b"kept"


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize("how", ["replaced", "deleted"])
async def test_what_cannot_be_written_is_not_used_again(store: PosixStore, tmp_path: Path, how: str) -> None:
    """What another program made, read-only or as another user: it is replaced and deleted all the same."""
    await store.put("b", "k", b"1")
    (tmp_path / "root/b/k").chmod(0o444)
    if how == "replaced":
        await store.put("b", "k", b"2")
    else:
        await store.delete("b", "k")
    assert [path for path in (tmp_path / "root/.hsds/tmp").rglob("*") if path.is_file()] == []


@pytest.mark.parametrize(
    ("fsync", "slowly"),
    [
        pytest.param("data", True, id="where a power cut counts: data"),
        pytest.param("full", True, id="where a power cut counts: full"),
        pytest.param("off", False, id="where files are made quickly"),
    ],
)
async def test_nothing_is_used_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fsync: Fsync, *, slowly: bool
) -> None:
    monkeypatch.setattr(posix_temp, "makes_files_slowly", lambda path: slowly)
    store = PosixStore(tmp_path / "root", fsync=fsync)
    await store.start()
    await store.create_bucket("b")
    await store.put("b", "k", b"1")
    await store.put("b", "k", b"2")
    await store.delete("b", "k")
    assert [path for path in (tmp_path / "root/.hsds/tmp").rglob("*") if path.is_file()] == []
    await store.close()


@pytest.mark.parametrize(("journal", "slowly"), [("<none>\n", True), ("278\n", False), (None, False)])
def test_ext4_without_a_journal_is_known(tmp_path: Path, journal: str | None, *, slowly: bool) -> None:
    device = tmp_path.stat().st_dev
    (tmp_path / "devices/vdx").mkdir(parents=True)
    (tmp_path / "dev/block").mkdir(parents=True)
    (tmp_path / f"dev/block/{os.major(device)}:{os.minor(device)}").symlink_to(tmp_path / "devices/vdx")
    (tmp_path / "fs/ext4/vdx").mkdir(parents=True)
    if journal is not None:
        (tmp_path / "fs/ext4/vdx/journal_task").write_text(journal)
    assert makes_files_slowly(tmp_path, tmp_path) is slowly


async def test_another_process_may_have_cleared_them_away(
    store: PosixStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hsds.store.posix_spares._REST", 0.0)
    await store.put("b", "k", b"0")
    await store.delete("b", "k")
    for path in (tmp_path / "root/.hsds/tmp").rglob("*"):
        if path.is_file():
            path.unlink()
    await store.put("b", "k", b"1")
    assert bytes((await store.get("b", "k")).data) == b"1"


def test_they_are_bounded() -> None:
    spares = Spares()
    assert all(spares.add(f"{i}", 1) for i in range(256))
    assert not spares.add("one more", 1)
    assert len(spares.drain()) == 256
    assert spares.add("large", 40 << 20)
    assert not spares.add("too large", 40 << 20)
    assert spares.drain() == ["large"]
