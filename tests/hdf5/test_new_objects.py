"""Create requests to stored JSON to what GET presents, on the items of the contract (1.x, A5)."""

from typing import Any

import pytest

from hsds.errors import InvalidInput
from hsds.hdf5.create import new_dataset, new_datatype, new_group, present_dataset
from hsds.hdf5.dataset import DatasetSpec
from hsds.hdf5.layout import LayoutLimits

ROOT = "g-b03b24ef-69f244b6-38b3-ac67e1-7acc3e"
ID = "d-b03b24ef-69f244b6-56e5-25125a-89ba79"
INT = {"class": "H5T_INTEGER", "base": "H5T_STD_I32LE"}
HEAD = {"id": ID, "root": ROOT, "created": 5.0, "lastModified": 5.0}


def create(body: dict[str, Any], **more: Any) -> dict[str, Any]:
    return new_dataset(body, ROOT, ID, 5.0, limits=LayoutLimits(), **more)


def filters(*names: str) -> list[dict[str, Any]]:
    return [{"class": f"H5Z_FILTER_{name}"} for name in names]


def test_a_chunked_dataset_of_h5pyd() -> None:
    items = [
        {"class": "H5Z_FILTER_SHUFFLE", "id": 2, "name": "shuffle"},
        {"class": "H5Z_FILTER_DEFLATE", "id": 1, "name": "gzip", "level": 5},
    ]
    layout = {"class": "H5D_CHUNKED", "dims": [50, 50]}
    props = {"layout": layout, "filters": items}
    body = {"id": ID, "type": INT, "shape": [100, 200], "maxdims": ["H5S_UNLIMITED", 400], "created": 1}
    stored = create(body | {"creationProperties": props})
    assert stored == HEAD | {
        "type": INT,
        "shape": {"class": "H5S_SIMPLE", "dims": [100, 200], "maxdims": [0, 400]},
        "attributes": {},
        "creationProperties": props,
        "layout": layout,
    }
    presented = present_dataset(stored)
    assert presented == HEAD | {
        "type": INT,
        "shape": {"class": "H5S_SIMPLE", "dims": [100, 200], "maxdims": ["H5S_UNLIMITED", 400]},
        "creationProperties": props,
        "layout": layout,
    }


def test_one_chunk_is_chunked_for_hsds_09() -> None:
    stored = create({"type": "H5T_STD_I32LE", "shape": [10, 3]})
    assert stored["creationProperties"] == {"layout": {"class": "H5D_CONTIGUOUS"}}
    assert stored["layout"] == {"class": "H5D_CHUNKED", "dims": [10, 3]}
    assert stored["type"] == INT
    assert present_dataset(stored)["creationProperties"] == {"layout": {"class": "H5D_CONTIGUOUS"}}
    scalar = create({"type": INT, "creationProperties": {"layout": {"class": "H5D_COMPACT"}}})
    assert scalar["shape"] == {"class": "H5S_SCALAR"}
    assert scalar["layout"] == {"class": "H5D_CHUNKED", "dims": [1]}
    assert present_dataset(scalar)["layout"] == {"class": "H5D_COMPACT"}


def test_null_spaces() -> None:
    stored = create({"type": INT, "shape": "H5S_NULL", "creationProperties": {"x": 1}})
    assert "layout" not in stored
    assert stored["creationProperties"] == {"x": 1}
    assert "layout" not in present_dataset(stored)
    empty = {"id": ID, "type": INT, "creationProperties": {}}
    assert create(empty)["shape"] == {"class": "H5S_SCALAR"}
    assert create(empty, infer_null_space=True)["shape"] == {"class": "H5S_NULL"}
    scalar = empty | {"creationProperties": {"layout": {"class": "H5D_CONTIGUOUS"}}}
    assert create(scalar, infer_null_space=True)["shape"] == {"class": "H5S_SCALAR"}
    assert create({"type": INT}, infer_null_space=True)["shape"] == {"class": "H5S_SCALAR"}


@pytest.mark.parametrize(
    "names",
    [("SHUFFLE",), ("BITSHUFFLE", "LZ4"), ("SCALEOFFSET", "DEFLATE"), ("SHUFFLE", "LZF"), ("SZIP",)],
)
def test_filters_come_back_whatever_hsds_may_see(names: tuple[str, ...]) -> None:
    stored = create({"type": INT, "shape": [10], "creationProperties": {"filters": filters(*names)}})
    assert stored["creationProperties"]["filters"] != stored["filters"]
    presented = present_dataset(stored)["creationProperties"]
    assert [item["class"] for item in presented["filters"]] == [f"H5Z_FILTER_{name}" for name in names]
    assert presented["layout"] == {"class": "H5D_CHUNKED", "dims": [10]}


def test_unknown_properties_are_kept() -> None:
    props = {f"p{i}": i for i in range(500)} | {"fillTime": "H5D_FILL_TIME_ALLOC"}
    stored = create({"type": INT, "shape": [10], "creationProperties": props})
    assert stored["creationProperties"].items() >= props.items()
    assert "layout" not in props


def test_stored_by_hsds_09() -> None:
    old = HEAD | {
        "type": INT,
        "shape": {"class": "H5S_SIMPLE", "dims": [10], "maxdims": [0]},
        "layout": {"class": "H5D_CHUNKED", "dims": [262144], "partition_count": 2},
        "creationProperties": {"layout": {"class": "H5D_CHUNKED", "dims": [4]}},
    }
    presented = present_dataset(old)
    assert presented["layout"] == presented["creationProperties"]["layout"] == old["layout"]
    del old["creationProperties"]
    assert present_dataset(old)["creationProperties"]["layout"] == old["layout"]


def test_references_are_stored_for_both_versions() -> None:
    layout = {"class": "H5D_CONTIGUOUS_REF", "file_uri": "b/k", "offset": 0, "size": 4 * 10**7}
    stored = create({"type": INT, "shape": [100, 100_000], "creationProperties": {"layout": layout}})
    assert stored["creationProperties"]["layout"] == layout
    assert stored["layout"] == {"class": "H5D_CHUNKED", "dims": [7, 100_000]}
    assert DatasetSpec.from_json(stored).layout_class == "H5D_CONTIGUOUS_REF"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"type": None},
        {"type": "H5T_BOGUS"},
        {"type": INT, "links": {}},
        {"type": INT, "attributes": []},
        {"type": INT, "creationProperties": []},
        {"type": INT, "creationProperties": {"filters": "gzip"}, "shape": [3]},
        {"type": INT, "creationProperties": {"fillValue": "x"}, "shape": [3]},
        {"type": INT, "creationProperties": {"layout": []}, "shape": [3]},
        {"type": INT, "creationProperties": {"initializer": ["bogus"]}, "shape": [3]},
        {"type": INT, "shape": "H5S_NULL", "value": 3},
        {"type": INT, "shape": "H5S_NULL", "creationProperties": {"filters": filters("DEFLATE")}},
        {
            "type": INT,
            "shape": [3],
            "creationProperties": {"filters": filters("DEFLATE"), "layout": {"class": "H5D_CONTIGUOUS"}},
        },
    ],
)
def test_datasets_that_cannot_be(body: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        create(body)


def test_groups() -> None:
    assert new_group({}, ROOT, ID, 5.0) == HEAD | {"attributes": {}, "links": {}}
    body = {
        "creationProperties": {"CreateOrder": 1},
        "links": {"x": {"id": ID}},
        "attributes": {"a": {"type": INT, "value": 3}},
    }
    group = new_group(body, ROOT, ID, 5.0)
    assert group["creationProperties"] == {"CreateOrder": 1}
    assert group["links"]["x"] == {"class": "H5L_TYPE_HARD", "id": ID, "created": 5.0}
    assert group["attributes"]["a"]["value"] == 3
    for wrong in ({"type": INT}, {"links": []}, {"links": {"x": {}}}, {"attributes": "a"}):
        with pytest.raises(InvalidInput):
            new_group(wrong, ROOT, ID, 5.0)


def test_datatypes() -> None:
    stored = new_datatype({"type": "H5T_STD_I32LE", "shape": [3]}, ROOT, ID, 5.0)
    assert stored == HEAD | {"attributes": {}, "type": INT}
    for wrong in ({}, {"type": INT, "links": {}}):
        with pytest.raises(InvalidInput):
            new_datatype(wrong, ROOT, ID, 5.0)
