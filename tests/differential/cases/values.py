"""Values read: all types, selections good and bad, both forms."""

from tests.differential import kinds
from tests.differential.draw import Case, Draw

_BAD_SELECTS = (
    *(
        "[]",
        "",
        "0:2",
        "[",
        "[0:2",
        "0:2]",
        "[x]",
        "[0:2,0:2,0:2]",
        "[-1]",
        "[0:-1]",
        "[5:2]",
        "[2:2]",
        "[0:100]",
    ),
    *(
        "[100]",
        "[100:101]",
        "[0:2:0]",
        "[0:2:-1]",
        "[0:2:x]",
        "[[]]",
        "[[0,100]]",
        "[[-1]]",
        "[[0,x]]",
        "[0:2:1:1]",
    ),
    *(
        "[1.5]",
        "[ 0 : 2 ]",
        "[:]",
        "[::]",
        "[::2]",
        "[0:]",
        "[:3]",
        "[0]",
        "[[0,2]]",
        "[[2,0,2]]",
        "[None]",
        "[0:2,]",
    ),
)


def _term(draw: Draw, extent: int) -> str:
    """One axis of a selection that is valid."""
    start = draw.randrange(extent)
    stop = draw.randint(start + 1, extent)
    match draw.randrange(8):
        case 0:
            return str(start)
        case 1:
            return ":"
        case 2:
            return f"{start}:"
        case 3:
            return f":{stop}"
        case 4:
            return f"{start}:{stop}:{draw.randint(1, 4)}"
        case 5:
            return "[" + ",".join(str(draw.randrange(extent)) for _ in range(draw.randint(1, 4))) + "]"
    return f"{start}:{stop}"


def select(draw: Draw, dims: list[int]) -> str:
    """A selection that is valid, with one coordinate list at most."""
    terms = [_term(draw, extent) for extent in dims]
    lists = [index for index, term in enumerate(terms) if term.startswith("[")]
    for index in lists[1:]:
        terms[index] = ":"
    return f"[{','.join(terms)}]"


def typed(draw: Draw) -> Case:
    """Each type written in bytes, read in JSON and bytes."""
    file = draw.file()
    yield file.create()
    for kind in draw.sample(kinds.ALL, 5):
        tags = ("opaque",) if kind.name.startswith("opaque") else ()
        dims = draw.choice([[5], [3, 4]])
        properties = draw.choice([{}, {"layout": {"class": "H5D_CHUNKED", "dims": [2, 2][: len(dims)]}}])
        dataset, made = file.dataset(dims, kind.json, creationProperties=properties)
        yield made
        path = f"/datasets/{dataset}/value"
        yield file.get(path, tags=tags)
        yield file.put(path, data=kind.bytes(kind.nested(draw, dims), len(dims)))
        yield file.get(path, tags=tags)
        yield file.get(path, binary=True)
        for _ in range(3):
            text = select(draw, dims)
            yield file.get(path, params={"select": text}, tags=tags)
            yield file.get(path, params={"select": text}, binary=True)


def selected(draw: Draw) -> Case:
    """Selections over chunks of some shape."""
    file = draw.file()
    yield file.create()
    dims = draw.choice([[10], [6, 7], [3, 4, 5], [2, 1, 3, 2]])
    chunks = [draw.randint(1, extent) for extent in dims]
    properties = {"layout": {"class": "H5D_CHUNKED", "dims": chunks}}
    dataset, made = file.dataset(dims, "H5T_STD_I32LE", creationProperties=properties)
    yield made
    path = f"/datasets/{dataset}/value"
    yield file.put(path, {"value": kinds.I32.nested(draw, dims)})
    for _ in range(12):
        text = select(draw, dims)
        params = {"select": text} | ({"reduce_dim": "1"} if draw.maybe(0.2) else {})
        match draw.randrange(4):
            case 0:
                yield file.get(path, params=params, binary=True)
            case 1:
                yield file.post(path, {"select": text})
            case 2:
                yield file.post(path, {"select": text}, binary=True)
            case _:
                yield file.get(path, params=params)
    if len(dims) > 1:
        for first, second in (("0,1", "1,0"), ("0,1", "0"), ("1,1,0", "0,1,0")):
            rest = ",:" * (len(dims) - 2)
            yield file.get(path, params={"select": f"[[{first}],[{second}]{rest}]"})
            yield file.get(path, params={"select": f"[[{first}]{rest},[{second}]]"})


def refused(draw: Draw) -> Case:
    """Selections that are wrong, in URL and body."""
    file = draw.file()
    yield file.create()
    dims = draw.choice([[10], [6, 7]])
    dataset, made = file.dataset(dims, "H5T_STD_I32LE")
    yield made
    path = f"/datasets/{dataset}/value"
    for text in _BAD_SELECTS:
        yield file.get(path, params={"select": text})
        if draw.maybe(0.3):
            yield file.post(path, {"select": text})
        if draw.maybe(0.3):
            yield file.put(path, {"value": 1}, params={"select": text}, tags=("wrong",))
    for body in (
        {"select": [0, 1]},
        {"select": ["0:2", "1"]},
        {"select": [[0, 1], "0:2"]},
        {"select": 5},
        {"select": None},
        {"start": 0, "stop": 2},
        {"start": [0, 0], "stop": [2, 2]},
        {"start": [0, 0], "stop": [4, 4], "step": [2, 2]},
        {"start": 0},
        {"start": 0, "stop": 2, "step": "x"},
        {"start": [0], "stop": [200]},
        {},
    ):
        yield file.post(path, body)
    yield file.get(path, params={"fields": "a"})
    yield file.get(path, params={"Limit": 1})
    yield file.get(path, user="test_user2")


def spaces(draw: Draw) -> Case:
    """Scalar, null and empty datasets."""
    file = draw.file()
    yield file.create()
    for shape in (None, "H5S_NULL", [0], [1], [0, 3]):
        kind = draw.choice([kinds.I32, kinds.TEXT, kinds.TABLE])
        dataset, made = file.dataset(
            shape, kind.json, **({"maxdims": [None] * len(shape)} if shape == [0] else {})
        )
        yield made
        path = f"/datasets/{dataset}/value"
        for _ in range(2):
            yield file.get(path)
            yield file.get(path, binary=True)
            for text in ("[0]", "[0:1]", "[:]"):
                yield file.get(path, params={"select": text})
            yield file.post(path, {"points": [0]})
            tags = ("wrong",) if shape not in (None, [1]) else ()
            yield file.put(path, {"value": kind.element(draw)}, tags=tags)
            yield file.put(path, data=kind.pack(kind.element(draw)), tags=tags)


def fields(draw: Draw) -> Case:
    """Members of compounds, read and written."""
    file = draw.file()
    yield file.create()
    kind = draw.choice([kind for kind in kinds.ALL if len(kind.fields) > 1 and not kind.variable])
    dims = [5]
    dataset, made = file.dataset(dims, kind.json)
    yield made
    path = f"/datasets/{dataset}/value"
    yield file.put(path, data=kind.bytes(kind.nested(draw, dims), 1))
    for text in (
        *kind.fields,
        ":".join(kind.fields),
        ":".join(reversed(kind.fields)),
        "none",
        "",
        ":",
        "none:x",
    ):
        turned = ("turned",) if text == ":".join(reversed(kind.fields)) else ()
        yield file.get(path, params={"fields": text}, tags=turned)
        yield file.get(path, params={"fields": text}, binary=True, tags=turned)
        yield file.get(path, params={"fields": text, "select": "[1:3]"}, binary=True, tags=turned)
        yield file.post(path, {"points": [1, 3]}, params={"fields": text}, tags=turned)
        yield file.post(path, {"select": "[1:4:2]", "fields": text}, tags=turned)


def floats(draw: Draw) -> Case:
    """NaN, infinities, and the digits of floats in JSON."""
    file = draw.file()
    yield file.create()
    for type_ in ("H5T_IEEE_F64LE", "H5T_IEEE_F32LE"):
        dataset, made = file.dataset([6], type_)
        yield made
        path = f"/datasets/{dataset}/value"
        numbers = [float("nan"), float("inf"), float("-inf"), 0.1, -1e-7, 1e30]
        yield file.put(path, {"value": numbers})
        yield file.get(path)
        yield file.get(path, params={"ignore_nan": draw.choice(["1", "0"])})
        yield file.get(path, binary=True)


CASES = [typed, selected, refused, spaces, fields, floats]
