"""Committed datatypes named by id where a type is expected: the full type takes the place of the id."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from hsds.servicenode.call import Call, Domain
from hsds.transport.ops import GetObject

Json = dict[str, Any]


def is_committed(type_json: Any) -> bool:
    """Whether a type in a request is the id of a committed datatype."""
    return isinstance(type_json, str) and type_json.startswith("t-")


async def committed_types(call: Call, domain: Domain, types: Iterable[Any]) -> dict[str, Json]:
    """The full types of those of ``types`` that are ids, by id; each has its ``id`` in it.

    Raises ``InvalidInput`` for a malformed id or one of another domain, ``NotFound`` for an unknown one.
    """
    ids = {call.member(domain, type_json, "datatypes") for type_json in types if is_committed(type_json)}
    states = await call.ask_all([GetObject(domain.bucket, id_) for id_ in ids]) if ids else []
    return {state.json["id"]: {**state.json["type"], "id": state.json["id"]} for state in states}


def with_full_type(item: Json, committed: Mapping[str, Json]) -> Json:
    """A body item (dataset or attribute) with its type in full."""
    if not is_committed(item.get("type")):
        return item
    return {**item, "type": committed[item["type"]]}
