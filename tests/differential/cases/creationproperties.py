"""Creation properties: layouts, filters, fill values, initialisers."""

import base64

from tests.differential import kinds
from tests.differential.draw import Case, Draw, File

_I32 = "H5T_STD_I32LE"


def _probe(file: File, shape: object, properties: object, *, type_: object = _I32, **more: object) -> Case:
    """Make a dataset, look at it, write and read it."""
    body = {"id": file.id(), "type": type_, "shape": shape, "creationProperties": properties, **more}
    yield file.post("/datasets", body, keep="new", vital=False)
    yield file.get("/datasets/@new@")


def layouts(draw: Draw) -> Case:
    """All layout classes, with dims that fit or do not."""
    file = draw.file()
    yield file.create()
    chunked = "H5D_CHUNKED"
    for layout in (
        {"class": chunked, "dims": [2]},
        {"class": chunked, "dims": [10]},
        {"class": chunked, "dims": 5},
        {"class": chunked, "dims": [11]},
        {"class": chunked, "dims": [0]},
        {"class": chunked, "dims": [-1]},
        {"class": chunked, "dims": [2, 2]},
        {"class": chunked, "dims": ["2"]},
        {"class": chunked, "dims": [2.5]},
        {"class": chunked, "dims": []},
        {"class": chunked},
        {"class": "H5D_CONTIGUOUS"},
        {"class": "H5D_CONTIGUOUS", "dims": [2]},
        {"class": "H5D_COMPACT"},
        {"class": "H5D_COMPACT", "dims": [2]},
        {"class": "H5D_OTHER"},
        {"dims": [2]},
        {},
        "H5D_CHUNKED",
        5,
        None,
        {"class": "H5D_CONTIGUOUS_REF", "file_uri": "a/b.h5", "offset": 0, "size": 40},
        {"class": "H5D_CONTIGUOUS_REF", "file_uri": "a/b.h5"},
        {
            "class": "H5D_CHUNKED_REF",
            "file_uri": "a/b.h5",
            "dims": [5],
            "chunks": {"0": [0, 20], "1": [20, 20]},
        },
        {"class": "H5D_CHUNKED_REF", "dims": [5]},
        {"class": "H5D_CHUNKED_REF_INDIRECT", "dims": [5], "chunk_table": file.id()},
        {"class": "H5D_CHUNKED_REF_INDIRECT", "dims": [5]},
        {"class": "H5D_CHUNKED_REF_INDIRECT", "dims": [5], "chunk_table": "x"},
    ):
        for shape, maxdims in draw.sample([([10], None), ([10], [None]), ([10], [20]), (None, None)], 2):
            more = {} if maxdims is None else {"maxdims": maxdims}
            yield from _probe(file, [] if shape is None else shape, {"layout": layout}, **more)
    yield from _probe(file, "H5S_NULL", {"layout": {"class": "H5D_CONTIGUOUS"}})
    for properties in (None, [], "x", {"other": [1, {"a": None}], "fillTime": "H5D_FILL_TIME_ALLOC"}):
        yield from _probe(file, [10], properties)
    reference = {"class": "H5D_CONTIGUOUS_REF", "file_uri": "a/b.h5", "offset": 0, "size": 40}
    yield from _probe(file, [10], {"layout": reference}, type_=kinds.TEXT.json)


def sizes(draw: Draw) -> Case:
    """Chunk shapes that the server chooses, and sizes that it refuses."""
    file = draw.file()
    yield file.create()
    kind = draw.choice([kinds.I32, kinds.F64, kinds.TEXT, kinds.TABLE])
    for _ in range(10):
        rank = draw.randint(1, 4)
        shape = [draw.choice([1, 3, 10, 100, 1000, draw.randint(1, 500)]) for _ in range(rank)]
        maxdims = [draw.choice([extent, extent * 3, None]) for extent in shape]
        more = {"maxdims": maxdims} if draw.maybe(0.6) else {}
        yield from _probe(file, shape, {}, type_=kind.json, **more)
    for shape, layout in (
        ([20000], {"class": "H5D_COMPACT"}),
        ([8192], {"class": "H5D_COMPACT"}),
        ([40000000], {"class": "H5D_CONTIGUOUS"}),
        ([40000000], {"class": "H5D_CHUNKED", "dims": [40000000]}),
        ([40000000], None),
    ):
        yield from _probe(file, shape, {} if layout is None else {"layout": layout})


def filters(draw: Draw) -> Case:
    """Filter pipelines in all forms; values through those that are accepted."""
    file = draw.file()
    yield file.create()
    deflate = {"class": "H5Z_FILTER_DEFLATE", "id": 1, "level": 4, "name": "gzip"}
    shuffle = {"class": "H5Z_FILTER_SHUFFLE", "id": 2, "name": "shuffle"}
    single = [
        {"class": f"H5Z_FILTER_{name}"}
        for name in (
            *("DEFLATE", "SHUFFLE", "FLETCHER32", "SZIP", "NBIT", "SCALEOFFSET", "LZF", "BLOSC"),
            *("SNAPPY", "LZ4", "LZ4HC", "BITSHUFFLE", "ZSTD", "NONE", "OTHER"),
        )
    ]
    for pipeline in (
        [],
        [deflate],
        [shuffle, deflate],
        [deflate, shuffle],
        *([item] for item in single),
        ["gzip"],
        [1],
        ["nothing"],
        [{}],
        [{"class": "H5Z_FILTER_DEFLATE", "level": 10}],
        [{"class": "H5Z_FILTER_DEFLATE", "level": -1}],
        [{"class": "H5Z_FILTER_DEFLATE", "level": "x"}],
        [{"class": "H5Z_FILTER_DEFLATE", "id": 2}],
        [{"class": "H5Z_FILTER_USER", "id": 32015}],
        [{"class": "H5Z_FILTER_USER", "name": "lz4"}],
        [{"class": "H5Z_FILTER_USER", "id": 99999}],
        [{"class": "H5Z_FILTER_USER"}],
        [{"id": 1}],
        [{"name": "gzip"}],
        "gzip",
        deflate,
        5,
    ):
        properties: dict[str, object] = {"filters": pipeline}
        if draw.maybe(0.7):
            properties["layout"] = {"class": "H5D_CHUNKED", "dims": [4]}
        elif draw.maybe(0.3):
            properties["layout"] = {"class": "H5D_CONTIGUOUS"}
        yield from _probe(file, [10], properties)
        if draw.maybe(0.5):
            dataset, made = file.dataset([10], _I32, creationProperties=properties)
            # what neither makes is asked for in vain, which is a comparison too
            yield file.post("/datasets", made.json)
            yield file.put(f"/datasets/{dataset}/value", {"value": list(range(10))})
            yield file.get(f"/datasets/{dataset}/value")
    yield from _probe(file, [], {"filters": [deflate]})
    yield from _probe(file, "H5S_NULL", {"filters": [deflate]})


def fill_values(draw: Draw) -> Case:
    """Fill values of all types, well and badly formed, seen in what was never written."""
    file = draw.file()
    yield file.create()
    for kind in draw.sample(kinds.ALL, 10):
        value = kind.element(draw)
        tags = ("opaque",) if kind.name.startswith("opaque") else ()
        tags += ("odd fill",) if kind.variable or kind in kinds.ARRAYS or kind.name == "nested" else ()
        forms: list[dict[str, object]] = [{"fillValue": value}]
        if not kind.variable:
            text = base64.b64encode(kind.pack(value)).decode()
            forms.append({"fillValue": text, "fillValue_encoding": "base64"})
        dataset, made = file.dataset([6], kind.json, creationProperties=draw.choice(forms))
        yield file.post("/datasets", made.json, tags=tags, vital=True)
        yield file.get(f"/datasets/{dataset}", tags=tags)
        yield file.get(f"/datasets/{dataset}/value", tags=tags)
        yield file.get(f"/datasets/{dataset}/value", binary=True, tags=tags)
        yield file.get(f"/datasets/{dataset}/value", params={"select": "[1:3]"}, tags=tags)
    for type_, fill in (
        (_I32, "x"),
        (_I32, 1.5),
        (_I32, None),
        (_I32, [1]),
        (_I32, [1, 2]),
        (_I32, 2**40),
        ("H5T_IEEE_F64LE", "nan"),
        ("H5T_IEEE_F64LE", float("nan")),
        (kinds.TABLE.json, [1, 2]),
        (kinds.TABLE.json, 5),
        (kinds.TEXT.json, 5),
    ):
        yield from _probe(file, [4], {"fillValue": fill}, type_=type_)
        yield file.get("/datasets/@new@/value")
    for fill in ("AAAA", "!!", "AAAAAA==", 5):
        for encoding in ("base64", "None", "hex"):
            yield from _probe(file, [4], {"fillValue": fill, "fillValue_encoding": encoding})


def initializers(draw: Draw) -> Case:
    """Values that follow from the position."""
    file = draw.file()
    yield file.create()
    for words in (
        ["arange", "--start=10", "--step=2"],
        ["arange", "--start=0", "--step=1"],
        ["arange", "--start=-5", "--step=-1"],
        ["arange"],
        ["arange", "--start=x"],
        ["nothing"],
        [],
        "arange",
    ):
        for type_, shape in draw.sample([(_I32, [20]), ("H5T_IEEE_F64LE", [20]), (_I32, [4, 5])], 2):
            properties = {
                "initializer": words,
                "layout": {"class": "H5D_CHUNKED", "dims": [8, 8][: len(shape)]},
            }
            yield from _probe(file, shape, properties, type_=type_, maxdims=[None] * len(shape))
            yield file.get("/datasets/@new@/value")
            yield file.get("/datasets/@new@/value", binary=True)


CASES = [layouts, sizes, filters, fill_values, initializers]
