"""Extents changed, and values appended."""

from tests.differential import kinds
from tests.differential.draw import Case, Draw


def resizing(draw: Draw) -> Case:
    """Growing and shrinking; what was cut off is gone."""
    file = draw.file()
    yield file.create()
    dims, maxdims = draw.choice(
        [
            ([10], [None]),
            ([10], [20]),
            ([4, 6], [None, None]),
            ([4, 6], [8, None]),
            ([4, 6], [4, 6]),
            ([3], None),
        ]
    )
    chunks = [draw.randint(2, 4) for _ in dims]
    more = {"maxdims": maxdims} if maxdims else {"creationProperties": {}}
    if maxdims:
        more["creationProperties"] = {"layout": {"class": "H5D_CHUNKED", "dims": chunks}, "fillValue": 7}
    dataset, made = file.dataset(dims, "H5T_STD_I32LE", **more)
    yield made
    path = f"/datasets/{dataset}"
    yield file.put(f"{path}/value", {"value": kinds.I32.nested(draw, dims)})
    for _ in range(8):
        shape: object = [draw.randint(1, 12) for _ in dims]
        shape = draw.choice(
            [shape, shape, shape, [*dims, 1], [], [0] * len(dims), 5, "x", [-1], None, [2.5], {}]
        )
        yield file.put(f"{path}/shape", {"shape": shape})
        yield file.get(f"{path}/shape")
        yield file.get(f"{path}/value")
        yield file.get(f"{path}/value", binary=True)
    for body in (
        {"extend": 2},
        {"extend": 2, "extend_dim": len(dims) - 1},
        {"extend": 1, "extend_dim": 5},
        {"extend": 1, "extend_dim": -1},
        {"extend": 0},
        {"extend": -1},
        {"extend": "x"},
        {"extend": 1, "shape": [20]},
        {},
        {"shape": dims},
    ):
        yield file.put(f"{path}/shape", body)
        yield file.get(f"{path}/shape")
    yield file.put(f"{path}/shape", {"shape": dims}, user="test_user2")
    yield file.get(f"{path}/value")


def fixed(draw: Draw) -> Case:
    """Shapes that cannot change."""
    file = draw.file()
    yield file.create()
    for shape in (None, "H5S_NULL", [5], [2, 2]):
        dataset, made = file.dataset(
            shape, "H5T_STD_I32LE", creationProperties={"layout": {"class": "H5D_CONTIGUOUS"}}
        )
        if shape == "H5S_NULL":
            dataset, made = file.dataset(shape, "H5T_STD_I32LE")
        yield made
        for body in ({"shape": [6]}, {"shape": 5}, {"extend": 1}, {"shape": [5]}):
            yield file.put(f"/datasets/{dataset}/shape", body)
        yield file.get(f"/datasets/{dataset}/shape")
        yield file.put(f"/datasets/{dataset}/value", {"value": [1]}, params={"append": 1}, tags=("wrong",))


def appending(draw: Draw) -> Case:
    """PUT value with append, in all forms."""
    file = draw.file()
    yield file.create()
    kind = draw.choice([kinds.I32, kinds.F64, kinds.TEXT, kinds.TABLE])
    dims, maxdims = draw.choice(
        [([0], [None]), ([3], [None]), ([2], [8]), ([2, 3], [None, 3]), ([2, 3], [2, None])]
    )
    properties = {"layout": {"class": "H5D_CHUNKED", "dims": [2] * len(dims)}}
    dataset, made = file.dataset(dims, kind.json, maxdims=maxdims, creationProperties=properties)
    yield made
    path = f"/datasets/{dataset}/value"
    axis = next(index for index, most in enumerate(maxdims) if most != dims[index])
    axes = {"append_dim": axis} if axis else {}
    for count in (1, 3, 2, 5):
        block = [count if index == axis else extent for index, extent in enumerate(dims)]
        value = kind.nested(draw, block)
        match draw.randrange(3):
            case 0:
                yield file.put(path, {"value": value}, params={"append": count, **axes})
            case 1:
                yield file.put(path, {"value": value, "append": count, **axes})
            case _:
                yield file.put(path, data=kind.bytes(value, len(block)), params={"append": count, **axes})
        yield file.get(path)
    block = [1 if index == axis else extent for index, extent in enumerate(dims)]
    value = kind.nested(draw, block)
    for params in (
        {"append": "x"},
        {"append": 0},
        {"append": -1},
        {"append": 2},
        {"append": 1, "append_dim": 7},
        {"append": 1, "append_dim": "x"},
        {"append": 1, "select": "[0:1]"},
        {"append": 100},
    ):
        yield file.put(path, {"value": value}, params=params, tags=("wrong",))
    yield file.get(f"/datasets/{dataset}/shape", tags=("after failures",))


CASES = [resizing, fixed, appending]
