"""Folders: making, listing, patterns, what verbose tells, deleting."""

from __future__ import annotations

import h5pyd
import numpy as np
from checks import Box, check, equal, main, make_folder, raises


def fill(box: Box) -> None:
    for name in ("a.h5", "b.h5", "c.nc"):
        with box.open("w", name) as f:
            f.create_dataset("d", data=np.arange(10))
            f.attrs["kind"] = name[0]
            f.attrs["size"] = ord(name[0])
    make_folder(box.folder + "sub/")


@check
def listing(box: Box) -> None:
    fill(box)
    with h5pyd.Folder(box.folder) as folder:
        equal(list(folder), ["a.h5", "b.h5", "c.nc", "sub"])
        equal(len(folder), 4)
        equal((folder.domain, folder.owner, folder.is_folder), (box.folder, "ann", True))
        assert "b.h5" in folder
        assert "nothing" not in folder


@check
def pages(box: Box) -> None:
    fill(box)
    for size in (1, 2, 3, 4, 5):
        with h5pyd.Folder(box.folder, batch_size=size) as folder:
            equal(list(folder), ["a.h5", "b.h5", "c.nc", "sub"])


@check
def patterns(box: Box) -> None:
    fill(box)
    with h5pyd.Folder(box.folder, pattern="*.h5") as folder:
        equal(list(folder), ["a.h5", "b.h5"])


@check
def queries(box: Box) -> None:
    fill(box)
    with h5pyd.Folder(box.folder, query="kind == 'b'") as folder:
        equal(list(folder), ["b.h5"])
    with h5pyd.Folder(box.folder, query="size > 97") as folder:
        equal(list(folder), ["b.h5", "c.nc"])


@check
def verbose(box: Box) -> None:
    fill(box)
    with h5pyd.Folder(box.folder, verbose=True) as folder:
        item = folder["a.h5"]
        equal((item["class"], item["owner"]), ("domain", "ann"))
        assert item["total_size"] >= 0
        equal(folder["sub"]["class"], "folder")


@check
def deleting(box: Box) -> None:
    fill(box)
    with h5pyd.Folder(box.folder, mode="a") as folder:
        del folder["a.h5"]
        del folder["sub"]
    with h5pyd.Folder(box.folder) as folder:
        equal(list(folder), ["b.h5", "c.nc"])
    parent = box.folder.rstrip("/").rpartition("/")[0] + "/"
    name = box.folder.rstrip("/").rpartition("/")[2]
    with h5pyd.Folder(parent, mode="a") as folder:
        raises(OSError, lambda: folder.__delitem__(name))  # it has children


@check
def missing(box: Box) -> None:
    raises(OSError, lambda: h5pyd.Folder(box.folder + "nothing/"))
    raises(OSError, lambda: h5pyd.Folder(box.folder + "no/parent/", mode="x"))


@check
def the_top(box: Box) -> None:
    with h5pyd.Folder("/") as folder:
        assert "home" in list(folder)
    with h5pyd.Folder("/home/") as folder:
        assert "ann" in list(folder)


@check
def a_file_as_folder(box: Box) -> None:
    fill(box)
    with h5pyd.Folder(box.path("a.h5") + "/") as folder:
        assert not folder.is_folder
        equal(list(folder), [])


if __name__ == "__main__":
    main()
