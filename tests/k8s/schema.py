"""Strict validation against the OpenAPI v3 documents of an API server: unknown fields are errors."""

import functools
import gzip
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).parents[2]
FOLDER = Path(os.environ.get("HSDS_TEST_KUBE") or CHECKOUT.parent / "shared" / "kube") / "openapi"
FOREIGN = frozenset({"monitoring.coreos.com/v1"})
"""Of operators, not of the API server."""
_QUANTITY = re.compile(r"\d+(\.\d+)?(m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)?")


def faults(item: dict) -> list[str]:
    """What is wrong with an object; nothing if the server would take it."""
    document = _document(item["apiVersion"])
    for schema in document.values():
        for kind in schema.get("x-kubernetes-group-version-kind", ()):
            group = f"{kind['group']}/" if kind["group"] else ""
            if (f"{group}{kind['version']}", kind["kind"]) == (item["apiVersion"], item["kind"]):
                return list(_check(item, schema, document, item["kind"]))
    return [f"unknown kind {item['apiVersion']} {item['kind']}"]


@functools.cache
def _document(version: str) -> dict[str, Any]:
    name = f"api_{version}" if "/" not in version else f"apis_{version.replace('/', '_')}"
    with gzip.open(FOLDER / f"{name}.json.gz") as file:
        return json.load(file)["components"]["schemas"]


def _check(value: Any, schema: dict, document: dict, where: str) -> Iterator[str]:
    name, schema = _resolve(schema, document)
    if name.endswith(".Quantity"):
        if not _QUANTITY.fullmatch(str(value)):
            yield f"{where}: {value!r} is no quantity"
        return
    if name.endswith(".IntOrString"):
        if not _is(value, (int, str)):
            yield f"{where}: {value!r} is neither integer nor text"
        return
    kind = schema.get("type")
    if kind == "object":
        yield from _check_object(value, schema, document, where)
    elif kind == "array":
        yield from _check_array(value, schema, document, where)
    elif kind is not None and not _is(value, _TYPES[kind]):
        yield f"{where}: {value!r} is no {kind}"
    elif "enum" in schema and value not in schema["enum"]:
        yield f"{where}: {value!r} is none of {schema['enum']}"


_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,), "integer": (int,), "number": (int, float), "boolean": (bool,)
}  # fmt: skip


def _is(value: Any, types: tuple[type, ...]) -> bool:
    return isinstance(value, types) and (not isinstance(value, bool) or types == (bool,))


def _check_array(value: Any, schema: dict, document: dict, where: str) -> Iterator[str]:
    if not isinstance(value, list):
        yield f"{where}: not a list"
        return
    for number, item in enumerate(value):
        yield from _check(item, schema["items"], document, f"{where}[{number}]")


def _check_object(value: Any, schema: dict, document: dict, where: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{where}: not an object"
        return
    known = schema.get("properties", {})
    for key in schema.get("required", ()):
        if key not in value:
            yield f"{where}: {key} is missing"
    for key, item in value.items():
        if key in known:
            yield from _check(item, known[key], document, f"{where}.{key}")
        elif isinstance(schema.get("additionalProperties"), dict):
            yield from _check(item, schema["additionalProperties"], document, f"{where}.{key}")
        elif known:
            yield f"{where}: unknown field {key}"


def _resolve(schema: dict, document: dict) -> tuple[str, dict]:
    """The schema behind references, with the name of the last one."""
    name = ""
    while True:
        if "$ref" in schema:
            name = schema["$ref"].rpartition("/")[2]
            schema = document[name]
        elif len(schema.get("allOf", ())) == 1:
            schema = schema["allOf"][0]
        else:
            return name, schema
