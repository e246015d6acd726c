"""What every store must do. The tests of a store inherit this suite and provide ``store`` and ``bucket``."""

import asyncio
import os
import random
import time
from contextlib import suppress

import pytest

from hsds.errors import (
    BucketNotFound,
    InvalidInput,
    InvalidKey,
    KeyNotFound,
    NotModified,
    PreconditionFailed,
    StoreUnavailable,
)
from hsds.store.base import Store

ODD_KEYS = [
    "home/joe/x.h5/.domain.json",
    "db/b03b24ef-69f244b6/d/56e5-25125a-89ba79/0_2",
    "sp ace/ two  spaces ",
    "plus+percent%41%2F%",
    "quest?ion=1&x=y#frag",
    "quotes'\"<>&;:@,{}[]^`|~!$()*",
    "back\\slash",
    "ümlaut/größe/日本語/\U0001f600",
    "combining-e\u0301",
    "control\x01\x7f",
    "new\nline\ttab",
    "...",
    "..a/b..",
    ".hidden/.x",
    "trailing./dot.",
    "-dash/--",
]
"""Keys that every store holds under their own name."""

TREE = [
    "a",
    "b-1",
    "b.x/deep/er/1",
    "b/1",
    "b/2",
    "b/c-d",
    "b/c/1",
    "b/c/2",
    "b/c/d/3",
    "b/c0",
    "b/é/1",
    "b0",
    "c/.domain.json",
    "c/x/.domain.json",
    "c/y/z/.domain.json",
    "￮",
    "\U0001f600",
]
"""Keys in ascending byte order, where the order of directories and of whole keys differ."""


async def fill(store: Store, bucket: str, keys: list[str]) -> None:
    await asyncio.gather(*(store.put(bucket, key, key.encode()) for key in keys))


async def listing(store: Store, bucket: str, prefix: str = "", **options) -> list[str]:
    """Keys and prefixes of all pages, in the order in which they came; checks what a page promises."""
    found: list[str] = []
    start_after = ""
    while True:
        page = await store.list(bucket, prefix, start_after=start_after, **options)
        keys = [info.key for info in page.objects]
        assert keys == sorted(keys)
        assert list(page.prefixes) == sorted(page.prefixes)
        items = sorted([*keys, *page.prefixes])
        assert len(items) <= options.get("limit", 1000)
        assert all(item > start_after for item in items)
        found += items
        if page.next is None:
            return found
        assert page.next > start_after
        start_after = page.next


def rolled_up(keys: list[str], prefix: str) -> list[str]:
    """The model of a delimited listing."""
    items = set()
    for key in keys:
        if key.startswith(prefix):
            head, slash, _ = key[len(prefix) :].partition("/")
            items.add(prefix + head + slash)
    return sorted(items)


async def wins(store: Store, bucket: str, key: str, data: bytes, **condition) -> str | None:
    """Put ``data``, which nobody else puts, on a condition; the new ETag, or None where another was faster.

    A store may fail to say which: Ceph 16 answers some lost races with 500. Then, as always, a look tells.
    """
    try:
        return await store.put(bucket, key, data, **condition)
    except PreconditionFailed:
        return None
    except StoreUnavailable:
        blob = await store.get(bucket, key)
        return blob.etag if bytes(blob.data) == data else None


class StoreConformance:
    """Every store passes all of it. Timestamps are of the store's clock, assumed within a minute of ours."""

    # --- get, put

    async def test_put_then_get(self, store: Store, bucket: str) -> None:
        etag = await store.put(bucket, "k", b"abc")
        blob = await store.get(bucket, "k")
        assert bytes(blob.data) == b"abc"
        assert blob.etag == etag
        assert '"' not in etag
        assert etag

    async def test_missing_key(self, store: Store, bucket: str) -> None:
        await store.put(bucket, "there/below", b"")
        for key in ("nothing", "there", "there/below/more", "there/bel", "no/such/folder"):
            with pytest.raises(KeyNotFound):
                await store.get(bucket, key)
            with pytest.raises(KeyNotFound):
                await store.head(bucket, key)
            with pytest.raises(KeyNotFound):
                await store.get(bucket, key, if_none_match="x")

    async def test_replace(self, store: Store, bucket: str) -> None:
        first = await store.put(bucket, "k", b"abc")
        second = await store.put(bucket, "k", b"xy")
        assert first != second
        assert bytes((await store.get(bucket, "k")).data) == b"xy"

    async def test_same_size_changes_etag(self, store: Store, bucket: str) -> None:
        etags = [await store.put(bucket, "k", b"%04d" % i) for i in range(20)]
        assert len(set(etags)) == len(etags)

    @pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
    async def test_buffers(self, store: Store, bucket: str, kind: type) -> None:
        data = bytes(range(256)) * 9
        await store.put(bucket, "k", kind(data))
        assert bytes((await store.get(bucket, "k")).data) == data

    async def test_empty_object(self, store: Store, bucket: str) -> None:
        etag = await store.put(bucket, "k", b"", if_none_match=True)
        assert await store.put(bucket, "empty-view", memoryview(b""))
        blob = await store.get(bucket, "k")
        assert (bytes(blob.data), blob.etag) == (b"", etag)
        assert (await store.head(bucket, "k")).size == 0
        assert bytes((await store.get(bucket, "k", start=0, length=10)).data) == b""
        await store.put(bucket, "k", b"x", if_match=etag)

    async def test_ten_megabytes(self, store: Store, bucket: str) -> None:
        data = os.urandom(10_000_000)
        etag = await store.put(bucket, "big", memoryview(data))
        blob = await store.get(bucket, "big")
        assert blob.etag == etag
        assert bytes(blob.data) == data
        part = await store.get(bucket, "big", start=9_999_000, length=5_000)
        assert bytes(part.data) == data[9_999_000:]

    async def test_ranges(self, store: Store, bucket: str) -> None:
        data = bytes(range(100))
        etag = await store.put(bucket, "k", data)
        for start, length in [(0, 10), (10, 1), (0, 100), (0, 500), (90, 20), (99, 1), (5, None), (99, None)]:
            blob = await store.get(bucket, "k", start=start, length=length)
            stop = None if length is None else start + length
            assert (bytes(blob.data), blob.etag) == (data[start:stop], etag)

    @pytest.mark.parametrize(("start", "length"), [(3, None), (3, 1), (100, 5), (0, 0), (1, 0)])
    async def test_empty_ranges(self, store: Store, bucket: str, start: int, length: int | None) -> None:
        etag = await store.put(bucket, "k", b"abc")
        blob = await store.get(bucket, "k", start=start, length=length)
        assert (bytes(blob.data), blob.etag) == (b"", etag)
        with pytest.raises(NotModified):
            await store.get(bucket, "k", start=start, length=length, if_none_match=etag)

    async def test_get_if_none_match(self, store: Store, bucket: str) -> None:
        etag = await store.put(bucket, "k", b"abc")
        with pytest.raises(NotModified):
            await store.get(bucket, "k", if_none_match=etag)
        with pytest.raises(NotModified):
            await store.get(bucket, "k", start=1, length=1, if_none_match=etag)
        assert bytes((await store.get(bucket, "k", if_none_match="another")).data) == b"abc"
        await store.put(bucket, "k", b"new")
        assert bytes((await store.get(bucket, "k", if_none_match=etag)).data) == b"new"

    async def test_head(self, store: Store, bucket: str) -> None:
        etag = await store.put(bucket, "f/k", b"abc")
        info = await store.head(bucket, "f/k")
        assert (info.key, info.size, info.etag) == ("f/k", 3, etag)
        assert abs(info.last_modified - time.time()) < 60
        assert isinstance(info.last_modified, float)

    async def test_get_many(self, store: Store, bucket: str) -> None:
        keys = [f"d/{i}" for i in range(150)]
        etags = {key: await store.put(bucket, key, key.encode()) for key in keys}
        asked = [*keys, "missing", "d", *keys[:3]]
        random.Random(1).shuffle(asked)
        blobs = await store.get_many(bucket, asked)
        assert len(blobs) == len(asked)
        for key, blob in zip(asked, blobs, strict=True):
            if key in etags:
                assert blob is not None
                assert (bytes(blob.data), blob.etag) == (key.encode(), etags[key])
            else:
                assert blob is None
        assert list(await store.get_many(bucket, [])) == []

    @pytest.mark.parametrize("key", ODD_KEYS)
    async def test_odd_keys(self, store: Store, bucket: str, key: str) -> None:
        etag = await store.put(bucket, key, b"odd")
        assert bytes((await store.get(bucket, key)).data) == b"odd"
        assert (await store.head(bucket, key)).etag == etag
        assert [info.key async for info in store.list_all(bucket)] == [key]
        assert await listing(store, bucket, delimiter="/") == rolled_up([key], "")
        assert await listing(store, bucket, key[:4]) == [key]
        await store.delete(bucket, key)
        assert await listing(store, bucket) == []

    async def test_long_keys(self, store: Store, bucket: str) -> None:
        longest = "/".join(["s" * 255] * 4)
        assert len(longest) == 1023
        for key in ("é" * 127, longest, longest[:-1] + "€"[:0] + "x"):
            await store.put(bucket, key, b"long")
            assert bytes((await store.get(bucket, key)).data) == b"long"

    @pytest.mark.parametrize(
        "key", ["", "..", ".", "a/../b", "../a", "a/./b", "a/..", "x\0y", "\ud800", "k" * 1025]
    )
    async def test_refused_keys(self, store: Store, bucket: str, key: str) -> None:
        for call in (
            store.get(bucket, key),
            store.put(bucket, key, b""),
            store.put(bucket, key, b"", if_none_match=True),
            store.delete(bucket, key),
            store.head(bucket, key),
            store.get_many(bucket, [key]),
        ):
            with pytest.raises(InvalidKey) as caught:
                await call
            assert "\n" not in str(caught.value)

    @pytest.mark.parametrize("bucket_name", ["", ".", "..", "a/b", "no\0", "ü", "x y"])
    async def test_refused_buckets(self, store: Store, bucket_name: str) -> None:
        for call in (
            store.create_bucket(bucket_name),
            store.get(bucket_name, "k"),
            store.put(bucket_name, "k", b""),
            store.list(bucket_name),
        ):
            with pytest.raises(InvalidKey):
                await call

    async def test_missing_bucket(self, store: Store, bucket: str) -> None:
        gone = f"{bucket}-nowhere"
        for call in (
            store.get(gone, "k"),
            store.get(gone, "k", if_none_match="x"),
            store.head(gone, "k"),
            store.put(gone, "k", b"1"),
            store.put(gone, "d/k", b"1", if_none_match=True),
            store.put(gone, "k", b"1", if_match="x"),
            store.delete(gone, "k"),
            store.list(gone),
            store.list(gone, "x/", delimiter="/"),
            store.get_many(gone, ["a", "b"]),
            anext(aiter(store.list_all(gone))),
        ):
            with pytest.raises(BucketNotFound) as caught:
                await call
            assert gone in str(caught.value)

    async def test_create_bucket_twice(self, store: Store, bucket: str) -> None:
        await store.put(bucket, "k", b"kept")
        await store.create_bucket(bucket)
        assert bytes((await store.get(bucket, "k")).data) == b"kept"

    # --- conditions

    async def test_create_only(self, store: Store, bucket: str) -> None:
        etag = await store.put(bucket, "k", b"one", if_none_match=True)
        with pytest.raises(PreconditionFailed):
            await store.put(bucket, "k", b"two", if_none_match=True)
        blob = await store.get(bucket, "k")
        assert (bytes(blob.data), blob.etag) == (b"one", etag)
        await store.delete(bucket, "k")
        await store.put(bucket, "k", b"two", if_none_match=True)

    async def test_replace_only(self, store: Store, bucket: str) -> None:
        first = await store.put(bucket, "k", b"one")
        second = await store.put(bucket, "k", b"two", if_match=first)
        with pytest.raises(PreconditionFailed):
            await store.put(bucket, "k", b"three", if_match=first)
        assert (await store.get(bucket, "k")).etag == second
        await store.put(bucket, "k", b"three", if_match=second)

    async def test_replace_missing(self, store: Store, bucket: str) -> None:
        etag = await store.put(bucket, "k", b"one")
        with pytest.raises(PreconditionFailed):
            await store.put(bucket, "other", b"x", if_match=etag)
        await store.delete(bucket, "k")
        with pytest.raises(PreconditionFailed):
            await store.put(bucket, "k", b"x", if_match=etag)
        assert await listing(store, bucket) == []

    async def test_one_creator_wins(self, store: Store, bucket: str) -> None:
        async def create(i: int) -> int | None:
            return i if await wins(store, bucket, "new/k", b"%d" % i, if_none_match=True) else None

        winners = [i for i in await asyncio.gather(*map(create, range(50))) if i is not None]
        assert len(winners) == 1
        assert bytes((await store.get(bucket, "new/k")).data) == b"%d" % winners[0]

    async def test_one_writer_wins_each_round(self, store: Store, bucket: str) -> None:
        etag = await store.put(bucket, "k", b"start")

        async def replace(turn: int, i: int, held: str) -> tuple[int, str] | None:
            etag = await wins(store, bucket, "k", b"%d %d" % (turn, i), if_match=held)
            return (i, etag) if etag else None

        for turn in range(5):
            answers = await asyncio.gather(*(replace(turn, i, etag) for i in range(50)))
            winners = [answer for answer in answers if answer]
            assert len(winners) == 1
            i, etag = winners[0]
            blob = await store.get(bucket, "k")
            assert (bytes(blob.data), blob.etag) == (b"%d %d" % (turn, i), etag)

    async def test_journal_loses_and_doubles_nothing(self, store: Store, bucket: str) -> None:
        await store.put(bucket, "journal", b"")

        async def write(line: bytes) -> None:
            while True:
                blob = await store.get(bucket, "journal")
                if line in bytes(blob.data).splitlines():
                    return
                with suppress(PreconditionFailed, StoreUnavailable):
                    await store.put(bucket, "journal", bytes(blob.data) + line + b"\n", if_match=blob.etag)

        async def write_some(writer: int) -> None:
            for i in range(5):
                await write(b"%d.%d" % (writer, i))

        await asyncio.gather(*map(write_some, range(8)))
        lines = bytes((await store.get(bucket, "journal")).data).split()
        assert sorted(lines) == [b"%d.%d" % (writer, i) for writer in range(8) for i in range(5)]

    # --- delete

    async def test_delete(self, store: Store, bucket: str) -> None:
        await store.put(bucket, "a/b/k", b"x")
        await store.put(bucket, "a/l", b"x")
        await store.delete(bucket, "a/b/k")
        with pytest.raises(KeyNotFound):
            await store.get(bucket, "a/b/k")
        assert await listing(store, bucket) == ["a/l"]
        assert await listing(store, bucket, "a/", delimiter="/") == ["a/l"]
        await store.delete(bucket, "a/b/k")
        await store.delete(bucket, "a/l")
        await store.delete(bucket, "a")
        await store.delete(bucket, "never/was")
        assert await listing(store, bucket, delimiter="/") == []

    async def test_conditional_delete(self, store: Store, bucket: str) -> None:
        if not store.conditional_delete:
            return  # part of the contract, not a gap: see Store.conditional_delete
        first = await store.put(bucket, "k", b"one")
        second = await store.put(bucket, "k", b"two")
        with pytest.raises(PreconditionFailed):
            await store.delete(bucket, "k", if_match=first)
        assert (await store.get(bucket, "k")).etag == second
        await store.delete(bucket, "k", if_match=second)
        with pytest.raises(PreconditionFailed):
            await store.delete(bucket, "k", if_match=second)
        with pytest.raises(PreconditionFailed):
            await store.delete(bucket, "no/such", if_match=second)

    async def test_create_and_delete_in_one_folder(self, store: Store, bucket: str) -> None:
        async def churn(i: int) -> None:
            for _ in range(8):
                await store.put(bucket, f"f/g/{i}", b"x")
                await store.delete(bucket, f"f/g/{i}")

        await asyncio.gather(*map(churn, range(8)))
        assert await listing(store, bucket) == []

    # --- list

    async def test_list_order_and_infos(self, store: Store, bucket: str) -> None:
        await fill(store, bucket, TREE)
        page = await store.list(bucket)
        assert [info.key for info in page.objects] == TREE
        assert page.next is None
        assert page.prefixes == ()
        for info in page.objects:
            head = await store.head(bucket, info.key)
            assert (info.etag, info.size) == (head.etag, len(info.key.encode()))
            assert abs(info.last_modified - head.last_modified) < 1
        assert [info.key async for info in store.list_all(bucket)] == TREE

    @pytest.mark.parametrize("prefix", ["", "b", "b/", "b/c", "b/c/", "b/c/d/3", "c/", "z", "b//", "/", "é"])
    async def test_list_prefix(self, store: Store, bucket: str, prefix: str) -> None:
        await fill(store, bucket, TREE)
        below = [key for key in TREE if key.startswith(prefix)]
        assert await listing(store, bucket, prefix) == below
        assert await listing(store, bucket, prefix, limit=2) == below
        assert [info.key async for info in store.list_all(bucket, prefix)] == below
        assert await listing(store, bucket, prefix, delimiter="/") == rolled_up(TREE, prefix)
        for limit in (1, 2, 3):
            assert await listing(store, bucket, prefix, delimiter="/", limit=limit) == rolled_up(TREE, prefix)

    @pytest.mark.parametrize("prefix", ["", "b/"])
    async def test_list_start_after_anything(self, store: Store, bucket: str, prefix: str) -> None:
        await fill(store, bucket, TREE)
        deep, flat = [key for key in TREE if key.startswith(prefix)], rolled_up(TREE, prefix)
        for after in sorted(
            {*TREE, *rolled_up(TREE, ""), *rolled_up(TREE, "b/"), "b", "b/c", "b/zz", "zz", "0"}
        ):
            page = await store.list(bucket, prefix, start_after=after)
            assert [info.key for info in page.objects] == [key for key in deep if key > after]
            page = await store.list(bucket, prefix, start_after=after, delimiter="/")
            items = sorted([*(info.key for info in page.objects), *page.prefixes])
            assert items == [item for item in flat if item > after]

    async def test_list_pages_of_many(self, store: Store, bucket: str) -> None:
        keys = sorted(f"f/{i}/.domain.json" for i in range(60)) + sorted(f"g/{i:04}" for i in range(60))
        await fill(store, bucket, keys)
        assert await listing(store, bucket, limit=7) == keys
        assert await listing(store, bucket, "f/", delimiter="/", limit=7) == sorted(
            f"f/{i}/" for i in range(60)
        )
        assert await listing(store, bucket, "g/", delimiter="/", limit=60) == keys[60:]

    async def test_list_more_than_a_page(self, store: Store, bucket: str) -> None:
        keys = [f"k/{i:05}" for i in range(1050)]
        await fill(store, bucket, keys)
        assert [info.key async for info in store.list_all(bucket, "k/")] == keys
        assert await listing(store, bucket, "k/", limit=1000) == keys

    async def test_delete_all(self, store: Store, bucket: str) -> None:
        await fill(store, bucket, TREE)
        assert (
            await store.delete_all(bucket, "b/", keep="b/c/d/3")
            == len([key for key in TREE if key.startswith("b/")]) - 1
        )
        assert await store.delete_all(bucket, "b/", keep="b/c/d/3") == 0
        left = [key for key in TREE if not key.startswith("b/") or key == "b/c/d/3"]
        assert await listing(store, bucket) == sorted(left, key=str.encode)
        assert await store.delete_all(bucket, "none/") == 0

    async def test_delete_all_of_more_than_a_page(self, store: Store, bucket: str) -> None:
        await fill(store, bucket, [f"k/{i % 7}/{i:05}" for i in range(1050)])
        found = []
        while count := await store.delete_all(bucket, "k/"):
            found.append(count)
        assert sum(found) == 1050
        assert await listing(store, bucket) == []

    async def test_list_refuses(self, store: Store, bucket: str) -> None:
        with pytest.raises(InvalidInput):
            await store.list(bucket, delimiter="-")
        for prefix in ("../", "a/../b", "./", "\ud800", "\0"):
            with pytest.raises(InvalidKey):
                await store.list(bucket, prefix)
