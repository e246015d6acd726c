"""The POSIX store keeps the contract, and what only files bring: prefixes, processes, leftovers."""

import asyncio
import os
import sys
import time
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hsds.errors import BucketNotFound, InvalidKey, KeyNotFound, PreconditionFailed, StoreRefused
from hsds.store.posix import PosixStore
from tests.store.conformance import StoreConformance, listing


@pytest.fixture(params=["off"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[PosixStore]:
    store = PosixStore(tmp_path / "root", fsync=request.param)
    await store.start()
    await store.create_bucket("bucket1")
    yield store
    await store.close()
    assert temporary(tmp_path / "root") == []


@pytest.fixture
def bucket() -> str:
    return "bucket1"


def files_of(directory: Path) -> list[str]:
    return sorted(str(path.relative_to(directory)) for path in directory.rglob("*"))


def temporary(root: Path) -> list[str]:
    return sorted(path.name for path in (root / ".hsds/tmp").rglob("*") if path.is_file())


class TestPosixStore(StoreConformance):
    pass


@pytest.mark.parametrize("store", ["data", "full"], indirect=True)
class TestSyncingPosixStore:
    test_put_then_get = StoreConformance.test_put_then_get
    test_replace_only = StoreConformance.test_replace_only
    test_delete = StoreConformance.test_delete
    test_create_and_delete_in_one_folder = StoreConformance.test_create_and_delete_in_one_folder


async def test_object_is_the_file(store: PosixStore, tmp_path: Path) -> None:
    await store.put("bucket1", "home/joe/x.h5/.domain.json", b"{}")
    assert (tmp_path / "root/bucket1/home/joe/x.h5/.domain.json").read_bytes() == b"{}"
    assert files_of(tmp_path / "root/bucket1") == [
        "home",
        "home/joe",
        "home/joe/x.h5",
        "home/joe/x.h5/.domain.json",
    ]


async def test_etag_never_repeats(store: PosixStore) -> None:
    etags = [await store.put("bucket1", "k", b"same") for _ in range(300)]
    assert len(set(etags)) == 300


async def test_etag_moves_on_when_the_clock_does_not(
    store: PosixStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "time_ns", lambda: 1_700_000_000_000_000_000)
    etags = {await store.put("bucket1", "k", b"same") for _ in range(20)}
    other = PosixStore(tmp_path / "root")
    await other.start()
    etags |= {await other.put("bucket1", "k", b"same") for _ in range(20)}
    await other.close()
    assert len({etag.split("-")[0] for etag in etags}) == 40


@pytest.mark.parametrize("key", ["/a", "a/", "a//b", "/", "x" * 256, f"d/{'é' * 128}/k", "n" * 300 + "/k"])
async def test_keys_that_no_file_can_be_called(store: PosixStore, key: str, tmp_path: Path) -> None:
    for call in (
        store.get("bucket1", key),
        store.put("bucket1", key, b""),
        store.delete("bucket1", key),
        store.head("bucket1", key),
    ):
        with pytest.raises(InvalidKey):
            await call
    assert files_of(tmp_path / "root/bucket1") == []


async def test_a_key_below_an_object_is_refused_by_name(store: PosixStore) -> None:
    await store.put("bucket1", "a/b", b"object")
    for key in ("a/b/c", "a/b/c/d"):
        for options in ({}, {"if_none_match": True}):
            with pytest.raises(InvalidKey, match=r"bucket1/a/b$"):
                await store.put("bucket1", key, b"x", **options)
        with pytest.raises(KeyNotFound):
            await store.get("bucket1", key)
    assert await listing(store, "bucket1") == ["a/b"]


async def test_a_key_that_is_a_directory_is_refused_by_name(store: PosixStore) -> None:
    await store.put("bucket1", "a/b/c", b"object")
    for key in ("a", "a/b"):
        with pytest.raises(InvalidKey, match=f"bucket1/{key} is a directory"):
            await store.put("bucket1", key, b"x")
        await store.delete("bucket1", key)
    assert await listing(store, "bucket1") == ["a/b/c"]
    await store.delete("bucket1", "a/b/c")
    await store.put("bucket1", "a", b"x")


async def test_own_directory_is_no_bucket(store: PosixStore) -> None:
    for call in (
        store.get(".hsds", "locks/00"),
        store.put(".hsds", "x", b""),
        store.list(".hsds"),
        store.create_bucket(".hsds"),
    ):
        with pytest.raises(InvalidKey):
            await call


async def test_own_folder_of_a_bucket_is_free(store: PosixStore) -> None:
    await store.put("bucket1", ".hsds/cluster/view.json", b"{}")
    assert await listing(store, "bucket1") == [".hsds/cluster/view.json"]


async def test_delete_removes_empty_directories_but_not_the_bucket(store: PosixStore, tmp_path: Path) -> None:
    await store.put("bucket1", "a/b/c/k", b"")
    await store.put("bucket1", "a/l", b"")
    await store.delete("bucket1", "a/b/c/k")
    await store.list("bucket1")
    assert files_of(tmp_path / "root/bucket1") == ["a", "a/l"]
    await store.delete("bucket1", "a/l")
    await store.list("bucket1")
    assert files_of(tmp_path / "root/bucket1") == []
    await store.put("bucket1", "k", b"")


async def test_empty_directories_of_killed_processes_are_in_nobodys_way(
    store: PosixStore, tmp_path: Path
) -> None:
    (tmp_path / "root/bucket1/a").mkdir()
    assert await listing(store, "bucket1") == []
    await store.put("bucket1", "a", b"object")
    assert await listing(store, "bucket1") == ["a"]


async def test_a_put_never_makes_a_bucket(store: PosixStore, tmp_path: Path) -> None:
    with pytest.raises(BucketNotFound):
        await store.put("other", "a/b", b"x")
    assert not (tmp_path / "root/other").exists()
    (tmp_path / "root/file").write_bytes(b"")
    with pytest.raises(BucketNotFound):
        await store.put("file", "a", b"x")


async def test_foreign_files_are_not_objects(store: PosixStore, tmp_path: Path) -> None:
    directory = os.fsencode(tmp_path / "root/bucket1/d")
    await store.put("bucket1", "d/k", b"x")
    (tmp_path / "root/bucket1/d/\udcff").write_bytes(b"not UTF-8")
    os.mkfifo(directory + b"/fifo")
    assert await listing(store, "bucket1", "d/") == ["d/k"]
    with pytest.raises(KeyNotFound):
        await store.get("bucket1", "d/fifo")


async def test_temporary_files_of_killed_processes_are_removed_in_time(tmp_path: Path) -> None:
    tmp = tmp_path / ".hsds/tmp"
    (tmp / "07").mkdir(parents=True)
    for name, age in (("old", 7200), ("new", 60), ("07/older", 7200), ("07/newer", 60)):
        (tmp / name).write_bytes(b"")
        os.utime(tmp / name, (time.time() - age,) * 2)
    store = PosixStore(tmp_path)
    await store.start()
    await store.close()
    assert temporary(tmp_path) == ["new", "newer"]


async def test_failed_puts_leave_nothing(store: PosixStore, tmp_path: Path) -> None:
    await store.put("bucket1", "a", b"x")
    with pytest.raises(InvalidKey):
        await store.put("bucket1", "a/b", b"x")
    with pytest.raises(PreconditionFailed):
        await store.put("bucket1", "a", b"x", if_match="other")
    assert temporary(tmp_path / "root") == []


@pytest.fixture
def no_exchange(monkeypatch: pytest.MonkeyPatch) -> None:
    """A system that cannot let two files change their places."""
    monkeypatch.setattr("hsds.store.posix_temp._renameat2", None)
    monkeypatch.setattr("hsds.store.posix_temp._sync_file_range", None)


@pytest.mark.usefixtures("no_exchange")
class TestPosixStoreWithoutExchange:
    test_put_then_get = StoreConformance.test_put_then_get
    test_replace_only = StoreConformance.test_replace_only
    test_delete = StoreConformance.test_delete


async def test_what_replaced_others_is_told_to_the_disk_soon(store: PosixStore) -> None:
    for _ in range(3):
        for i in range(400):
            await store.put("bucket1", f"k{i}", b"x")
    assert 0 < len(store._files.unsettled) <= 256
    async with asyncio.timeout(10):
        while len(store._files.unsettled):  # noqa: ASYNC110 - a thread does it
            await asyncio.sleep(0.05)
    await store.put("bucket1", "k0", b"y")
    assert len(store._files.unsettled) == 1  # for close() to do


async def test_readers_see_old_or_new_while_objects_are_replaced(store: PosixStore) -> None:
    await store.put("bucket1", "k", b"0" * 10_000)
    done = False

    async def read() -> None:
        while not done:
            data = bytes((await store.get("bucket1", "k")).data)
            assert len(set(data)) == 1
            assert len(data) == 10_000

    readers = [asyncio.create_task(read()) for _ in range(3)]
    for i in range(300):
        await store.put("bucket1", "k", b"%d" % (i % 10) * 10_000)
    done = True
    await asyncio.gather(*readers)


async def test_notes_leave_their_folder(store: PosixStore, tmp_path: Path) -> None:
    await store.put("bucket1", ".hsds/deleted/x", b"note")
    await store.delete("bucket1", ".hsds/deleted/x")
    assert files_of(tmp_path / "root/bucket1") == [".hsds", ".hsds/deleted"]
    assert await listing(store, "bucket1") == []


async def test_unusable_root_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StoreRefused, match="root_dir"):
        await PosixStore(tmp_path / "file").start()


async def run_python(program: str, root: Path) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(sys.executable, "-c", program, str(root), stdout=PIPE)


COUNT = """
import asyncio, sys
from pathlib import Path
from hsds.errors import PreconditionFailed
from hsds.store.posix import PosixStore

async def main():
    store = PosixStore(Path(sys.argv[1]))
    await store.start()
    left = 100
    while left:
        blob = await store.get("bucket1", "n")
        try:
            await store.put("bucket1", "n", b"%d" % (int(blob.data) + 1), if_match=blob.etag)
            left -= 1
        except PreconditionFailed:
            pass
    await store.close()

asyncio.run(main())
"""


async def test_processes_do_not_lose_each_others_writes(store: PosixStore, tmp_path: Path) -> None:
    await store.put("bucket1", "n", b"0")
    processes = [await run_python(COUNT, tmp_path / "root") for _ in range(3)]
    assert [await process.wait() for process in processes] == [0, 0, 0]
    assert (await store.get("bucket1", "n")).data == b"300"


WRITE_FOREVER = """
import asyncio, sys
from pathlib import Path
from hsds.store.posix import PosixStore

async def main():
    store = PosixStore(Path(sys.argv[1]))
    await store.start()
    i = 0
    while True:
        i += 1
        await store.put("bucket1", f"d{i % 3}/k", b"%08d" % i * 20_000)
        print(i, flush=True)

asyncio.run(main())
"""


async def test_a_killed_writer_leaves_whole_objects_and_no_lock(store: PosixStore, tmp_path: Path) -> None:
    for _ in range(3):
        process = await run_python(WRITE_FOREVER, tmp_path / "root")
        assert process.stdout
        acknowledged = [await process.stdout.readline() for _ in range(20)]
        process.kill()
        acknowledged += (await process.stdout.read()).splitlines()
        await process.wait()
        last = int(acknowledged[-1])
        for i in (last, last - 1, last - 2):
            data = (await store.get("bucket1", f"d{i % 3}/k")).data
            assert data in {b"%08d" % i * 20_000, b"%08d" % (i + 3) * 20_000}
            await store.put("bucket1", f"d{i % 3}/k", b"next")
    for leftover in (tmp_path / "root/.hsds/tmp").rglob("*-*"):
        leftover.unlink()


async def test_a_folder_is_listed_without_a_look_below(
    store: PosixStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for i in range(30):
        await store.put("bucket1", f"home/{i}/x/.domain.json", b"{}")
    opened: list[bytes] = []
    real = os.open

    def spy(path, flags, *args, **kwargs):
        opened.append(path)
        return real(path, flags, *args, **kwargs)

    monkeypatch.setattr(os, "open", spy)
    page = await store.list("bucket1", "home/", delimiter="/", limit=10)
    assert len(page.prefixes) == 10
    assert opened == [b"bucket1/home/"]
    opened.clear()
    await store.list("bucket1", "home/7/", start_after="home/7/x/")
    assert opened == [b"bucket1/home/7/", b"bucket1/home/7/x/"]


async def test_list_all_reads_a_directory_once(
    store: PosixStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for i in range(2500):
        (tmp_path / "root/bucket1" / f"{i:05}").write_bytes(b"")
    scans = 0
    real = os.scandir

    def spy(path):
        nonlocal scans
        scans += 1
        return real(path)

    monkeypatch.setattr(os, "scandir", spy)
    assert len([info async for info in store.list_all("bucket1")]) == 2500
    assert scans == 1
