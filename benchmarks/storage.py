"""Where a server keeps its objects, and how a benchmark reaches them behind its back.

Both services have the same keys and JSON, so what is prepared here either can open.
"""

from __future__ import annotations

import asyncio
import os
import uuid
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from hsds.hdf5.ids import new_root_id
from hsds.hdf5.keys import folder_prefix, root_prefix
from hsds.store.s3 import S3Store
from hsds.store.s3_client import S3Options

BUCKET = "bench"
T = TypeVar("T")


class Keys(ABC):
    """The keys of a server's bucket."""

    @abstractmethod
    def put(self, objects: Iterable[tuple[str, bytes]]) -> None:
        """Store objects, several at once."""

    @abstractmethod
    def clone(self, prefix: str, other: str, texts: Mapping[str, str]) -> None:
        """Copy everything below ``prefix`` to below ``other``, with ``texts`` replaced in JSON."""

    def clone_domain(self, path: str, other: str, root: str) -> str:
        """Copy a whole domain to the path ``other``, as a domain that no cache knows; its root id."""
        fresh = new_root_id()
        texts = {root: fresh, root[2:19]: fresh[2:19]}
        self.clone(root_prefix(root), root_prefix(fresh), texts)
        self.clone(folder_prefix(path), folder_prefix(other), texts)
        return fresh


class PosixKeys(Keys):
    """Files below a directory."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, objects: Iterable[tuple[str, bytes]]) -> None:
        folders: set[str] = set()
        for key, body in objects:
            path = f"{self._folder}/{key}"
            parent = path.rsplit("/", 1)[0]
            if parent not in folders:
                os.makedirs(parent, exist_ok=True)  # noqa: PTH103 - a hundred thousand of them
                folders.add(parent)
            with open(path, "wb", buffering=0) as file:  # noqa: PTH123 - as above
                file.write(body)

    def clone(self, prefix: str, other: str, texts: Mapping[str, str]) -> None:
        for source in [path for path in (self._folder / prefix).rglob("*") if path.is_file()]:
            copy = self._folder / other / source.relative_to(self._folder / prefix)
            copy.parent.mkdir(parents=True, exist_ok=True)
            if source.suffix == ".json":
                copy.write_text(_replaced(source.read_text(), texts))
            else:
                copy.hardlink_to(source)


@dataclass(frozen=True, slots=True)
class S3Place:
    """An S3 server and keys that may make buckets there."""

    endpoint: str
    access_key: str
    secret_key: str

    @property
    def options(self) -> S3Options:
        return S3Options(
            endpoint=self.endpoint, access_key_id=self.access_key, secret_access_key=self.secret_key
        )


class S3Keys(Keys):
    """Keys of a new bucket."""

    def __init__(self, place: S3Place) -> None:
        self.place = place
        self.bucket = f"bench-{uuid.uuid4()}"
        self._with_store(lambda store: store.create_bucket(self.bucket))

    def put(self, objects: Iterable[tuple[str, bytes]]) -> None:
        async def work(store: S3Store) -> None:
            await self._each(objects, lambda pair: store.put(self.bucket, *pair))

        self._with_store(work)

    def clone(self, prefix: str, other: str, texts: Mapping[str, str]) -> None:
        async def work(store: S3Store) -> None:
            async def copy(key: str) -> None:
                body: bytes | memoryview = (await store.get(self.bucket, key)).data
                if key.endswith(".json"):
                    body = _replaced(bytes(body).decode(), texts).encode()
                await store.put(self.bucket, other + key[len(prefix) :], body)

            keys = [info.key async for info in store.list_all(self.bucket, prefix)]
            await self._each(keys, copy)

        self._with_store(work)

    def remove(self) -> None:
        """Delete the bucket and all that is in it."""

        async def work(store: S3Store) -> None:
            keys = [info.key async for info in store.list_all(self.bucket, "")]
            await self._each(keys, lambda key: store.delete(self.bucket, key))
            await store.delete_bucket(self.bucket)

        self._with_store(work)

    def _with_store(self, work: Callable[[S3Store], Awaitable[object]]) -> None:
        async def whole() -> None:
            store = S3Store(self.place.options)
            await store.start()
            try:
                await work(store)
            finally:
                await store.close()

        asyncio.run(whole())

    @staticmethod
    async def _each(items: Iterable[T], work: Callable[[T], Awaitable[object]]) -> None:
        waiting = iter(items)

        async def worker() -> None:
            for item in waiting:
                await work(item)

        await asyncio.gather(*(worker() for _ in range(16)))


def _replaced(text: str, texts: Mapping[str, str]) -> str:
    for old, new in texts.items():
        text = text.replace(old, new)
    return text
