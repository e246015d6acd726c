"""How datasets are stored, as far as clients see it: chunks, filters, fill values, initialisers, no space."""

from __future__ import annotations

from typing import Any

import h5pyd
import numpy as np
from checks import OLD, Box, check, equal, main, not_offered_by_old

DATA = np.random.default_rng(3).integers(0, 9, (60, 70)).astype("<i4")


def stored(box: Box, name: str, data: Any = DATA, **options: Any) -> None:
    """Write a dataset, and read it from another connection."""
    with box.open("a") as f:
        f.create_dataset(name, data=data, **options)
    with box.open("r") as f:
        equal(f[name][...], data)
        equal(
            f[name][5:50:3, 7:9] if data.ndim == 2 else f[name][5:9],
            data[5:50:3, 7:9] if data.ndim == 2 else data[5:9],
        )


@check
def gzip(box: Box) -> None:
    for level in (0, 1, 9):
        stored(box, f"gzip{level}", compression="gzip", compression_opts=level, chunks=(20, 30))
    stored(box, "plain", compression="gzip")
    with box.open("r") as f:
        equal(f["gzip9"].compression, "gzip")
        equal(f["gzip9"].compression_opts, 9)
        equal(f["gzip9"].chunks, (20, 30))


@check
def shuffle_and_checksums(box: Box) -> None:
    stored(box, "shuffle", shuffle=True, compression="gzip", chunks=(20, 30))
    stored(box, "only shuffle", shuffle=True, chunks=(20, 30))
    stored(box, "fletcher", fletcher32=True, chunks=(20, 30))
    for code in ("i1", ">i2", "<f8", "S3"):
        stored(box, f"type {code}", DATA.astype(code), shuffle=True, compression="gzip", chunks=(13, 17))
    with box.open("r") as f:
        assert f["shuffle"].shuffle
        assert OLD or f["fletcher"].fletcher32  # the old client never sees it
        assert not f["fletcher"].shuffle


@check
def every_compressor_of_the_server(box: Box) -> None:
    with box.open("w") as f:
        names = list(f.compressors)
    assert "gzip" in names
    for name in names:
        try:
            stored(box, name, compression=name, chunks=(20, 30))
        except ValueError as error:  # the new client itself knows few
            if "not supported" not in str(error):
                raise
            continue
        stored(box, f"{name} shuffle", compression=name, shuffle=True, chunks=(20, 30))
        stored(box, f"{name} f8", DATA.astype(">f8"), compression=name, chunks=(33, 7))


@check
def filters_that_are_kept_for_the_record(box: Box) -> None:
    not_offered_by_old("it asks for none but the compressors that the server names")
    stored(box, "lzf", compression="lzf", shuffle=True, chunks=(20, 30))
    stored(box, "szip", compression="szip", compression_opts=("nn", 8), chunks=(20, 30))
    with box.open("r") as f:
        equal((f["lzf"].compression, f["lzf"].shuffle), ("lzf", True))
        equal(f["szip"].compression, "szip")


@check
def chunks(box: Box) -> None:
    for shape in ((1, 70), (60, 1), (7, 11), (60, 70)):
        stored(box, f"{shape}", chunks=shape)
        with box.open("r") as f:
            equal(f[f"{shape}"].chunks, shape)
    stored(box, "auto", chunks=True)
    stored(box, "line", np.arange(10_000, dtype=">u2"), chunks=(999,))


@check
def compressed_text(box: Box) -> None:
    texts = np.array(["", "abc", "ü" * 100] * 50, object)
    with box.open("w") as f:
        d = f.create_dataset(
            "t", (150,), dtype=h5pyd.special_dtype(vlen=str), compression="gzip", chunks=(64,)
        )
        d[...] = texts
    with box.open("r") as f:
        equal([v.decode() if isinstance(v, bytes) else v for v in f["t"][...]], texts.tolist())


@check
def fill_values(box: Box) -> None:
    with box.open("w") as f:
        f.create_dataset("int", (5, 5), dtype="<i4", fillvalue=-7)
        f.create_dataset("float", (5,), dtype=">f8", fillvalue=0.1)
        f.create_dataset("bytes", (3,), dtype="S4", fillvalue=b"none")
        f.create_dataset("partly", (10, 10), dtype="<i2", fillvalue=3, chunks=(4, 4))[2:5, 2:5] = 9
        f.create_dataset("none", (4,), dtype="<i8")
    expected = np.full((10, 10), 3, "<i2")
    expected[2:5, 2:5] = 9
    with box.open("r") as f:
        equal(f["int"][...], np.full((5, 5), -7, "<i4"))
        equal(f["float"][...], np.full((5,), 0.1, ">f8"))
        equal(f["bytes"][...].tolist(), [b"none"] * 3)
        equal(f["partly"][...], expected)
        equal(f["none"][...], np.zeros(4, "<i8"))
        equal((int(f["int"].fillvalue), float(f["float"].fillvalue)), (-7, 0.1))


@check
def fill_value_nan(box: Box) -> None:
    with box.open("w") as f:
        f.create_dataset("nan", (5,), dtype="<f4", fillvalue=np.nan)
    with box.open("r") as f:
        assert np.isnan(f["nan"][...]).all()


@check
def fill_value_of_a_compound(box: Box) -> None:
    not_offered_by_old("it makes no JSON of such a fill value")
    dtype = np.dtype([("a", "<i4"), ("b", "<f8")])
    with box.open("w") as f:
        f.create_dataset("c", (3,), dtype=dtype, fillvalue=np.array((5, 0.5), dtype)[()])
    with box.open("r") as f:
        equal(f["c"][...], np.full((3,), np.array((5, 0.5), dtype)))


@check
def initialisers(box: Box) -> None:
    with box.open("w") as f:
        f.create_dataset(
            "a", (50,), dtype="<i8", initializer="arange", initializer_opts=["--start=10", "--step=2"]
        )
    with box.open("r") as f:
        equal(f["a"][...], np.arange(50) * 2 + 10)
        equal(int(f["a"][7]), 24)


@check
def no_space(box: Box) -> None:
    with box.open("w") as f:
        f.create_dataset("empty", data=h5pyd.Empty("<f4"))
        f.create_dataset("text", data=h5pyd.Empty("S10"))
    with box.open("r") as f:
        for name in ("empty", "text"):
            equal(f[name].shape, None)
            assert isinstance(f[name][()], h5pyd.Empty)
        equal(f["empty"].dtype, np.dtype("<f4"))


@check
def zero_extents(box: Box) -> None:
    with box.open("w") as f:
        f.create_dataset("a", (0,), dtype="<i4")
        f.create_dataset("b", (3, 0, 5), dtype="S4")
    with box.open("r") as f:
        equal((f["a"].shape, f["b"].shape), ((0,), (3, 0, 5)))
        equal(f["a"][...].shape, (0,))


@check
def require_dataset(box: Box) -> None:
    with box.open("w") as f:
        f.require_dataset("d", (3,), "<i4")[...] = [1, 2, 3]
    with box.open("a") as f:
        equal(f.require_dataset("d", (3,), "<i4")[...].tolist(), [1, 2, 3])


@check
def created_like(box: Box) -> None:
    with box.open("w") as f:
        f.create_dataset("d", data=DATA, chunks=(20, 30), compression="gzip", fillvalue=4)
        f.create_dataset_like("e", f["d"])
    with box.open("r") as f:
        equal((f["e"].shape, f["e"].dtype, f["e"].chunks), (f["d"].shape, f["d"].dtype, (20, 30)))


@check
def order_of_attributes_of_datasets(box: Box) -> None:
    names = ["z", "a", "m"]
    with box.open("w") as f:
        d = f.create_dataset("d", data=1, track_order=True)
        for name in names:
            d.attrs[name] = 1
    with box.open("r") as f:
        equal(list(f["d"].attrs), names)


@check
def deleted_datasets_are_gone(box: Box) -> None:
    with box.open("w") as f:
        f.create_dataset("d", data=DATA)
        f.create_dataset("keep", data=DATA)
        f.flush()
        del f["d"]
    with box.open("a") as f:
        equal(list(f), ["keep"])
        f.create_dataset("d", data=DATA + 1)
    with box.open("r") as f:
        equal(f["d"][...], DATA + 1)


@check
def statistics_of_a_file(box: Box) -> None:
    with box.open("w") as f:
        f.create_dataset("d", data=DATA, chunks=(20, 30))
        f.create_group("g")
        f["t"] = np.dtype("<i4")
    with box.open("r") as f:
        equal((f.num_groups, f.num_datasets, f.num_datatypes), (2, 1, 1)) if OLD else None
        assert f.total_size >= 0


if __name__ == "__main__":
    main()
