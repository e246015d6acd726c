"""Values written: JSON, bytes, base64; slabs, members, broadcasts; too much and too little."""

import base64
import math

from tests.differential import kinds
from tests.differential.draw import Case, Draw


def typed(draw: Draw) -> Case:
    """Each type written in JSON and base64, whole and in part."""
    file = draw.file()
    yield file.create()
    for kind in draw.sample(kinds.ALL, 5):
        tags = ("opaque",) if kind.name.startswith("opaque") else ()
        tags += ("array",) if kind in kinds.ARRAYS else ()
        dims = draw.choice([[5], [3, 4]])
        rank = len(dims)
        tags += ("grid of records",) if kind.fields and rank > 1 else ()
        dataset, made = file.dataset(dims, kind.json)
        yield made
        path = f"/datasets/{dataset}/value"
        yield file.put(path, {"value": kind.nested(draw, dims)}, tags=("JSON", *tags))
        yield file.get(path, binary=True, tags=("JSON", *tags))
        part = [2, *dims[1:]]
        text = "[1:3" + ",:" * (rank - 1) + "]"
        value = kind.nested(draw, part)
        encoded = base64.b64encode(kind.bytes(value, rank)).decode()
        yield file.put(path, {"value_base64": encoded}, params={"select": text})
        yield file.get(path, binary=True, tags=("JSON", *tags))
        yield file.put(path, data=kind.bytes(kind.nested(draw, part), rank), params={"select": text})
        yield file.get(path, tags=("JSON", *tags))
        yield file.put(path, {"value": kind.nested(draw, part), "select": text}, tags=("JSON", *tags))
        yield file.get(path, params={"select": text}, tags=("JSON", *tags))


def lengths(draw: Draw) -> Case:
    """Bodies with too many or too few elements, and of wrong kinds."""
    file = draw.file()
    yield file.create()
    dims = draw.choice([[4], [2, 3]])
    dataset, made = file.dataset(dims, "H5T_STD_I32LE")
    yield made
    path = f"/datasets/{dataset}/value"
    count = math.prod(dims)
    for length in (0, 1, 3, 4 * count - 1, 4 * count, 4 * count + 1, 8 * count):
        yield file.put(path, data=b"\1" * length, tags=() if length == 4 * count else ("wrong",))
        yield file.get(path)
    good = (list(range(count)), [[number] for number in range(count)], kinds.I32.nested(draw, dims))
    for value in (
        *good,
        list(range(count - 1)),
        list(range(count + 1)),
        5,
        [5],
        [],
        None,
        "x",
        ["x"] * count,
        [1.5] * count,
        [None] * count,
        [True] * count,
        [2**40] * count,
        {"a": 1},
        [[1], [1, 2]],
    ):
        yield file.put(path, {"value": value}, tags=() if value in good else ("wrong",))
        yield file.get(path)
    for body in ({}, {"values": [1]}, {"value_base64": "!!"}, {"value_base64": "AAAA"}, {"value_base64": 5}):
        yield file.put(path, body, tags=("wrong",))
    yield file.put(path, {"value": list(range(count))}, user="test_user2")
    yield file.put(path)
    yield file.get(path)


def broadcasts(draw: Draw) -> Case:
    """``element_count``."""
    file = draw.file()
    yield file.create()
    dims = draw.choice([[6], [4, 6], [2, 3, 4]])
    dataset, made = file.dataset(dims, "H5T_STD_I32LE")
    yield made
    path = f"/datasets/{dataset}/value"
    for count in (1, dims[-1], math.prod(dims[1:]), math.prod(dims), 5, 0, -1, "x"):
        number = count if isinstance(count, int) and count > 0 else 1
        value = kinds.I32.nested(draw, [number])
        tags = ("whole count",) if count == math.prod(dims) else ()
        yield file.put(path, {"value": value}, params={"element_count": count}, tags=tags)
        yield file.put(path, data=kinds.I32.bytes(value, 1), params={"element_count": count}, tags=tags)
        yield file.put(path, {"value": value, "element_count": count}, tags=tags)
        yield file.get(path, tags=tags)
    part = "[1:3" + ",:" * (len(dims) - 1) + "]"
    yield file.put(path, {"value": [77]}, params={"element_count": 1, "select": part})
    yield file.get(path)


def members(draw: Draw) -> Case:
    """Some members of compounds."""
    file = draw.file()
    yield file.create()
    dataset, made = file.dataset([4], kinds.TABLE.json)
    yield made
    path = f"/datasets/{dataset}/value"
    yield file.put(path, data=kinds.TABLE.bytes(kinds.TABLE.nested(draw, [4]), 1))
    parts = {"a": kinds.I32, "b": kinds.F64}
    for name, kind in parts.items():
        values = kind.nested(draw, [4])
        yield file.put(path, data=kind.bytes(values, 1), params={"fields": name})
        yield file.get(path)
        yield file.put(
            path, {"value": [[value] for value in kind.nested(draw, [4])]}, params={"fields": name}
        )
        yield file.get(path)
        yield file.put(path, {"value": kind.nested(draw, [4]), "fields": name})
        yield file.get(path)
        yield file.put(path, data=kind.bytes(values, 1)[:-1], params={"fields": name}, tags=("wrong",))
    both = kinds.compound("", **parts)
    yield file.put(
        path, data=both.bytes(both.nested(draw, [2]), 1), params={"fields": "a:b", "select": "[1:3]"}
    )
    yield file.get(path)
    last = kinds.compound("", s=kinds.TABLE_TEXT, a=kinds.I32)
    yield file.put(path, data=last.bytes(last.nested(draw, [4]), 1), params={"fields": "s:a"})
    yield file.get(path)
    for name in ("none", "", "a:none"):
        yield file.put(path, {"value": [[1]] * 4}, params={"fields": name}, tags=("wrong",))


def damaged(draw: Draw) -> Case:
    """Bytes of variable-length data that are cut off, or count wrong."""
    file = draw.file()
    yield file.create()
    wrong = draw.choice([kinds.TEXT, kinds.VARIABLE[2], kinds.VARIABLE[-1]])
    for kind in (kinds.TEXT, kinds.VARIABLE[2], kinds.VARIABLE[-1]):
        dataset, made = file.dataset([3], kind.json)
        yield made
        path = f"/datasets/{dataset}/value"
        data = kind.bytes(kind.nested(draw, [3]), 1)
        yield file.put(path, data=data)
        for bad in (
            data[:-1],
            data + b"\0",
            data[: len(data) // 2],
            b"\xff\xff\xff\xff" + data[4:],
            b"\xff\xff\xff\x7f" + data[4:],
            b"",
        ):
            yield file.put(path, data=bad, tags=("wrong",))
        yield file.get(path)
        yield file.get(path, binary=True)
        values = (5, None, ["a"], [1, 2, 3], [[1], [2, 3], []], [None, None, None])
        for value in draw.sample(values, 2) if kind is wrong else ():  # HSDS takes 13 s to fail
            yield file.put(path, {"value": value}, tags=("wrong",))


CASES = [typed, lengths, broadcasts, members, damaged]
