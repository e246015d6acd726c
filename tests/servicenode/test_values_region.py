"""Values by region reference."""

from __future__ import annotations

import numpy as np
import pytest

from hsds.hdf5 import regionref
from tests.servicenode.valuetools import BINARY, DOMAIN, make_values

REGION = {"class": "H5T_REFERENCE", "base": "H5T_STD_REF_DSETREG"}
DATA = np.arange(20 * 30, dtype="<i4").reshape(20, 30)


@pytest.fixture
async def grid(service):
    values = await make_values(service, [20, 30], "<i4", chunks=[7, 8])
    await values.write(DATA)
    return values


def block(values, first, last):
    return {"id": values.id[2:], "select_type": "H5S_SEL_HYPERSLABS", "selection": [[first, last]]}


async def set_attribute(values, name, value, **more):
    body = {"type": REGION, "value": value, **more}
    reply = await values.service.put(f"{values.path}/attributes/{name}", domain=DOMAIN, json=body)
    assert reply.status == 201, reply
    return f"{values.path}/attributes/{name}"


async def test_reference_in_an_attribute(grid):
    path = await set_attribute(grid, "ref", block(grid, [0, 1], [2, 4]))
    reply = await grid.get(regionref=path, headers=BINARY)
    assert np.array_equal(grid.array(reply, (3, 4)), DATA[0:3, 1:5])
    assert await grid.value(regionref=path) == DATA[0:3, 1:5].tolist()
    await grid.write(np.zeros((3, 4), "<i4"), regionref=path)
    expected = DATA.copy()
    expected[0:3, 1:5] = 0
    assert np.array_equal(await grid.read((20, 30)), expected)


async def test_one_of_several(grid):
    references = [block(grid, [0, 0], [0, 1]), None, block(grid, [5, 5], [6, 6])]
    path = await set_attribute(grid, "refs", references, shape=[3])
    assert await grid.value(regionref=path, select="[2]") == DATA[5:7, 5:7].tolist()
    assert (await grid.get(regionref=path, select="[1]")).status == 204
    assert (await grid.put(np.zeros(1, "<i4"), regionref=path, select="[1]")).status == 400
    assert (await grid.get(regionref=path)).status == 400
    assert (await grid.get(regionref=path, select="[3]")).status == 400


async def test_points_and_the_whole(grid):
    points = {"id": grid.id[2:], "select_type": "H5S_SEL_POINTS", "selection": [[1, 2], [19, 29], [0, 0]]}
    path = await set_attribute(grid, "points", points)
    assert await grid.value(regionref=path) == [DATA[1, 2], DATA[19, 29], DATA[0, 0]]
    path = await set_attribute(grid, "whole", {"id": grid.id[2:]})
    assert np.array_equal(np.array(await grid.value(regionref=path)), DATA)


async def test_reference_in_a_dataset(service, grid):
    values = await make_values(service, [2], object, type_json=REGION)
    region = regionref.Region("hyperslab", (20, 30), (slice(1, 13, 4), slice(0, 2, 1)))
    payload = regionref.encode(regionref.RegionValue(grid.id, region))
    await values.write(len(payload).to_bytes(4, "little") + payload, select="[1:2]")
    reply = await grid.get(regionref=values.path, select="[1]", headers=BINARY)
    assert np.array_equal(grid.array(reply, (3, 2)), DATA[1:13:4, 0:2])
    assert (await grid.get(regionref=values.path, select="[0]")).status == 204


async def test_refused(service, grid):
    path = await set_attribute(grid, "ref", block(grid, [0, 1], [2, 4]))
    outside = await set_attribute(grid, "outside", block(grid, [0, 0], [20, 4]))
    other_rank = await set_attribute(grid, "rank", block(grid, [0], [1]))
    number = await service.put(
        f"{grid.path}/attributes/number", domain=DOMAIN, json={"type": "H5T_STD_I32LE", "value": 1}
    )
    assert number.status == 201
    for bad, status in (
        (outside, 400),
        (other_rank, 400),
        (f"{grid.path}/attributes/number", 400),
        (f"{grid.path}/attributes/nosuch", 404),
        (grid.path, 400),
        (grid.path + "/value", 400),
        ("nonsense", 400),
        ("/groups/g-1/attributes/x", 400),
    ):
        assert (await grid.get(regionref=bad)).status == status, bad
        assert (await grid.put(np.zeros(1, "<i4"), regionref=bad)).status == status, bad
    for option in ({"query": "_ > 3"}, {"append": 3}):
        assert (await grid.get(regionref=path, **option)).status == 400
