"""Datasets: list, create, read, delete. Values, shape and type have modules of their own."""

from __future__ import annotations

from hsds.servicenode.collections import get_collection
from hsds.servicenode.create import post_objects
from hsds.servicenode.objects import delete_object, get_object
from hsds.servicenode.routes import collection_routes

ROUTES = collection_routes(
    "datasets",
    [
        ("GET", "", get_collection),
        ("GET", "/", get_collection),
        ("POST", "", post_objects),
        ("GET", "/{id}", get_object),
        ("DELETE", "/{id}", delete_object),
    ],
)
