"""Extents of datasets: growing, shrinking, and selections as reservations."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from tests.servicenode.valuetools import DOMAIN, make_values


async def resize(values, **body):
    return await values.service.put(f"{values.path}/shape", domain=DOMAIN, json=body)


async def test_get(service):
    values = await make_values(service, [3, 4], "<i4", maxdims=[0, 8], chunks=[2, 2])
    reply = await service.get(f"{values.path}/shape", domain=DOMAIN)
    assert reply.json["shape"]["class"] == "H5S_SIMPLE"
    assert reply.json["shape"]["dims"] == [3, 4]
    assert reply.json["shape"]["maxdims"] == ["H5S_UNLIMITED", 8]
    assert reply.json.keys() == {"shape", "created", "lastModified", "hrefs"}


async def test_grow(service):
    values = await make_values(service, [3, 4], "<i4", maxdims=[0, "H5S_UNLIMITED"], chunks=[2, 2])
    await values.write(np.arange(12, dtype="<i4"))
    reply = await resize(values, shape=[5, 4])
    assert (reply.status, reply.json) == (201, {"selection": "[3:5,:]"})
    assert (await resize(values, shape=[5, 6])).json == {"selection": "[:,4:6]"}
    assert (await resize(values, shape=[6, 7])).json == {}
    assert (await resize(values, shape=[6, 7])).json == {}
    expected = np.zeros((6, 7), "<i4")
    expected[:3, :4] = np.arange(12).reshape(3, 4)
    assert np.array_equal(await values.read((6, 7)), expected)


async def test_one_axis(service):
    values = await make_values(service, [10], "<i4", maxdims=[0], chunks=[4])
    assert (await resize(values, shape=11)).json == {"selection": "[10:11]"}
    assert (await resize(values, extend=5)).json == {"selection": "[11:16]"}


@pytest.mark.parametrize(
    ("before", "after"), [((10,), (5,)), ((7, 9), (3, 9)), ((7, 9), (4, 2)), ((5, 4, 6), (2, 4, 3))]
)
async def test_what_a_shrink_cut_off_reads_as_fill_later(service, before, after):
    properties = {"fillValue": -1}
    values = await make_values(
        service,
        before,
        "<i4",
        maxdims=[0] * len(before),
        chunks=[4, 4, 4][: len(before)],
        creationProperties=properties,
    )
    data = np.arange(np.prod(before), dtype="<i4").reshape(before)
    await values.write(data)
    reply = await resize(values, shape=after)
    assert (reply.status, reply.json) == (201, {})
    kept = tuple(map(slice, after))
    assert np.array_equal(await values.read(after), data[kept])
    assert (await resize(values, shape=before)).status == 201
    expected = np.full(before, -1)
    expected[kept] = data[kept]
    assert np.array_equal(await values.read(before), expected)


async def test_shrink_to_nothing(service):
    values = await make_values(service, [10], "<i4", maxdims=[0], chunks=[4])
    await values.write(np.ones(10, "<i4"))
    assert (await resize(values, shape=[0])).status == 201
    assert await values.value() == []
    assert (await resize(values, shape=[3])).status == 201
    assert await values.value() == [0, 0, 0]


async def test_concurrent_extensions_get_selections_of_their_own(service):
    values = await make_values(service, [0], "<i4", maxdims=[0], chunks=[4])
    replies = await asyncio.gather(*(resize(values, extend=3) for _ in range(10)))
    assert sorted(reply.json["selection"] for reply in replies) == sorted(
        f"[{i}:{i + 3}]" for i in range(0, 30, 3)
    )


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 400),
        ({"shape": [5, 5], "extend": 1}, 400),
        ({"shape": [5]}, 400),
        ({"shape": [-1, 4]}, 400),
        ({"shape": ["x", 4]}, 400),
        ({"shape": {"class": "H5S_SIMPLE"}}, 400),
        ({"shape": [5, 9]}, 409),
        ({"shape": [2, 9]}, 409),
        ({"extend": 0}, 400),
        ({"extend": "x"}, 400),
        ({"extend": True}, 400),
        ({"extend": 1, "extend_dim": 2}, 400),
        ({"extend": 1, "extend_dim": "x"}, 400),
        ({"extend": 5, "extend_dim": 1}, 409),
        ([], 400),
    ],
)
async def test_refused(service, body, status):
    values = await make_values(service, [3, 4], "<i4", maxdims=[0, 8], chunks=[2, 2])
    await values.write(np.ones((3, 4), "<i4"))
    reply = await service.put(f"{values.path}/shape", domain=DOMAIN, json=body)
    assert reply.status == status, reply
    assert (await values.read((3, 4))).all()


async def test_what_has_no_maxdims(service):
    for shape in ([4], None, "H5S_NULL"):
        values = await make_values(service, shape, "<i4")
        assert (await resize(values, shape=[5])).status == 400
        assert (await resize(values, extend=1)).status == 400
