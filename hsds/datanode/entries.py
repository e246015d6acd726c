"""Links and attributes of one object: two maps from a name to a JSON entry, changed and paged alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from hsds.errors import Conflict, Deleted, InvalidInput, NotFound

Json = dict[str, Any]
Equal = Callable[[Json, Json], bool]


def merge(
    entries: dict[str, Json],
    put: Mapping[str, Json],
    delete: Sequence[str],
    *,
    replace: bool,
    equal: Equal,
    kind: str,
) -> bool:
    """Put and delete entries in place, all or nothing. True if anything changed.

    A replaced entry keeps its ``created``. Raises ``Conflict`` for a different entry of the same name unless
    ``replace``.
    """
    different: dict[str, Json] = {}
    for name, entry in put.items():
        old = entries.get(name)
        if old is None:
            different[name] = entry
        elif not equal(old, entry):
            if not replace:
                raise Conflict(f"{kind} {name!r} exists already and is different")
            different[name] = entry | {"created": old.get("created", entry.get("created"))}
    gone = [name for name in delete if name in entries and name not in put]
    entries.update(different)
    for name in gone:
        del entries[name]
    return bool(different or gone)


def pick(
    entries: Mapping[str, Json], names: Sequence[str], *, kind: str, deleted: Callable[[str], bool]
) -> list[tuple[str, Json]]:
    """The entries of ``names``. Raises ``NotFound``, or ``Deleted`` for names that ``deleted`` knows."""
    found = []
    for name in names:
        entry = entries.get(name)
        if entry is None:
            raise (Deleted if deleted(name) else NotFound)(f"{kind} {name!r} not found")
        found.append((name, entry))
    return found


def page(
    entries: Mapping[str, Json],
    *,
    pattern: str | None,
    marker: str | None,
    limit: int,
    creation_order: bool,
    kind: str,
) -> list[tuple[str, Json]]:
    """One page of entries by name, or by time of creation. ``marker`` is exclusive and must be among them."""
    names: list[str] = list(entries)
    if pattern is not None:
        names = [name for name in names if fnmatchcase(name, pattern)]
    if creation_order:  # the sort is stable: entries of one stamp keep the order in which they were put
        names.sort(key=lambda name: entries[name].get("created", 0.0))
    else:
        names.sort()
    if marker is not None:
        try:
            names = names[names.index(marker) + 1 :]
        except ValueError:
            raise NotFound(f"Marker {marker!r} is not the name of a {kind} listed here") from None
    if limit < 0:
        raise InvalidInput("Limit must not be negative")
    return [(name, entries[name]) for name in (names[:limit] if limit else names)]
