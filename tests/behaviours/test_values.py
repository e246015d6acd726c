"""Behaviours 35 to 40 of the contract's list (1.x, section 5): values."""

import base64

import numpy as np

from tests.behaviours.client import (
    BYTES,
    F32,
    F64,
    I32,
    JSON,
    REFERENCE,
    TEXT,
    WANTS_BYTES,
    chunked,
    compound,
)


async def test_35_unwritten_data(file):
    number = await file.dataset(shape=[6], maxdims=[0], creationProperties=chunked(4))
    assert await file.read(number) == bytes(24)
    filled = await file.dataset(shape=[6], creationProperties=chunked(4, fillValue=7))
    assert await file.read(filled) == np.full(6, 7, "<i4").tobytes()
    text = await file.dataset(type=TEXT, shape=[3])
    assert await file.read(text) == bytes(12)
    reference = await file.dataset(type=REFERENCE, shape=[2])
    assert await file.read(reference) == bytes(96)
    empty = await file.dataset(shape=[0], maxdims=["H5S_UNLIMITED"], creationProperties=chunked(10))
    assert (await file.put(f"/datasets/{empty}/shape", json={"shape": [3]})).status == 201
    assert (await file.write(empty, np.arange(3, dtype="<i4"), select="[0:3]")).status == 200
    assert await file.read(empty) == np.arange(3, dtype="<i4").tobytes()


async def test_36_arange_initializer(file):
    props = chunked(40, initializer=["arange", "--start=10", "--step=2"])
    id_ = await file.dataset(shape=[40], creationProperties=props)
    assert await file.read(id_) == np.arange(10, 90, 2, dtype="<i4").tobytes()


async def test_37_another_connection_sees_a_resize_at_once(service, file):
    id_ = await file.dataset(shape=[4], maxdims=[0], creationProperties=chunked(4))
    assert "domain_objs" not in (await file.get("/", getobjs=1)).json
    for extent in (8, 16, 3):
        assert (await file.put(f"/datasets/{id_}/shape", json={"shape": [extent]})).status == 201
        await file.put("/acls/test_user2", json={"read": True})
        other = await file.get(f"/datasets/{id_}", include_attrs=1, include_links=1, user="test_user2")
        assert other.json["shape"]["dims"] == [extent]


async def test_38_points_and_fields(file):
    grid = await file.dataset(type=F32, shape=[10, 10], creationProperties=chunked(4, 4))
    data = np.arange(100, dtype="<f4").reshape(10, 10)
    await file.write(grid, data)
    points = np.array([[1, 1], [3, 2], [5, 3]], "<u8")
    reply = await file.post(f"/datasets/{grid}/value", data=points.tobytes(), headers=BYTES | WANTS_BYTES)
    assert reply.body == data[[1, 3, 5], [1, 2, 3]].tobytes()
    payload = base64.b64encode(np.array([1, 2], "<f4").tobytes()).decode()
    body = {"points": [[2, 3], [4, 5]], "value_base64": payload}
    assert (await file.put(f"/datasets/{grid}/value", json=body, headers=JSON)).status == 200
    data[[2, 4], [3, 5]] = 1, 2
    assert await file.read(grid) == data.tobytes()

    line = await file.dataset(shape=[10])
    payload = base64.b64encode(np.array([11, 55, 99], "<i4").tobytes()).decode()
    body = {"points": [[1], [5], [9]], "value_base64": payload}
    assert (await file.put(f"/datasets/{line}/value", json=body, headers=JSON)).status == 200
    assert np.frombuffer(await file.read(line), "<i4")[[1, 5, 9]].tolist() == [11, 55, 99]

    dtype = np.dtype([("a", "<i4"), ("b", "<f8"), ("s", "S5")])
    table = await file.dataset(
        type=compound(a=I32, b=F64, s={"class": "H5T_STRING", "length": 5, "charSet": "H5T_CSET_ASCII",
                                       "strPad": "H5T_STR_NULLPAD"}), shape=[10],
    )  # fmt: skip
    rows = np.zeros(10, dtype)
    rows["a"] = np.arange(10)
    assert (await file.write(table, np.arange(10, dtype="<i4"), fields="a")).status == 200
    packed = np.array([(1, b"x"), (2, b"yy"), (3, b"zzz")], [("a", "<i4"), ("s", "S5")])
    rows["a"][:3], rows["s"][:3] = packed["a"], packed["s"]
    assert (await file.write(table, packed, fields="a:s", select="[0:3]")).status == 200
    payload = base64.b64encode(np.array([0.5, 1.5], "<f8").tobytes()).decode()
    body = {"points": [[3], [4]], "value_base64": payload}
    assert (await file.put(f"/datasets/{table}/value", json=body, headers=JSON, fields="b")).status == 200
    rows["b"][[3, 4]] = 0.5, 1.5
    assert await file.read(table) == rows.tobytes()


async def test_39_lists_of_coordinates(file):
    id_ = await file.dataset(shape=[6, 8], creationProperties=chunked(4, 3))
    data = np.arange(48, dtype="<i4").reshape(6, 8)
    await file.write(id_, data)
    for select, expected in {
        "[[0,2],[1,3]]": data[[0, 2], [1, 3]],
        "[[1,3,5],0:8]": data[[1, 3, 5]],
        "[2:4,[1,3,5]]": data[2:4][:, [1, 3, 5]],
        "[[5,0,5,2],:]": data[[5, 0, 5, 2]],
        "[0:6,[7,7,1]]": data[:, [7, 7, 1]],
        "[[4,4,1],[0,0,7]]": data[[4, 4, 1], [0, 0, 7]],
    }.items():
        assert await file.read(id_, select=select) == expected.tobytes(), select


async def test_40_binary_query_reply(file):
    id_ = await file.dataset(type=F64, shape=[20, 20], creationProperties=chunked(8, 8))
    data = np.arange(400, dtype="<f8").reshape(20, 20)
    await file.write(id_, data)
    path = f"/datasets/{id_}/value?query=_+%3E+100.0+AND+_+%3C+200.0"
    reply = await file.get(path, headers=WANTS_BYTES)
    assert (reply.status, reply.headers["Content-Type"]) == (200, "application/octet-stream")
    assert np.sort(np.frombuffer(reply.body, "<f8")).tolist() == list(range(101, 200))
