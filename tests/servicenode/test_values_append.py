"""Appending to datasets."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from tests.servicenode.valuetools import VARIABLE, make_values


async def test_append(service):
    values = await make_values(service, [0], "<i4", maxdims=[0], chunks=[4])
    await values.write(np.arange(5, dtype="<i4"), append=5)
    await values.write(None, json={"value": [5, 6], "append": 2})
    assert await values.value() == list(range(7))


async def test_append_along_another_axis(service):
    values = await make_values(service, [2, 1], "<i4", maxdims=[2, "H5S_UNLIMITED"], chunks=[2, 4])
    await values.write(np.arange(6, dtype="<i4"), append=3, append_dim=1)
    assert await values.value() == [[0, 0, 1, 2], [0, 3, 4, 5]]


async def test_append_variable_length_and_repeated(service):
    values = await make_values(service, [1], object, type_json=VARIABLE, maxdims=[0])
    await values.write(bytes.fromhex("0100000061020000006262"), append=2)
    assert await values.value() == ["", "a", "bb"]
    await values.write(None, json={"value": ["x"], "append": 2, "element_count": 1})
    assert await values.value() == ["", "a", "bb", "x", "x"]


async def test_concurrent_appends_get_rows_of_their_own(service):
    values = await make_values(service, [0], "<i4", maxdims=[0], chunks=[8])
    await asyncio.gather(*(values.write(np.full(3, i, "<i4"), append=3) for i in range(10)))
    rows = (await values.read()).reshape(10, 3)
    assert sorted(rows[:, 0].tolist()) == list(range(10))
    assert (rows == rows[:, :1]).all()


@pytest.mark.parametrize(
    ("options", "status"),
    [
        ({"append": "x"}, 400),
        ({"append": 0}, 400),
        ({"append": -1}, 400),
        ({"append": 2}, 400),
        ({"append": 3, "append_dim": 1}, 400),
        ({"append": 3, "append_dim": "x"}, 400),
        ({"append": 3, "select": "[0:3]"}, 400),
        ({"append": 1 << 62}, 400),
    ],
)
async def test_a_refused_append_does_not_grow(service, options, status):
    values = await make_values(service, [4], "<i4", maxdims=[10], chunks=[4])
    reply = await values.put(np.zeros(3, "<i4"), **options)
    assert (reply.status, await values.value()) == (status, [0] * 4)


async def test_append_beyond_maxdims(service):
    values = await make_values(service, [4], "<i4", maxdims=[6], chunks=[4])
    assert (await values.put(np.zeros(3, "<i4"), append=3)).status == 409
    assert len(await values.value()) == 4


async def test_append_with_wrong_values_does_not_grow(service):
    values = await make_values(service, [4], "<i4", maxdims=[0], chunks=[4])
    for body in ({"append": 2, "value": [1]}, {"append": 1, "value": ["x"]}, {"append": 1}):
        assert (await values.put(json=body)).status == 400
    assert len(await values.value()) == 4


async def test_append_to_what_cannot_grow(service):
    values = await make_values(service, [4], "<i4")
    assert (await values.put(np.zeros(1, "<i4"), append=1)).status == 400
    values = await make_values(service, None, "<i4")
    assert (await values.put(np.zeros(1, "<i4"), append=1)).status == 400
    values = await make_values(service, [0, 0], "<i4", maxdims=[0, 0], chunks=[2, 2])
    assert (await values.put(np.zeros(1, "<i4"), append=1)).status == 400
