"""HDF5 files with the features that real ones have, made with h5py: name -> what fills one.

They are what hsload and hsget of both clients carry over whole; what one of them cannot, ``test_load`` names.
"""

from __future__ import annotations

from collections.abc import Callable

import h5py
import numpy as np

RNG = np.random.default_rng(11)


def numbers(f: h5py.File) -> None:
    for code in (
        "i1",
        "u1",
        "<i2",
        ">i2",
        "<u4",
        ">u4",
        "<i8",
        ">i8",
        "<u8",
        "<f2",
        "<f4",
        ">f4",
        "<f8",
        ">f8",
    ):
        array = (RNG.random((7, 9)) * 100).astype(code)
        f.create_dataset(f"contiguous/{code}", data=array)
        f.create_dataset(f"chunked/{code}", data=array, chunks=(3, 4))
        f.create_dataset(f"scalar/{code}", data=array[3, 3])
        f.attrs[code] = array[0]
    f.create_dataset("special", data=[np.nan, np.inf, -np.inf, -0.0, 5e-324])
    f.create_dataset("limits", data=np.array([2**63 - 1, -(2**63), 0]))
    f.create_dataset("complex", data=np.array([1 + 2j, -3.5j]))


def texts(f: h5py.File) -> None:
    values = ["", "plain", "ünïcode ✓ 𝄞", "x" * 3000, "line\nline"]
    f.create_dataset("variable", data=values, dtype=h5py.string_dtype())
    f.create_dataset(
        "variable grid", data=np.array(values * 2, object).reshape(2, 5), dtype=h5py.string_dtype()
    )
    f.create_dataset("ascii", data=[b"a", b"", b"ccc"], dtype=h5py.string_dtype("ascii"))
    f.create_dataset("fixed", data=np.array([b"one", b"", b"three"], "S5"))
    f.create_dataset("scalar", data="ünïcode")
    f.create_dataset("bytes", data=np.bytes_(b"fixed scalar"))
    f.create_dataset(
        "compressed", data=values * 40, dtype=h5py.string_dtype(), compression="gzip", chunks=(37,)
    )
    f.attrs["text"] = "ünïcode ✓"
    f.attrs["empty"] = ""
    f.attrs["fixed"] = np.bytes_(b"abc")
    f.attrs["list"] = np.array([b"a", b"bcd"], "S3")


def compounds(f: h5py.File) -> None:
    inner = np.dtype([("x", "<f4"), ("y", ">i2"), ("name", "S6")])
    outer = np.dtype([("id", "<u8"), ("at", inner), ("grid", "<f8", (2, 3)), ("vector", ">i4", (3,))])
    array = np.zeros(11, outer)
    array["id"] = np.arange(11)
    array["at"]["x"], array["at"]["name"] = np.arange(11) / 4, b"name"
    array["grid"], array["vector"] = RNG.random((11, 2, 3)), RNG.integers(-9, 9, (11, 3))
    f.create_dataset("nested", data=array, chunks=(4,), compression="gzip")
    f.create_dataset("simple", data=array["at"])
    f.create_dataset("scalar", data=array[3])
    f.create_dataset("grid", data=array["at"][:10].reshape(2, 5))
    f.attrs.create("compound", array["at"][:3], dtype=inner)


def enums(f: h5py.File) -> None:
    colour = h5py.enum_dtype({"RED": 0, "GREEN": 1, "BLUE": -42}, basetype="<i2")
    f.create_dataset("colour", data=np.array([[0, 1], [-42, 0]], "<i2"), dtype=colour)
    f.create_dataset("unwritten", (4,), dtype=colour)
    f.create_dataset("bool", data=np.array([True, False, True]))
    f.create_dataset("bool scalar", data=np.True_)
    f.attrs["bool"] = np.array([True, False])


def sequences(f: h5py.File) -> None:
    for code in ("<i4", "<f8", "u1"):
        dataset = f.create_dataset(f"vlen {code}", (5,), dtype=h5py.vlen_dtype(np.dtype(code)))
        for n in range(5):
            dataset[n] = np.arange(1 + 50 * n).astype(code)


def gaps(f: h5py.File) -> None:
    dataset = f.create_dataset("vlen", (5,), dtype=h5py.vlen_dtype(np.dtype("<f8")))
    dataset[0] = np.array([1.0, 2.0, 3.0])
    dataset[1] = np.array([])
    dataset[3] = np.arange(200.0)


def opaque(f: h5py.File) -> None:
    f.create_dataset("opaque", data=np.frombuffer(bytes(range(40)), "V8"))


def links(f: h5py.File) -> None:
    f.create_dataset("a/b/c/d", data=np.arange(5))
    f["a/again"] = f["a/b/c/d"]
    f["hard"] = f["a/b"]
    f["a/b/up"] = f["a"]
    f["soft"] = h5py.SoftLink("/a/b/c/d")
    f["a/relative"] = h5py.SoftLink("b/c")
    f["dangling"] = h5py.SoftLink("/no/such/thing")
    f["external"] = h5py.ExternalLink("other.h5", "/there")
    for name in ("with blank", "ünïcode ✓", "br{ac}es", "a&b=c", "semi;colon:comma,", "quote'\""):
        f.create_group("names/" + name).attrs[name] = name


def references(f: h5py.File) -> None:
    f.create_group("g")
    f.create_dataset("d", data=[1, 2])
    f.create_dataset("refs", data=[f["g"].ref, f["d"].ref, f.ref], dtype=h5py.ref_dtype)
    f.attrs.create("ref", f["d"].ref, dtype=h5py.ref_dtype)


def scales(f: h5py.File) -> None:
    f.create_dataset("data", data=RNG.random((4, 5)))
    for axis, (name, size) in enumerate((("x", 4), ("y", 5))):
        f.create_dataset(name, data=np.arange(size, dtype="<f4"))
        f[name].make_scale(name)
        f["data"].dims[axis].attach_scale(f[name])
        f["data"].dims[axis].label = name


def committed(f: h5py.File) -> None:
    f["types/point"] = np.dtype([("x", "<f4"), ("y", "<f4")])
    f["types/number"] = np.dtype(">i4")
    f["types/point"].attrs["unit"] = "m"
    f.create_dataset("points", (3,), dtype=f["types/point"])


def attributes(f: h5py.File) -> None:
    f.create_dataset("d", data=1)
    for item in (f, f.create_group("g"), f["d"]):
        item.attrs["nan"] = np.nan
        item.attrs["matrix"] = np.arange(12, dtype=">f4").reshape(3, 4)
        item.attrs["empty"] = h5py.Empty("<f4")
        item.attrs["big"] = np.arange(5000)
        item.attrs["zero"] = np.zeros((0,), "<i4")
        for name in ("with blank", "ünïcode ✓", "br{ac}es", "a&b=c", "quote'\""):
            item.attrs[name] = name


def filters(f: h5py.File) -> None:
    array = RNG.integers(0, 50, (70, 80)).astype("<i4")
    f.create_dataset("gzip", data=array, compression="gzip", compression_opts=9, chunks=(20, 33))
    f.create_dataset("shuffle", data=array, compression="gzip", shuffle=True, chunks=(70, 1))
    f.create_dataset("fletcher", data=array, fletcher32=True, chunks=(9, 80))
    f.create_dataset("scaleoffset", data=array, scaleoffset=0, chunks=(20, 33))
    f.create_dataset("filled", (30, 30), dtype="<f8", fillvalue=-1.5, chunks=(7, 7))[3:5, 3:5] = 7
    f.create_dataset("growing", data=array, maxshape=(None, 100), chunks=(20, 33))
    f.create_dataset("unlimited", data=array, maxshape=(None, None), chunks=(20, 33))


def lzf_and_szip(f: h5py.File) -> None:
    array = np.arange(900).reshape(30, 30)
    f.create_dataset("lzf", data=array, compression="lzf", chunks=(20, 20))
    f.create_dataset("szip", data=array, compression="szip", chunks=(20, 20))
    f.create_dataset(
        "shuffled", data=array, compression="lzf", shuffle=True, fletcher32=True, chunks=(20, 20)
    )


def empties(f: h5py.File) -> None:
    f.create_dataset("null", data=h5py.Empty("<f4"))
    f.create_dataset("zero", (0,), dtype="<i4")
    f.create_dataset("zero axis", (3, 0, 2), dtype="<f8")
    f.create_dataset("zero growing", (0, 5), dtype="<i2", maxshape=(None, 5), chunks=(10, 5))
    f.create_dataset("unwritten", (5, 5), dtype=">i4")
    f.create_group("empty group")


def large(f: h5py.File) -> None:
    array = np.cumsum(RNG.integers(-3, 4, (1500, 1100)), axis=1).astype("<f4")
    f.create_dataset("chunked", data=array, chunks=(128, 128), compression="gzip", compression_opts=1)
    f.create_dataset("contiguous", data=array)
    sparse = f.create_dataset("sparse", (4000, 3000), dtype="<i2", chunks=(500, 500), fillvalue=3)
    sparse[1234:1300, 2000:2500] = 8


def many(f: h5py.File) -> None:
    for n in range(150):
        group = f.create_group(f"g{n:03}")
        group.attrs["n"] = n
        if n % 10 == 0:
            group.create_dataset("d", data=np.full(3, n))


def ordered(f: h5py.File) -> None:
    group = f.create_group("tracked", track_order=True)
    for name in ("zebra", "apple", "mango"):
        group.create_group(name)
        group.attrs[name] = name


SAMPLES: dict[str, Callable[[h5py.File], None]] = {
    f"{fill.__name__}.h5": fill
    for fill in (
        numbers,
        texts,
        compounds,
        enums,
        sequences,
        gaps,
        opaque,
        links,
        references,
        scales,
        committed,
        attributes,
        filters,
        lzf_and_szip,
        empties,
        large,
        many,
        ordered,
    )
}
