"""What a user does with h5pyd: load an HDF5 file into a domain, walk through it, read all of it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any

import h5py
import h5pyd
import numpy as np
from h5pyd._apps import hsload

from benchmarks.programs.speaking import Fresh, speak

Checked = tuple[Callable[[], Any], Callable[[Any], None]]


def load(endpoint: str, user: str, password: str, domains: list[str], file: str) -> Fresh:
    """Each time into the next of the domains."""
    waiting = iter(domains)

    def fresh() -> Checked:
        domain = next(waiting)

        def action() -> None:
            words = ["-e", endpoint, "-u", user, "-p", password, file, domain]
            sys.argv = ["hsload", *words]
            try:
                hsload.main()
            except SystemExit as end:
                if end.code:
                    raise

        def check(_: object) -> None:
            assert walked(opened(endpoint, user, password, domain)) == walked(h5py.File(file))

        return action, check

    return fresh


def opened(endpoint: str, user: str, password: str, domain: str) -> h5pyd.File:
    return h5pyd.File(domain, "r", endpoint=endpoint, username=user, password=password, use_cache=False)


def walk(endpoint: str, user: str, password: str, domain: str, file: str) -> Fresh:
    """Open it, visit everything, look at all shapes and attributes."""
    expect = walked(h5py.File(file))

    def check(found: list[Any]) -> None:
        assert found == expect, (found, expect)

    return lambda: (lambda: walked(opened(endpoint, user, password, domain)), check)


def walked(file: Any) -> list[Any]:
    """Path, shape and number of attributes of everything; the attributes are read."""
    found: list[Any] = []

    def visit(path: str, item: Any) -> None:
        values = [item.attrs[name] for name in item.attrs]
        found.append((path, getattr(item, "shape", None), len(values)))

    file.visititems(visit)
    return sorted(found, key=lambda entry: entry[0])


def read(endpoint: str, user: str, password: str, domain: str, file: str) -> Fresh:
    """Open it, and read every dataset whole."""
    with h5py.File(file) as local:
        paths = [path for path, shape, _ in walked(local) if shape is not None]
        expect = {path: local[path][()] for path in paths}

    def action() -> dict[str, Any]:
        there = opened(endpoint, user, password, domain)
        return {path: there[path][()] for path in paths}

    def check(found: dict[str, Any]) -> None:
        for path, values in expect.items():
            assert same(found[path], values), path

    return lambda: (action, check)


def same(found: Any, expect: Any) -> bool:
    found, expect = np.asarray(found), np.asarray(expect)
    if expect.dtype.kind == "O":
        return found.astype(str).tolist() == expect.astype(str).tolist()
    if expect.dtype.names:
        return all(same(found[name], expect[name]) for name in expect.dtype.names)
    return bool(np.array_equal(found, expect, equal_nan=expect.dtype.kind in "fc"))


if __name__ == "__main__":
    os.environ.setdefault("HOME", os.environ["BENCH_FOLDER"])
    speak({"load": load, "walk": walk, "read": read})
