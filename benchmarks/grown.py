"""Large things written straight into a store, as either service would have: domains, folders, links, chunks.

Making them by requests takes HSDS minutes. What is made here is checked by the requests that follow.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from benchmarks.client import USER
from benchmarks.prepared import I32, chunked
from hsds.hdf5 import keys
from hsds.hdf5.ids import new_object_id, new_root_id

_NOW = 1_700_000_000.0
FAN = 100
"""Links of a group: a million groups are three deep."""

Objects = Iterator[tuple[str, bytes]]
"""Keys and what is stored there."""


def domain(path: str, root: str) -> Objects:
    """A domain without its root group."""
    everything = dict.fromkeys(("create", "read", "update", "delete", "readACL", "updateACL"), True)
    yield keys.domain_key(path), _json(root=root, owner=USER, acls={USER: everything})


def groups(path: str, count: int) -> tuple[str, Objects]:
    """A domain of ``count`` groups beside the root group, in a tree; its root id."""
    root = new_root_id()
    ids = [root, *(new_object_id(root, "groups") for _ in range(count))]

    def objects() -> Objects:
        yield from domain(path, root)
        for number, id_ in enumerate(ids):
            below = ids[number * FAN + 1 : (number + 1) * FAN + 1]
            links = {f"g{i:03}": _hard(child) for i, child in enumerate(below)}
            yield keys.object_key(id_), _group(id_, root, links)

    return root, objects()


def links(path: str, count: int) -> tuple[str, Objects]:
    """A domain whose root group has ``count`` soft links; its root id."""
    root = new_root_id()

    def objects() -> Objects:
        yield from domain(path, root)
        found = {f"l{i:07}": _soft("/x") for i in range(count)}
        yield keys.object_key(root), _group(root, root, found)

    return root, objects()


def flat(path: str, count: int) -> tuple[str, Objects]:
    """A domain of ``count`` groups, all linked into the root group; its root id."""
    root = new_root_id()
    ids = [new_object_id(root, "groups") for _ in range(count)]

    def objects() -> Objects:
        yield from domain(path, root)
        yield keys.object_key(root), _group(root, root, {f"g{i:05}": _hard(id_) for i, id_ in enumerate(ids)})
        for id_ in ids:
            yield keys.object_key(id_), _group(id_, root, {})

    return root, objects()


def folder(path: str, count: int) -> Objects:
    """``count`` domains of a folder; they are listed, not opened."""
    for i in range(count):
        yield from domain(f"{path}/d{i:06}.h5", new_root_id())


def chunks(path: str, count: int, values: bytes) -> tuple[str, Objects]:
    """A domain with a dataset of ``count`` chunks of int32, all holding ``values``; the dataset's id."""
    root = new_root_id()
    dataset, length = new_object_id(root, "datasets"), len(values) // 4
    shape = {"class": "H5S_SIMPLE", "dims": [count * length], "maxdims": [count * length]}

    def objects() -> Objects:
        yield from domain(path, root)
        yield keys.object_key(root), _group(root, root, {"d": _hard(dataset)})
        yield (
            keys.object_key(dataset),
            _json(
                id=dataset,
                root=root,
                type={**I32, "size": 4},
                shape=shape,
                attributes={},
                creationProperties=chunked([length]),
            ),
        )
        for i in range(count):
            yield keys.chunk_key(dataset, (i,)), values

    return dataset, objects()


def _group(id_: str, root: str, found: dict[str, Any]) -> bytes:
    return _json(id=id_, root=root, links=found, attributes={}, creationProperties={})


def _hard(id_: str) -> dict[str, Any]:
    return {"class": "H5L_TYPE_HARD", "id": id_, "created": _NOW}


def _soft(path: str) -> dict[str, Any]:
    return {"class": "H5L_TYPE_SOFT", "h5path": path, "created": _NOW}


def _json(**members: Any) -> bytes:
    return json.dumps({**members, "created": _NOW, "lastModified": _NOW}).encode()
