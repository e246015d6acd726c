"""PUT of values: selections, points, fields, repeated data, JSON and base64, and what is refused."""

from __future__ import annotations

import base64

import numpy as np
import pytest

from tests.servicenode.valuetools import BINARY_BODY, VARIABLE, compound, fixed, make_values

RECORD = compound(a="H5T_STD_I32LE", b="H5T_IEEE_F64LE", s=fixed(4))
RECORD_DTYPE = np.dtype([("a", "<i4"), ("b", "<f8"), ("s", "S4")])


@pytest.fixture
async def grid(service):
    return await make_values(service, [20, 30], "<i4", chunks=[7, 8])


@pytest.fixture
async def table(service):
    values = await make_values(service, [6], RECORD_DTYPE, type_json=RECORD, chunks=[4])
    rows = [(i, i / 2, b"s%d" % i) for i in range(6)]
    await values.write(np.array(rows, RECORD_DTYPE))
    return values


def encoded(array: np.ndarray) -> str:
    return base64.b64encode(array.tobytes()).decode()


@pytest.mark.parametrize(
    ("select", "index"),
    [
        ("[2:9,3:30:5]", np.s_[2:9, 3:30:5]),
        ("[5,:]", np.s_[5:6, :]),
        ("[[1,3,5],0:10]", np.s_[[1, 3, 5], 0:10]),
        ("[[1,3,5],[2,4,29]]", np.s_[[1, 3, 5], [2, 4, 29]]),
    ],
)
async def test_selections_equal_numpy(grid, select, index):
    expected = np.zeros((20, 30), "<i4")
    data = np.arange(expected[index].size, dtype="<i4").reshape(expected[index].shape) + 1
    expected[index] = data
    await grid.write(data, select=select)
    assert np.array_equal(await grid.read((20, 30)), expected)
    await grid.write(None, json={"value": (-data).tolist(), "select": select})
    assert np.array_equal(await grid.read((20, 30)), -expected)
    await grid.write(None, json={"value_base64": encoded(data)}, select=select)
    assert np.array_equal(await grid.read((20, 30)), expected)


async def test_answer(grid):
    reply = await grid.put(np.zeros(600, "<i4"))
    assert (reply.status, reply.json) == (200, {})


async def test_start_stop_step(grid):
    await grid.write(None, json={"start": [0, 0], "stop": [1, 30], "step": [1, 10], "value": [1, 2, 3]})
    assert (await grid.value(select="[0:1,0:30:10]")) == [[1, 2, 3]]


async def test_any_nesting_with_the_right_number(grid):
    await grid.write(None, json={"value": [1, 2, 3, 4]}, select="[0:2,0:2]")
    assert await grid.value(select="[0:2,0:2]") == [[1, 2], [3, 4]]


@pytest.mark.parametrize(
    ("data", "count", "expected"),
    [
        ([7], 1, np.full((3, 4, 5), 7)),
        ([1, 2, 3, 4, 5], 5, np.broadcast_to(np.arange(1, 6), (3, 4, 5))),
        (list(range(20)), 20, np.broadcast_to(np.arange(20).reshape(4, 5), (3, 4, 5))),
        (list(range(60)), 60, np.arange(60).reshape(3, 4, 5)),
    ],
)
async def test_element_count(service, data, count, expected):
    values = await make_values(service, [3, 4, 5], "<i4", chunks=[2, 2, 2])
    await values.write(np.array(data, "<i4"), element_count=count)
    assert np.array_equal(await values.read((3, 4, 5)), expected)
    await values.write(np.zeros(60, "<i4"))
    await values.write(None, json={"value": data, "element_count": count})
    assert np.array_equal(await values.read((3, 4, 5)), expected)


@pytest.mark.parametrize("count", [0, 3, 30, 61, -1, "x"])
async def test_wrong_element_count(service, count):
    values = await make_values(service, [3, 4, 5], "<i4", chunks=[2, 2, 2])
    data = np.zeros(max(1, count) if isinstance(count, int) else 1, "<i4")
    assert (await values.put(data, element_count=count)).status == 400


async def test_element_count_and_body_differ(grid):
    assert (await grid.put(np.zeros(2, "<i4"), element_count=1)).status == 400


async def test_points(grid):
    body = {"points": [[1, 2], [19, 29], [0, 0]], "value": [5, 6, 7]}
    await grid.write(None, json=body)
    assert (await grid.post(json={"points": body["points"]})).json["value"] == [5, 6, 7]
    await grid.write(
        None, json={"points": [[2, 3], [4, 5]], "value_base64": encoded(np.array([8, 9], "<i4"))}
    )
    assert (await grid.post(json={"points": [[4, 5], [2, 3]]})).json["value"] == [9, 8]
    await grid.write(None, json={"points": [[1, 1], [1, 1]], "value": [1, 2]})
    assert (await grid.post(json={"points": [[1, 1]]})).json["value"] == [2]


async def test_points_as_h5pyd_sends_them_for_one_axis(service):
    values = await make_values(service, [10], "<i4", chunks=[4])
    await values.write(None, json={"points": [[1], [5], [9]], "value_base64": "CwAAADcAAABjAAAA"})
    assert await values.value() == [0, 11, 0, 0, 0, 55, 0, 0, 0, 99]


async def test_fields(table):
    await table.write(np.arange(10, 16, dtype="<i4"), fields="a")
    assert [row[0] for row in await table.value()] == list(range(10, 16))
    new = np.array([(b"x", 1), (b"y", 2)], [("s", "S4"), ("a", "<i4")])
    await table.write(new, fields="s:a", select="[3:5]")
    assert await table.value(select="[2:5]") == [[12, 1.0, "s2"], [1, 1.5, "x"], [2, 2.0, "y"]]
    await table.write(None, json={"value": [[9.5]], "fields": "b", "select": "[0:1]"})
    assert await table.value(select="[0:1]") == [[10, 9.5, "s0"]]


async def test_a_single_field_without_a_list_around_each(table):
    await table.write(None, json={"value": [7.5, 8.5], "fields": "b", "select": "[0:2]"})
    assert [row[1] for row in await table.value(select="[0:2]")] == [7.5, 8.5]
    reply = await table.put(json={"value": [7.5, 8.5], "fields": "a:b", "select": "[0:2]"})
    assert reply.status == 400


async def test_fields_of_points(table):
    body = {"points": [[3], [4]], "value_base64": encoded(np.array([7.5, 8.5]))}
    await table.write(None, json=body, fields="b")
    assert await table.value(select="[3:5]") == [[3, 7.5, "s3"], [4, 8.5, "s4"]]


async def test_fields_repeated(table):
    await table.write(np.array([4], "<i4"), fields="a", element_count=1)
    assert [row[0] for row in await table.value()] == [4] * 6


async def test_overlong_text_is_cut(table):
    await table.write(None, json={"value": [[1, 2, "abcdefgh"]]}, select="[0:1]")
    assert await table.value(select="[0:1]") == [[1, 2.0, "abcd"]]


async def test_variable_length(service):
    values = await make_values(service, [3], object, type_json=VARIABLE)
    assert await values.value() == ["", "", ""]
    body = bytes.fromhex("010000006102000000626205000000636363c3a9")
    await values.write(body)
    assert await values.value() == ["a", "bb", "cccé"]
    reply = await values.get(headers={"Accept": "application/octet-stream"})
    assert reply.body == body
    await values.write(None, json={"value": ["x", "yz"]}, select="[1:3]")
    assert await values.value() == ["a", "x", "yz"]
    await values.write(bytes.fromhex("0100000071"), element_count=1)
    assert await values.value() == ["q", "q", "q"]
    reply = await values.post(json={"points": [2, 0]})
    assert reply.json["value"] == ["q", "q"]


@pytest.mark.parametrize(
    "body", ["01000000", "0100000061", "ffffffff", "00000000" * 4, "ffffff7f" + "00" * 16]
)
async def test_broken_variable_length_bodies(service, body):
    values = await make_values(service, [3], object, type_json=VARIABLE)
    assert (await values.put(bytes.fromhex(body))).status == 400


async def test_array_type(service):
    kind = {"class": "H5T_ARRAY", "dims": [2, 2], "base": "H5T_STD_I16LE"}
    values = await make_values(service, [3, 2], np.dtype(("<i2", (2, 2))), type_json=kind, chunks=[2, 1])
    data = np.arange(24, dtype="<i2").reshape(3, 2, 2, 2)
    await values.write(data)
    assert np.array_equal(await values.read((3, 2)), data)
    assert await values.value(select="[1:3,0]") == data[1:3, 0:1].tolist()
    assert await values.value(select="[1:3,0]", reduce_dim=1) == data[1:3, 0].tolist()
    await values.write(data[0, 0], element_count=1)
    assert np.array_equal(await values.read((3, 2)), np.broadcast_to(data[0, 0], (3, 2, 2, 2)))
    await values.write(data[0], element_count=2)
    assert np.array_equal(await values.read((3, 2)), np.broadcast_to(data[0], (3, 2, 2, 2)))
    reply = await values.post(json={"points": [[2, 1], [0, 0]]})
    assert reply.json["value"] == [data[0, 1].tolist(), data[0, 0].tolist()]


async def test_scalar_compound(service):
    values = await make_values(service, None, RECORD_DTYPE, type_json=RECORD)
    await values.write(None, json={"value": [1, 2.5, "zz"]})
    assert await values.value() == [1, 2.5, "zz"]
    await values.write(np.array((2, 3.5, b"y"), RECORD_DTYPE))
    assert await values.value(reduce_dim=1) == [2, 3.5, "y"]


@pytest.mark.parametrize("size", [0, 4, 2396, 2404, 2500])
async def test_wrong_body_length(grid, size):
    reply = await grid.put(b"\1" * size)
    assert reply.status == 400
    if size:
        assert str(size) in reply.reason
        assert "2400" in reply.reason
    assert not (await grid.read()).any()


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        3,
        {"value": 1},
        {"value": [1, 2]},
        {"value": "x"},
        {"value": None},
        {"value": {"a": 1}},
        {"value_base64": "***"},
        {"value_base64": "AAAA"},
        {"value_base64": 5},
        {"points": [[0, 0]]},
        {"points": [[0, 0]], "value": [1, 2]},
        {"points": [[20, 0]], "value": [1]},
        {"points": [[0, 0]], "value": [1], "append": 1},
        {"points": [[0, 0]], "value": [1], "select": "[0:1,0:1]"},
        {"value": [1], "select": 5},
        {"value": [1], "fields": 5},
        {"value": [1], "fields": "a"},
        {"value": [1], "element_count": "x"},
        {"value": [1], "element_count": True},
        {"value": [1], "query": 7},
    ],
)
async def test_wrong_json_bodies(grid, body):
    reply = await grid.put(json=body)
    assert reply.status == 400
    assert reply.reason


async def test_other_wrong_bodies(grid):
    assert (await grid.put(b"{", headers={"Content-Type": "application/json"})).status == 400
    assert (await grid.put(b"", headers={"Content-Type": "application/json"})).status == 400
    assert (await grid.service.put(f"{grid.path}/value", domain="/home/test_user1/values.h5")).status == 400
    reply = await grid.put(b"x", headers={"Content-Type": "image/png"})
    assert (reply.status, reply.reason) == (400, "Unknown content_type: image/png")


async def test_vlen_of_vlen_is_refused_and_the_service_goes_on(service, grid):
    kind = {"class": "H5T_VLEN", "base": VARIABLE}
    values = await make_values(service, [2], object, type_json=kind)
    reply = await values.put(None, json={"value": [["a", "b"], ["c"]]})
    assert reply.status in (200, 400, 501)
    await grid.write(np.zeros(600, "<i4"))


async def test_who_may_write(grid, service):
    options = {"domain": "/home/test_user1/values.h5", "data": b"\0" * 2400, "headers": BINARY_BODY}
    assert (await service.put(f"{grid.path}/value", user="test_user2", **options)).status == 403
    assert (await service.put(f"{grid.path}/value", user=None, **options)).status == 401
