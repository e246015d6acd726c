"""Creation times that clients give to what comes with a new object, by the settings of HSDS."""

import time

import pytest
from objectfile import I32, SCALAR, make_file

from hsds.config import Settings


@pytest.fixture
def settings():
    return Settings(predate_max_time=50.0, max_timestamp_drift=200.0)


def soft(created):
    return {"class": "H5L_TYPE_SOFT", "h5path": "/x", "created": created}


def attribute(created):
    return {"type": I32, "shape": SCALAR, "value": 1, "created": created}


@pytest.mark.parametrize(
    ("age", "attribute_kept", "link_kept"),
    [(40, True, True), (100, False, True), (250, False, False), (-150, True, True), (-250, False, False)],
)
async def test_initial_attributes_and_links(service, age, attribute_kept, link_kept):
    file = await make_file(service)
    created = time.time() - age
    body = {"attributes": {"a": attribute(created)}, "links": {"l": soft(created)}}
    group = await file.make("groups", **body)
    dataset = await file.make("datasets", attributes=body["attributes"])
    datatype = await file.make("datatypes", attributes=body["attributes"])
    shown = (await file.get(f"/groups/{group}", include_links=1, include_attrs=1)).json
    assert (shown["links"]["l"]["created"] == created) == link_kept
    for path in (f"/groups/{group}", f"/datasets/{dataset}", f"/datatypes/{datatype}"):
        shown = (await file.get(path, include_attrs=1)).json
        assert (shown["attributes"]["a"]["created"] == created) == attribute_kept
        assert abs(shown["attributes"]["a"]["created"] - time.time()) < 300


async def test_attributes_and_links_of_the_root_group(service):
    created = time.time() - 40
    file = await make_file(
        service, group={"attributes": {"a": attribute(created)}, "links": {"l": soft(created)}}
    )
    shown = (await file.get(f"/groups/{file.root}", include_links=1, include_attrs=1)).json
    assert shown["attributes"]["a"]["created"] == shown["links"]["l"]["created"] == created
