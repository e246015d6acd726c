"""GET and POST of values: selections, JSON and binary, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from tests.servicenode.valuetools import BINARY, BINARY_BODY, DOMAIN, compound, fixed, make_values

DATA = np.arange(20 * 30, dtype="<i4").reshape(20, 30)

SELECTIONS = [
    ("[:,:]", np.s_[:, :]),
    ("[::, ::]", np.s_[:, :]),
    ("[3:17:4, 5:6]", np.s_[3:17:4, 5:6]),
    ("[4,:]", np.s_[4:5, :]),
    ("[[3,1,1,7],2:4]", np.s_[[3, 1, 1, 7], 2:4]),
    ("[2:4,[9,2]]", np.s_[2:4, [9, 2]]),
    ("[[1,2,3],[4,5,6]]", np.s_[[1, 2, 3], [4, 5, 6]]),
    ("[19,29]", np.s_[19:20, 29:30]),
]


@pytest.fixture
async def grid(service):
    values = await make_values(service, [20, 30], "<i4", chunks=[7, 8])
    await values.write(DATA)
    return values


@pytest.mark.parametrize(("select", "index"), SELECTIONS)
async def test_selections_equal_numpy(grid, select, index):
    expected = DATA[index]
    assert np.array_equal(await grid.read(expected.shape, select=select), expected)
    assert await grid.value(select=select) == expected.tolist()
    reply = await grid.post(json={"select": select}, headers=BINARY)
    assert np.array_equal(grid.array(reply, expected.shape), expected)
    reply = await grid.post(json={"select": select, "nonstrict": 1})
    assert reply.json["value"] == expected.tolist()


async def test_get_without_a_selection_is_everything(grid):
    reply = await grid.get(headers=BINARY)
    assert reply.headers["Content-Type"] == "application/octet-stream"
    assert reply.headers["Content-Length"] == str(DATA.nbytes)
    assert np.array_equal(grid.array(reply, DATA.shape), DATA)


async def test_json_answer(grid):
    reply = await grid.get(select="[0:1,0:2]")
    assert reply.headers["Content-Type"] == "application/json"
    assert reply.json["status"] == 200
    assert [href["rel"] for href in reply.json["hrefs"]] == ["self", "root", "home", "owner"]
    reply = await grid.post(json={"select": "[0:1,0:2]"})
    assert "status" not in reply.json
    assert len(reply.json["hrefs"]) == 4


async def test_start_stop_step(grid):
    reply = await grid.post(json={"start": [0, 1], "stop": [4, 9], "step": [2, 3]})
    assert reply.json["value"] == DATA[0:4:2, 1:9:3].tolist()
    reply = await grid.post(json={"start": [0, 1]})
    assert (reply.status, reply.reason) == (400, "start and stop must be given together")


async def test_select_as_list(grid):
    reply = await grid.post(json={"select": ["1:3", [4, 5]]})
    assert reply.json["value"] == DATA[1:3, [4, 5]].tolist()


async def test_reduce_dim(grid):
    assert await grid.value(select="[4,0:3]", reduce_dim=1) == DATA[4, 0:3].tolist()
    assert await grid.value(select="[0:3,4]", reduce_dim=1) == DATA[0:3, 4].tolist()
    assert await grid.value(select="[4,4]", reduce_dim=1) == DATA[4, 4]
    assert await grid.value(select="[4,0:3]", reduce_dim=0) == DATA[4:5, 0:3].tolist()


async def test_points(grid):
    points = [[3, 4], [19, 29], [0, 0], [3, 4]]
    expected = [DATA[tuple(point)] for point in points]
    reply = await grid.post(json={"points": points})
    assert reply.json["value"] == expected
    body = np.array(points, "<u8").tobytes()
    reply = await grid.post(data=body, headers=BINARY_BODY | BINARY)
    assert grid.array(reply).tolist() == expected
    reply = await grid.post(data=body, headers=BINARY_BODY)
    assert reply.json["value"] == expected


async def test_points_of_one_axis(service):
    values = await make_values(service, [10], "<f4", chunks=[3])
    await values.write(np.arange(10, dtype="<f4"))
    assert (await values.post(json={"points": [9, 2, 4]})).json["value"] == [9.0, 2.0, 4.0]
    assert (await values.post(json={"points": [[9], [2]]})).json["value"] == [9.0, 2.0]


async def test_scalar(service):
    values = await make_values(service, None, "<i8")
    assert await values.value() == 0
    await values.write(np.array(42, "<i8"))
    assert await values.value() == 42
    assert (await values.read()).tolist() == [42]
    assert (await values.put(json={"value": 7})).status == 200
    assert await values.value() == 7
    assert (await values.post(json={"points": [[0]]})).status == 400


async def test_fields(service):
    kind = compound(a="H5T_STD_I32LE", b="H5T_IEEE_F64LE", s=fixed(3))
    dtype = np.dtype([("a", "<i4"), ("b", "<f8"), ("s", "S3")])
    values = await make_values(service, [4], dtype, type_json=kind)
    data = np.array([(1, 0.5, b"x"), (2, 1.5, b"yy"), (3, 2.5, b"zzz"), (4, 3.5, b"")], dtype)
    await values.write(data)
    assert await values.value(select="[1:3]") == [[2, 1.5, "yy"], [3, 2.5, "zzz"]]
    assert await values.value(fields="s:a", select="[1:3]") == [["yy", 2], ["zzz", 3]]
    assert await values.value(fields="b", select="[0:1]") == [[0.5]]
    reply = await values.get(headers=BINARY, fields="s:a")
    assert (
        reply.body == np.array([(row["s"], row["a"]) for row in data], [("s", "S3"), ("a", "<i4")]).tobytes()
    )
    reply = await values.post(json={"points": [2, 0], "fields": "a"})
    assert reply.json["value"] == [[3], [1]]
    assert (await values.get(fields="nosuch")).status == 400


async def test_fields_of_a_plain_type(grid):
    assert (await grid.get(fields="a")).status == 400


async def test_nan(service):
    values = await make_values(service, [3], "<f8")
    await values.write(np.array([np.nan, 1, np.inf]))
    reply = await values.get()
    assert b"[NaN,1.0,Infinity]" in reply.body
    assert await values.value(ignore_nan=1) == [None, 1.0, None]


async def test_fill_values_where_nothing_was_written(service):
    values = await make_values(service, [5, 5], "<i2", creationProperties={"fillValue": 9})
    assert await values.value(select="[0:1,:]") == [[9] * 5]
    points = np.array([[4, 4]], "<u8").tobytes()
    assert values.array(await values.post(data=points, headers=BINARY_BODY | BINARY)).tolist() == [9]


@pytest.mark.parametrize(
    "select",
    [
        "[:]",
        "[0:21,:]",
        "[5:5,:]",
        "[-1,:]",
        "[0:2:0,:]",
        "[20,:]",
        "0:2,:",
        "[[0,20],:]",
        "[[],:]",
        "[[1,2],[1]]",
        "[]",
    ],
)
async def test_wrong_selections(grid, select):
    for reply in (await grid.get(select=select), await grid.post(json={"select": select})):
        assert reply.status == 400
        assert reply.reason
    assert (await grid.put(np.zeros(600, "<i4"), select=select)).status == 400


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"points": [[1, 1]], "select": "[0:1,0:1]"},
        {"points": [[20, 0]]},
        {"points": [[1]]},
        {"points": []},
        {"points": "x"},
        {"points": [[0, -1]]},
        {"points": [[0, 1 << 70]]},
        {"points": [[0.5, 1]]},
        {"select": 5},
        {"select": {"a": 1}},
        [],
        5,
    ],
)
async def test_wrong_bodies_of_post(grid, body):
    assert (await grid.post(json=body)).status == 400


async def test_post_refuses_what_is_no_body(grid):
    assert (await grid.post()).status == 400
    assert (await grid.post(data=b"\0" * 17, headers=BINARY_BODY)).status == 400
    assert (await grid.post(data=b"[", headers={})).status == 400
    reply = await grid.post(data=b"x", headers={"Content-Type": "text/plain"})
    assert (reply.status, reply.reason) == (400, "Unknown content_type: text/plain")


async def test_both_selections(grid):
    reply = await grid.post(json={"select": "[0:1,0:1]"}, select="[1:2,1:2]")
    assert reply.status == 400


async def test_null_space(service):
    values = await make_values(service, "H5S_NULL", "<i4")
    assert (await values.get()).status == 400
    assert (await values.put(np.zeros(1, "<i4"))).status == 400
    assert (await values.post(json={"points": [0]})).status == 400


async def test_who_may_read(grid, service):
    for path, status in ((grid.path + "/value", 403), ("/datasets/d-nosuch/value", 400)):
        reply = await service.get(path, domain=DOMAIN, user="test_user2")
        assert reply.status in (status, 403), reply
    assert (await service.get(f"{grid.path}/value")).status == 400
    await service.make_domain("/home/test_user1/other.h5")
    assert (await service.get(f"{grid.path}/value", domain="/home/test_user1/other.h5")).status == 400


async def test_deleted_dataset(grid, service):
    assert (await service.delete(grid.path, domain=DOMAIN)).status == 200
    assert (await grid.get()).status == 410


async def test_no_elements(service):
    values = await make_values(service, [0, 3], "<i4", maxdims=[0, 3])
    assert await values.value() == []
    reply = await values.get(headers=BINARY)
    assert (reply.status, reply.body) == (200, b"")
    reply = await values.put(np.zeros(0, "<i4"))
    assert reply.status == 400


async def test_type(grid, service):
    reply = await service.get(f"{grid.path}/type", domain=DOMAIN)
    assert reply.json["type"]["class"] == "H5T_INTEGER"
    assert [href["rel"] for href in reply.json["hrefs"]] == ["self", "owner", "root"]
