"""Links: from the forms that clients send to the one that is stored, and back.

Contract: sections 3.6, and 1.8 of 1.x.
"""

from __future__ import annotations

from typing import Any

from hsds.errors import InvalidInput
from hsds.hdf5.created import MAX_TIMESTAMP_DRIFT, creation_time
from hsds.hdf5.ids import check_id
from hsds.hdf5.reasons import kind_of, shown

Json = dict[str, Any]


def normalize_link(
    body: Json,
    *,
    now: float,
    predate_max_time: float = MAX_TIMESTAMP_DRIFT,
    max_timestamp_drift: float = MAX_TIMESTAMP_DRIFT,
) -> Json:
    """The stored form: ``class``, ``id`` or ``h5path`` or ``h5path``, ``file`` and ``h5domain``, ``created``.

    HSDS 0.9 reads the file of an external link as ``h5domain``, 1.x as ``file``: both are there. A client's
    ``created`` stays if it is at most ``predate_max_time`` seconds old, and not far in the future; the
    default is the rule for links sent in batches, which h5pyd may have kept for a while.

    Raises:
        InvalidInput: not a link.
    """
    if not isinstance(body, dict):
        raise InvalidInput(f"link: expected an object, got {kind_of(body)}")
    created = creation_time(
        body.get("created"),
        now=now,
        predate_max_time=predate_max_time,
        max_timestamp_drift=max_timestamp_drift,
    )
    return _target(body) | {"created": created}


def equal_links(a: Json, b: Json) -> bool:
    """Whether two stored links, of any HSDS version, lead to the same place."""
    try:
        return _target(a) == _target(b)
    except InvalidInput:  # something foreign in the bucket
        return a == b


def present_link(title: str, link: Json) -> Json:
    """``title``, ``class``, the target and ``created``; external links have ``file`` and ``h5domain``."""
    try:
        target = _target(link)
    except InvalidInput:
        target = {key: value for key, value in link.items() if key != "created"}
    return {"title": title, **target, "created": link.get("created", 0)}


def check_title(title: Any) -> str:
    """Return ``title`` if it can be the title of a link; otherwise ``InvalidInput``."""
    if not isinstance(title, str) or not title or "/" in title or title == ".":
        raise InvalidInput(f"link: {shown(title)} is not a title")
    return title


def _target(link: Json) -> Json:
    """The link without its time, whatever form it has."""
    file = link.get("file", link.get("h5domain"))
    given = {
        "id": link.get("id") is not None,
        "h5path": link.get("h5path") is not None,
        "file": file is not None,
    }
    present = tuple(key for key, there in given.items() if there)
    match link.get("class"), present:
        case ((None | "H5L_TYPE_HARD"), ("id",)):
            return {"class": "H5L_TYPE_HARD", "id": check_id(link["id"])}
        case ((None | "H5L_TYPE_SOFT"), ("h5path",)):
            return {"class": "H5L_TYPE_SOFT", "h5path": _text(link["h5path"], "h5path")}
        case ((None | "H5L_TYPE_EXTERNAL"), ("h5path", "file")):
            file = _text(file, "file")
            path = _text(link["h5path"], "h5path")
            return {"class": "H5L_TYPE_EXTERNAL", "h5path": path, "file": file, "h5domain": file}
        case ((None | "H5L_TYPE_HARD" | "H5L_TYPE_SOFT" | "H5L_TYPE_EXTERNAL"), _):
            raise InvalidInput("link: expected id, or h5path, or h5path and file")
        case kind, _:
            raise InvalidInput(f"link: class {shown(kind)} is not supported")


def _text(value: Any, what: str) -> str:
    if not isinstance(value, str) or not value:
        raise InvalidInput(f"link: {what} is text, not {shown(value)}")
    return value
