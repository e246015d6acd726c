"""Queries: rows found, indices found, rows updated."""

from typing import Any

from tests.differential import kinds
from tests.differential.draw import Case, Draw

_TABLE_QUERIES = (
    *(
        "a > 10",
        "a >= 10",
        "a == 10",
        "a = 10",
        "a != 10",
        "a < 10",
        "a <= 10",
        "b > 0.5",
        "b < -0.5",
        "s == 'abc'",
    ),
    *('s == "abc"', "s == b'abc'", "s != 'abc'", "a > 10 AND b > 0", "a > 10 & b > 0", "a > 10 OR b > 0"),
    *("a > 10 | b > 0", "(a > 10 | b > 0) & a < 30", "NOT a > 10", "~ a > 10", "not (a > 10 or b > 0)"),
    *(
        "a IN (10, 20)",
        "a NOT IN (10, 20)",
        "a.isin(10,20)",
        "s IN ('abc', 'xyz')",
        "FIELD(a) > 10",
        "'a' > 10",
    ),
    *("b.is_null()", "b.is_valid()", "a > 1000", "a > -1000", "  a  >  10  ", "a>10"),
)
_BAD_QUERIES = (
    *(
        "a",
        "a >",
        "> 10",
        "a > 10 AND",
        "none > 1",
        "a ~ 1",
        "(a > 10",
        "a > 10)",
        "a > 'x",
        "a > 1 2",
        "a > b",
    ),
    *(
        "10 < a",
        "a > 1e3",
        "a > 10; b",
        "__import__('os')",
        "a == 'x'",
        "s > 5",
        "a > 10 && b > 1",
        "()",
        "a IN ()",
    ),
    *("where a in (10, 20)", "a > 5 where s in ('abc')", "a IN 5", "_ > 3", "a.isin()", "a > --1"),
)


def _rows(draw: Draw) -> list[Any]:
    return [
        [draw.choice([5, 10, 20, 30]), draw.choice([-1.5, 0.0, 0.75]), draw.choice(["abc", "xyz", "", "q"])]
        for _ in range(12)
    ]


def tables(draw: Draw) -> Case:
    """A compound of one axis in chunks."""
    file = draw.file()
    yield file.create()
    properties = {"layout": {"class": "H5D_CHUNKED", "dims": [draw.choice([5, 12])]}}
    dataset, made = file.dataset([12], kinds.TABLE.json, creationProperties=properties)
    yield made
    path = f"/datasets/{dataset}"
    yield file.put(f"{path}/value", data=kinds.TABLE.bytes(_rows(draw), 1))
    for query in draw.sample([*_TABLE_QUERIES, *_BAD_QUERIES], 25):
        params = {"query": query}
        if draw.maybe(0.3):
            params["select"] = draw.choice(["[0:6]", "[2:12:3]", "[5:10]", "[11:12]", "[0:100]"])
        if draw.maybe(0.3):
            params["Limit"] = draw.choice(["1", "2", "0", "50", "x", "-1"])
        if draw.maybe(0.2):
            params["fields"] = draw.choice(["a", "b:a", "s", "none"])
        yield file.get(f"{path}/value", params=params)
        yield file.get(f"{path}/value", params=params, binary=True)
        yield file.get(f"{path}/query", params=params)
        yield file.get(f"{path}/query", params=params, binary=True)
    yield file.get(f"{path}/query")
    yield file.get(f"{path}/query", params={"query": ""})
    yield file.get(f"{path}/value", params={"query": ""})


def arrays(draw: Draw) -> Case:
    """Types that are no compounds, of any rank."""
    file = draw.file()
    yield file.create()
    for kind in (kinds.I32, kinds.F64, kinds.TEXT, kinds.TABLE_TEXT):
        dims = draw.choice([[10], [4, 5], [2, 3, 2]])
        properties = {"layout": {"class": "H5D_CHUNKED", "dims": [draw.choice([2, 5])] * len(dims)}}
        dims = [max(extent, 5) for extent in dims]
        dataset, made = file.dataset(dims, kind.json, creationProperties=properties)
        yield made
        path = f"/datasets/{dataset}"
        yield file.put(f"{path}/value", data=kind.bytes(kind.nested(draw, dims), len(dims)))
        texts = ("_ == 'a'", "_ != 'hello'", "_ IN ('a', 'bb')", "_ == b'a'")
        numbers = (
            "_ > 1",
            "_ == 1",
            "_ < 0",
            "_ >= 1 & _ < 50",
            "_ > 100000000000",
            "_ IN (0, 1)",
            "NOT _ > 0",
            "a > 1",
        )
        for query in texts if "text" in kind.name or kind is kinds.TABLE_TEXT else draw.sample(numbers, 5):
            params = {"query": query} | ({"Limit": draw.choice(["1", "3"])} if draw.maybe(0.3) else {})
            tags = ("zeros",) if query in ("_ IN (0, 1)", "NOT _ > 0") else ()
            yield file.get(f"{path}/value", params=params, tags=tags)
            yield file.get(f"{path}/value", params=params, binary=True, tags=tags)
            yield file.get(f"{path}/query", params=params, tags=tags)
            yield file.get(f"{path}/query", params=params, binary=True, tags=tags)
    for shape in (None, "H5S_NULL"):
        dataset, made = file.dataset(shape, "H5T_STD_I32LE")
        yield made
        yield file.get(f"/datasets/{dataset}/query", params={"query": "_ > 1"}, tags=("wrong",))
        yield file.get(f"/datasets/{dataset}/value", params={"query": "_ > 1"}, tags=("wrong",))


def updates(draw: Draw) -> Case:
    """Rows changed by a query."""
    file = draw.file()
    yield file.create()
    rows = _rows(draw)
    for query, body in (
        ("a > 10", {"b": 9.0}),
        ("a == 10", {"a": 11, "s": "new"}),
        ("a > 1000", {"b": 1.0}),
        ("b > 0", {"none": 1}),
        ("b > 0", {"b": 1.0, "none": 1}),
        ("b > 0", {}),
        ("b > 0", {"b": "x"}),
        ("b >", {"b": 1.0}),
        ("a > 10", {"b": [9.0]}),
        ("a > 10", {"value": 5}),
    ):
        if draw.maybe(0.7):
            properties = {"layout": {"class": "H5D_CHUNKED", "dims": [5]}}
            dataset, made = file.dataset([12], kinds.TABLE.json, creationProperties=properties)
            yield made
            path = f"/datasets/{dataset}/value"
            yield file.put(path, data=kinds.TABLE.bytes(rows, 1))
            params = {"query": query}
            if draw.maybe(0.3):
                params["select"] = draw.choice(["[0:5]", "[5:12]", "[3:9]"])
            if draw.maybe(0.3):
                params["Limit"] = draw.choice(["1", "3"])
            wrong = set(body) - {"a", "b", "s"} or not isinstance(body.get("b", 0.0), float)
            tags = ("wrong",) if wrong or not body or query == "b >" else ()
            yield file.put(path, body, params=params, binary=draw.maybe(0.3), tags=tags)
            if not tags:  # of a wrong update HSDS does some
                yield file.get(path)
    dataset, made = file.dataset([3, 4], "H5T_STD_I32LE")
    yield made
    path = f"/datasets/{dataset}/value"
    yield file.put(path, {"value": list(range(12))})
    for query, body in (
        ("_ == 5", {"value": -1}),
        ("_ > 7", {"value": 0}),
        ("_ > 5", {}),
        ("_ > 5", {"value": [1, 2]}),
    ):
        tags = () if isinstance(body.get("value"), int) else ("wrong",)
        yield file.put(path, body, params={"query": query}, tags=tags)
        yield file.get(path)


CASES = [tables, arrays, updates]
