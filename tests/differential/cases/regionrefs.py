"""Region references: as data, and named in URLs."""

from tests.differential.draw import Case, Draw

_TYPE = {"class": "H5T_REFERENCE", "base": "H5T_STD_REF_DSETREG"}


def _region(draw: Draw, dataset: str) -> object:
    corner = [draw.randrange(4), draw.randrange(4)]
    last = [corner[0] + draw.randrange(3), corner[1] + draw.randrange(3)]
    if draw.maybe(0.7):
        return {"id": dataset[2:], "select_type": "H5S_SEL_HYPERSLABS", "selection": [[corner, last]]}
    return {"id": dataset[2:], "select_type": "H5S_SEL_POINTS", "selection": [corner, last]}


def urls(draw: Draw) -> Case:
    """``regionref`` of a value route."""
    file = draw.file()
    yield file.create()
    dataset, made = file.dataset([6, 6], "H5T_STD_I32LE")
    yield made
    path = f"/datasets/{dataset}/value"
    yield file.put(path, {"value": list(range(36))})
    holder = f"/groups/{file.root}/attributes"
    regions = [_region(draw, dataset) for _ in range(3)]
    yield file.put(f"{holder}/one", {"type": _TYPE, "value": regions[0]})
    yield file.put(f"{holder}/many", {"type": _TYPE, "shape": [3], "value": regions})
    yield file.put(f"{holder}/none", {"type": _TYPE, "value": None})
    yield file.put(f"{holder}/number", {"type": "H5T_STD_I32LE", "value": 5})
    for name in ("one", "many", "none"):
        yield file.get(f"{holder}/{name}")
    refs, made = file.dataset([3], _TYPE)
    yield made
    yield file.put(f"/datasets/{refs}/value", {"value": regions})
    yield file.get(f"/datasets/{refs}/value")
    for params in (
        {"regionref": f"{holder}/one"},
        {"regionref": f"{holder}/many", "select": "[1]"},
        {"regionref": f"{holder}/many", "select": "[2:3]"},
        {"regionref": f"{holder}/many"},
        {"regionref": f"{holder}/many", "select": "[0:2]"},
        {"regionref": f"{holder}/none"},
        {"regionref": f"{holder}/number"},
        {"regionref": f"{holder}/missing"},
        {"regionref": f"/datasets/{refs}", "select": "[0]"},
        {"regionref": f"/datasets/{refs}"},
        {"regionref": "/nothing"},
        {"regionref": ""},
        {"regionref": f"{holder}/one", "query": "_ > 1"},
    ):
        yield file.get(path, params=params)
        yield file.get(path, params=params, binary=True)
    yield file.put(path, {"value": 5}, params={"regionref": f"{holder}/none"})
    yield file.put(path, {"value": [1], "element_count": 1}, params={"regionref": f"{holder}/one"})
    yield file.get(path)


CASES = [urls]
