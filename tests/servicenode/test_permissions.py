"""Decisions over access control lists."""

import pytest

from hsds.errors import NotAuthenticated, NotPermitted
from hsds.servicenode.permissions import ANONYMOUS, User, full, inherited, permits, read_only, require

JOE = User("joe")
IN_LAB = User("ann", groups=frozenset({"lab"}))
NOTHING = dict.fromkeys(full(), False)


@pytest.mark.parametrize(
    ("user", "acls", "action", "expected"),
    [
        (User("root", is_admin=True), {}, "delete", True),
        (JOE, {"joe": full()}, "delete", True),
        (JOE, {"joe": NOTHING, "default": full()}, "read", False),  # one's own entry is final
        (JOE, {"default": read_only()}, "read", True),
        (JOE, {"default": read_only()}, "update", False),
        (JOE, {}, "read", False),
        (IN_LAB, {"g:lab": full()}, "update", True),
        (IN_LAB, {"g:lab": NOTHING, "default": read_only()}, "read", True),
        (JOE, {"g:lab": full()}, "read", False),
        (ANONYMOUS, {"default": read_only()}, "read", True),
        (ANONYMOUS, {"joe": full()}, "read", False),
        (JOE, {"joe": "broken"}, "read", False),
    ],
)
def test_permits(user, acls, action, expected):
    assert permits(user, acls, action) is expected


def test_who_is_nobody_needs_credentials_to_change_anything():
    with pytest.raises(NotAuthenticated, match="update on /x"):
        require(ANONYMOUS, {"default": full()}, "update", "/x")
    with pytest.raises(NotPermitted, match="default has no read permission on /x"):
        require(ANONYMOUS, {}, "read", "/x")
    with pytest.raises(NotPermitted, match="joe has no delete permission on /x"):
        require(JOE, {}, "delete", "/x")


def test_new_domains_inherit_what_others_may_do():
    parent = {
        "joe": full(),
        "ann": {"read": True, "domain": "bucket/home/joe"},
        "bob": NOTHING,
        "admin": full(),
        "default": full(),
    }
    acls = inherited(parent, owner="joe", folder=False, public=False, admins=frozenset({"admin"}))
    assert acls == {"joe": full(), "ann": read_only()}
    assert inherited({}, owner="joe", folder=True, public=False, admins=frozenset())["default"] == read_only()
    assert inherited({}, owner="joe", folder=False, public=True, admins=frozenset())["default"] == read_only()
