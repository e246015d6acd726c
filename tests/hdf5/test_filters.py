"""Filter pipelines: what requests may ask for, round trips, and chunks that others wrote."""

import base64
import struct
import zlib
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numcodecs import Blosc, Shuffle

from hsds.errors import InvalidInput
from hsds.hdf5 import bitshuffle, blosc
from hsds.hdf5.filters import MARK_BYTES, ChunkError, Pipeline, canonical_filters, effective_filters
from hsds.hdf5.typeparse import parse_datatype

INT = parse_datatype("H5T_STD_I32LE")
VARIABLE = parse_datatype({"class": "H5T_STRING", "length": "H5T_VARIABLE", "charSet": "H5T_CSET_UTF8"})
COMPRESSORS = ["gzip", "blosclz", "lz4", "lz4hc", "zstd"]
CLASSES = {
    "gzip": "DEFLATE",
    "shuffle": "SHUFFLE",
    "fletcher32": "FLETCHER32",
    "nbit": "NBIT",
    "scaleoffset": "SCALEOFFSET",
    "blosclz": "BLOSC",
    "lz4": "LZ4",
    "lz4hc": "LZ4HC",
    "bitshuffle": "BITSHUFFLE",
    "zstd": "ZSTD",
}


def pipeline(*names: str, itemsize: int = 4) -> Pipeline:
    return Pipeline.parse(
        canonical_filters(list(names)), parse_datatype({"class": "H5T_OPAQUE", "size": itemsize})
    )


@pytest.mark.parametrize(("name", "cls"), CLASSES.items())
def test_every_form_of_a_filter_is_made_canonical(name: str, cls: str) -> None:
    cls = f"H5Z_FILTER_{cls}"
    (canonical,) = canonical_filters([name])
    assert canonical["class"] == cls
    assert canonical["name"] == name
    id_ = canonical["id"]
    user = {"class": "H5Z_FILTER_USER"}
    for form in (
        id_,
        cls,
        {"class": cls},
        {"id": id_},
        {"name": name},
        user | {"id": id_},
        user | {"name": name},
    ):
        assert canonical_filters([form]) == [canonical]


def test_further_keys_are_kept() -> None:
    item = {
        "class": "H5Z_FILTER_SCALEOFFSET",
        "id": 6,
        "name": "scaleoffset",
        "scaleType": "x",
        "scaleOffset": 3,
    }
    assert canonical_filters([item]) == [item]
    assert canonical_filters(["deflate"])[0]["name"] == "gzip"


@pytest.mark.parametrize(
    "filters",
    [
        "gzip",
        {"class": "H5Z_FILTER_DEFLATE"},
        None,
        [None],
        [True],
        [1.5],
        [[1]],
        [{}],
        ["bogus"],
        [777],
        ["snappy"],
        [32003],
        [{"class": "H5Z_FILTER_LZF", "id": 4}],
        [{"class": "H5Z_FILTER_SNAPPY"}],
        [{"class": "H5Z_FILTER_USER", "id": 777}],
        [{"class": "H5Z_FILTER_USER"}],
        [{"class": "bogus", "id": 1}],
        [{"class": ["H5Z_FILTER_DEFLATE"]}],
        [{"class": "H5Z_FILTER_DEFLATE", "id": 2}],
        [{"class": "H5Z_FILTER_DEFLATE", "level": 10}],
        [{"class": "H5Z_FILTER_DEFLATE", "level": -1}],
        [{"class": "H5Z_FILTER_DEFLATE", "level": "5"}],
        [{"class": "H5Z_FILTER_ZSTD", "level": True}],
    ],
)
def test_filters_that_cannot_be(filters: object) -> None:
    with pytest.raises(InvalidInput):
        canonical_filters(filters)


def test_unsupported_filters_are_named_by_id() -> None:
    with pytest.raises(InvalidInput, match="Unsupported filter id: 32003"):
        canonical_filters([{"class": "H5Z_FILTER_USER", "id": 32003}])


def test_filters_that_hsds_misreads_are_kept_from_it() -> None:
    def effective(*names: str, variable: bool = False) -> list[str]:
        return [item["name"] for item in effective_filters(canonical_filters(list(names)), variable=variable)]

    assert effective("shuffle", "gzip") == ["shuffle", "gzip"]
    assert effective("shuffle", "fletcher32") == ["fletcher32"]
    assert effective("bitshuffle", "lz4") == ["lz4"]
    assert effective("bitshuffle") == []
    assert effective("scaleoffset", "gzip") == ["gzip"]
    assert effective("scaleoffset") == ["scaleoffset"]
    assert effective("shuffle", "lzf", "fletcher32") == ["fletcher32"]
    assert effective("szip", "gzip") == ["gzip"]
    assert effective("shuffle", "gzip", variable=True) == ["gzip"]


@given(
    data=st.binary(min_size=1, max_size=600),
    itemsize=st.integers(1, 300),
    compressor=st.sampled_from([None, *COMPRESSORS]),
    others=st.sets(
        st.sampled_from(["shuffle", "bitshuffle", "fletcher32", "nbit", "scaleoffset", "szip", "lzf"])
    ),
    level=st.integers(0, 9),
)
def test_pipelines_round_trip(
    data: bytes, itemsize: int, compressor: str | None, others: set[str], level: int
) -> None:
    data *= itemsize
    filters: list[Any] = [*others]
    if compressor is not None:
        filters.append({"name": compressor, "level": level})
    coded = Pipeline.parse(
        canonical_filters(filters), parse_datatype({"class": "H5T_OPAQUE", "size": itemsize})
    )
    stored = bytes(coded.encode(data))
    assert bytes(coded.decode(stored, len(data))) == data
    variable = Pipeline.parse(canonical_filters(filters), VARIABLE)
    assert variable.shuffle == "none"
    assert bytes(variable.decode(bytes(variable.encode(data)))) == data


def test_a_zlib_stream_as_long_as_its_chunk_is_not_taken_for_one_that_is_not_compressed() -> None:
    data = b"\0\1" * 6
    coded = replace(pipeline("scaleoffset", "gzip", itemsize=6), level=1)
    assert len(zlib.compress(data, 1)) == len(data)
    assert bytes(coded.decode(bytes(coded.encode(data)), len(data))) == data


@given(st.binary(max_size=200), st.sampled_from(COMPRESSORS), st.booleans())
@settings(max_examples=200)
def test_damaged_chunks_are_reported(data: bytes, compressor: str, shuffled: bool) -> None:
    coded = pipeline(compressor, *(["shuffle"] if shuffled else []))
    with pytest.raises(ChunkError):
        coded.decode(data, 4000)


@pytest.mark.parametrize("compressor", COMPRESSORS)
def test_truncated_chunks_are_reported(compressor: str) -> None:
    coded = pipeline("shuffle", compressor)
    stored = bytes(coded.encode(np.arange(1000, dtype="<i4").tobytes()))
    for damaged in (stored[:-1], stored[: len(stored) // 2], stored[1:], stored + b"\0"):
        if compressor == "gzip" and damaged == stored + b"\0":
            continue  # what follows a zlib stream is not part of it
        with pytest.raises(ChunkError):
            coded.decode(damaged, 4000)


def test_gzip_is_written_as_hdf5_does() -> None:
    """A zlib stream of the shuffled bytes: readable without any knowledge of HSDS."""
    raw = np.arange(1000, dtype="<i4").tobytes()
    assert zlib.decompress(pipeline("gzip").encode(raw)) == raw
    assert zlib.decompress(pipeline("gzip", "shuffle").encode(raw)) == bytes(Shuffle(4).encode(raw))


def test_gzip_is_what_h5py_writes_and_reads(tmp_path: Any) -> None:
    h5py = pytest.importorskip("h5py")
    array = np.arange(120, dtype="<i4").reshape(10, 12)
    coded = pipeline("gzip", "shuffle")
    with h5py.File(tmp_path / "x.h5", "w") as file:
        dataset = file.create_dataset("x", data=array, chunks=(10, 12), compression="gzip", shuffle=True)
        _, stored = dataset.id.read_direct_chunk((0, 0))
        assert bytes(coded.decode(stored, array.nbytes)) == array.tobytes()
        dataset.id.write_direct_chunk((0, 0), bytes(coded.encode((array + 1).tobytes())))
        assert np.array_equal(dataset[:], array + 1)


@pytest.mark.parametrize("shuffle", ["none", "shuffle", "bitshuffle"])
@pytest.mark.parametrize("compressor", COMPRESSORS)
@pytest.mark.parametrize("level", [0, 1, 9])
def test_a_mark_behind_a_chunk_changes_nothing_but_its_bytes(
    compressor: str, shuffle: str, level: int
) -> None:
    names = [compressor] if shuffle == "none" else [compressor, shuffle]
    coded = replace(pipeline(*names), level=level)
    random = np.random.default_rng(1).bytes(4000)
    for raw in (np.arange(1000, dtype="<i4").tobytes(), random, bytes(4000), bytes(8)):
        plain, one, two = (bytes(coded.encode(raw, mark)) for mark in (b"", b"\1" * MARK_BYTES, b"\2" * 8))
        assert one != two
        assert one.startswith(plain)
        assert len(one) - len(plain) in (MARK_BYTES, MARK_BYTES + 1)
        for stored in (plain, one, two):
            assert bytes(coded.decode(stored, len(raw))) == raw
            assert bytes(coded.decode(stored)) == raw
        if one[0] == 2:  # a Blosc frame, as others see it
            assert Blosc().decode(one) == raw


def test_a_marked_chunk_is_never_as_long_as_a_raw_one() -> None:
    coded = pipeline("gzip", "scaleoffset", itemsize=1)
    lengths = set()
    for zeros in range(40):
        raw = np.random.default_rng(2).bytes(40) + bytes(zeros)
        stored = bytes(coded.encode(raw, b"\xff" * MARK_BYTES))
        assert len(stored) != len(raw)
        assert bytes(coded.decode(stored, len(raw))) == raw
        lengths.add(len(stored) - len(zlib.compress(raw, coded.level)))
    assert lengths == {MARK_BYTES, MARK_BYTES + 1}


def test_chunks_that_are_not_compressed_have_no_room_for_a_mark() -> None:
    assert pipeline("shuffle").encode(b"raw!", b"\1" * MARK_BYTES) == b"raw!"


@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize("level", [0, 1, 9])
def test_h5py_reads_chunks_with_a_mark(tmp_path: Any, shuffle: bool, level: int) -> None:
    """The deflate filter of HDF5 stops at the end of the zlib stream."""
    h5py = pytest.importorskip("h5py")
    coded = replace(pipeline("gzip", *(["shuffle"] if shuffle else [])), level=level)
    data = np.arange(120, dtype="<i4"), np.random.default_rng(3).integers(0, 1 << 31, 120, "<i4")
    path = tmp_path / "x.h5"
    with h5py.File(path, "w") as file:
        for name, array in zip("ab", data, strict=True):
            more = {"compression": "gzip", "compression_opts": level, "shuffle": shuffle}
            dataset = file.create_dataset(name, (120,), "<i4", chunks=(120,), **more)
            dataset.id.write_direct_chunk((0,), bytes(coded.encode(array.tobytes(), b"\x5a" * MARK_BYTES)))
    with h5py.File(path) as file:
        for name, array in zip("ab", data, strict=True):
            assert np.array_equal(file[name][:], array)
            assert file[name].id.read_direct_chunk((0,))[1].endswith(b"\x5a" * MARK_BYTES)


@pytest.mark.parametrize(
    ("compressor", "shuffle", "flags"),
    [
        ("lz4", "shuffle", 1 | 1 << 5),
        ("lz4", "bitshuffle", 4 | 1 << 5),
        ("lz4hc", "shuffle", 1 | 1 << 5),
        ("zstd", "shuffle", 1 | 4 << 5),
        ("blosclz", "shuffle", 1),
        ("gzip", "bitshuffle", 4 | 3 << 5),
    ],
)
def test_other_compressors_are_blosc_frames(compressor: str, shuffle: str, flags: int) -> None:
    raw = np.arange(100_000, dtype="<i4").tobytes()
    frame = bytes(pipeline(compressor, shuffle).encode(raw))
    version, _, found, typesize, nbytes, _, cbytes = struct.unpack_from("<BBBBIII", frame)
    assert (version, typesize, nbytes, cbytes) == (2, 4, len(raw), len(frame))
    assert found & ~0x10 == flags  # 0x10: blocks are not split
    assert Blosc().decode(frame) == raw
    assert len(frame) < len(raw) // 4


def test_large_elements_are_not_shuffled() -> None:
    raw = bytes(range(256)) * 30
    frame = blosc.encode(raw, compressor="zstd", level=5, shuffle="byte", typesize=256)
    assert frame[3] == 1
    assert blosc.decode(frame) == raw


def test_shuffle_alone_is_not_applied() -> None:
    raw = bytes(range(16))
    assert bytes(pipeline("shuffle").encode(raw)) == raw
    assert bytes(pipeline("bitshuffle", "fletcher32").decode(raw, 16)) == raw


# Chunks of np.arange(40, dtype="<i4") * 3 as HSDS 1.0.2 stored them.
HSDS_ZLIB = (
    "AgFhAaAAAACgAAAAbgAAABQAAABWAAAAeF4Nw4EGwlAAAMBHjBgxRsQYY8QYIyLGiBERI0bEiBgj9v/dcSGEsDFya+zOxNS9BzNzC0uP"
    "VtY2njx7sbXzau/Nuw8Hn46+fDv58evs4s/VP/RfCSU="
)
HSDS_ZSTD = (
    "AgGRAaAAAACgAAAAbQAAABQAAABVAAAAKLUv/SCgZQIAAgoSGFDLmwGgVr/F9Vr99u1z/v////////8jUm+c8cUVTxzxww0vnPDBBQ8c"
    "8O/eu3Pfrj079uvWq1OfLj069OfOmzNfrjw58uMDAA=="
)
VALUES = np.arange(40, dtype="<i4") * 3


@pytest.mark.parametrize(
    ("filters", "stored"),
    [
        (["gzip"], HSDS_ZLIB),
        (["shuffle", "gzip"], HSDS_ZLIB),
        (["bitshuffle", "gzip"], HSDS_ZLIB),
        (["shuffle", "zstd"], HSDS_ZSTD),
        (["shuffle"], base64.b64encode(VALUES.tobytes())),
        (["bitshuffle"], base64.b64encode(VALUES.tobytes())),
        (["scaleoffset", "gzip"], base64.b64encode(VALUES.tobytes())),
        (["scaleoffset", "lz4"], base64.b64encode(VALUES.tobytes())),
    ],
)
def test_chunks_of_hsds_are_read(filters: list[str], stored: str) -> None:
    decoded = pipeline(*filters).decode(base64.b64decode(stored), VALUES.nbytes)
    assert np.array_equal(np.frombuffer(decoded, "<i4"), VALUES)


def test_uncompressed_variable_chunks_of_hsds_are_read() -> None:
    coded = Pipeline.parse(canonical_filters(["scaleoffset", "gzip"]), VARIABLE)
    assert coded.decode(b"\x01\0\0\0a\0\0\0\0") == b"\x01\0\0\0a\0\0\0\0"


# Frames of bitshuffle 0.5.2 (compress_lz4) behind the header of the HDF5 filter; itemsize, values, frame.
BITSHUFFLE_FRAMES = [
    (
        VALUES.tobytes(),
        4,
        "AAAAAAAAAKAAAABAAAAAF9+qqmZmtLQ4x8AHAPgAAQAbUAAAAAAAAAAAGv8AqqpmZrS0OMc/+D8AwP8AAQAZUAAAAAAAAAAAEo+qZrQ4wP//"
        "AAEAAFAAAAAAAA==",
    ),
    (
        (np.arange(43) * 3).astype("<i2").tobytes(),
        2,
        "AAAAAAAAAFYAAAAgAAAAFtqqqmZmtLQ4x8AHAPgAAQBQAAAAAAAAAAAZ+ACqqmZmtLQ4xz/4PwDA/wABAFAAAAAAAAAAABLwAapmtDjA//8A"
        "AAAAAAAAAAB4AHsAfgA=",
    ),
    (
        (np.arange(24) * 3).astype("<f8").tobytes(),
        8,
        "AAAAAAAAAMAAAABAAAAAFx8AAQAc8AGAaKA2xPgAAAAAAAAAAP4AAAAAGB8AAQAb8AKoYrbEBwcH+AAAAAAAAAD/AAAAABkfAAEAGvADgGqm"
        "NDg/wAD/AAAAAAAAAP8A",
    ),
    (
        bytes(range(90)),
        3,
        "AAAAAAAAAFoAAAAYAAAAGvAJqma0OMAAAABVzJYY4AAAAKqZ0hzgAAAAAAAAGMCqZrTHB/gAAFXMlucIAICqmdLjA/wAAAAAABrwCapmtDg/"
        "P8AAVcyWGB8f4ACqmdIcHx/gAEhJSktMTU5PUFFSU1RVVldYWQ==",
    ),
]


@pytest.mark.parametrize(("raw", "itemsize", "text"), BITSHUFFLE_FRAMES)
def test_bitshuffle_frames_are_read(raw: bytes, itemsize: int, text: str) -> None:
    frame = base64.b64decode(text)
    assert bytes(bitshuffle.decode(frame, itemsize)) == raw
    assert bytes(pipeline("bitshuffle", itemsize=itemsize).decode(frame, len(raw))) == raw
    wrapped = Blosc("zstd", shuffle=0).encode(frame)
    assert bytes(pipeline("bitshuffle", "zstd", itemsize=itemsize).decode(wrapped, len(raw))) == raw


@pytest.mark.parametrize("cut", [3, 13, 17, 30, -1])
def test_damaged_bitshuffle_frames_are_reported(cut: int) -> None:
    raw, itemsize, text = BITSHUFFLE_FRAMES[0]
    with pytest.raises(ChunkError):
        pipeline("bitshuffle", itemsize=itemsize).decode(base64.b64decode(text)[:cut], len(raw))
