"""Queries on values: what matches, its indices, and updates."""

from __future__ import annotations

import numpy as np
import pytest

from tests.servicenode.valuetools import BINARY, DOMAIN, compound, fixed, make_values

DTYPE = np.dtype([("sym", "S4"), ("open", "<i4"), ("close", "<f8")])
ROWS = np.array(
    [(b"AAPL", 10 * i, i / 4) if i % 3 == 1 else (b"EBAY", 10 * i, i / 4) for i in range(12)], DTYPE
)
ROWS_JSON = [[row["sym"].decode(), int(row["open"]), float(row["close"])] for row in ROWS]


@pytest.fixture
async def table(service):
    kind = compound(sym=fixed(4), open="H5T_STD_I32LE", close="H5T_IEEE_F64LE")
    values = await make_values(service, [12], DTYPE, type_json=kind, chunks=[5])
    await values.write(ROWS)
    return values


@pytest.fixture
async def grid(service):
    values = await make_values(service, [6, 8], "<i4", chunks=[4, 3])
    await values.write(np.arange(48, dtype="<i4"))
    return values


async def query(values, text, **options):
    return await values.service.get(f"{values.path}/query", domain=DOMAIN, query=text, **options)


async def test_rows_and_their_indices(table):
    reply = await table.get(query="open >= 30 AND sym == 'AAPL'")
    assert reply.json["value"] == [ROWS_JSON[4], ROWS_JSON[7], ROWS_JSON[10]]
    assert reply.json["index"] == [4, 7, 10]
    assert reply.json["status"] == 200
    assert len(reply.json["hrefs"]) == 4


async def test_binary_rows_are_bare(table):
    reply = await table.get(query="open < 30", headers=BINARY)
    assert table.array(reply).tolist() == ROWS[:3].tolist()
    reply = await table.get(query="open < 30", fields="close", headers=BINARY)
    assert reply.body == ROWS["close"][:3].tobytes()


async def test_limit_select_and_where(table):
    reply = await table.get(query="open < 90 where sym in (b'AAPL')", Limit=2, select="[2:12]")
    assert reply.json["index"] == [4, 7]
    reply = await table.get(query="open >= 0", Limit=7, headers=BINARY)
    assert table.array(reply).tolist() == ROWS[:7].tolist()
    reply = await table.get(query="open >= 0", select="[1:12:4]")
    assert reply.json["index"] == [1, 5, 9]


async def test_no_hits_are_json_even_in_binary(table):
    for headers in ({}, BINARY):
        reply = await table.get(query="open > 4000", headers=headers)
        assert reply.headers["Content-Type"] == "application/json"
        assert (reply.json["value"], reply.json["index"]) == ([], [])


async def test_post_with_a_query(table):
    reply = await table.post(
        json={"select": "[0:9]", "query": "sym == b'AAPL'", "fields": "open", "Limit": 2}
    )
    assert (reply.json["value"], reply.json["index"]) == ([[10], [40]], [1, 4])
    reply = await table.post(json={"select": "[0:9]", "query": "open == 20"}, headers=BINARY)
    assert table.array(reply).tolist() == [ROWS[2].item()]


async def test_plain_types_and_more_axes(grid):
    reply = await grid.get(query="_ > 44")
    assert (reply.json["value"], reply.json["index"]) == ([45, 46, 47], [[5, 5], [5, 6], [5, 7]])
    reply = await query(grid, "_ > 10 AND _ < 13")
    assert reply.json["indices"] == [[1, 3], [1, 4]]
    reply = await query(grid, "_ > 10 AND _ < 13", headers=BINARY)
    assert np.frombuffer(reply.body, "<i8").tolist() == [1, 3, 1, 4]
    reply = await grid.get(query="_ >= 20", headers=BINARY, Limit=10)
    assert grid.array(reply).tolist() == list(range(20, 30))


async def test_query_route(table):
    assert (await query(table, "open < 20")).json["indices"] == [[0], [1]]
    reply = await query(table, "open < 0")
    assert reply.json["indices"] == []
    assert reply.headers["Content-Type"] == "application/json; charset=utf-8"
    assert (await query(table, "open < 0", headers=BINARY)).json["indices"] == []
    assert (await table.service.get(f"{table.path}/query", domain=DOMAIN)).status == 400


async def test_update(table):
    reply = await table.put(json={"open": 999}, query="sym == b'AAPL'", Limit=2)
    assert reply.status == 200
    assert reply.json["indices"] == [[1], [4]]
    assert reply.json["value"] == [[1, "AAPL", 999, 0.25], [4, "AAPL", 999, 1.0]]
    assert [row[1] for row in await table.value()] == [0, 999, 20, 30, 999, 50, 60, 70, 80, 90, 100, 110]
    reply = await table.put(json={"open": 1, "sym": "X"}, query="open == 999", headers=BINARY)
    assert np.frombuffer(reply.body, "<i8").tolist() == [1, 4]
    reply = await table.put(json={"open": 1}, query="open == 12345")
    assert (reply.status, reply.json["value"], reply.json["indices"]) == (200, [], [])


async def test_update_within_a_selection(table):
    reply = await table.put(json={"close": -1}, query="open >= 0", select="[3:12:5]")
    assert reply.json["indices"] == [[3], [8]]
    closes = [row[2] for row in await table.value()]
    assert [i for i, close in enumerate(closes) if close == -1] == [3, 8]


async def test_update_of_plain_elements(grid):
    reply = await grid.put(json={"value": -1}, query="_ == 5")
    assert (reply.json["indices"], reply.json["value"]) == ([[0, 5]], [[[0, 5], -1]])
    assert await grid.value(select="[0,4:7]") == [[4, -1, 6]]


async def test_members_called_like_options(service):
    dtype = np.dtype([("start", "<i4"), ("query", "<i4")])
    kind = compound(start="H5T_STD_I32LE", query="H5T_STD_I32LE")
    values = await make_values(service, [3], dtype, type_json=kind)
    await values.write(np.array([(1, 2), (3, 4), (5, 6)], dtype))
    reply = await values.put(json={"start": 7, "query": 8}, query="start == 3")
    assert reply.json["value"] == [[1, 7, 8]]


@pytest.mark.parametrize(
    "text", ["open = = 3", "nosuch > 3", "open >", "import os; os.system('ls')", "open", "open > 3 )", "((("]
)
async def test_wrong_queries(table, text):
    assert (await table.get(query=text)).status == 400
    assert (await table.put(json={"open": 1}, query=text)).status == 400
    assert (await query(table, text)).status == 400


@pytest.mark.parametrize(
    "options", [{"Limit": "x"}, {"Limit": -1}, {"select": "[0:99]"}, {"fields": "nosuch"}]
)
async def test_wrong_options(table, options):
    assert (await table.get(query="open > 3", **options)).status == 400


@pytest.mark.parametrize("body", [{}, {"nosuch": 1}, {"open": "x"}, {"open": [1, 2]}, [], 4])
async def test_wrong_updates(table, body):
    assert (await table.put(json=body, query="open > 3")).status == 400
    assert np.array_equal(await table.read((12,)), ROWS)


async def test_update_needs_json(table):
    assert (await table.put(b"\0" * 8, query="open > 3")).status == 400


async def test_spaces_without_axes(service):
    values = await make_values(service, None, "<i4")
    assert (await values.get(query="_ > 3")).status == 400
    assert (await values.put(json={"value": 3}, query="_ > 3")).status == 400
    values = await make_values(service, "H5S_NULL", "<i4")
    assert (await query(values, "_ > 3")).status == 400


async def test_never_written(service):
    values = await make_values(service, [5], "<i4", creationProperties={"fillValue": 7})
    assert (await values.get(query="_ == 7")).json["value"] == []
