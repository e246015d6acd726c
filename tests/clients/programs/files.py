"""Modes of opening a domain, what a file tells of itself, and what is refused."""

from __future__ import annotations

import time

import h5pyd
from checks import OLD, Box, check, equal, main, raises


@check
def missing_files_are_told_apart_from_broken_ones(box: Box) -> None:
    raises(FileNotFoundError if not OLD else 404, lambda: box.open("r"))
    assert not h5pyd.is_hdf5(box.path())


@check
def mode_w_makes_and_empties(box: Box) -> None:
    for turn in range(3):
        with box.open("w") as f:
            equal(len(f), 0)
            f.create_group(f"g{turn}")
    with box.open("r") as f:
        equal(list(f), ["g2"])


@check
def modes_x_refuse_what_exists(box: Box) -> None:
    with box.open("x") as f:
        f.attrs["a"] = 1
    raises(OSError, lambda: box.open("x"))
    raises(OSError, lambda: box.open("w-"))
    with box.open("r") as f:
        equal(f.attrs["a"], 1)


@check
def mode_a_makes_and_keeps(box: Box) -> None:
    with box.open("a") as f:
        f.create_group("one")
    with box.open("a") as f:
        f.create_group("two")
    with box.open("r+") as f:
        f.create_group("three")
    with box.open("r") as f:
        equal(sorted(f), ["one", "three", "two"])


@check
def mode_r_refuses_changes(box: Box) -> None:
    with box.open("w") as f:
        f.create_dataset("d", data=1)
    with box.open("r") as f:
        raises(Exception, lambda: f.create_group("g"))
        raises(Exception, lambda: f["d"].write_direct(None) if OLD else f.attrs.create("a", 1))
    with box.open("r") as f:
        equal(list(f), ["d"])


@check
def a_file_tells_of_itself(box: Box) -> None:
    before = time.time()
    with box.open("w") as f:
        f.create_group("g")
        equal(f.name, "/")
        equal(f.filename, box.path())
        equal(f.mode, "r+")
        assert abs(f.created - before) < 60
        assert f.modified >= f.created
        equal(f.owner, "ann")
        assert f.limits["max_request_size"] > 0
        assert f.serverver
        assert f.id.id.startswith("g-")
        root = f.id.id
    with box.open("r") as f:
        equal(f.id.id, root)
        equal(f.mode, "r")
    assert h5pyd.is_hdf5(box.path())


@check
def a_folder_is_no_file(box: Box) -> None:
    raises(OSError, lambda: h5pyd.File(box.folder.rstrip("/"), "r"))
    raises(OSError, lambda: h5pyd.File(box.folder, "r"))


@check
def a_deleted_file_can_come_again(box: Box) -> None:
    for _ in range(2):
        with box.open("x") as f:
            f.create_dataset("d", data=range(10))
        with h5pyd.Folder(box.folder, mode="a") as folder:
            del folder["file.h5"]
        assert not h5pyd.is_hdf5(box.path())
        raises(OSError, lambda: box.open("r"))


@check
def flush_shows_to_other_readers(box: Box) -> None:
    with box.open("w") as f:
        f.create_dataset("d", data=[1, 2, 3])
        f.flush()
        with box.open("r") as reader:
            equal(reader["d"][:].tolist(), [1, 2, 3])


@check
def odd_names_of_files(box: Box) -> None:
    for name in ("with blank.h5", "ünïcode.h5", "percent%41.h5", "plus+and&.h5", "no_extension"):
        with box.open("w", name) as f:
            f.attrs["name"] = name
        with box.open("r", name) as f:
            equal(f.attrs["name"], name)
    with h5pyd.Folder(box.folder) as folder:
        equal(len(list(folder)), 5)


if __name__ == "__main__":
    main()
