"""The chunks of datasets: keys, contents before the first write, coding."""

from typing import Any

import numpy as np
import pytest

from hsds.errors import NotSupported
from hsds.hdf5.dataset import DatasetSpec
from hsds.hdf5.filters import ChunkError

ID = "d-b03b24ef-69f244b6-56e5-25125a-89ba79"
PREFIX = "db/b03b24ef-69f244b6/d/56e5-25125a-89ba79/"
TEXT = {"class": "H5T_STRING", "length": "H5T_VARIABLE", "charSet": "H5T_CSET_UTF8"}


def spec(
    type_: Any = "H5T_STD_I32LE", dims: Any = (40, 30), chunks: Any = (10, 20), **props: Any
) -> DatasetSpec:
    layout = {"class": "H5D_CHUNKED", "dims": list(chunks)} if chunks else {"class": "H5D_CONTIGUOUS"}
    return DatasetSpec.from_json(
        {
            "id": ID,
            "type": type_,
            "shape": {"class": "H5S_SIMPLE", "dims": list(dims)} if dims else {"class": "H5S_SCALAR"},
            "creationProperties": {"layout": layout, **props},
            "attributes": {},
        }
    )


def test_keys() -> None:
    assert spec().key((3, 1)) == PREFIX + "3_1"
    assert spec(dims=None, chunks=None).key((0,)) == PREFIX + "0"
    partitioned = spec(layout={"class": "H5D_CHUNKED", "dims": [10, 20], "partition_count": 7})
    assert partitioned.key((3, 1)) == f"{PREFIX}p{(3 * 29 + 31) % 7}/3_1"


def test_new_chunks_hold_the_fill_value() -> None:
    assert not spec().new_chunk((0, 0)).any()
    chunk = spec(fillValue=7).new_chunk((3, 1))
    assert chunk.shape == (10, 20)
    assert (chunk == 7).all()
    chunk[0, 0] = 1


def test_new_chunks_of_an_initializer() -> None:
    dataset = spec(dims=[40], chunks=[10], initializer=["arange", "--start=10", "--step=2"])
    assert dataset.new_chunk((2,)).tolist() == list(range(50, 70, 2))


@pytest.mark.parametrize("filters", [[], ["gzip", "shuffle"], ["zstd", "bitshuffle"]])
def test_chunks_round_trip(filters: list[str]) -> None:
    dataset = spec(filters=[{"name": name} for name in filters])
    chunk = np.arange(200, dtype="<i4").reshape(10, 20)
    decoded = dataset.decode(bytes(dataset.encode(chunk)))
    assert decoded.shape == (10, 20)
    assert np.array_equal(decoded, chunk)
    assert dataset.chunk_nbytes == 800
    with pytest.raises(ChunkError):
        dataset.decode(bytes(799))


@pytest.mark.parametrize("filters", [[], ["gzip", "shuffle"], ["lz4", "shuffle"]])
def test_variable_chunks_round_trip(filters: list[str]) -> None:
    dataset = spec(TEXT, dims=[5], chunks=[3], filters=[{"name": name} for name in filters])
    chunk = np.array([b"a", 0, "cccé".encode()], object)
    decoded = dataset.decode(bytes(dataset.encode(chunk)))
    assert [bytes(item or b"") for item in decoded] == [b"a", b"", "cccé".encode()]
    assert dataset.chunk_nbytes == 3 * 128


def test_array_types_add_axes() -> None:
    type_ = {"class": "H5T_ARRAY", "dims": [2, 3], "base": {"class": "H5T_INTEGER", "base": "H5T_STD_I16LE"}}
    dataset = spec(type_, dims=[5], chunks=[4], filters=[{"name": "gzip"}, {"name": "shuffle"}])
    chunk = np.arange(24, dtype="<i2").reshape(4, 2, 3)
    assert np.array_equal(dataset.decode(bytes(dataset.encode(chunk))), chunk)
    assert dataset.pipeline.itemsize == 12
    assert dataset.new_chunk((0,)).shape == (4, 2, 3)


def test_all_filters_count_where_hsds_sees_some() -> None:
    dataset = DatasetSpec.from_json(
        {
            "id": ID,
            "type": "H5T_STD_I32LE",
            "shape": {"class": "H5S_SIMPLE", "dims": [4]},
            "creationProperties": {"filters": [{"class": "H5Z_FILTER_LZ4"}]},
            "filters": [{"class": "H5Z_FILTER_BITSHUFFLE"}, {"class": "H5Z_FILTER_LZ4"}],
        }
    )
    assert dataset.pipeline.shuffle == "bit"


def test_wire_form() -> None:
    dataset = spec(fillValue=7, filters=[{"name": "gzip"}])
    again = DatasetSpec.from_json(dataset.to_json())
    assert again.to_json() == dataset.to_json()
    assert again.pipeline == dataset.pipeline
    assert "attributes" not in dataset.to_json()


def test_values_in_other_files_are_not_supported() -> None:
    layout = {"class": "H5D_CHUNKED_REF", "dims": [10], "file_uri": "b/k", "chunks": {}}
    dataset = spec(dims=[40], layout=layout)
    assert dataset.chunk_shape == (10,)
    for access in (lambda: dataset.key((0,)), lambda: dataset.new_chunk((0,)), lambda: dataset.decode(b"")):
        with pytest.raises(NotSupported, match="H5D_CHUNKED_REF"):
            access()
