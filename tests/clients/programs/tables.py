"""Tables: one-dimensional compound datasets with queries."""

from __future__ import annotations

from typing import Any

import numpy as np
from checks import OLD, Box, check, equal, main, not_offered_by_new, not_offered_by_old

DTYPE = np.dtype([("symbol", "S4"), ("date", "S8"), ("open", "<i4"), ("close", ">f4")])
ROWS = [
    (b"EBAY", b"20170102", 3023, 3088.0),
    (b"AAPL", b"20170102", 3054, 2933.0),
    (b"AMZN", b"20170102", 2973, 3011.0),
    (b"EBAY", b"20170103", 3042, 3128.0),
    (b"AAPL", b"20170103", 3182, 3034.0),
    (b"AMZN", b"20170103", 3021, 2788.0),
    (b"EBAY", b"20170104", 2798, 2876.0),
    (b"AAPL", b"20170104", 2834, 2867.0),
    (b"AMZN", b"20170104", 2891, 2978.0),
    (b"EBAY", b"20170105", 2973, 2962.0),
]
DATA = np.array(ROWS, DTYPE)


def table(f: Any, data: np.ndarray = DATA) -> Any:
    return f.create_table("t", dtype=DTYPE, data=data)


def fill(box: Box) -> None:
    with box.open("w") as f:
        table(f)


def found(rows: Any) -> list[tuple[Any, ...]]:
    """The members of rows, without the index that the old client puts first."""
    return [tuple(row)[-4:] for row in rows]


@check
def rows(box: Box) -> None:
    fill(box)
    with box.open("r") as f:
        t = f["t"]
        equal(type(t).__name__, "Table")
        equal((t.nrows, t.colnames), (10, ["symbol", "date", "open", "close"]))
        equal(t[...], DATA)
        equal(found(t.read(2, 5)), ROWS[2:5])


@check
def read_where(box: Box) -> None:
    fill(box)
    with box.open("r") as f:
        t = f["t"]
        equal(found(t.read_where("open > 3050")), [ROWS[1], ROWS[4]])
        equal(found(t.read_where("symbol == b'AAPL'")), [ROWS[1], ROWS[4], ROWS[7]])
        equal(found(t.read_where("(symbol == b'AAPL') & (open < 3000)")), [ROWS[7]])
        equal(found(t.read_where("symbol == b'AAPL'", limit=2)), [ROWS[1], ROWS[4]])
        equal(found(t.read_where("symbol == b'EBAY'", start=1, stop=7)), [ROWS[3], ROWS[6]])


@check
def no_row(box: Box) -> None:
    fill(box)
    with box.open("r") as f:
        equal(list(f["t"].read_where("open > 100000")), [])


@check
def indices(box: Box) -> None:
    fill(box)
    with box.open("r") as f:
        if OLD:
            equal([int(row[0]) for row in f["t"].read_where("symbol == b'AMZN'")], [2, 5, 8])
        else:
            equal(np.ravel(f["t"].get_where_list("symbol == b'AMZN'")).tolist(), [2, 5, 8])


@check
def where_in(box: Box) -> None:
    not_offered_by_new("its own parser has no such clause")
    fill(box)
    with box.open("r") as f:
        equal(
            found(f["t"].read_where("where symbol in (b'AAPL', b'AMZN')", limit=3)),
            [ROWS[1], ROWS[2], ROWS[4]],
        )
        equal(found(f["t"].read_where("open < 2850 where symbol in (b'AAPL', b'AMZN')")), [ROWS[7]])


@check
def update_where(box: Box) -> None:
    fill(box)
    with box.open("a") as f:
        f["t"].update_where("symbol == b'AAPL'", {"open": 123})
    expected = DATA.copy()
    expected["open"][expected["symbol"] == b"AAPL"] = 123
    with box.open("r") as f:
        equal(f["t"][...], expected)


@check
def update_where_limit(box: Box) -> None:
    fill(box)
    with box.open("a") as f:
        f["t"].update_where("symbol == b'AAPL'", {"open": 123}, limit=1)
    expected = DATA.copy()
    expected["open"][1] = 123
    with box.open("r") as f:
        equal(f["t"][...], expected)


@check
def append(box: Box) -> None:
    fill(box)
    for _ in range(3):
        with box.open("a") as f:
            f["t"].append(DATA)
    with box.open("r") as f:
        equal(f["t"].nrows, 40)
        equal(f["t"][...], np.tile(DATA, 4))
        equal(len(list(f["t"].read_where("symbol == b'EBAY'"))), 16)


@check
def a_bad_query_is_an_error(box: Box) -> None:
    fill(box)
    with box.open("r") as f:
        for query in ("open >", "nothing > 5", "import os"):
            try:
                list(f["t"].read_where(query))
            except Exception:  # noqa: BLE001 - each client has its own
                continue
            raise AssertionError(f"no error for {query!r}")


@check
def cursor(box: Box) -> None:
    not_offered_by_new("the released client has no create_cursor")
    fill(box)
    with box.open("r") as f:
        equal([tuple(row)[:4] for row in f["t"].create_cursor()], ROWS)


@check
def queries_over_plain_values(box: Box) -> None:
    not_offered_by_old("it asks for rows of tables only")
    data = np.arange(600, dtype="<f4").reshape(20, 30)
    with box.open("w") as f:
        f.create_dataset("d", data=data, chunks=(7, 8))
    with box.open("r") as f:
        equal(
            sorted(tuple(map(int, at)) for at in f["d"].query("_ > 88 AND _ < 92")), [(2, 29), (3, 0), (3, 1)]
        )


if __name__ == "__main__":
    main()
