"""Every kind of type, in a dataset and in an attribute, beside what h5py makes of the same call."""

from __future__ import annotations

from typing import Any

import h5py
import h5pyd
import numpy as np
from checks import Box, check, main
from compare import compare

PLAIN = [f"{order}{kind}{size}" for order in "<>" for kind in "iu" for size in (2, 4, 8)]
PLAIN += ["i1", "u1", "<f2", ">f2", "<f4", ">f4", "<f8", ">f8"]


def values(dtype: Any, shape: tuple[int, ...] = (3, 5)) -> np.ndarray:
    """Bytes of any value, so that every bit is looked at; no NaN among them, for comparisons to see them."""
    dtype = np.dtype(dtype)
    count = int(np.prod(shape))
    data = np.random.default_rng(7).bytes(count * dtype.itemsize)
    array = np.frombuffer(data, dtype).reshape(shape).copy()
    if dtype.kind in "fc":
        array[~np.isfinite(array)] = -0.0
    return array


def twice(box: Box, build: Any, **ignored: Any) -> None:
    """Build a file with h5py and with h5pyd by the same calls; both must read the same."""
    with h5py.File("twice.h5", "w", driver="core", backing_store=False) as local:
        build(local, h5py)
        with box.open("w") as remote:
            build(remote, h5pyd)
        with box.open("r") as remote:
            differences = compare(local, remote, **ignored)
    assert not differences, "\n".join(differences)


@check
def integers_and_floats(box: Box) -> None:
    def build(f: Any, lib: Any) -> None:
        for name in PLAIN:
            f.create_dataset(name, data=values(name))
            f[name].attrs["scalar"] = values(name, ())[()]
            f[name].attrs["array"] = values(name, (4,))
            f.create_dataset(f"{name} scalar", data=values(name, ())[()])

    twice(box, build)


@check
def special_floats(box: Box) -> None:
    special = np.array([np.nan, np.inf, -np.inf, -0.0, 5e-324, 1.7976931348623157e308])

    def build(f: Any, lib: Any) -> None:
        f.create_dataset("f8", data=special)
        f.create_dataset("f4", data=special.astype("f4"))
        f.attrs["f8"] = special
        f.attrs["nan"] = np.nan
        f.attrs["inf"] = -np.inf

    with np.errstate(over="ignore", under="ignore"):
        twice(box, build)


@check
def limits_of_integers(box: Box) -> None:
    def build(f: Any, lib: Any) -> None:
        for code in ("i1", "<i2", ">i4", "<i8", "u1", ">u2", "<u4", ">u8"):
            info = np.iinfo(code)
            f.create_dataset(code, data=np.array([info.min, 0, info.max], code))
            f.attrs[code] = np.array([info.min, 0, info.max], code)

    twice(box, build)


@check
def fixed_strings(box: Box) -> None:
    def build(f: Any, lib: Any) -> None:
        f.create_dataset("s", data=np.array([b"one", b"", b"longest", b"nul\0in"], "S7"))
        f.create_dataset("scalar", data=np.bytes_(b"abc"))
        f.attrs["s"] = np.array([b"a", b"bcd"], "S3")
        f.attrs["scalar"] = np.bytes_(b"hello")

    twice(box, build)


@check
def variable_strings(box: Box) -> None:
    texts = ["", "a", "ünïcode ✓ 𝄞", "x" * 5000, "line\nline", "tab\t"]

    def build(f: Any, lib: Any) -> None:
        utf8 = lib.special_dtype(vlen=str)
        ascii_only = lib.special_dtype(vlen=bytes)
        f.create_dataset("utf8", (6,), dtype=utf8)[...] = np.array(texts, object)
        f.create_dataset("grid", (2, 3), dtype=utf8)[...] = np.array(texts, object).reshape(2, 3)
        f.create_dataset("ascii", (2,), dtype=ascii_only)[...] = np.array([b"plain", b""], object)
        f.create_dataset("unwritten", (3,), dtype=utf8)
        f.create_dataset("scalar", data="ünïcode")
        f.attrs["text"] = "ünïcode ✓"
        f.attrs["empty"] = ""
        f.attrs.create("list", np.array(["a", "", "ü"], object), dtype=utf8)

    twice(box, build)


@check
def compounds(box: Box) -> None:
    point = np.dtype([("x", "<f4"), ("y", ">i8"), ("name", "S4")])
    nested = np.dtype([("id", "u1"), ("at", point), ("grid", "<i2", (2, 3)), ("flag", "i1")])

    def build(f: Any, lib: Any) -> None:
        for name, dtype in (("point", point), ("nested", nested)):
            data = np.zeros((4,), dtype)
            data["x" if name == "point" else "id"] = [1, 2, 3, 4]
            if name == "nested":
                data["grid"] = np.arange(24).reshape(4, 2, 3)
                data["at"]["name"] = [b"ab", b"", b"abcd", b"x"]
            f.create_dataset(name, data=data)
            f.create_dataset(f"{name} 2d", data=data.reshape(2, 2))
            f.create_dataset(f"{name} scalar", data=data[1])
            f.attrs.create(name, data, dtype=dtype)

    twice(box, build)


@check
def compounds_with_strings(box: Box) -> None:
    def build(f: Any, lib: Any) -> None:
        dtype = np.dtype(
            [("id", "<i4"), ("text", lib.special_dtype(vlen=str)), ("note", lib.special_dtype(vlen=bytes))]
        )
        data = np.zeros((3,), dtype)
        data["id"] = [1, 2, 3]
        data["text"] = ["one", "", "ünï"]
        data["note"] = [b"", b"n" * 300, b"z"]
        f.create_dataset("mixed", (3,), dtype=dtype)[...] = data

    twice(box, build)


@check
def array_types(box: Box) -> None:
    def build(f: Any, lib: Any) -> None:
        dtype = np.dtype([("m", "<f8", (2, 2)), ("v", ">u2", (3,))])
        data = np.zeros((2,), dtype)
        data["m"] = np.arange(8).reshape(2, 2, 2)
        data["v"] = [[1, 2, 3], [4, 5, 6]]
        f.create_dataset("members", data=data)

    twice(box, build)


@check
def enums_and_booleans(box: Box) -> None:
    def build(f: Any, lib: Any) -> None:
        colour = lib.special_dtype(enum=(np.dtype("<i2"), {"RED": 0, "GREEN": 1, "BLUE": -42}))
        f.create_dataset("colour", data=np.array([0, 1, -42, 1], "<i2"), dtype=colour)
        f.create_dataset("unwritten", (3,), dtype=colour)
        f.attrs.create("colour", np.array([1, -42], "<i2"), dtype=colour)
        f.create_dataset("bool", data=np.array([[True, False], [False, True]]))
        f.create_dataset("bool scalar", data=np.True_)
        f.attrs["bool"] = np.array([True, False])

    twice(box, build)


@check
def complex_numbers(box: Box) -> None:
    def build(f: Any, lib: Any) -> None:
        for code in ("<c8", "<c16", ">c8", ">c16"):
            f.create_dataset(code, data=values(code))
        f.attrs["c"] = np.array([1 + 2j, -1j])

    twice(box, build)


@check
def opaque(box: Box) -> None:
    def build(f: Any, lib: Any) -> None:
        data = np.frombuffer(bytes(range(48)), "V12")
        f.create_dataset("opaque", data=data)

    twice(box, build)


@check
def variable_sequences(box: Box) -> None:
    def build(f: Any, lib: Any) -> None:
        for code in ("<i4", "<f8", "u1"):  # h5py mixes up byte orders here
            data = f.create_dataset(code, (4,), dtype=lib.special_dtype(vlen=np.dtype(code)))
            data[0] = np.array([1, 2, 3], code)
            data[2] = np.arange(100).astype(code)
            data[3] = np.array([], code)

    twice(box, build)


@check
def object_references(box: Box) -> None:
    def build(f: Any, lib: Any) -> None:
        f.create_group("g")
        f.create_dataset("d", data=[1, 2])
        dtype = lib.special_dtype(ref=lib.Reference)
        refs = f.create_dataset("refs", (3,), dtype=dtype)
        refs[0] = f["g"].ref
        refs[2] = f["d"].ref
        f.attrs.create("ref", f["d"].ref, dtype=dtype)

    twice(box, build)


@check
def committed_types(box: Box) -> None:
    def build(f: Any, lib: Any) -> None:
        f["point"] = np.dtype([("x", "<f4"), ("y", "<f4")])
        f["number"] = np.dtype(">i4")
        f["point"].attrs["about"] = "a committed type"

    twice(box, build)


@check
def types_in_attributes_of_everything(box: Box) -> None:
    def build(f: Any, lib: Any) -> None:
        f.create_group("g")
        f["t"] = np.dtype("<u2")
        f.create_dataset("d", data=1)
        for name in ("g", "t", "d"):
            f[name].attrs["n"] = np.int16(5)
            f[name].attrs["s"] = "text"

    twice(box, build)


@check
def unwritten_values_read_as_zero(box: Box) -> None:
    def build(f: Any, lib: Any) -> None:
        f.create_dataset("f4", (4, 4), dtype="<f4")
        f.create_dataset("s", (3,), dtype="S5")
        f.create_dataset("compound", (2,), dtype=[("a", "<i4"), ("s", "S3")])
        f.create_dataset("text", (2,), dtype=lib.special_dtype(vlen=str))
        f.create_dataset("ref", (2,), dtype=lib.special_dtype(ref=lib.Reference))
        f.create_dataset("none", (0,), dtype="<i8")

    twice(box, build)


@check
def empty_datasets_and_attributes(box: Box) -> None:
    def build(f: Any, lib: Any) -> None:
        f.create_dataset("empty", data=lib.Empty("<f4"))
        f.attrs["empty"] = lib.Empty("<f8")
        f.attrs["zero"] = np.zeros((0,), "<i4")

    twice(box, build)


if __name__ == "__main__":
    main()
