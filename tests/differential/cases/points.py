"""Points: read by POST, written by PUT, in JSON and bytes."""

import base64
import struct
from typing import Any

from tests.differential import kinds
from tests.differential.draw import Case, Draw


def _packed(points: list[Any]) -> bytes:
    flat = [number for point in points for number in (point if isinstance(point, list) else [point])]
    return struct.pack(f"<{len(flat)}Q", *flat)


def reading(draw: Draw) -> Case:
    """Points of all types, in any order, repeated."""
    file = draw.file()
    yield file.create()
    for kind in draw.sample(kinds.NO_ARRAYS, 3):
        tags = ("opaque",) if kind.name.startswith("opaque") else ()
        dims = draw.choice([[8], [4, 5], [2, 3, 4]])
        properties = {"layout": {"class": "H5D_CHUNKED", "dims": [2] * len(dims)}}
        dataset, made = file.dataset(dims, kind.json, creationProperties=properties)
        yield made
        path = f"/datasets/{dataset}/value"
        yield file.put(path, data=kind.bytes(kind.nested(draw, dims), len(dims)))
        for count in (1, 3, 7):
            points: list[Any] = [[draw.randrange(extent) for extent in dims] for _ in range(count)]
            yield file.post(path, {"points": points}, tags=tags)
            yield file.post(path, {"points": points}, binary=True)
            yield file.post(path, data=_packed(points), tags=tags)
            yield file.post(path, data=_packed(points), binary=True)
            if len(dims) == 1:
                yield file.post(path, {"points": [point[0] for point in points]}, tags=tags)


def arrays(draw: Draw) -> Case:
    """Points of array types."""
    file = draw.file()
    yield file.create()
    kind = draw.choice(kinds.ARRAYS)
    dataset, made = file.dataset([4], kind.json)
    yield made
    path = f"/datasets/{dataset}/value"
    yield file.put(path, data=kind.bytes(kind.nested(draw, [4]), 1))
    yield file.post(path, {"points": [1, 3]}, binary=True, tags=("array points",))
    text = base64.b64encode(kind.bytes(kind.nested(draw, [2]), 1)).decode()
    yield file.put(path, {"points": [1, 3], "value_base64": text}, tags=("array points",))


def refused(draw: Draw) -> Case:
    """Points that are outside, or of another rank."""
    file = draw.file()
    yield file.create()
    dims = draw.choice([[8], [4, 5]])
    dataset, made = file.dataset(dims, "H5T_STD_I32LE")
    yield made
    path = f"/datasets/{dataset}/value"
    for points in (
        [],
        [[]],
        [8],
        [-1],
        [[1, 2]],
        [[1]],
        [1],
        1,
        [[9, 9]],
        [[0, -1]],
        [[1, 2, 3]],
        ["1"],
        [1.5],
        [None],
        "x",
        {},
        [[0, 0], [1]],
        None,
    ):
        yield file.post(path, {"points": points}, tags=("wrong",))
        yield file.put(path, {"points": points, "value": [1]}, tags=("wrong",))
    for data in (b"", b"1234567", _packed([1]), _packed([1, 2]), _packed([2**63]), _packed([100, 100])):
        yield file.post(path, data=data)
    yield file.post(path, {"points": [1], "select": "[0:1]"})
    yield file.post(path, {"select": "[0:1]"}, params={"select": "[0:2]"})
    yield file.post(path, {})
    yield file.post(path)
    yield file.post(path, {"points": [1]}, user="test_user2")


def writing(draw: Draw) -> Case:
    """Points of all types written."""
    file = draw.file()
    yield file.create()
    for kind in draw.sample(kinds.NO_ARRAYS, 3):
        tags = ("opaque",) if kind.name.startswith("opaque") else ()
        tags += ("points of variable length",) if kind.variable else ()
        dims = draw.choice([[8], [4, 5]])
        dataset, made = file.dataset(dims, kind.json)
        yield made
        path = f"/datasets/{dataset}/value"
        yield file.put(path, data=kind.bytes(kind.nested(draw, dims), len(dims)))
        for count in (1, 2, 5):
            cells = draw.sample(range(dims[0]), min(count, dims[0]))
            points: list[Any] = [[cell, *(draw.randrange(extent) for extent in dims[1:])] for cell in cells]
            values = kind.nested(draw, [len(points)])
            if draw.maybe():
                text = base64.b64encode(kind.bytes(values, 1)).decode()
                yield file.put(path, {"points": points, "value_base64": text}, tags=tags)
            else:
                flat = [point[0] for point in points] if len(dims) == 1 else points
                yield file.put(path, {"points": flat, "value": values}, tags=("JSON", *tags))
            yield file.get(path, binary=True, tags=("JSON", *tags))
    dataset, made = file.dataset([6], kinds.TABLE.json)
    yield made
    path = f"/datasets/{dataset}/value"
    text = base64.b64encode(kinds.F64.bytes([1.5, 2.5], 1)).decode()
    yield file.put(path, {"points": [[1], [4]], "value_base64": text}, params={"fields": "b"})
    yield file.get(path)
    yield file.put(
        path, {"points": [[1], [4]], "value_base64": text[:-4]}, params={"fields": "b"}, tags=("wrong",)
    )
    yield file.put(path, {"points": [1], "value": [1], "append": 1}, tags=("wrong",))
    yield file.put(path, {"points": [1, 2], "value": [1]}, tags=("wrong",))
    yield file.put(path, {"points": [1, 2], "value": 5}, tags=("wrong",))


CASES = [reading, arrays, refused, writing]
