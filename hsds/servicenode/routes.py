"""Routes that are the same for groups, datasets and committed datatypes."""

from __future__ import annotations

from collections.abc import Awaitable, Iterable
from functools import partial
from typing import Final, Protocol

from aiohttp import web

from hsds.hdf5.ids import Collection
from hsds.servicenode.call import Call, Route


class CollectionHandler(Protocol):
    """A handler that serves all three collections."""

    def __call__(self, call: Call, collection: Collection) -> Awaitable[web.StreamResponse]: ...


COLLECTIONS: Final[tuple[Collection, ...]] = ("groups", "datasets", "datatypes")


def collection_routes(
    collection: Collection, routes: Iterable[tuple[str, str, CollectionHandler]]
) -> list[Route]:
    """Routes below ``/{collection}``; each handler is told the collection."""
    return [
        (method, f"/{collection}{path}", partial(handler, collection=collection))
        for method, path, handler in routes
    ]


def routes_of_all(routes: Iterable[tuple[str, str, CollectionHandler]]) -> list[Route]:
    """The same routes below each of the collections."""
    routes = list(routes)
    return [route for collection in COLLECTIONS for route in collection_routes(collection, routes)]
