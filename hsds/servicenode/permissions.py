"""Who may do what: users, and the access control lists of domains. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from hsds.errors import InvalidInput, NotAuthenticated, NotPermitted
from hsds.hdf5.reasons import shown

Action = Literal["create", "read", "update", "delete", "readACL", "updateACL"]
ACTIONS: tuple[Action, ...] = get_args(Action)
DEFAULT = "default"
"""The entry for everybody without one of their own, and the name under which anonymous readers act."""

_NAME_LENGTH = 256
_ANONYMOUS_MAY_ASK = frozenset({"read", "readACL"})


@dataclass(frozen=True, slots=True)
class User:
    """Who asks. ``name`` is None for requests without credentials."""

    name: str | None
    is_admin: bool = False
    groups: frozenset[str] = frozenset()


ANONYMOUS = User(None)


def check_name(name: object) -> str:
    """The name of a user or group as an entry or owner may have it, or ``InvalidInput``."""
    if not isinstance(name, str) or not 0 < len(name) <= _NAME_LENGTH or not name.isprintable():
        raise InvalidInput(f"{shown(name)} is no name of a user: {_NAME_LENGTH} printable characters at most")
    return name


def full() -> dict[str, bool]:
    """An entry that permits everything."""
    return dict.fromkeys(ACTIONS, True)


def read_only() -> dict[str, bool]:
    """An entry that permits reading."""
    return {action: action == "read" for action in ACTIONS}


def flags_of(entry: Any) -> dict[str, bool]:
    """The six permissions of a stored entry, without whatever else was stored beside them."""
    given = entry if isinstance(entry, Mapping) else {}
    return {action: bool(given.get(action, False)) for action in ACTIONS}


def permits(user: User, acls: Mapping[str, Any], action: Action) -> bool:
    """Whether ``acls`` let ``user`` do ``action``.

    Admins may do everything. A user's own entry is final, also where it refuses; without one the ``default``
    entry or that of any of the user's groups is enough.
    """
    if user.is_admin:
        return True
    own = acls.get(user.name or DEFAULT)
    if own is not None:
        return _grants(own, action)
    return _grants(acls.get(DEFAULT), action) or any(
        _grants(acls.get(f"g:{group}"), action) for group in user.groups
    )


def _grants(entry: Any, action: Action) -> bool:
    return isinstance(entry, Mapping) and bool(entry.get(action, False))


def require(user: User, acls: Mapping[str, Any], action: Action, what: str) -> None:
    """Raise ``NotPermitted`` unless ``user`` may do ``action`` to ``what``; without credentials, for more
    than reading, ``NotAuthenticated``.
    """
    if user.name is None and action not in _ANONYMOUS_MAY_ASK:
        raise NotAuthenticated(f"{action} on {what} needs a user name and password")
    if not permits(user, acls, action):
        raise NotPermitted(f"user {user.name or DEFAULT} has no {action} permission on {what}")


def inherited(
    parent: Mapping[str, Any], *, owner: str, folder: bool, public: bool, admins: frozenset[str]
) -> dict[str, dict[str, bool]]:
    """The entries of a new domain or folder below one with the entries ``parent``.

    The owner may do everything; ``default`` reads folders, and domains if ``public``. Entries of others come
    along from the parent unless they permit nothing or are an admin's.
    """
    acls = {owner: full()}
    if folder or public:
        acls[DEFAULT] = read_only()
    for name, entry in parent.items():
        if name not in {DEFAULT, owner} and name not in admins:
            flags = flags_of(entry)
            if any(flags.values()):
                acls[name] = flags
    return acls
