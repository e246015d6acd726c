"""Who may do what: two users, passwords, ACLs. HS_TEST_OTHER is ``user:password`` of the second one."""

from __future__ import annotations

import os
from typing import Any

import h5pyd
from checks import OLD, Box, check, equal, main, raises

OTHER, PASSWORD = os.environ["HS_TEST_OTHER"].split(":")
READ_ONLY = {
    "create": False,
    "read": True,
    "update": False,
    "delete": False,
    "readACL": False,
    "updateACL": False,
}


def other(box: Box, mode: str) -> Any:
    options = {"use_cache": False} if OLD and mode == "r" else {}
    return h5pyd.File(box.path(), mode, username=OTHER, password=PASSWORD, **options)


def fill(box: Box, **permissions: bool) -> None:
    with box.open("w") as f:
        f.create_dataset("d", data=[1, 2, 3])
        if permissions:
            f.putACL({**READ_ONLY, "read": False, **permissions, "userName": OTHER})


@check
def owners_may_do_all(box: Box) -> None:
    fill(box)
    with box.open("a") as f:
        acl = f.getACL("ann")
        equal({key: acl[key] for key in READ_ONLY}, dict.fromkeys(READ_ONLY, True))
        equal([entry["userName"] for entry in f.getACLs()], ["ann"])


@check
def others_may_do_nothing(box: Box) -> None:
    fill(box)
    for mode in ("r", "r+", "a", "w"):
        raises(403, lambda mode=mode: other(box, mode))
    with box.open("r") as f:
        equal(f["d"][...].tolist(), [1, 2, 3])


@check
def readers_read(box: Box) -> None:
    fill(box, read=True)
    with other(box, "r") as f:
        equal(f["d"][...].tolist(), [1, 2, 3])
    raises(403, lambda: other(box, "w"))

    def change() -> None:
        with other(box, "r+") as f:
            f["d"][0] = 9
            f.flush()

    raises(OSError, change)
    with box.open("r") as f:
        equal(int(f["d"][0]), 1)


@check
def updaters_update(box: Box) -> None:
    fill(box, read=True, update=True)
    with other(box, "a") as f:
        f["d"][0] = 9
    raises(403, lambda: other(box, "w"))
    with box.open("r") as f:
        equal(f["d"][...].tolist(), [9, 2, 3])


@check
def everybody(box: Box) -> None:
    fill(box)
    with box.open("a") as f:
        f.putACL({**READ_ONLY, "userName": "default"})
    with other(box, "r") as f:
        equal(f["d"][...].tolist(), [1, 2, 3])


@check
def wrong_passwords(box: Box) -> None:
    fill(box, read=True)
    for user, password in ((OTHER, "wrong"), ("nobody", PASSWORD), ("ann", PASSWORD)):
        raises(
            401,
            lambda user=user, password=password: h5pyd.File(
                box.path(), "r", username=user, password=password
            ),
        )
    with other(box, "r") as f:
        equal(int(f["d"][0]), 1)


@check
def others_make_nothing_here(box: Box) -> None:
    raises(403, lambda: other(box, "w"))
    raises(OSError, lambda: h5pyd.Folder(box.folder + "sub/", mode="x", username=OTHER, password=PASSWORD))
    assert not h5pyd.is_hdf5(box.path())


@check
def acls_of_folders(box: Box) -> None:
    with h5pyd.Folder(box.folder, mode="a") as folder:
        equal(folder.getACL("ann")["create"], True)
        folder.putACL({**READ_ONLY, "create": True, "userName": OTHER})
    with other(box, "w") as f:
        f.create_group("theirs")
        equal(f.owner, OTHER)
    with box.open("r") as f:  # a new file has the ACLs of its folder
        assert "theirs" in f


@check
def unknown_users_have_no_acl(box: Box) -> None:
    fill(box)
    with box.open("r") as f:
        raises(404, lambda: f.getACL("nobody"))


if __name__ == "__main__":
    main()
