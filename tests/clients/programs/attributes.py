"""Attributes: odd names, odd values, order, replacing, deleting, on every kind of object."""

from __future__ import annotations

from typing import Any

import h5pyd
import numpy as np
from checks import OLD, Box, check, equal, main, raises

ODD = [
    "with blank",
    "ünïcode ✓",
    "br{ac}es",
    "quote'\"",
    "a&b=c",
    "semi;colon:comma,",
    "back\\slash",
    "bar|bar",
]
if not OLD:  # which puts names into URLs as they are
    ODD += ["per%20cent", "hash#mark", "what?", "sl/ash", "/", "."]


def targets(f: Any) -> list[Any]:
    f.create_group("g")
    f.create_dataset("d", data=[1])
    f["t"] = np.dtype("<i4")
    return [f, f["g"], f["d"], f["t"]]


@check
def odd_names(box: Box) -> None:
    with box.open("w") as f:
        for target in targets(f):
            for name in ODD:
                target.attrs[name] = name
    with box.open("r") as f:
        for target in (f, f["g"], f["d"], f["t"]):
            equal(sorted(target.attrs), sorted(ODD))
            for name in ODD:
                equal(target.attrs[name], name)
                assert name in target.attrs


@check
def odd_names_deleted(box: Box) -> None:
    with box.open("w") as f:
        for name in [*ODD, "keep"]:
            f.attrs[name] = 1
        f.flush()
        for name in ODD:
            del f.attrs[name]
    with box.open("r") as f:
        equal(list(f.attrs), ["keep"])


@check
def values_of_every_shape(box: Box) -> None:
    values = {
        "int": np.int64(-5),
        "float": np.float64(0.1),
        "vector": np.arange(7, dtype=">u2"),
        "matrix": np.arange(12, dtype="<f4").reshape(3, 4),
        "one": np.array([3], "i1"),
        "nan": np.array([np.nan, 1.0]),
        "big": np.arange(7000, dtype="<i8"),
        "bytes": np.array([b"a", b"bb"], "S2"),
        "zero": np.zeros((0, 3), "<i4"),
    }
    with box.open("w") as f:
        for name, value in values.items():
            f.attrs[name] = value
    with box.open("r") as f:
        for name, value in values.items():
            equal(np.asarray(f.attrs[name]), np.asarray(value))


@check
def texts(box: Box) -> None:
    values = ["", "plain", "ünïcode ✓ 𝄞", "line\nline", "x" * 20_000, '{"json": [1, "\\"]}', " blanks "]
    with box.open("w") as f:
        for n, value in enumerate(values):
            f.attrs[f"t{n}"] = value
        f.attrs.create("list", np.array(values, object), dtype=h5pyd.special_dtype(vlen=str))
    with box.open("r") as f:
        for n, value in enumerate(values):
            equal(f.attrs[f"t{n}"], value)
        equal([v.decode() if isinstance(v, bytes) else v for v in f.attrs["list"]], values)


@check
def empty(box: Box) -> None:
    with box.open("w") as f:
        f.attrs["e"] = h5pyd.Empty("<f4")
        f.attrs["s"] = h5pyd.Empty("S10")
    with box.open("r") as f:
        assert isinstance(f.attrs["e"], h5pyd.Empty)
        equal(f.attrs["e"].dtype, np.dtype("<f4"))
        equal(f.attrs["s"].dtype, np.dtype("S10"))


@check
def a_file_with_nan_can_be_changed_again(box: Box) -> None:
    with box.open("w") as f:
        f.attrs["nan"] = np.nan
        f.attrs["array"] = np.array([np.nan, np.inf, -np.inf])
        f.attrs["empty"] = h5pyd.Empty("<f8")
    for turn in range(2):
        with box.open("a") as f:
            f.attrs[f"turn{turn}"] = turn
    with box.open("r") as f:
        assert np.isnan(f.attrs["nan"])
        equal(sorted(f.attrs), ["array", "empty", "nan", "turn0", "turn1"])


@check
def order_of_creation(box: Box) -> None:
    names = ["z", "a", "m", "b10", "b9"]
    with box.open("w") as f:
        plain, tracked = f.create_group("plain"), f.create_group("tracked", track_order=True)
        for name in names:
            plain.attrs[name] = tracked.attrs[name] = name
    with box.open("r") as f:
        equal(list(f["plain"].attrs), sorted(names))
        equal(list(f["tracked"].attrs), names)


@check
def replaced_before_the_flush(box: Box) -> None:
    with box.open("w") as f:
        f.attrs["a"] = 1
        f.attrs["a"] = "text"
        f.attrs["a"] = np.array([1, 2, 3])
        f.attrs["m"] = 5
        if not OLD:  # which leaves it as it was
            f.attrs["m"] = 4
            f.attrs.modify("m", 5)
        f.attrs.create("c", 7, dtype="<u1")
    with box.open("r") as f:
        equal(f.attrs["a"].tolist(), [1, 2, 3])
        equal((f.attrs["m"], f.attrs["c"]), (5, 7))
        equal(f.attrs["c"].dtype, np.dtype("u1"))


@check
def replaced_after_the_flush(box: Box) -> None:
    with box.open("w") as f:
        f.attrs["a"] = f.attrs["b"] = 1
        f.flush()
        f.attrs["a"] = "other"
    with box.open("a") as f:
        f.attrs["b"] = "another"
    with box.open("r") as f:
        equal((f.attrs["a"], f.attrs["b"]), ("other", "another"))


@check
def deleting(box: Box) -> None:
    with box.open("w") as f:
        for target in targets(f):
            target.attrs.update({"a": 1, "b": 2})
        f.flush()  # what was opened with the file, the new client never deletes
        for target in (f, f["g"], f["d"], f["t"]):
            del target.attrs["a"]
            raises(KeyError, lambda target=target: target.attrs["a"])
    with box.open("r") as f:
        for target in (f, f["g"], f["d"], f["t"]):
            equal(dict(target.attrs), {"b": 2})
            equal(len(target.attrs), 1)


@check
def missing(box: Box) -> None:
    with box.open("w") as f:
        assert "a" not in f.attrs
        raises(KeyError, lambda: f.attrs["a"])
        equal(f.attrs.get("a", 5), 5)


@check
def a_thousand(box: Box) -> None:
    count = 1000 if not OLD else 100
    with box.open("w") as f:
        g = f.create_group("g")
        for n in range(count):
            g.attrs[f"a{n:04}"] = n
    with box.open("r") as f:
        equal(len(f["g"].attrs), count)
        equal(f["g"].attrs["a0099"], 99)


if __name__ == "__main__":
    main()
